"""How tables are stored (uint16 [N, C], one code a cell), fed to networks (float32 [N, W]), decoded, shown and written."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL.Image import Image as Picture
from torch import Tensor

from ...configuration import config
from ...core import Batch, Condition, PlainTable, Spec, ValueKind
from ...errors import GanvasError
from ...normal_scores import read_ranks, score_ranks
from ...system.arrow import import_arrow, parse_arrow_type
from .cells import CELLS, CellsCondition
from .chance import draw_cell_places, hash_rows
from .columns import CodeLayout, ColumnCodec, DateColumn, NumberColumn
from .marginals import draw_marginals
from .plain import choose_value_kind, read_plain_table, read_value_kind
from .rules import Rule
from .writing import write_numbered_rows

PREVIEW_ROWS = 2000
PATTERNS = 8  # of known cells in a batch


class _Places(NamedTuple):
    """Where each column's parts lie in x, and what each code of each column, one after the other, is there."""

    first_codes: Tensor  # int64 [C]: where a column's codes begin among all
    hot: Tensor  # int64 [K]: the place in x that is 1; the width of x: there is none
    rank: Tensor  # int64 [K]: the place in x of its rank; the width of x: there is none
    low: Tensor  # float32 [K]: its interval of ranks
    span: Tensor  # float32 [K]


@config
class TableCodec:
    """One codec for each column. A sample is a row: a mapping by the columns' names, or a row of an Arrow record batch.

    Rules reduce the table's own columns to those that have codecs, one rule after the other, and restore them last.
    """

    columns: tuple[ColumnCodec, ...]
    k: int = 10  # values that fewer rows hold are in no column's codec
    rules: tuple[Rule, ...] = ()
    target: str = ""  # the column that others are to predict, for scores; empty: none
    known_share: float = 0.5  # of the rows of a batch: in those some cells are known, so that G learns to complete rows

    @property
    def medium(self) -> str:
        return "table"

    @property
    def noun(self) -> str:
        return "rows"

    @property
    def is_visual(self) -> bool:
        return False

    @property
    def preview_count(self) -> int:
        return PREVIEW_ROWS

    def protocol(self) -> Mapping[str, str]:
        return {"k": str(self.k)}

    @property
    def spec(self) -> Spec:
        return self._spec

    @cached_property
    def _spec(self) -> Spec:
        fields = tuple(field for column in self.columns for field in column.fields)
        conditions: dict[str, Condition] = {CELLS: CellsCondition(self)} if self.known_share else {}
        return Spec((sum(field.size for field in fields),), fields, conditions)

    def lay_out(self) -> list[CodeLayout]:
        """What each column's codes stand for."""
        return [column.lay_out() for column in self.columns]

    @property
    def code_counts(self) -> Sequence[int]:
        """How many codes each column has."""
        return [len(column.lay_out().hot) for column in self.columns]

    @property
    def code_weights(self) -> np.ndarray:
        """The share of the rows that hold each code, of all columns one after the other: float64 [K]."""
        return np.concatenate([column.lay_out().weights for column in self.columns])

    @cached_property
    def columns_of_x(self) -> Tensor:
        """The number of the column that each place in x belongs to, int64 [W]."""
        sizes = [sum(field.size for field in column.fields) for column in self.columns]
        return torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))

    @property
    def base(self) -> "TableCodec":
        return self

    @cached_property
    def schema(self) -> Any:
        """The names, types and formats of the table's own columns (pyarrow.Schema)."""
        return self._restore(self._reduced_schema.empty_table()).schema

    @cached_property
    def _reduced_schema(self) -> Any:
        """Those of the columns that have codecs."""
        arrow = import_arrow()
        return arrow.schema([arrow.field(c.name, parse_arrow_type(c.type), metadata=c.metadata) for c in self.columns])

    def _restore(self, table: Any) -> Any:
        for rule in reversed(self.rules):
            table = rule.restore(table)
        return table

    def encode(self, item: Any) -> np.ndarray:
        """A row as uint16 [C]. Raises GanvasError for something else, or for values of another type than the column's."""
        if not isinstance(item, Mapping):
            raise GanvasError("is no row of a table: give a .csv or .parquet file")
        arrow = import_arrow()
        values = [arrow.array([item.get(name)]) for name in self.schema.names]
        return self.encode_block(arrow.record_batch(values, names=self.schema.names))[0]

    def encode_block(self, block: Any) -> np.ndarray:
        """A pyarrow.RecordBatch or Table of n rows as uint16 [n, C]; columns that are not known are left aside."""
        if self.rules:
            block = import_arrow().table(block)
        for rule in self.rules:
            block = rule.reduce(block)
        codes = np.empty((block.num_rows, len(self.columns)), np.uint16)
        for k, column in enumerate(self.columns):
            if column.name not in block.schema.names:
                raise GanvasError(f"lacks the column {column.name!r}, which the training data has: add it, empty if need be")
            codes[:, k] = self._encode_column(column, block.column(column.name))
        return codes

    def _encode_column(self, column: ColumnCodec, values: Any) -> np.ndarray:
        arrow, kind = import_arrow(), parse_arrow_type(column.type)
        values = values.combine_chunks() if isinstance(values, arrow.ChunkedArray) else values
        try:
            is_empty = arrow.types.is_null(values.type) and column.fields
            return column.encode(values.cast(kind) if is_empty else values)
        except (arrow.ArrowException, ValueError) as error:
            reason = f"column {column.name!r} has type {values.type}, not {column.type} as in the training data"
            raise GanvasError(f"{reason}: {str(error).partition(chr(10))[0][:120]}") from error

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        """uint16 [N, C] -> float32 [N, W]: one-hots, and normal scores of ranks.

        A value holds an interval of ranks. With a generator on the CPU each row has a random place there, else the middle.
        """
        codes = stored.to(torch.int64)
        u = torch.full(codes.shape, 0.5, device=codes.device)
        if generator is not None:  # one number a row, so that several ranks can share out a batch
            numbers = torch.rand(len(codes), generator=generator).to(codes.device)
            u = draw_cell_places(hash_rows((numbers * 2**24).long(), codes), codes.shape[1])
        return self.load_places(codes, u)

    def load_places(self, codes: Tensor, u: Tensor) -> Tensor:
        """Codes int64 [N, C], and each one's place u within its interval, float32 [N, C] from 0 to 1 -> float32 [N, W]."""
        places = self._find_places(codes.device)
        width, flat_codes = self.spec.shape[0], codes + places.first_codes
        x = torch.zeros(len(codes), width + 1, device=codes.device)  # the last place takes what has none
        x.scatter_(1, places.hot[flat_codes], 1.0)
        ranks = places.low[flat_codes] + places.span[flat_codes] * u
        x.scatter_(1, places.rank[flat_codes], score_ranks(ranks))
        return x[:, :width].contiguous()

    def load_columns(self, stored: Mapping[str, Tensor], generator: torch.Generator | None) -> Batch:
        """Also "cells", what is known of each row: of a share of the rows, cells at random; without a generator, nothing."""
        x = self.load(stored["x"], generator)
        is_known = torch.zeros(stored["x"].shape, dtype=torch.bool, device=x.device)
        if generator is not None and self.known_share:
            is_known = self._draw_known_cells(len(x), generator).to(x.device)
        return {"x": x, **({CELLS: self._mark_cells(x, is_known)} if self.known_share else {})}

    def _draw_known_cells(self, n: int, generator: torch.Generator) -> Tensor:
        """Which cells are known, bool [n, C]. Rows share a few patterns, so that G need not work out each row's own."""
        batch_number = torch.randint(2**24, (1,), generator=generator)
        patterns = draw_cell_places(hash_rows(batch_number + torch.arange(PATTERNS)), 1 + len(self.columns))
        numbers = (torch.rand(n, generator=generator) * 2**24).long()
        has_known, choice = draw_cell_places(hash_rows(numbers), 2).T
        is_known = (patterns[:, 1:] < patterns[:, :1])[(choice * PATTERNS).long()]
        return is_known & (has_known < self.known_share)[:, None]

    def load_cells(self, codes: Tensor, is_known: Tensor, generator: torch.Generator | None) -> Tensor:
        """Known cells float32 [N, 2, W], from codes int64 [N, C] and where they are known, bool [N, C]."""
        return self._mark_cells(self.load(codes, generator), is_known)

    def _mark_cells(self, x: Tensor, is_known: Tensor) -> Tensor:
        marks = is_known[:, self.columns_of_x.to(x.device)].to(x.dtype)
        return torch.stack([x * marks, marks], 1)

    def derive_conditions(self, stored: Tensor) -> Mapping[str, Condition]:
        return {}  # the spec has it already

    def store(self, x: Tensor) -> Tensor:
        """float [N, W] -> uint16 [N, C] on the CPU: the largest of each one-hot, and the interval that holds the rank."""
        x, start, codes = x.detach().to(torch.float64).cpu(), 0, list[Tensor]()
        for column in self.columns:
            size = sum(field.size for field in column.fields)
            codes.append(_choose_codes(column, x[:, start : start + size]))
            start += size
        return torch.stack(codes, 1).to(torch.uint16)

    def decode(
        self, stored: Tensor, seed: int = 0, start: int = 0, limits: Mapping[int, tuple[float, float]] | None = None
    ) -> Any:
        """uint16 [N, C] -> pyarrow.Table. Row `start` + i of a seed is always the same, whatever comes with it.

        limits: the lowest and the highest number of some columns, by the column's number.
        """
        codes = stored.to(torch.int64).cpu()
        rows = torch.arange(start, start + len(codes))
        places = draw_cell_places(hash_rows(rows + 1 + hash_rows(torch.tensor([seed]))), len(self.columns)).double().numpy()
        numbers = codes.numpy()
        for k, (low, high) in (limits or {}).items():
            column = self.columns[k]
            number = column.number if isinstance(column, DateColumn) else column
            assert isinstance(number, NumberColumn)
            places[:, k] = number.limit_places(numbers[:, k], places[:, k], low, high)
        return self.decode_places(numbers, places, rows.numpy())

    def decode_places(self, codes: np.ndarray, places: np.ndarray, rows: np.ndarray) -> Any:
        """Codes int64 [n, C], places within their intervals float64 [n, C] and row numbers int64 [n] -> pyarrow.Table."""
        arrays = [column.decode(codes[:, k], places[:, k], rows) for k, column in enumerate(self.columns)]
        return self._restore(import_arrow().Table.from_arrays(arrays, schema=self._reduced_schema))

    def list_plain_columns(self) -> Mapping[str, ValueKind]:
        return {name: kind for name, kind in self._column_kinds.items() if kind is not None}

    @cached_property
    def _column_kinds(self) -> dict[str, ValueKind | None]:
        """Of the table's own columns: None of those that are not learnt."""
        kinds: dict[str, ValueKind | None] = {column.name: choose_value_kind(column) for column in self.columns}
        return {field.name: kinds[field.name] if field.name in kinds else read_value_kind(field.type) for field in self.schema}

    def read_plain_table(self, stored: Tensor) -> PlainTable:
        return read_plain_table(self.decode(stored), self.list_plain_columns())

    def read_middle_table(self, stored: Tensor) -> PlainTable:
        """`read_plain_table`, but each number is the middle of its interval: rows with equal codes are equal rows."""
        codes = stored.to(torch.int64).cpu().numpy()
        table = self.decode_places(codes, np.full(codes.shape, 0.5), np.arange(len(codes)))
        return read_plain_table(table, self.list_plain_columns())

    def preview(self, stored: Tensor) -> Picture:
        """The marginals of up to 12 columns: bars of the samples, before those of the training data."""
        return draw_marginals(self.columns, stored.to(torch.int64).cpu().numpy())

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        """Write rows to samples.csv, at its end if `start` > 0; `metadata` goes to PROVENANCE.json.

        The seed in `metadata` decides where within its interval each number lies.
        """
        return write_numbered_rows(self.decode(stored, _read_seed(metadata), start), folder, start, metadata)

    @cached_property
    def _device_places(self) -> dict[torch.device, _Places]:
        return {torch.device("cpu"): _list_places(self.columns, self.spec.shape[0])}

    def _find_places(self, device: torch.device) -> _Places:
        if device not in self._device_places:
            self._device_places[device] = _Places(*(t.to(device) for t in self._device_places[torch.device("cpu")]))
        return self._device_places[device]


def _list_places(columns: tuple[ColumnCodec, ...], width: int) -> _Places:
    first_codes, hot, rank, low, span = (
        list[int](),
        list[np.ndarray](),
        list[np.ndarray](),
        list[np.ndarray](),
        list[np.ndarray](),
    )
    start = code_count = 0
    for column in columns:
        layout, size = column.lay_out(), sum(field.size for field in column.fields)
        has_rank = ~np.isnan(layout.low)
        first_codes.append(code_count)
        hot.append(np.where(layout.hot >= 0, start + layout.hot, width))
        rank.append(np.where(has_rank, start + size - 1, width))
        low.append(np.where(has_rank, layout.low, 0.5))
        span.append(np.where(has_rank, layout.high - layout.low, 0.0))
        start, code_count = start + size, code_count + len(layout.hot)
    indices = (torch.from_numpy(np.concatenate(parts)).long() for parts in (hot, rank))
    numbers = (torch.from_numpy(np.concatenate(parts)).float() for parts in (low, span))
    return _Places(torch.tensor(first_codes), *indices, *numbers)


def _choose_codes(column: ColumnCodec, x: Tensor) -> Tensor:
    """The codes int64 [N] of one column's part of x, float64 [N, size]."""
    layout = column.lay_out()
    has_rank = ~np.isnan(layout.low)
    if not column.fields:
        return torch.zeros(len(x), dtype=torch.int64)
    ranked_codes = torch.zeros(len(x), dtype=torch.int64)
    if has_rank.any():
        edges = torch.from_numpy(layout.high[has_rank][:-1].copy())
        ranked_codes = torch.searchsorted(edges, read_ranks(x[:, -1].contiguous()), right=True)
    if (layout.hot < 0).all():
        return ranked_codes
    hot = x[:, : layout.hot.max() + 1].argmax(1)
    code_of_hot = np.zeros(layout.hot.max() + 1, np.int64)
    code_of_hot[layout.hot] = np.where(has_rank, -1, np.arange(len(has_rank)))
    codes = torch.from_numpy(code_of_hot)[hot]
    return torch.where(codes < 0, ranked_codes, codes)


def _read_seed(metadata: Mapping[str, str]) -> int:
    seeds = [value for key, value in metadata.items() if key.lower() == "seed" and value.lstrip("-").isdigit()]
    return int(seeds[0]) % 2**31 if seeds else 0
