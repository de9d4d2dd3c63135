"""Numbers as ranks and spikes: a value that a tenth of the rows hold is a category; of others, the rank is learnt."""

import math
from functools import cached_property
from typing import Any

import numpy as np

from ....configuration import config
from ....core import DECIMALS_KEY, Field
from ....system.arrow import import_arrow, parse_arrow_type
from .column import CodeLayout
from .intervals import EXACT_DIGITS, merge_values

SPIKE_SHARE = 0.1  # of all rows
MAX_DECIMALS = 6  # of numbers that are rounded to so many; others are not rounded


@config
class NumberColumn:
    """Codes: the intervals from below (see `Intervals`), then the spikes, then missing values, if there are any."""

    name: str
    type: str
    edges: tuple[float, ...] = ()
    points: tuple[float | None, ...] = ()
    ranks: tuple[float, ...] = ()
    lowest: float = 0.0
    highest: float = 0.0
    spikes: tuple[float, ...] = ()  # rising
    shares: tuple[float, ...]  # of all rows: of each spike, of all intervals, of missing values
    has_missing: bool = False
    decimals: int | None = None  # of all values; None: more than MAX_DECIMALS
    step: int = 1  # all values are multiples of it, in units of their last decimal
    written_decimals: int = 0  # that texts always have: "3.10"

    @property
    def metadata(self) -> dict[bytes, bytes]:
        return {DECIMALS_KEY: str(self.written_decimals).encode()} if self.written_decimals else {}

    @property
    def has_rank(self) -> bool:
        """Whether a rank says anything: not where all intervals together are one value."""
        return len(self.points) > 1 or self.points[:1] == (None,)

    @property
    def has_categories(self) -> bool:
        """Whether it has a one-hot of its spikes, the rest and missing values."""
        return len(self.shares) > 1

    @property
    def fields(self) -> tuple[Field, ...]:
        one_hot = (Field(self.name, len(self.shares), "categorical", self.shares),) if self.has_categories else ()
        rest = (self.name, len(self.spikes)) if self.has_categories else None
        return (*one_hot, *((Field(f"{self.name}.rank", 1, "continuous", where=rest),) if self.has_rank else ()))

    @cached_property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """The lower and the upper end of each interval: float64 [I]. An interval that is one value has it as both."""
        points = np.array([np.nan if point is None else point for point in self.points], np.float64)
        low, high = np.array([self.lowest, *self.edges]), np.array([*self.edges, self.highest])
        is_range = np.isnan(points)
        return np.where(is_range, low[: len(points)], points), np.where(is_range, high[: len(points)], points)

    def lay_out(self) -> CodeLayout:
        return self._layout

    @cached_property
    def _layout(self) -> CodeLayout:
        intervals, spikes, missing = len(self.points), len(self.spikes), int(self.has_missing)
        hot = [*[spikes] * intervals, *range(spikes), *[len(self.shares) - 1] * missing]
        ranks, nothing = np.array(self.ranks), np.full(spikes + missing, np.nan)
        low, high = (np.concatenate([r if self.has_rank else r + np.nan, nothing]) for r in (ranks[:-1], ranks[1:]))
        rest_share = self.shares[spikes] if intervals else 0.0
        weights = [*(np.diff(ranks) * rest_share), *self.shares[:spikes], *self.shares[len(self.shares) - missing :]]
        values = [*((self.ends[0] + self.ends[1]) / 2), *self.spikes, *[np.nan] * missing]
        codes = np.array(hot if self.has_categories else [-1] * len(hot))
        return CodeLayout(codes, low, high, np.array(weights), np.array(values, np.float64))

    def encode(self, values: Any) -> np.ndarray:
        """A missing value is that in the middle where training had none missing; a new one, the nearest code."""
        numbers = convert_to_numbers(values)
        codes = self._find_nearest(numbers)
        missing = (
            len(self.points) + len(self.spikes) if self.has_missing else self._find_nearest(np.array([self._find_median()]))[0]
        )
        return np.where(np.isnan(numbers), missing, codes).astype(np.uint16)

    def _find_nearest(self, numbers: np.ndarray) -> np.ndarray:
        spikes = np.array(self.spikes)
        if not self.points:
            middles = (spikes[:-1] + spikes[1:]) / 2
            return np.searchsorted(middles, numbers)
        codes = np.searchsorted(np.array(self.edges), numbers)
        codes = np.minimum(codes, len(self.points) - 1)  # NaN is sorted last
        if not len(spikes):
            return codes
        places = np.minimum(np.searchsorted(spikes, numbers), len(spikes) - 1)
        return np.where(spikes[places] == numbers, len(self.points) + places, codes)

    def _find_median(self) -> float:
        layout = self.lay_out()
        order = np.argsort(layout.values)
        shares = np.cumsum(layout.weights[order])
        return float(layout.values[order][min(int(np.searchsorted(shares, shares[-1] / 2)), len(order) - 1)])

    @property
    def code_count(self) -> int:
        return len(self.points) + len(self.spikes) + int(self.has_missing)

    @property
    def span(self) -> tuple[float, float]:
        """The lowest and the highest number that a row can have."""
        numbers = np.concatenate([*self.ends, self.spikes])
        return float(numbers.min()), float(numbers.max())

    def round_inwards(self, low: float, high: float) -> tuple[float, float]:
        """The range between the first and the last number in it that a row can have, by the column's decimals and step."""
        if self.decimals is None:
            return low, high
        unit = self.step / 10.0**self.decimals
        first, last = np.ceil(low / unit - 1e-9), np.floor(high / unit + 1e-9)
        return float(np.round(first * unit, self.decimals)), float(np.round(last * unit, self.decimals))

    def find_codes(self, low: float, high: float) -> np.ndarray:
        """The codes with a number from `low` to `high`: bool [K]."""
        starts, stops = (np.concatenate([end, self.spikes]) for end in self.ends)
        return np.concatenate([(starts <= high) & (stops >= low), np.zeros(int(self.has_missing), bool)])

    def limit_places(self, codes: np.ndarray, places: np.ndarray, low: float, high: float) -> np.ndarray:
        """Places in codes' intervals [n], moved so that each number lies between `low` and `high`."""
        starts, stops = (np.concatenate([end, self.spikes, np.zeros(int(self.has_missing))])[codes] for end in self.ends)
        width = np.where(stops > starts, stops - starts, 1.0)
        first, last = (np.clip((limit - starts) / width, 0, 1) for limit in (low, high))
        return first + (last - first) * places

    def decode(self, codes: np.ndarray, places: np.ndarray, rows: np.ndarray) -> Any:
        arrow, kind = import_arrow(), parse_arrow_type(self.type)
        spikes, missing = np.array(self.spikes), np.array([np.nan] * self.has_missing)
        low, high = (np.concatenate([end, spikes, missing]) for end in self.ends)
        numbers = self._round(low[codes] + (high[codes] - low[codes]) * places)
        array = arrow.array(numbers, from_pandas=True)  # NaN is missing
        return convert_from_numbers(array, kind)

    def _round(self, numbers: np.ndarray) -> np.ndarray:
        if self.decimals is None:
            return numbers
        unit = 10.0**self.decimals
        return np.round(np.rint(numbers * unit / self.step) * self.step / unit, self.decimals)


def convert_to_numbers(values: Any) -> np.ndarray:
    """Values (pyarrow array) as float64 [n], NaN where missing or infinite."""
    arrow, types = import_arrow(), import_arrow("pyarrow.types")
    if types.is_temporal(values.type):
        values = values.cast(arrow.int32() if values.type.bit_width == 32 else arrow.int64())
    numbers = values.cast(arrow.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.where(np.isfinite(numbers), numbers, np.nan) + 0.0  # no -0.0


def convert_from_numbers(numbers: Any, kind: Any) -> Any:
    """Numbers (pyarrow array of float64) as values of a type."""
    arrow, types = import_arrow(), import_arrow("pyarrow.types")
    if types.is_temporal(kind):
        return numbers.cast(arrow.int32() if kind.bit_width == 32 else arrow.int64()).cast(kind)
    return numbers.cast(kind, safe=False)


def fit_number_column(name: str, values: Any, k: int, written_decimals: int = 0) -> NumberColumn | None:
    """The codec of a column (pyarrow array); None if fewer than k rows hold a number."""
    numbers = convert_to_numbers(values)
    present_numbers = numbers[~np.isnan(numbers)]
    decimals = find_decimals(present_numbers, values.type)
    if decimals is None:
        present_numbers = round_to_digits(present_numbers)
    distinct, counts = np.unique(present_numbers, return_counts=True)
    is_spike = counts >= max(k, SPIKE_SHARE * len(numbers))
    intervals = merge_values(distinct[~is_spike], counts[~is_spike], k)
    missing_count = len(numbers) - len(present_numbers)
    if intervals is None and not is_spike.any():
        return None
    rest_count = int(counts[~is_spike].sum())
    parts = [*counts[is_spike].tolist(), *([rest_count] if intervals else []), *([missing_count] if missing_count else [])]
    return NumberColumn(
        name=name,
        type=str(values.type),
        **({} if intervals is None else intervals._asdict()),
        spikes=tuple(distinct[is_spike].tolist()),
        shares=tuple(count / sum(parts) for count in parts),
        has_missing=missing_count > 0,
        decimals=decimals,
        step=find_step(distinct, decimals) if counts[distinct != 0].sum() >= k else 1,
        written_decimals=written_decimals,
    )


def find_decimals(numbers: np.ndarray, kind: Any) -> int | None:
    """How many decimals all numbers get along with; None if that is more than MAX_DECIMALS."""
    types = import_arrow("pyarrow.types")
    precision = np.float32 if types.is_float32(kind) else np.float16 if types.is_float16(kind) else np.float64
    exact_numbers = numbers.astype(precision)
    for decimals in range(MAX_DECIMALS + 1):
        if np.array_equal(np.round(numbers, decimals).astype(precision), exact_numbers):
            return decimals
    return None


def find_step(distinct: np.ndarray, decimals: int | None) -> int:
    """The largest step that all numbers are multiples of, in units of the last decimal: 100 for 0, 500, 700."""
    if decimals is None or not len(distinct) or np.abs(distinct).max() * 10**decimals > 2**53:
        return 1
    return max(1, math.gcd(*np.rint(distinct * 10**decimals).astype(np.int64).tolist()))


def round_to_digits(numbers: np.ndarray) -> np.ndarray:
    """Numbers with EXACT_DIGITS significant digits."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        exponents = np.where(numbers == 0, 0, np.floor(np.log10(np.abs(numbers))))
        scale = 10.0 ** np.clip(EXACT_DIGITS - 1 - exponents, -300, 300)
        rounded = np.rint(numbers * scale) / scale
    return np.where(np.isfinite(rounded), rounded, numbers)
