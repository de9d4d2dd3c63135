"""New rows of a table, as many as you like, under conditions that hold in each of them; and rows with gaps, completed."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..core import DerivingCodec
from ..errors import GanvasError
from ..media import TableCodec
from ..media.table.cells import CELLS
from ..media.table.where import WISH_SEPARATOR, parse_wishes
from ..media.table.writing import SAMPLES_NAME, write_table_parts
from ..runs.folder import RunFolder
from ..system.arrow import import_arrow
from .generator import open_sampler
from .windows import build_filler, open_series_sampler, stream_series_tables

Where = Mapping[str, Any] | Sequence[str]  # {"age": (30, 40), "income": ">50K"}, or ["age=30..40", "income=>50K"]


class RowSampler:
    """A run's generator of rows.

    Args:
        where: what all rows have in common.

    Raises:
        GanvasError: a run that makes no rows, or conditions that no row can meet.
    """

    def __init__(self, run: str | Path | RunFolder, where: Where = (), checkpoint: str = "best", device: str = "auto") -> None:
        self.run = run if isinstance(run, RunFolder) else RunFolder(run)
        codec = _read_table_codec(self.run)
        if codec is None:
            raise GanvasError(
                f"{self.run.path} makes {self.run.read_codec().noun}, not rows of a table: ganvas generate {self.run.path}"
            )
        text = WISH_SEPARATOR.join(format_wishes(where))
        check_computed_columns(codec, text)
        self.codec, self.wishes = codec, parse_wishes(codec.columns, text) if text else []
        self.limits = {wish.column: wish.limits for wish in self.wishes if wish.limits is not None}
        self.sampler = open_sampler(self.run, checkpoint, device, {CELLS: text} if text else None)

    def stream(self, n: int, seed: int = 0) -> Iterator[Any]:
        """`n` rows of a seed as pyarrow.Tables, some thousands at a time. Row i of a seed does not depend on n."""
        start = 0
        for stored in self.sampler.stream_samples(n, seed):
            yield self.codec.decode(stored, seed, start, self.limits)
            start += len(stored)


def check_computed_columns(codec: TableCodec, text: str) -> None:
    """Raises GanvasError for a wish about a column that a rule computes from others."""
    learnt = {column.name for column in codec.columns}
    for rule in codec.rules:
        for name in rule.columns:
            if name not in learnt and any(line.partition("=")[0].strip() == name for line in text.split(WISH_SEPARATOR)):
                raise GanvasError(f"{name} is computed in each row ({rule.describe()}): ask for the other columns of this rule")


def format_wishes(where: Where) -> list[str]:
    """Conditions as texts: a tuple is a range, a list or a set are choices, None is a missing value."""
    if not isinstance(where, Mapping):
        return [where] if isinstance(where, str) else list(where)
    return [f"{name}={_format_value(value)}" for name, value in where.items()]


def _format_value(value: Any) -> str:
    if value is None:
        return "missing"
    if isinstance(value, tuple):
        low, high = ("" if end is None else str(end) for end in value)
        return f"{low}..{high}"
    return "|".join(map(str, value)) if isinstance(value, (list, set, frozenset)) else str(value)


def rows(
    run: str | Path | RunFolder,
    n: int,
    where: Where = (),
    seed: int = 0,
    checkpoint: str = "best",
    device: str = "auto",
    steps: int | None = None,
) -> Any:
    """`n` new rows of a run's table: a pyarrow.Table. Row i of a seed does not depend on n.

    Args:
        steps: of a run of series: `n` series of so many steps, a row for each step. Windows are joined to them.
        where: conditions that hold in every row: {"income": ">50K", "age": (30, 40), "state": ["TX", "CA"]}, or texts such as
            "age=30..40".

    Raises:
        GanvasError: a run that makes no rows, or conditions that no row can meet.
    """
    if steps is not None:
        if where:
            raise GanvasError("conditions are for rows of tables: leave out `where`, or complete series that hold it")
        folder = run if isinstance(run, RunFolder) else RunFolder(run)
        filler = build_filler(open_series_sampler(folder, checkpoint, device))
        return import_arrow().concat_tables(list(stream_series_tables(filler, n, steps, seed)))
    sampler = RowSampler(run, where, checkpoint, device)
    return import_arrow().concat_tables(list(sampler.stream(n, seed)))


def makes_rows(run: RunFolder) -> bool:
    return _read_table_codec(run) is not None


def _read_table_codec(run: RunFolder) -> TableCodec | None:
    """The codec of a run's stored rows; None if its samples are something else."""
    codec = run.read_codec()
    base = codec.base if isinstance(codec, DerivingCodec) else codec
    return base if isinstance(base, TableCodec) else None


def write_generated_rows(
    run: RunFolder, out: Path, n: int, where: Where = (), seed: int = 0, checkpoint: str = "best", device: str = "auto"
) -> Path:
    """Write `n` rows to `out`, a file by its suffix, or a folder that gets samples.csv. Returns the file.

    Raises:
        GanvasError: conditions that no row can meet, or a file that cannot be written.
    """
    sampler = RowSampler(run, where, checkpoint, device)
    path = out if out.suffix else out / SAMPLES_NAME
    tables = show_progress(sampler.stream(n, seed), n)
    return write_table_parts(tables, path, sampler.sampler.describe_provenance(seed))[0]


def show_progress(tables: Iterator[Any], n: int) -> Iterator[Any]:
    """The same tables, with a progress bar for many rows on a terminal."""
    with tqdm(total=n, unit="row", delay=1, disable=None) as bar:
        for table in tables:
            yield table
            bar.update(table.num_rows)
