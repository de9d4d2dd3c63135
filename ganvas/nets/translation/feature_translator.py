"""Generators that show what their layers see, for losses of patches. Park et al. 2020, section 3.2."""

from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

from torch import Tensor


@runtime_checkable
class FeatureTranslator(Protocol):
    """A generator that shows what its layers see."""

    @property
    def feature_widths(self) -> Mapping[str, int]:
        """The channels of each layer's features, by the layer's name."""
        ...

    def translate_with_features(self, source: Tensor, names: Iterable[str]) -> tuple[Tensor, dict[str, Tensor]]:
        """(x, the features after each layer named), in one pass."""
        ...

    def extract_features(self, source: Tensor, names: Iterable[str]) -> dict[str, Tensor]:
        """The features after each layer named; later layers do not run."""
        ...
