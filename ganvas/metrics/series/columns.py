"""The windows of series behind an array of features, and what scores of them share."""

from typing import Literal

import numpy as np

from ...configuration import config
from ...core import Features, PlainSeries, RealFeatures, ValueKind
from ...errors import GanvasError, require
from ..check import check_feature_pair
from ..tables.columns import find_missing

MIN_HALF = 6  # windows in each half of the real ones


@config
class SeriesColumns:
    """Names and kinds of columns. Features are each column's values at all steps, then each window's length.

    Without names, all features are numbers, and no window ends early.
    """

    names: tuple[str, ...] = ()
    kinds: tuple[ValueKind, ...] = ()
    steps: int = 4

    def __post_init__(self) -> None:
        require(len(self.kinds) == len(self.names), "kinds", self.kinds, f"one for each of {len(self.names)} names")
        require(self.steps >= 2, "steps", self.steps, "2 or more")

    def build_series(self, features: np.ndarray) -> PlainSeries:
        """Features float64 [N, C x T + 1] as windows, in an order that does not depend on the given one.

        Raises:
            GanvasError: features that are not finite, or of another number.
        """
        features = check_feature_pair(features, features, min_samples=1)[0]
        features = features[np.lexsort(features.T[::-1])]
        names = self.names or tuple(f"x{k}" for k in range(features.shape[1] // self.steps))
        kinds = self.kinds or ("number",) * len(names)
        if features.shape[1] != len(names) * self.steps + bool(self.names):
            raise GanvasError(f"windows of {len(names)} columns x {self.steps} steps do not have {features.shape[1]} features")
        blocks = np.split(features[:, : len(names) * self.steps], len(names), axis=1)
        values = (
            block.astype(np.int64) if kind == "category" else find_missing(block)
            for block, kind in zip(blocks, kinds, strict=True)
        )
        lengths = features[:, -1].astype(np.int64) if self.names else np.full(len(features), self.steps)
        return PlainSeries(names, kinds, tuple(values), lengths)


class SeriesScore:
    """A score of windows. Its floor is that of training windows against other ones.

    The end of time, which training never saw, is another season, and so no floor.
    """

    columns: SeriesColumns

    @property
    def against(self) -> Literal["train"]:
        return "train"

    def applies_to(self, real: RealFeatures) -> bool:
        return len(real.reference.features) >= 2 * MIN_HALF

    def compute_baseline(self, real: RealFeatures, n: int) -> dict[str, float]:
        """The score of training windows in the place of `n` generated ones."""
        whole = real.reference.features
        halves = (whole[::2], whole[1::2]) if real.unseen is None else (whole, real.held_out.features[:n])
        return self.compare(*(self.columns.build_series(half) for half in halves))

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        """The scores by name. Raises GanvasError for fewer than 12 windows, or features that do not fit."""
        x, y = check_feature_pair(real.reference.features, fake.features, min_samples=2 * MIN_HALF)
        return self.compare(self.columns.build_series(x), self.columns.build_series(y))

    def compare(self, real: PlainSeries, fake: PlainSeries) -> dict[str, float]:
        """The scores of windows against real ones."""
        raise NotImplementedError
