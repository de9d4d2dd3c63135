"""Series with gaps, completed by a run; and forecasts, which complete rows that are still to come."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..data import TableRows, Windows
from ..errors import GanvasError
from ..media import SeriesCodec
from ..runs.folder import RunFolder
from ..system.arrow import import_arrow
from .gaps import fill_rows
from .generator import open_sampler
from .series_file import SeriesFile, order_file
from .table_gaps import fill_gaps, mark_present_cells
from .windows import MAX_STEPS, build_filler


class SeriesCompletion:
    """A file of series, and the run that is to complete it.

    Args:
        steps: so many rows are added at the end of each series, and filled as well. None: none, and rows keep their order.

    Raises:
        GanvasError: a run that has not learnt to complete series, or a file that does not fit it.
    """

    def __init__(self, run: RunFolder, rows: TableRows, steps: int | None, checkpoint: str, device: str) -> None:
        source = run.recipe.data
        if not isinstance(source, Windows):
            raise GanvasError(f"{run.path} was not trained on windows of a table, so nothing says how to sort rows")
        if steps is not None and not 1 <= steps <= MAX_STEPS:
            raise GanvasError(f"steps must be 1 to {MAX_STEPS:,}, got {steps}: so many rows are added to each series")
        self.sampler = open_sampler(run, checkpoint, device)
        self.filler = build_filler(self.sampler)
        self.file: SeriesFile = order_file(rows, source, self.filler.codec, steps)
        self.row_count, self.notes = len(self.file.series), self.file.notes

    def draw(self, seed: int) -> Iterator[Any]:
        """One answer: the completed rows, as one pyarrow.Table."""
        codec, file = self.filler.codec, self.file
        codes, is_known = read_known_rows(codec, file.table)
        filled = fill_rows(self.filler, codes, is_known, file.runs, seed)
        table = fill_gaps(file.table, codec.decode_rows(filled[:, : len(codec.columns)].numpy(), file.series, seed))
        if file.file_rows is not None:
            table = table.take(import_arrow().array(torch.from_numpy(file.file_rows).argsort().numpy()))
        yield table


def read_known_rows(codec: SeriesCodec, table: Any) -> tuple[Tensor, Tensor]:
    """Codes int64 [R, C] of rows, and which cells are known, bool [R, C]: those that are not missing, or not learnt."""
    arrow = import_arrow()
    for column in codec.columns:
        if column.name not in table.schema.names:
            table = table.append_column(column.name, arrow.nulls(table.num_rows))
    codes = torch.from_numpy(codec.encode_rows(table).astype("int64"))
    is_known = mark_present_cells(codec.columns, table) | ~torch.tensor([bool(column.fields) for column in codec.columns])
    ends = torch.ones(len(codes), codes.shape[1] - len(codec.columns), dtype=torch.bool)
    return codes, torch.cat([is_known, ends], 1)
