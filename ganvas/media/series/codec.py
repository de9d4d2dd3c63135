"""How windows of series are stored (uint16 [N, T, C]), fed to networks (float32 [N, T, W]), decoded, shown and written."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from PIL.Image import Image as Picture
from torch import Tensor

from ...configuration import config
from ...core import Batch, Condition, PlainSeries, SeriesItems, Spec, ValueKind
from ...errors import GanvasError
from ...system.arrow import import_arrow, parse_arrow_type
from ..table import CategoryColumn, KeyColumn, TableCodec
from ..table.cells import CELLS
from ..table.chance import draw_cell_places, hash_rows
from ..table.columns import ColumnCodec
from ..table.plain import choose_value_kind
from ..table.writing import write_numbered_rows
from .curves import draw_curves
from .known import KnownWindows, draw_known_cells
from .pieces import cut_intervals
from .plain import build_plain_series, find_window_rows

PREVIEW_WINDOWS = 6
ALIVE, OVER, ALIVE_AND_OVER = 0, 1, 2  # codes of the column that says where a series ends, and how many they are


@config
class SeriesCodec:
    """One codec for each column, as of a table. A sample is a window: a pyarrow.Table of up to T rows."""

    columns: tuple[ColumnCodec, ...]
    window: int  # T
    statics: tuple[str, ...] = ()  # columns that are the same at all steps of a window
    key: KeyColumn  # names the series that are decoded
    has_ends: bool = False  # some windows are shorter than T: one more column says which steps are over
    k: int = 10
    pieces: int = 32
    places: Literal["window", "step"] = "window"
    known_share: float = 0.25  # of the windows of a batch: in those some cells are known, so that G learns to complete windows

    @property
    def medium(self) -> str:
        return "series"

    @property
    def noun(self) -> str:
        return "windows"

    @property
    def is_visual(self) -> bool:
        return False

    @property
    def preview_count(self) -> int:
        return PREVIEW_WINDOWS

    def protocol(self) -> Mapping[str, str]:
        return {"k": str(self.k), "window": str(self.window)}

    @cached_property
    def cells(self) -> TableCodec:
        """The codec of a row: the columns with their intervals cut into pieces, then what says that the series is over."""
        fine_columns = [cut_intervals(column, self.pieces) for column in self.columns]
        name = find_free_name("end", [column.name for column in self.columns])
        end = CategoryColumn(name=name, type="string", values=("alive", "over"), shares=(1.0, 0.0))
        return TableCodec(columns=(*fine_columns, *([end] if self.has_ends else [])), k=self.k)

    @property
    def spec(self) -> Spec:
        """Shape (T, W). The fields are those of one step."""
        return self._spec

    @cached_property
    def _spec(self) -> Spec:
        fields = tuple(
            field._replace(is_static=column.name in self.statics, is_end=self.has_ends and column is self.cells.columns[-1])
            for column in self.cells.columns
            for field in column.fields
        )
        conditions: dict[str, Condition] = {CELLS: KnownWindows(self)} if self.known_share else {}
        return Spec((self.window, sum(field.size for field in fields)), fields, conditions)

    @property
    def base(self) -> "SeriesCodec":
        return self

    @cached_property
    def schema(self) -> Any:
        """Of decoded tables (pyarrow.Schema): the key, the number of the step, and the columns."""
        arrow = import_arrow()
        step = find_free_name("step", [column.name for column in (self.key, *self.columns)])
        key = arrow.field(self.key.name, parse_arrow_type(self.key.type))
        return arrow.schema([key, (step, arrow.int32()), *self.row_schema])

    @cached_property
    def row_schema(self) -> Any:
        """The names, types and formats of the columns that have codecs (pyarrow.Schema)."""
        arrow = import_arrow()
        return arrow.schema([arrow.field(c.name, parse_arrow_type(c.type), metadata=c.metadata) for c in self.columns])

    def encode(self, item: Any) -> np.ndarray:
        """A window as uint16 [T, C]. Raises GanvasError for something else, or for too many or too few rows."""
        if not hasattr(item, "num_rows"):
            raise GanvasError("is no window of a series: give a table and the `window` to cut it into")
        if not 1 <= item.num_rows <= self.window or (item.num_rows < self.window and not self.has_ends):
            raise GanvasError(f"has {item.num_rows} rows, and a window {self.window}")
        return self._pad_rows(self.encode_rows(item))

    def encode_windows(self, items: SeriesItems) -> tuple[np.ndarray, np.ndarray]:
        """(the windows that start at each row, a view uint16 [M, T, C]; which of them are the items, int64 [N]).

        Windows share the memory of their rows; only short ones lie by themselves. Without ends, short ones are left out.
        """
        if items.window != self.window:
            raise GanvasError(f"{items.title} has windows of {items.window} rows, and this codec of {self.window}")
        rows, is_short = self.encode_rows(items.table), items.lengths < items.window
        numbers, parts = [items.starts[~is_short]], [rows]
        if self.has_ends and is_short.any():
            pairs = zip(items.starts[is_short], items.lengths[is_short], strict=True)
            parts += [self._pad_rows(rows[start : start + length]) for start, length in pairs]
            numbers.append(len(rows) + self.window * np.arange(len(parts) - 1))
        parts += [np.zeros((self.window, rows.shape[1]), np.uint16)] * (len(rows) < self.window)
        memory = np.concatenate(parts) if len(parts) > 1 else rows
        views = np.lib.stride_tricks.sliding_window_view(memory, self.window, axis=0, writeable=True)  # [M, C, T]
        return views.swapaxes(1, 2), np.concatenate(numbers)

    def encode_rows(self, rows: Any) -> np.ndarray:
        """A pyarrow.Table of n rows as uint16 [n, C]."""
        codes = TableCodec(columns=self.cells.columns[: len(self.columns)]).encode_block(rows)
        return np.pad(codes, ((0, 0), (0, 1)), constant_values=ALIVE) if self.has_ends else codes

    def _pad_rows(self, rows: np.ndarray) -> np.ndarray:
        """Rows uint16 [n, C] as a window [T, C]. What is over has its statics, and else the code 0."""
        window = np.zeros((self.window, rows.shape[1]), np.uint16)
        window[:, self._static_columns] = rows[0, self._static_columns]
        window[: len(rows)] = rows
        window[len(rows) :, len(self.columns) :] = OVER
        return window

    @cached_property
    def _static_columns(self) -> np.ndarray:
        return np.array([k for k, column in enumerate(self.columns) if column.name in self.statics], np.int64)

    @cached_property
    def _field_masks(self) -> tuple[Tensor, Tensor]:
        """(the parts of x that are static, those that a step beyond the end has as well): bool [W] each."""
        is_static = torch.tensor([field.is_static for field in self.spec.fields for _ in range(field.size)], dtype=torch.bool)
        outlives = is_static.clone()
        outlives[len(is_static) - (ALIVE_AND_OVER if self.has_ends else 0) :] = True
        return is_static, outlives

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        """uint16 [N, T, C] -> float32 [N, T, W]: one-hots, and normal scores of ranks. Steps beyond the end are 0.

        A code holds an interval of ranks. With a generator on the CPU a value has a random place there, else the middle.
        """
        codes = stored.to(torch.int64)
        u = self._draw_places(codes, generator)
        x = self.cells.load_places(codes.flatten(0, 1), u.flatten(0, 1)).view(*codes.shape[:2], -1)
        if self.has_ends:
            is_alive = (codes[..., -1:] == ALIVE) | self._field_masks[1].to(codes.device)
            x = x * is_alive
        return x

    def load_columns(self, stored: Mapping[str, Tensor], generator: torch.Generator | None) -> Batch:
        """Also "cells", what is known of each window; without a generator, nothing."""
        x = self.load(stored["x"], generator)
        if not self.known_share:
            return {"x": x}
        is_known = torch.zeros(stored["x"].shape, dtype=torch.bool, device=x.device)
        if generator is not None:
            numbers = (torch.rand(len(x), generator=generator) * 2**24).long().to(x.device)
            is_known = draw_known_cells(numbers, self.window, self.is_static.to(x.device), self.known_share)
        return {"x": x, CELLS: self._mark_cells(x, is_known)}

    def load_cells(self, codes: Tensor, is_known: Tensor, generator: torch.Generator | None) -> Tensor:
        """Known cells float32 [N, 2, T, W], from codes int64 [N, T, C] and where they are known, bool [N, T, C]."""
        return self._mark_cells(self.load(codes, generator), is_known)

    def _mark_cells(self, x: Tensor, is_known: Tensor) -> Tensor:
        marks = is_known[..., self.cells.columns_of_x.to(x.device)].to(x.dtype)
        return torch.stack([x * marks, marks], 1)

    def derive_conditions(self, stored: Tensor) -> Mapping[str, Condition]:
        return {}  # the spec has it already

    @cached_property
    def is_static(self) -> Tensor:
        """Which columns never change within a window, bool [C]."""
        return torch.tensor([column.name in self.statics for column in self.cells.columns])

    @cached_property
    def is_end(self) -> Tensor:
        """Which column says whether a window is over, bool [C]: the last one, or none."""
        return torch.arange(len(self.cells.columns)) >= len(self.columns)

    def _draw_places(self, codes: Tensor, generator: torch.Generator | None) -> Tensor:
        """Where within its code's interval each value lies, from 0 to 1, for codes int64 [N, T, C]: float32 [N, T, C]."""
        n, steps, columns = codes.shape
        if generator is None:
            return torch.full(codes.shape, 0.5, device=codes.device)
        numbers = torch.rand(n, generator=generator).to(
            codes.device
        )  # one a window, so that several ranks can share out a batch
        hashes = hash_rows((numbers * 2**24).long(), codes.flatten(1))
        u = draw_cell_places(hashes, columns)[:, None].expand(n, steps, columns)
        if self.places == "window":
            return u
        step_hashes = hash_rows((hashes[:, None] + torch.arange(1, steps + 1, device=codes.device)).flatten())
        is_static = torch.zeros(columns, dtype=torch.bool)
        is_static[self._static_columns] = True
        return torch.where(is_static.to(codes.device), u, draw_cell_places(step_hashes, columns).view(n, steps, columns))

    def store(self, x: Tensor) -> Tensor:
        """float [N, T, W] -> uint16 [N, T, C] on the CPU.

        Statics are those of the mean over all steps. What is over stays over; the first step never is.
        """
        x = x.detach().to(torch.float64).cpu()
        if len(self._static_columns):
            x = torch.where(self._field_masks[0], x.mean(1, keepdim=True), x)
        return self.close_ends(self.cells.store(x.flatten(0, 1)).view(*x.shape[:2], -1))

    def close_ends(self, codes: Tensor) -> Tensor:
        """uint16 [N, T, C] with 0 in what is over. The first step never is, and what is over stays over."""
        if not self.has_ends:
            return codes
        numbers = codes.to(torch.int32)
        numbers[:, 0, -1] = ALIVE
        numbers[..., -1] = numbers[..., -1].cummax(1).values
        is_kept = (numbers[..., -1:] == ALIVE) | self._outliving_columns
        return (numbers * is_kept).to(torch.uint16)

    @cached_property
    def _outliving_columns(self) -> Tensor:
        """The columns that steps beyond the end have as well: bool [C]."""
        return torch.tensor([c.name in self.statics or k >= len(self.columns) for k, c in enumerate(self.cells.columns)])

    def decode(self, stored: Tensor, seed: int = 0, start: int = 0) -> Any:
        """uint16 [N, T, C] -> pyarrow.Table in long form: a row for each step of each window that is not over.

        Window `start` + i of a seed is always the same, whatever comes with it.
        """
        codes = stored.to(torch.int64).cpu()
        n, steps, _ = codes.shape
        window_of_row, step_of_row = (index.ravel() for index in np.indices((n, steps), np.int32))
        numbers, is_kept = codes.flatten(0, 1).numpy(), np.ones(n * steps, bool)
        if self.has_ends:
            is_kept = numbers[:, -1] == ALIVE
            numbers, window_of_row, step_of_row = numbers[is_kept], window_of_row[is_kept], step_of_row[is_kept]
        rows = np.arange(start, start + n)[window_of_row]
        table = self.decode_rows(numbers, rows, seed)
        keys = self.key.decode(np.zeros(len(rows), np.int64), np.zeros(len(rows)), rows)
        columns = [keys, import_arrow().array(step_of_row), *table.columns]
        return import_arrow().Table.from_arrays(columns, schema=self.schema)

    def decode_rows(self, codes: np.ndarray, windows: np.ndarray, seed: int = 0) -> Any:
        """Codes int64 [R, C] -> pyarrow.Table of the columns. `windows` int64 [R] numbers the window, or series, of each row.

        Rows of one number have the same place within their intervals.
        """
        numbers, of_row = np.unique(windows, return_inverse=True)
        hashes = hash_rows(torch.from_numpy(numbers) + 1 + hash_rows(torch.tensor([seed])))
        places = draw_cell_places(hashes, len(self.columns)).double().numpy()
        columns = self.cells.columns[: len(self.columns)]
        arrays = [column.decode(codes[:, k], places[of_row, k], windows) for k, column in enumerate(columns)]
        return import_arrow().Table.from_arrays(arrays, schema=self.row_schema)

    def list_plain_series(self) -> Mapping[str, ValueKind]:
        return {column.name: choose_value_kind(column) or "number" for column in self.columns if column.fields}

    def read_plain_series(self, stored: Tensor) -> PlainSeries:
        table = self.decode(stored)
        return build_plain_series(self, table, *find_window_rows(table))

    def preview(self, stored: Tensor) -> Picture:
        """Small curves: a row of them for each window, and one for each of up to 6 columns."""
        codes = stored[:PREVIEW_WINDOWS].to(torch.int64).cpu().numpy()
        lengths = (codes[..., -1] == ALIVE).sum(1) if self.has_ends else np.full(len(codes), self.window)
        shown = [(k, c) for k, c in enumerate(self.cells.columns[: len(self.columns)]) if c.name not in self.statics]
        return draw_curves(shown, codes, lengths)

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        """Write windows to samples.csv in long form, at its end if `start` > 0; `metadata` goes to PROVENANCE.json.

        The seed in `metadata` decides where within its interval each number lies.
        """
        seeds = [value for key, value in metadata.items() if key.lower() == "seed" and value.lstrip("-").isdigit()]
        table = self.decode(stored, int(seeds[0]) % 2**31 if seeds else 0, start)
        return write_numbered_rows(table, folder, start, metadata)


def find_free_name(name: str, names: Sequence[str]) -> str:
    """The name, with underscores until it is none of `names`."""
    while name in names:
        name += "_"
    return name
