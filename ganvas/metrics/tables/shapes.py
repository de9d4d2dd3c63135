"""How near each column's distribution comes to the real one: 1 - Kolmogorov-Smirnov, or 1 - total variation."""

from collections.abc import Mapping

import numpy as np

from ...configuration import config
from ...core import Features, PlainTable, RealFeatures, check_same_columns
from .columns import ReferenceMetric, TableColumns


@config
class ColumnShapes(ReferenceMetric):
    """ "shapes", the mean of `score_shapes` over all columns: 1 if each column's distribution is the real one."""

    columns: TableColumns = TableColumns()

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"shapes": False}

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        tables = self.build_tables(real, fake)
        return {"shapes": float(np.mean([*score_shapes(*tables).values()]))}


def score_shapes(real: PlainTable, fake: PlainTable) -> dict[str, float]:
    """A score for each column, by name, from 0 to 1 (equal).

    Numbers: 1 - the largest gap between the two distribution functions; a missing one counts as the lowest number of all.
    Categories: 1 - half the sum of absolute differences of shares. SDMetrics' KSComplement and TVComplement, which leave
    missing ones out.

    Raises:
        GanvasError: other columns, or no rows.
    """
    check_same_columns(real, fake)
    return {
        name: 1 - (measure_ks(x, y) if kind == "number" else measure_total_variation(x, y))
        for name, kind, x, y in zip(real.names, real.kinds, real.values, fake.values, strict=True)
    }


def measure_ks(x: np.ndarray, y: np.ndarray) -> float:
    """The largest gap between the distribution functions of numbers [N] and [M], 0 to 1; NaN counts as the lowest number."""
    x, y = (np.sort(np.where(np.isnan(values), -np.inf, values)) for values in (x, y))
    places = np.concatenate([x, y])
    gaps = np.searchsorted(x, places, "right") / len(x) - np.searchsorted(y, places, "right") / len(y)
    return float(np.abs(gaps).max())


def measure_total_variation(x: np.ndarray, y: np.ndarray) -> float:
    """Half the sum of absolute differences between the shares of codes [N] and [M], 0 to 1."""
    _, codes = np.unique(np.concatenate([x, y]), return_inverse=True)  # a hash as a code needs no table of its size
    size = int(codes.max()) + 1
    shares = np.bincount(codes[: len(x)], minlength=size) / len(x) - np.bincount(codes[len(x) :], minlength=size) / len(y)
    return float(0.5 * np.abs(shares).sum())
