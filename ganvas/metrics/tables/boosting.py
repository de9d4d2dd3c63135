"""Gradient-boosted trees on tables, by scikit-learn; the judge behind detection and efficacy."""

import importlib
import importlib.util
from typing import Any

import numpy as np

from ...core import PlainTable
from ...errors import GanvasError

MAX_CATEGORIES = 254  # of one column: scikit-learn's trees keep 255 bins
SPLIT_COLUMNS = 200  # that a split looks at; of wider tables, random ones for each split
SETTINGS = {"max_iter": 150, "max_leaf_nodes": 31, "early_stopping": False, "random_state": 0}


def has_trees() -> bool:
    """Whether scikit-learn is installed."""
    return importlib.util.find_spec("sklearn") is not None


def import_ensemble() -> Any:
    """scikit-learn's module of ensembles.

    Raises:
        GanvasError: scikit-learn is missing.
    """
    try:
        return importlib.import_module("sklearn.ensemble")
    except ImportError as error:
        raise GanvasError(
            "scores by gradient boosting need scikit-learn, which is missing: pip install 'ganvas[tables]'"
        ) from error


def prepare_features(*tables: PlainTable) -> tuple[list[np.ndarray], np.ndarray]:
    """(Of each table float64 [N, C], which columns are categories [C]).

    Codes are numbered anew for all tables together. Of a column with many, all but the most frequent become one.
    """
    columns = [_prepare_column(kind, [t.values[c] for t in tables]) for c, kind in enumerate(tables[0].kinds)]
    features = [np.stack([column[k] for column in columns], 1) for k in range(len(tables))]
    return features, np.array([kind == "category" for kind in tables[0].kinds])


def make_classifier(is_category: np.ndarray, **settings: Any) -> Any:
    """A classifier that has learnt nothing yet."""
    return import_ensemble().HistGradientBoostingClassifier(**(_choose_settings(is_category) | settings))


def make_regressor(is_category: np.ndarray, **settings: Any) -> Any:
    """A regressor that has learnt nothing yet."""
    return import_ensemble().HistGradientBoostingRegressor(**(_choose_settings(is_category) | settings))


def _choose_settings(is_category: np.ndarray) -> dict[str, Any]:
    return {**SETTINGS, "categorical_features": is_category, "max_features": min(1.0, SPLIT_COLUMNS / len(is_category))}


def _prepare_column(kind: str, parts: list[np.ndarray]) -> list[np.ndarray]:
    if kind == "number":
        return parts
    _, codes, counts = np.unique(np.concatenate(parts), return_inverse=True, return_counts=True)
    if len(counts) > MAX_CATEGORIES:
        rank = np.empty(len(counts), np.int64)
        rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
        codes = np.minimum(rank, MAX_CATEGORIES - 1)[codes]
    return np.split(codes.astype(np.float64), np.cumsum([len(part) for part in parts])[:-1])
