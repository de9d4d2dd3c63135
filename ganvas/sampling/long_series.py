"""Write series of any length as one table in long form."""

from pathlib import Path

from ..media.table.writing import SAMPLES_NAME, write_table_parts
from ..runs.folder import RunFolder
from .rows import show_progress
from .windows import build_filler, open_series_sampler, stream_series_tables


def write_long_series(
    run: RunFolder, out: Path, n: int, steps: int, seed: int = 0, checkpoint: str = "best", device: str = "auto"
) -> Path:
    """Write `n` series of so many steps to `out`, a file by its suffix, or a folder that gets samples.csv. Returns the file."""
    sampler = open_series_sampler(run, checkpoint, device)
    path = out if out.suffix else out / SAMPLES_NAME
    tables = show_progress(stream_series_tables(build_filler(sampler), n, steps, seed), n * steps)
    return write_table_parts(tables, path, sampler.describe_provenance(seed) | {"Steps": str(steps)})[0]
