"""The columns of windows, for scores that compare series."""

import numpy as np
from torch import Tensor

from ..configuration import config
from ..core import MISSING_NUMBER, Codec, Features, PlainSeriesCodec
from ..errors import GanvasError


@config
class WindowValues:
    """The values of windows, float64 [N, C x T + 1]: of each column at all steps, then how many steps a window has."""

    codec: Codec | None = None  # of the windows; a score card fills it in

    @property
    def word(self) -> str:
        return "windows"

    @property
    def media(self) -> tuple[str, ...]:
        return ("series",)

    @property
    def name(self) -> str:
        return "windows"

    def fit_to_codec(self, codec: Codec) -> "WindowValues":
        return WindowValues(codec=codec)

    def __call__(self, stored: Tensor) -> Features:
        """Raises GanvasError for samples that are no windows of series."""
        if not isinstance(self.codec, PlainSeriesCodec):
            raise GanvasError("windows: samples of this kind have none: score time series, or take another extractor")
        series = self.codec.read_plain_series(stored)
        values = np.concatenate([*(values.astype(np.float64) for values in series.values), series.lengths[:, None]], 1)
        return Features(np.nan_to_num(values, nan=MISSING_NUMBER))
