"""A generator that makes the change of its source, and starts with none. He et al. 2016, section 3.1; Kim et al. 2016 (VDSR).

A critic of pairs beats a generator that starts from nothing; this one starts from the source.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

from torch import Tensor
from torch.nn.functional import interpolate

from ...configuration import config
from ...errors import GanvasError
from ..layers.labels import ImageShape
from .feature_translator import FeatureTranslator
from .source_generator import GeneratorDesign, SourceGenerator
from .unet import UNet
from .wrapped_generator import WrappedGenerator, silence_last_layer

CHANGE_RANGE = 2.0  # a network makes numbers in [-1, 1], a change from black to white is 2
Enlargement = Literal["bicubic", "bilinear", "nearest"]
ENLARGEMENT_REACH = {"bicubic": 2, "bilinear": 1, "nearest": 0}  # pixels of the source


class Generator(WrappedGenerator):
    """source [N, C, H, W] in [-1, 1] -> the source, enlarged, plus twice what a network makes of it; unbounded.

    Gray sources become pictures with more channels by repeating. Of a source with more channels than x, such as one with a
    mask, the first are changed.
    """

    def __init__(self, net: SourceGenerator, channels: int, enlargement: Enlargement) -> None:
        super().__init__(net)
        self.channels, self.enlargement = channels, enlargement
        self.offset = silence_last_layer(net, "Residual")

    @property
    def convolutional_reach(self) -> int | None:
        reach = self.net.convolutional_reach
        return reach if reach is None or self.scale == 1 else max(reach, ENLARGEMENT_REACH[self.enlargement])

    def forward(self, source: Tensor, **conditions: Tensor) -> Tensor:
        return self.change(source, self.net(source, **conditions))

    def change(self, source: Tensor, made: Tensor) -> Tensor:
        return self.enlarge(source[:, : self.channels]) + CHANGE_RANGE * (made - self.offset)

    def enlarge(self, source: Tensor) -> Tensor:
        if self.scale == 1:
            return source
        if self.enlargement == "nearest":
            return interpolate(source, scale_factor=self.scale, mode="nearest")
        return interpolate(source, scale_factor=self.scale, mode=self.enlargement, align_corners=False)


class FeatureShowingGenerator(Generator):
    """A residual generator whose network shows what its layers see."""

    net: FeatureTranslator  # type: ignore[assignment]

    @property
    def feature_widths(self) -> Mapping[str, int]:
        return self.net.feature_widths

    def translate_with_features(self, source: Tensor, names: Iterable[str]) -> tuple[Tensor, dict[str, Tensor]]:
        made, features = self.net.translate_with_features(source, names)
        return self.change(source, made), features

    def extract_features(self, source: Tensor, names: Iterable[str]) -> dict[str, Tensor]:
        return self.net.extract_features(source, names)


@config
class Residual:
    """x = source + change, with any generator that makes the change. At first x is the source.

    enlargement: of the source, for generators that enlarge.
    """

    generator: GeneratorDesign = UNet()
    enlargement: Enlargement = "bicubic"

    def build_generator(self, source: ImageShape, channels: int) -> Generator:
        if 1 < source[0] < channels:
            raise GanvasError(
                f"Residual adds a change to its source, so sources are gray or have as many channels as samples, got "
                f"{source[0]} and {channels}: set both media's `channels` to fit"
            )
        net = self.generator.build_generator(source, channels)
        form = FeatureShowingGenerator if isinstance(net, FeatureTranslator) else Generator
        return form(net, channels, self.enlargement)

    def smallest(self) -> "Residual":
        return replace(self, generator=self.generator.smallest())
