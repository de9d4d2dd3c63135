"""The medium of time series for TimeGAN and DoppelGANger, whose networks make numbers from 0 to 1."""

from ...configuration import config
from ...core import Items
from .medium import Series
from .scaled_codec import ScaledCodec


@config
class ScaledSeries:
    """Windows of time series, with min–max scaled numbers.

    series: what is kept of each column. A column whose numbers are all common is a category.
    per_window: scale the numbers of each window once more, by their own range. It becomes two statics of the window.
    """

    series: Series = Series(known_share=0.0)  # these networks complete nothing
    per_window: bool = False

    @property
    def suffixes(self) -> tuple[str, ...]:
        return self.series.suffixes

    def fit(self, items: Items) -> ScaledCodec:
        """The codec. Raises GanvasError as `Series` does."""
        return self.fit_with_reasons(items)[0]

    def fit_with_reasons(self, items: Items) -> tuple[ScaledCodec, list[str]]:
        """`fit`, and a sentence for each column."""
        base, reasons = self.series.fit_with_reasons(items)
        return ScaledCodec(base=base, per_window=self.per_window), reasons
