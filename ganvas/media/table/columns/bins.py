"""Numbers and dates in public bins: nothing of this codec comes from the data. Within a bin, all are as likely."""

import math
from functools import cached_property
from typing import Any

import numpy as np

from ....configuration import config
from ....core import Field
from ....errors import require
from ....system.arrow import import_arrow, parse_arrow_type
from .column import CodeLayout
from .number import MAX_DECIMALS, convert_from_numbers, convert_to_numbers

MAX_BINS = 4096


@config
class BinColumn:
    """Codes: the bins from below, then missing values, if there may be any.

    type: "int64", "double", "date32[day]" or "timestamp[s]". Dates are whole days or seconds since 1970.
    edges: rising. Bin i holds the numbers from edge i up to edge i + 1, without that one itself.
    decimals: of all values; each bin must hold one.
    """

    name: str
    type: str
    edges: tuple[float, ...]
    decimals: int = 0
    has_missing: bool = False

    def __post_init__(self) -> None:
        require(0 <= self.decimals <= MAX_DECIMALS, "decimals", self.decimals, f"from 0 to {MAX_DECIMALS}")
        require(2 <= len(self.edges) <= MAX_BINS + 1, "edges", len(self.edges), f"from 2 to {MAX_BINS + 1} numbers")
        is_rising = all(map(math.isfinite, self.edges)) and bool((np.diff(self.units) >= 1).all())
        require(is_rising, "edges", self.edges, f"rising, with a number of {self.decimals} decimals in each bin")

    @property
    def metadata(self) -> dict[bytes, bytes]:
        return {}

    @cached_property
    def units(self) -> np.ndarray:
        """The first number of each bin, and the end of the last bin, in units of the last decimal: float64 [K + 1]."""
        return np.ceil(np.array(self.edges) * 10.0**self.decimals - 1e-6)

    @property
    def bin_count(self) -> int:
        return len(self.edges) - 1

    @property
    def fields(self) -> tuple[Field, ...]:
        return (Field(self.name, self.bin_count + int(self.has_missing), "categorical"),)

    def lay_out(self) -> CodeLayout:
        """The weights are 0, because nothing is known of the data."""
        count = self.bin_count + int(self.has_missing)
        middles = (self.units[:-1] + self.units[1:] - 1) / 2 / 10.0**self.decimals
        nothing = np.full(count, np.nan)
        values = np.concatenate([middles, [np.nan] * self.has_missing])
        return CodeLayout(np.arange(count), nothing, nothing, np.zeros(count), values)

    def encode(self, values: Any) -> np.ndarray:
        """Numbers beyond the outer edges are in the outer bins. Where none may be missing, a missing one is in the middle."""
        kind = parse_arrow_type(self.type)
        values = values.cast(kind, safe=False) if import_arrow("pyarrow.types").is_temporal(kind) else values
        numbers = np.rint(convert_to_numbers(values) * 10.0**self.decimals)
        codes = np.clip(np.searchsorted(self.units, numbers, side="right") - 1, 0, self.bin_count - 1)
        missing = self.bin_count if self.has_missing else self.bin_count // 2
        return np.where(np.isnan(numbers), missing, codes).astype(np.uint16)

    def decode(self, codes: np.ndarray, places: np.ndarray, rows: np.ndarray) -> Any:
        first, last = self.units[:-1], self.units[1:] - 1
        is_missing = codes >= self.bin_count
        bins = np.minimum(codes, self.bin_count - 1)
        counts = first[bins] + np.floor(places * (last[bins] - first[bins] + 1)).clip(0, last[bins] - first[bins])
        numbers = np.where(is_missing, np.nan, np.round(counts / 10.0**self.decimals, self.decimals))
        return convert_from_numbers(import_arrow().array(numbers, from_pandas=True), parse_arrow_type(self.type))


def list_equal_edges(lowest: float, highest: float, bins: int, decimals: int) -> tuple[float, ...]:
    """Edges of up to `bins` bins of equal width over all numbers of so many decimals from `lowest` to `highest`.

    Raises:
        SettingError: bounds in the wrong order, or a number of bins out of range.
    """
    require(math.isfinite(lowest) and lowest <= highest < math.inf, "lowest", lowest, f"at most the highest, {highest}")
    require(1 <= bins <= MAX_BINS, "bins", bins, f"from 1 to {MAX_BINS}")
    unit = 10.0**decimals
    first, last = math.ceil(lowest * unit - 1e-6), math.floor(highest * unit + 1e-6)
    count = last - first + 1
    require(count >= 1, "decimals", decimals, f"enough for a number from {lowest} to {highest}")
    bins = min(bins, count)
    return tuple(round((first - (-k * count // bins)) / unit, decimals) for k in range(bins + 1))
