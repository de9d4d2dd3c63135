"""Train on synthetic rows, test on real ones: are they of use in the place of real ones? (TSTR; Esteban et al. 2017.)"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from ...configuration import config
from ...core import Features, PlainTable, RealFeatures, check_same_columns
from ...errors import GanvasError
from ...ranks import measure_auc
from .boosting import make_classifier, make_regressor, prepare_features
from .columns import TableColumns

MIN_TEST_ROWS = 2
RATE = {"max_iter": 200, "learning_rate": 0.05}
MAX_CLASSES = 100  # a tree for each class and iteration


@config
class Usefulness:
    """ "efficacy": how well trees that learnt from generated rows predict a column of real rows: the AUC, or R² of a number.

    Its floor is what they predict after learning from real rows. Raises GanvasError if scikit-learn is missing, for one column
    alone, or for a target that is the same in all rows.
    """

    columns: TableColumns = TableColumns()

    @property
    def against(self) -> Literal["held-out"]:
        return "held-out"

    @property
    def samples(self) -> int | None:
        return None

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"efficacy": False}

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        train, test = (self.columns.build_table(features) for features in (fake.features, real.held_out.features))
        return {"efficacy": score_efficacy(train, train, test, self.columns.find_target(test)).synthetic}


class Efficacy(NamedTuple):
    """How well a judge predicts a column of real test rows, after training on synthetic rows and on real ones."""

    measure: Literal["auc", "r2"]  # of two classes the AUC, of more the mean AUC of each against the others
    synthetic: float
    real: float
    accuracy_synthetic: float | None = None  # of classes: the share of right answers
    accuracy_real: float | None = None


def score_efficacy(
    train: PlainTable, fake: PlainTable, test: PlainTable, target: str, takes_logarithm: bool = False
) -> Efficacy:
    """Predict `target` from all other columns by boosted trees, trained on each table in turn. Rows without it are left out.

    Args:
        train: real rows, which the generator may have seen.
        fake: synthetic rows; as many as there are in `train`, for a fair comparison.
        test: real rows that nothing has seen.
        takes_logarithm: predict log(1 + target), for prices and other numbers of many sizes; those below 0 count as 0.

    Raises:
        GanvasError: scikit-learn is missing, other columns, too few rows, or a target that is the same in all test rows.
    """
    check_same_columns(train, fake, test, min_rows=MIN_TEST_ROWS)
    column, is_same = train.find_column(target), fake is train
    if len(train.names) < 2:
        raise GanvasError(f"{target} is the only column, so nothing predicts it")
    train, fake, test = (
        _drop_missing(table, column, name) for table, name in ((train, "train"), (fake, "fake"), (test, "test"))
    )
    others = [c for c in range(len(train.names)) if c != column]
    features, is_category = prepare_features(*(table.select(others) for table in (train, fake, test)))
    targets = [table.values[column] for table in (train, fake, test)]
    if len(np.unique(targets[2])) < 2:
        raise GanvasError(f"{target} is the same in all test rows: choose another target, or more rows")
    if train.kinds[column] == "number":
        targets = [np.log1p(np.maximum(values, 0)) for values in targets] if takes_logarithm else targets
        synthetic = _score_numbers(features[1], targets[1], features[2], targets[2], is_category)
        real = synthetic if is_same else _score_numbers(features[0], targets[0], features[2], targets[2], is_category)
        return Efficacy("r2", synthetic, real)
    if len(np.unique(np.concatenate(targets))) > MAX_CLASSES:
        raise GanvasError(f"{target} has more than {MAX_CLASSES} categories: choose another target")
    synthetic, right_synthetic = _score_classes(features[1], targets[1], features[2], targets[2], is_category)
    real, right = synthetic, right_synthetic
    if not is_same:
        real, right = _score_classes(features[0], targets[0], features[2], targets[2], is_category)
    return Efficacy("auc", synthetic, real, right_synthetic, right)


def _drop_missing(table: PlainTable, column: int, name: str) -> PlainTable:
    if table.kinds[column] == "number":
        table = table.take(~np.isnan(table.values[column]))
    if len(table) < MIN_TEST_ROWS:
        raise GanvasError(f"the table {name} has {len(table)} rows with {table.names[column]}: {MIN_TEST_ROWS} are needed")
    return table


def _score_numbers(x: np.ndarray, y: np.ndarray, test_x: np.ndarray, test_y: np.ndarray, is_category: np.ndarray) -> float:
    """The coefficient of determination: 1 is perfect, 0 as good as the test rows' mean, below 0 worse."""
    guess = make_regressor(is_category, **RATE).fit(x, y).predict(test_x)
    return float(1 - np.square(test_y - guess).sum() / np.square(test_y - test_y.mean()).sum())


def _score_classes(
    x: np.ndarray, y: np.ndarray, test_x: np.ndarray, test_y: np.ndarray, is_category: np.ndarray
) -> tuple[float, float]:
    """(AUC, accuracy). A class that training never saw has an AUC of 0.5."""
    if len(np.unique(y)) < 2:
        return 0.5, float((test_y == y[0]).mean())
    judge: Any = make_classifier(is_category, **RATE).fit(x, y)
    shares, classes = judge.predict_proba(test_x), judge.classes_
    present = np.unique(test_y)
    if len(present) == 2:
        present = present[:1]  # the other class has the same AUC
    areas = [_score_class(shares[:, classes == c], test_y == c) for c in present]
    return float(np.mean(areas)), float((classes[shares.argmax(1)] == test_y).mean())


def _score_class(shares: np.ndarray, is_class: np.ndarray) -> float:
    """The AUC of one class, from the shares [N, 1] that a judge gives it; [N, 0] if it never saw it."""
    return measure_auc(shares[is_class, 0], shares[~is_class, 0]) if shares.shape[1] else 0.5
