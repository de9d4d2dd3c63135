"""Can a judge tell generated rows from real ones? A two-sample test by a classifier (C2ST; Lopez-Paz, Oquab 2017)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ...configuration import config
from ...core import Features, PlainTable, RealFeatures, check_same_columns
from ...ranks import measure_auc
from .boosting import make_classifier, prepare_features
from .columns import ReferenceMetric, TableColumns
from .shapes import score_shapes

MAX_ROWS = 20_000  # of each table
FOLDS = 3
SHOWN_ROWS = 10
MIN_ROWS = 2 * FOLDS
WEIGHED_COLUMNS = 100  # the most to look for telling ones among
WEIGHING_ROWS = 3_000  # of each part, to weigh columns by


@config
class Detectability(ReferenceMetric):
    """ "detection": how surely boosted trees tell generated rows from real ones. 0.5 is chance, 1 is certain (AUC).

    Raises GanvasError if scikit-learn is missing, or for fewer than 6 rows.
    """

    columns: TableColumns = TableColumns()

    @property
    def samples(self) -> int | None:
        return MAX_ROWS

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"detection": True}

    def applies_to(self, real: RealFeatures) -> bool:
        return min(len(real.reference.features), len(real.held_out.features)) >= MIN_ROWS

    def compute_baseline(self, real: RealFeatures, n: int) -> dict[str, float]:
        """The score of held-out rows in the place of generated ones."""
        held_out = real.held_out.features[: min(n, MAX_ROWS)]
        return self(real, Features(held_out))

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        x, y = self.build_tables(real, fake)
        return {"detection": detect_rows(x, y, weighs_columns=False).auc}


class Detection(NamedTuple):
    """What a judge saw. The AUC is 0.5 if real and generated rows are alike, and 1 if each row gives itself away."""

    auc: float
    telling_rows: np.ndarray  # int64: rows of the generated table, the surest first
    telling_columns: dict[str, float]  # by name, the highest first: by how much the AUC falls without what the column tells


def detect_rows(
    real: PlainTable, fake: PlainTable, rows: int = MAX_ROWS, seed: int = 0, weighs_columns: bool = True
) -> Detection:
    """Train boosted trees to tell two tables apart, on equally many rows of each; score rows that they have not seen.

    A column's weight is that of Breiman 2001: shuffle it among the unseen rows and see how far the AUC falls.

    Args:
        rows: the most to take of each table.
        seed: of the rows and of the parts.
        weighs_columns: whether to find out which columns tell.

    Raises:
        GanvasError: scikit-learn is missing, other columns, or fewer than 6 rows.
    """
    check_same_columns(real, fake, min_rows=MIN_ROWS)
    rng = np.random.default_rng(seed)
    count = min(len(real), len(fake), rows)
    of_real, of_fake = (rng.permutation(len(table))[:count] for table in (real, fake))
    (x, y), is_category = prepare_features(real.take(of_real), fake.take(of_fake))
    features, is_real = np.concatenate([x, y]), np.repeat([True, False], count)
    fold = np.concatenate([rng.permutation(count) % FOLDS for _ in range(2)])
    columns = _choose_columns(real.take(of_real), fake.take(of_fake)) if weighs_columns else np.empty(0, np.int64)
    scores, falls = np.empty(2 * count), list[np.ndarray]()
    for k in range(FOLDS):
        judge = make_classifier(is_category).fit(features[fold != k], is_real[fold != k])
        scores[fold == k] = judge.decision_function(features[fold == k])
        falls.append(_weigh_columns(judge, features[fold == k], is_real[fold == k], columns, rng))
    order = np.argsort(scores[count:], kind="stable")[:SHOWN_ROWS]
    weights = sorted(zip(columns, np.mean(falls, 0).tolist(), strict=True), key=lambda item: -item[1])
    telling = {real.names[column]: weight for column, weight in weights}
    return Detection(measure_auc(scores[is_real], scores[~is_real]), of_fake[order], telling)


def _choose_columns(real: PlainTable, fake: PlainTable) -> np.ndarray:
    """Which columns to weigh: all, or of very many those whose own distributions differ most."""
    shapes = np.array([*score_shapes(real, fake).values()])
    return np.sort(np.argsort(shapes, kind="stable")[:WEIGHED_COLUMNS])


def _weigh_columns(
    judge: Any, features: np.ndarray, is_real: np.ndarray, columns: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """By how much the AUC falls if each of `columns` is shuffled, float64 [len(columns)]."""
    sides = [rng.permutation(np.flatnonzero(is_real == side))[: WEIGHING_ROWS // 2] for side in (True, False)]
    part = np.concatenate(sides)
    features, is_real = features[part], is_real[part]
    whole = _judge_auc(judge, features, is_real)
    falls = np.empty(len(columns))
    for k, column in enumerate(columns):
        mixed = features.copy()
        mixed[:, column] = rng.permutation(mixed[:, column])
        falls[k] = whole - _judge_auc(judge, mixed, is_real)
    return falls


def _judge_auc(judge: Any, features: np.ndarray, is_real: np.ndarray) -> float:
    scores = judge.decision_function(features)
    return measure_auc(scores[is_real], scores[~is_real])
