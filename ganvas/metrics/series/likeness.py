"""How like real windows generated ones are, column by column: values, steps and correlations, on one line of a card each."""

from collections.abc import Mapping

import numpy as np

from ...configuration import config
from ...core import PlainSeries
from .columns import SeriesColumns, SeriesScore
from .correlations import score_autocorrelations, score_cross_correlations
from .steps import score_series_shapes, score_step_shapes


@config
class SeriesLikeness(SeriesScore):
    """ "shapes" and "steps": how near distributions of values, and of changes in a step, are; 1 is equal, the mean of columns.

    "autocorrelation" and "crosscorrelation": mean absolute errors at lags of up to 12 steps; 0 is equal.
    """

    columns: SeriesColumns = SeriesColumns()

    @property
    def samples(self) -> int | None:
        return None

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        across = {} if len(self.columns.names) == 1 else {"crosscorrelation": True}
        return {"shapes": False, "steps": False, "autocorrelation": True, **across}

    def compare(self, real: PlainSeries, fake: PlainSeries) -> dict[str, float]:
        scores = {
            "shapes": float(np.mean([*score_series_shapes(real, fake).values()])),
            "steps": float(np.mean([*score_step_shapes(real, fake).values()])),
            "autocorrelation": score_autocorrelations(real, fake).mean,
        }
        return scores | ({"crosscorrelation": score_cross_correlations(real, fake).mean} if len(real.names) > 1 else {})
