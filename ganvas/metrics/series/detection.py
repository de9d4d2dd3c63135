"""Can a judge tell generated windows from real ones? Trees on values, steps and moments (C2ST; Lopez-Paz, Oquab 2017)."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ...configuration import config
from ...core import PlainSeries, PlainTable, ValueKind, check_same_series
from ...ranks import measure_auc
from ..tables.boosting import make_classifier, prepare_features
from .columns import SeriesColumns, SeriesScore

MAX_WINDOWS = 6_000  # of each set
FOLDS = 3
MIN_WINDOWS = 2 * FOLDS
SHOWN_WINDOWS = 10
TREES = {"max_iter": 100, "max_leaf_nodes": 15, "max_features": 0.5}  # as for the figures in docs/decisions/0013


@config
class WindowDetectability(SeriesScore):
    """ "detection": how surely boosted trees tell generated windows from real ones. 0.5 is chance, 1 is certain (AUC).

    Raises GanvasError if scikit-learn is missing, or for fewer than 12 windows.
    """

    columns: SeriesColumns = SeriesColumns()

    @property
    def samples(self) -> int | None:
        return MAX_WINDOWS

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"detection": True}

    def compare(self, real: PlainSeries, fake: PlainSeries) -> dict[str, float]:
        return {"detection": detect_windows(real, fake, weighs_columns=False).auc}


class WindowDetection(NamedTuple):
    """What a judge saw. The AUC is 0.5 if real and generated windows are alike, and 1 if each one gives itself away."""

    auc: float
    telling_windows: np.ndarray  # int64: generated windows, the surest first
    telling_columns: dict[str, float]  # the highest first: by how much the AUC falls if the column is shuffled


def detect_windows(
    real: PlainSeries, fake: PlainSeries, windows: int = MAX_WINDOWS, seed: int = 0, weighs_columns: bool = True
) -> WindowDetection:
    """Train boosted trees to tell two sets apart, on equally many windows of each; score windows that they have not seen.

    They see each value, each step, and each window's mean, deviation, mean absolute step and count of missing values.
    For a floor, take windows of other times than the real ones: those at the end of time.

    Args:
        windows: the most to take of each set.
        seed: of the windows and of the parts.
        weighs_columns: whether to find out which columns tell.

    Raises:
        GanvasError: scikit-learn is missing, other columns, or fewer than 6 windows.
    """
    check_same_series(real, fake, min_windows=MIN_WINDOWS)
    rng = np.random.default_rng(seed)
    count = min(len(real), len(fake), windows)
    of_real, of_fake = (rng.permutation(len(series))[:count] for series in (real, fake))
    table, owners = list_features(real.take(of_real))
    (x, y), is_category = prepare_features(table, list_features(fake.take(of_fake))[0])
    features, is_real = np.concatenate([x, y]), np.repeat([True, False], count)
    fold = np.concatenate([rng.permutation(count) % FOLDS for _ in range(2)])
    scores, falls = np.empty(2 * count), np.zeros((FOLDS, len(real.names)))
    for k in range(FOLDS):
        judge = make_classifier(is_category, **TREES).fit(features[fold != k], is_real[fold != k])
        unseen, is_real_unseen = features[fold == k], is_real[fold == k]
        scores[fold == k] = judge.decision_function(unseen)
        whole = _measure_sides(scores[fold == k], is_real_unseen)
        for column in range(len(real.names) if weighs_columns else 0):
            shuffled, rows = unseen.copy(), rng.permutation(len(unseen))
            shuffled[:, owners == column] = unseen[rows][:, owners == column]
            falls[k, column] = whole - _measure_sides(judge.decision_function(shuffled), is_real_unseen)
    order = np.argsort(scores[count:], kind="stable")[:SHOWN_WINDOWS]
    weights = sorted(zip(real.names, falls.mean(0).tolist(), strict=True), key=lambda item: -item[1])
    return WindowDetection(_measure_sides(scores, is_real), of_fake[order], dict(weights))


def _measure_sides(scores: np.ndarray, is_real: np.ndarray) -> float:
    return measure_auc(scores[is_real], scores[~is_real])


def list_features(series: PlainSeries) -> tuple[PlainTable, np.ndarray]:
    """(What the judge sees of each window, as a table of numbers and categories; of which column each one is, int64 [F])."""
    names, kinds, values, owners = list[str](), list[ValueKind](), list[np.ndarray](), list[int]()
    for number, (name, kind, column) in enumerate(zip(series.names, series.kinds, series.values, strict=True)):
        alive = series.is_alive
        shown = np.where(alive, column + 1, 0) if kind == "category" else np.where(alive, column, np.nan)
        changes = (shown[:, 1:] != shown[:, :-1]).astype(np.float64) if kind == "category" else np.diff(shown, axis=1)
        parts = [(kind, "at", shown), ("number", "moments", _list_moments(shown, changes, kind == "category", alive))]
        parts += [] if kind == "category" else [("number", "step", changes)]
        for part_kind, word, block in parts:
            names += [f"{name} {word} {t}" for t in range(block.shape[1])]
            kinds += [part_kind] * block.shape[1]
            values += [*block.T.copy()]
            owners += [number] * block.shape[1]
    return PlainTable(tuple(names), tuple(kinds), tuple(values)), np.array(owners)


def _list_moments(values: np.ndarray, changes: np.ndarray, is_category: bool, is_alive: np.ndarray) -> np.ndarray:
    """Of each window the mean, deviation, mean absolute step and count of values; of categories, steps and length alone."""
    is_step = is_alive[:, 1:] & ~np.isnan(changes)
    step = np.where(is_step, np.abs(changes), 0).sum(1) / np.maximum(1, is_step.sum(1))
    is_present = is_alive if is_category else ~np.isnan(values)
    count = is_present.sum(1).astype(np.float64)
    if is_category:
        return np.stack([step, count], 1)
    mean = np.where(is_present, values, 0).sum(1) / np.maximum(1, count)
    deviation = np.sqrt(np.where(is_present, np.square(values - mean[:, None]), 0).sum(1) / np.maximum(1, count))
    return np.stack([mean, deviation, step, count], 1)
