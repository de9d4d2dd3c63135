"""How quickly samples reach the disk, against what the network and the encoder alone would take.

python benchmarks/streaming.py RUN [--n 50000] [--folder DIR]

RUN is a trained one of 32 px: noise encodes otherwise. Core-seconds are those of all threads. The limit is the time in which
the cores can do the work of both, were it divided evenly; nothing is as quick as that.
"""

import argparse
import os
import resource
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ganvas.runs.folder import RunFolder
from ganvas.sampling.generator import Sampler
from ganvas.sampling.writing import write_samples

SOME = 4096  # samples that the encoder is timed with


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """(seconds, core-seconds)."""
    wall, cores = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cores


def archived(codec: Any, stored: torch.Tensor, folder: Path, start: int, words: dict[str, str]) -> None:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for name, data in codec.files(stored, start, words):
            archive.writestr(name, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--n", type=int, default=50_000)
    parser.add_argument("--folder", type=Path, help="where to write: a disk, or one in memory")
    got = parser.parse_args()
    made, cores = Sampler(RunFolder(got.run)), os.cpu_count() or 1
    some = torch.cat(list(made.stream_samples(SOME)))

    def network() -> None:
        for _ in made.stream_samples(got.n):
            pass

    network_seconds, network_cores = timed(network)
    print(f"{got.n:,} samples of {' x '.join(map(str, made.codec.spec.shape))}, {cores} cores")
    print(f"network alone   {network_seconds:7.1f} s  {got.n / network_seconds:8,.0f}/s  {network_cores:7.1f} core-seconds")
    for form in ("files", "zip", "npy"):
        with tempfile.TemporaryDirectory(dir=got.folder) as name:
            folder = Path(name)
            if form == "npy":
                encoder_cores = 0.0
            else:
                make = made.codec.write if form == "files" else lambda *given: archived(made.codec, *given)
                alone, encoder_cores = timed(lambda folder=folder, make=make: make(some, folder / "alone", 0, {}))
                encoder_cores *= got.n / SOME
                print(
                    f"encoder alone   {alone * got.n / SOME:7.1f} s  {SOME / alone:8,.0f}/s  {encoder_cores:7.1f} core-seconds"
                )
                shutil.rmtree(folder / "alone", ignore_errors=True)
            seconds, _ = timed(lambda folder=folder, form=form: write_samples(made, got.n, 0, folder, form))
            size = sum(path.stat().st_size for path in folder.rglob("*"))
        limit = max(network_seconds, (network_cores + encoder_cores) / cores)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
        print(
            f"{form:<15} {seconds:7.1f} s  {got.n / seconds:8,.0f}/s  limit {limit:.1f} s, {limit / seconds:.2f} of it; "
            f"{size / 2**20:,.0f} MB written, peak memory {memory:,.0f} MB"
        )


if __name__ == "__main__":
    main()
