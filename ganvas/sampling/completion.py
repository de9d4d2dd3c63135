"""Rows with gaps, completed by a run: of a table, or of series."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from ..core import Latents, seed_from, seeded_generator
from ..data import TableRows, read_frame
from ..data.tables import read_table_rows
from ..errors import GanvasError, require
from ..media import TableCodec
from ..media.series.codec import find_free_name
from ..media.table.cells import CELLS
from ..media.table.writing import write_table_parts
from ..runs.folder import RunFolder
from ..system.arrow import import_arrow
from ..system.console import print_status
from .generator import Sampler
from .rows import RowSampler, show_progress
from .series_completion import SeriesCompletion
from .stream import ROWS_PER_BLOCK
from .table_gaps import fill_gaps, mark_present_cells
from .windows import read_series_codec

DRAW, MAX_DRAWS = "draw", 100_000  # the column that numbers answers, if there are several


class Completion(Protocol):
    """A file, and the run that is to complete it."""

    @property
    def sampler(self) -> Sampler: ...
    @property
    def row_count(self) -> int: ...  # of one answer
    @property
    def notes(self) -> Sequence[str]: ...
    def draw(self, seed: int) -> Iterator[Any]:
        """One answer, as pyarrow.Tables one after the other. Another seed gives another one."""
        ...


def complete(
    run: str | Path | RunFolder,
    partial: Any,
    seed: int = 0,
    checkpoint: str = "best",
    device: str = "auto",
    steps: int | None = None,
    draws: int = 1,
) -> Any:
    """Rows with gaps, filled in by a run: a pyarrow.Table with the same rows and columns. What is known stays as it is.

    Args:
        partial: a path, or a frame as `ganvas.train` takes it: pandas, polars, DuckDB, a cursor. Missing cells are filled,
            and so are columns that it lacks. Columns that the run does not know stay as they are.
        seed: another one fills the gaps otherwise.
        steps: of series: so many rows are added at the end of each one, as a forecast. Rows are sorted by key and time then.
        draws: so many answers, one after the other, which a first column "draw" numbers if there are several.

    Raises:
        GanvasError: a run that has not learnt to complete rows or series, or a file that does not fit it.
    """
    run = run if isinstance(run, RunFolder) else RunFolder(run)
    completion = _open_completion(run, partial, steps, checkpoint, device)
    return import_arrow().concat_tables(list(_stream_draws(completion, seed, draws)))


def write_completed_rows(
    run: RunFolder,
    file: str,
    out: Path,
    seed: int = 0,
    checkpoint: str = "best",
    device: str = "auto",
    steps: int | None = None,
    draws: int = 1,
) -> Path:
    """Write `complete` of a file to `out`, some thousand rows at a time. Returns the file."""
    completion = _open_completion(run, file, steps, checkpoint, device)
    for line in completion.notes:
        print_status(is_quiet=False, message=f"note: {line}")
    tables = show_progress(_stream_draws(completion, seed, draws), completion.row_count * draws)
    note = {"Completed": f"the gaps of {Path(file).name} are filled, known cells are as they were"}
    return write_table_parts(tables, out, completion.sampler.describe_provenance(seed) | note)[0]


def _open_completion(run: RunFolder, partial: Any, steps: int | None, checkpoint: str, device: str) -> Completion:
    is_series = read_series_codec(run) is not None
    if steps is not None and not is_series:
        raise GanvasError(f"{run.path} makes {run.read_codec().noun}, and no series that could go on: leave out the steps")
    is_path = isinstance(partial, (str, Path))
    rows = read_table_rows(str(partial), min_rows=1) if is_path else read_frame(partial, min_rows=1)
    if is_series:
        return SeriesCompletion(run, rows, steps, checkpoint, device)
    return RowCompletion(run, rows, checkpoint, device)


def _stream_draws(completion: Completion, seed: int, draws: int) -> Iterator[Any]:
    require(1 <= draws <= MAX_DRAWS, "draws", draws, f"1 to {MAX_DRAWS:,}")
    for k in range(draws):
        for table in completion.draw(seed_from(seed, DRAW, k) % 2**31 if k else seed):
            yield _number_draw(table, k) if draws > 1 else table


def _number_draw(table: Any, number: int) -> Any:
    """The table with the number of the answer as its first column."""
    arrow, name = import_arrow(), find_free_name(DRAW, table.schema.names)
    return table.add_column(
        0, name, arrow.array([number], arrow.int32()).take(arrow.array([0] * table.num_rows, arrow.int32()))
    )


class RowCompletion:
    """Rows of a table, which are completed block by block.

    Raises:
        GanvasError: a run that has not learnt to complete rows, or rows that share no column with it.
    """

    def __init__(self, run: RunFolder, rows: TableRows, checkpoint: str, device: str) -> None:
        self.row_sampler, self.rows, self.notes = RowSampler(run, (), checkpoint, device), rows, ()
        if CELLS not in self.sampler.traits.conditions:
            raise GanvasError(f"{run.path} has not learnt to complete rows: train again with a known_share above 0")
        names: list[str] = self.row_sampler.codec.schema.names
        if not set(names) & set(rows.sample.schema.names):
            raise GanvasError(
                f"{rows.title} has no column of the training data: it needs at least one of {', '.join(names[:12])}"
            )

    @property
    def sampler(self) -> Sampler:
        return self.row_sampler.sampler

    @property
    def row_count(self) -> int:
        return len(self.rows)

    def draw(self, seed: int) -> Iterator[Any]:
        """One answer, as pyarrow.Tables of some thousand rows."""
        start = 0
        for batch in self.rows.read_blocks():
            for first in range(0, batch.num_rows, ROWS_PER_BLOCK):
                block = import_arrow().table(batch.slice(first, ROWS_PER_BLOCK))
                yield complete_block(self.row_sampler, block, seed, start)
                start += block.num_rows


def complete_block(sampler: RowSampler, block: Any, seed: int, start: int) -> Any:
    """The rows of a pyarrow.Table, of number `start` and following, with their gaps filled."""
    codec, machine = sampler.codec, sampler.sampler
    codes, is_known = read_known_cells(codec, block)
    generator = seeded_generator(seed, "complete", start)
    latents: Latents = machine.method.draw_latents(machine.nets, len(codes), generator, machine.request)
    latents = {**latents, CELLS: codec.load_cells(codes, is_known, generator)}
    stored = torch.cat(list(machine.render_stored({name: value.to(machine.device) for name, value in latents.items()})))
    return fill_gaps(block, codec.decode(stored, seed, start))


def read_known_cells(codec: TableCodec, block: Any) -> tuple[Tensor, Tensor]:
    """Codes int64 [n, C] of a block's rows, and which cells are known, bool [n, C]: learnt ones that are not missing."""
    arrow = import_arrow()
    for name in codec.schema.names:
        if name not in block.schema.names:
            block = block.append_column(name, arrow.nulls(block.num_rows))
    codes = torch.from_numpy(codec.encode_block(block).astype("int64"))
    for rule in codec.rules:
        block = rule.reduce(block)
    return codes, mark_present_cells(codec.columns, block)
