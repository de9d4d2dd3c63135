"""Windows for TimeGAN and DoppelGANger: one-hots, and numbers from 0 to 1, by min–max scaling."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL.Image import Image as Picture
from torch import Tensor
from torch.nn.functional import one_hot

from ...configuration import config
from ...core import Batch, Condition, Field, PlainSeries, SeriesItems, Spec, ValueKind
from ..table.columns import ColumnCodec
from ..table.mixtures import get_number_column
from .codec import ALIVE, SeriesCodec
from .scaling import ColumnScale, WindowRange, measure_column, measure_windows


class _ColumnPart(NamedTuple):
    """What a column is in x, and from which place on."""

    number: int  # of the column
    start: int
    fields: tuple[Field, ...]
    hot: np.ndarray  # int64 [K]: the place of each code in the one-hot, which comes first
    hot_count: int  # places of the one-hot; 0: there is none
    scale: ColumnScale | None  # None: it holds categories alone
    has_range: bool  # the last two fields are the middle and the reach of its window


@config
class ScaledCodec:
    """Stores windows as `base` does. In x a number lies from 0 to 1 between the lowest and the highest of its column.

    A number that may be missing has a one-hot before it: there, or missing. A column whose numbers are all common is a
    one-hot, as in `base`. Statics are in x at all steps.

    per_window: numbers are scaled once more, by the range of their window. Two more statics give its middle and its reach
        (half its width): "auto-normalisation" (Lin et al. 2020, section 4.2).
    """

    base: SeriesCodec
    per_window: bool = False

    @property
    def medium(self) -> str:
        return self.base.medium

    @property
    def noun(self) -> str:
        return self.base.noun

    @property
    def is_visual(self) -> bool:
        return self.base.is_visual

    @property
    def preview_count(self) -> int:
        return self.base.preview_count

    @property
    def window(self) -> int:
        return self.base.window

    def protocol(self) -> Mapping[str, str]:
        return self.base.protocol()

    def encode(self, item: Any) -> np.ndarray:
        return self.base.encode(item)

    def encode_windows(self, items: SeriesItems) -> tuple[np.ndarray, np.ndarray]:
        return self.base.encode_windows(items)

    def decode(self, stored: Tensor, seed: int = 0, start: int = 0) -> Any:
        return self.base.decode(stored, seed, start)

    def list_plain_series(self) -> Mapping[str, ValueKind]:
        return self.base.list_plain_series()

    def read_plain_series(self, stored: Tensor) -> PlainSeries:
        return self.base.read_plain_series(stored)

    def preview(self, stored: Tensor) -> Picture:
        return self.base.preview(stored)

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        return self.base.write(stored, folder, start, metadata)

    # ------------------------------------------------------------ the layout of x

    @property
    def spec(self) -> Spec:
        """Shape (T, W). The fields are those of one step."""
        return self._spec

    @cached_property
    def _spec(self) -> Spec:
        fields = tuple(field for part in self._parts for field in part.fields)
        return Spec((self.window, sum(field.size for field in fields)), fields, {})

    @cached_property
    def _parts(self) -> list[_ColumnPart]:
        parts, start = list[_ColumnPart](), 0
        for number, column in enumerate(self.base.cells.columns):
            part = self._lay_out_column(number, column, start)
            parts.append(part)
            start += sum(field.size for field in part.fields)
        return parts

    def _lay_out_column(self, number: int, column: ColumnCodec, start: int) -> _ColumnPart:
        is_static = column.name in self.base.statics
        numbers = get_number_column(column)
        if numbers is None:
            is_end = self.base.has_ends and number == len(self.base.columns)
            fields = tuple(field._replace(is_static=is_static, is_end=is_end) for field in column.fields)
            return _ColumnPart(number, start, fields, column.lay_out().hot, sum(f.size for f in fields), None, False)
        scale = measure_column(numbers)
        flag = [Field(column.name, 2, "categorical", is_static=is_static)] if numbers.has_missing else []
        where = (column.name, 0) if numbers.has_missing else None
        value = Field(f"{column.name}.value", 1, where=where, is_static=is_static)
        has_range = self.per_window and not is_static
        names = [f"{column.name}.{end}" for end in WindowRange._fields] if has_range else []
        ranges = [Field(name, 1, is_static=True, scales=value.name) for name in names]
        is_missing = np.isnan(scale.places).astype(np.int64)
        return _ColumnPart(number, start, (*flag, value, *ranges), is_missing, 2 * len(flag), scale, has_range)

    @cached_property
    def _is_static(self) -> Tensor:
        """bool [W]"""
        return torch.tensor([field.is_static for field in self.spec.fields for _ in range(field.size)])

    @cached_property
    def _outlives(self) -> Tensor:
        """The parts of x that a step beyond the end has as well: bool [W]."""
        return torch.tensor([field.is_static or field.is_end for field in self.spec.fields for _ in range(field.size)])

    # ------------------------------------------------------------ loading

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        """uint16 [N, T, C] -> float32 [N, T, W] from 0 to 1. A code is the middle of its interval, so nothing is drawn."""
        codes = stored.to(torch.int64)
        is_alive = codes[..., -1] == ALIVE if self.base.has_ends else torch.ones_like(codes[..., 0], dtype=torch.bool)
        x = torch.cat([piece for part in self._parts for piece in _load_column(part, codes[..., part.number], is_alive)], 2)
        return x * (is_alive[..., None] | self._outlives.to(x.device))

    def load_columns(self, stored: Mapping[str, Tensor], generator: torch.Generator | None) -> Batch:
        return {"x": self.load(stored["x"], generator)}

    def derive_conditions(self, stored: Tensor) -> Mapping[str, Condition]:
        return {}

    # ------------------------------------------------------------ storing

    def store(self, x: Tensor) -> Tensor:
        """float [N, T, W] -> uint16 [N, T, C] on the CPU: the largest of each one-hot, and the nearest number.

        Statics are those of the mean over all steps. What is over stays over; the first step never is.
        """
        x = x.detach().to(torch.float64).cpu()
        x = torch.where(self._is_static, x.mean(1, keepdim=True), x)
        codes = torch.stack([_store_column(part, x) for part in self._parts], 2)
        return self.base.close_ends(codes.to(torch.uint16))


def _load_column(part: _ColumnPart, codes: Tensor, is_alive: Tensor) -> Iterator[Tensor]:
    """The parts of x float32 [N, T, size] that the codes int64 [N, T] of a column stand for."""
    if part.hot_count:
        yield one_hot(torch.from_numpy(part.hot).to(codes.device)[codes], part.hot_count).float()
    if part.scale is None:
        return
    values = torch.from_numpy(part.scale.places).to(codes.device)[codes]
    window_range = measure_windows(values, is_alive & ~values.isnan()) if part.has_range else None
    yield (window_range.scale(values) if window_range else values).nan_to_num(0.0).float()[..., None]
    if window_range:
        yield torch.stack(window_range, 2).float().expand(-1, codes.shape[1], -1)


def _store_column(part: _ColumnPart, x: Tensor) -> Tensor:
    """The codes int64 [N, T] of a column, from x float64 [N, T, W] with equal statics at all steps."""
    x = x[..., part.start : part.start + sum(field.size for field in part.fields)]
    hot = x[..., : part.hot_count].argmax(2).numpy() if part.hot_count else np.zeros(x.shape[:2], np.int64)
    if part.scale is None:
        codes = np.zeros(part.hot_count or 1, np.int64)
        codes[part.hot] = np.arange(len(part.hot))
        return torch.from_numpy(codes[hot])
    values = x[..., part.hot_count]
    if part.has_range:
        values = WindowRange(x[:, :1, -2], x[:, :1, -1]).restore(values)
    numbers = part.scale.find_codes(values.numpy())
    return torch.from_numpy(np.where(hot == 1, len(part.hot) - 1, numbers))  # the last code is a missing value
