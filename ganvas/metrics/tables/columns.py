"""The columns of a table behind an array of features."""

from typing import Literal

import numpy as np

from ...configuration import config
from ...core import MISSING_NUMBER, Features, PlainTable, RealFeatures, ValueKind
from ...errors import require
from ..check import check_feature_pair


@config
class TableColumns:
    """Names and kinds of columns, in the order of features. () takes all features for numbers.

    target: the column that others are to predict; empty: the last one.
    """

    names: tuple[str, ...] = ()
    kinds: tuple[ValueKind, ...] = ()
    target: str = ""

    def __post_init__(self) -> None:
        require(len(self.kinds) == len(self.names), "kinds", self.kinds, f"one for each of {len(self.names)} names")
        require(not self.target or self.target in self.names, "target", self.target, f"one of {', '.join(self.names[:12])}")

    def build_table(self, features: np.ndarray) -> PlainTable:
        """Features float64 [N, C] as a table, with its rows in an order that does not depend on the given one.

        Raises:
            GanvasError: features that are not finite.
        """
        features = check_feature_pair(features, features, min_samples=1)[0]
        features = features[np.lexsort(features.T[::-1])]
        names = self.names or tuple(f"x{k}" for k in range(features.shape[1]))
        kinds = self.kinds or ("number",) * len(names)
        values = (
            features[:, k].astype(np.int64) if kind == "category" else find_missing(features[:, k])
            for k, kind in enumerate(kinds)
        )
        return PlainTable(names, kinds, tuple(values))

    def find_target(self, table: PlainTable) -> str:
        return self.target or table.names[-1]


class ReferenceMetric:
    """The part of Metric for those that compare generated rows with training rows, all of them."""

    columns: TableColumns

    @property
    def against(self) -> Literal["train"]:
        return "train"

    @property
    def samples(self) -> int | None:
        return None

    def build_tables(self, real: RealFeatures, fake: Features) -> tuple[PlainTable, PlainTable]:
        """(The training rows, the generated ones)."""
        return self.columns.build_table(real.reference.features), self.columns.build_table(fake.features)


def find_missing(values: np.ndarray) -> np.ndarray:
    """Numbers with NaN where they are missing."""
    return np.where(values == MISSING_NUMBER, np.nan, values)
