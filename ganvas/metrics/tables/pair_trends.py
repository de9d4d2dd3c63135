"""How near the dependence of each pair of columns comes to the real one."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import numpy as np

from ...configuration import config
from ...core import Features, PlainTable, RealFeatures, check_same_columns
from .columns import ReferenceMetric, TableColumns
from .shapes import measure_total_variation

BINS_OF_EQUAL_WIDTH = 10  # numpy's histogram, as in SDMetrics
BINS_OF_EQUAL_COUNT = 20
MAX_COLUMNS = 100  # of a score card: some thousand pairs

Binning = Literal["width", "count"]


@config
class PairTrends(ReferenceMetric):
    """ "pairs", the mean of `score_pair_trends`: 1 if each pair of columns depends on each other as in the real table."""

    columns: TableColumns = TableColumns()

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"pairs": False}

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        x, y = self.build_tables(real, fake)
        columns = np.unique(np.linspace(0, len(x.names) - 1, MAX_COLUMNS).round().astype(int)).tolist()
        return {"pairs": score_pair_trends(x.select(columns), y.select(columns)).mean}


class PairScores(NamedTuple):
    """Scores of all pairs of columns: 1 is equal. `independent` is what columns without any dependence get."""

    mean: float
    independent: float
    matrix: np.ndarray  # float64 [C, C], symmetric; NaN on its diagonal
    names: tuple[str, ...]


def score_pair_trends(real: PlainTable, fake: PlainTable, bins: Binning = "width", seed: int = 0) -> PairScores:
    """Scores of pairs, from 0 to 1, and beside them the score of the real table with each column shuffled.

    Args:
        bins: "width" is SDMetrics' ColumnPairTrends: two numbers score 1 - |difference of correlations| / 2; other pairs
            score 1 - the total variation of their contingency tables, numbers in 10 bins of equal width over the real
            range. "count": tables for all pairs, numbers in 20 bins of equal count, which see more of skewed columns.
        seed: of the shuffling.

    Raises:
        GanvasError: other columns, fewer than two rows, or fewer than two columns: NaN would be the mean.
    """
    check_same_columns(real, fake, min_rows=2)
    matrix = _score_matrix(real, fake, bins)
    shuffled = _score_matrix(real, shuffle_columns(real, np.random.default_rng(seed)), bins)
    return PairScores(_average(matrix), _average(shuffled), matrix, real.names)


def shuffle_columns(table: PlainTable, rng: np.random.Generator) -> PlainTable:
    """The same columns without any dependence: each is shuffled. The cheapest of all generators of tables."""
    return PlainTable(table.names, table.kinds, tuple(rng.permutation(values) for values in table.values))


def _average(matrix: np.ndarray) -> float:
    above = matrix[np.triu_indices(len(matrix), 1)]
    return float(above.mean()) if len(above) else float("nan")


def _score_matrix(real: PlainTable, fake: PlainTable, bins: Binning) -> np.ndarray:
    count = len(real.names)
    x, y = _bin_columns(real, fake, bins)
    matrix = np.full((count, count), np.nan)
    for i in range(count):
        for j in range(i):
            if bins == "width" and real.kinds[i] == real.kinds[j] == "number":
                score = 1 - abs(_correlate(real.values[i], real.values[j]) - _correlate(fake.values[i], fake.values[j])) / 2
            else:
                size = int(max(x[j].max(), y[j].max())) + 1
                score = 1 - measure_total_variation(x[i] * size + x[j], y[i] * size + y[j])
            matrix[i, j] = matrix[j, i] = score
    return matrix


def _bin_columns(real: PlainTable, fake: PlainTable, bins: Binning) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The codes of both tables' columns, each int64 [N]. Codes of categories are numbered anew, so that products fit."""
    find_edges: Callable[[np.ndarray], np.ndarray] = _find_even_edges if bins == "width" else _find_quantiles
    x, y = list[np.ndarray](), list[np.ndarray]()
    for kind, a, b in zip(real.kinds, real.values, fake.values, strict=True):
        if kind == "number":
            edges = find_edges(a[~np.isnan(a)])
            codes = [np.where(np.isnan(v), len(edges) + 1, np.searchsorted(edges, v, "right")) for v in (a, b)]
        else:
            _, both = np.unique(np.concatenate([a, b]), return_inverse=True)
            codes = [both[: len(a)], both[len(a) :]]
        x.append(codes[0].astype(np.int64))
        y.append(codes[1].astype(np.int64))
    return x, y


def _find_even_edges(values: np.ndarray) -> np.ndarray:
    """Eleven edges; what lies outside has bins of its own, as numpy.digitize gives them."""
    return np.histogram_bin_edges(values, BINS_OF_EQUAL_WIDTH) if len(values) else np.zeros(0)


def _find_quantiles(values: np.ndarray) -> np.ndarray:
    """The edges between bins, at most 19: values far outside are in the outermost bins."""
    return np.unique(np.quantile(values, np.linspace(0, 1, BINS_OF_EQUAL_COUNT + 1)[1:-1])) if len(values) else np.zeros(0)


def _correlate(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson's correlation of rows that hold both numbers; 0 if one of them never changes."""
    is_whole = ~(np.isnan(x) | np.isnan(y))
    if is_whole.sum() < 2:
        return 0.0
    x, y = (v[is_whole] - v[is_whole].mean() for v in (x, y))
    scale = np.linalg.norm(x) * np.linalg.norm(y)
    return float(np.clip(x @ y / scale, -1, 1)) if scale > 0 else 0.0
