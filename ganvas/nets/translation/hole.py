"""A generator that fills holes and keeps all other pixels, bit for bit. Pathak et al. 2016; Yu et al. 2018, section 3.1."""

from collections.abc import Iterable
from dataclasses import replace
from math import lcm

import torch
from torch import Tensor, nn

from ...configuration import config
from ...errors import GanvasError
from ..layers.labels import ImageShape
from ..layers.reach import compute_reach
from ..layers.smooth_filling import SmoothFilling
from .gated import GatedInpainting
from .source_generator import SOURCE, GeneratorDesign, SourceGenerator
from .wrapped_generator import WrappedGenerator, require_same_size

MASK = "mask"
LEVELS, SMOOTHINGS = 4, 2  # of the smooth filling: 23.6 dB on the photographs of docs/results.md, OpenCV's Telea 23.0


class Generator(WrappedGenerator):
    """source [N, C, H, W], mask [N, 1, H, W], 1 in the hole -> what a network makes in the hole, and the source around it.

    The network never sees what the source has in the hole. One that takes no mask gets the source with a smooth filling, and
    the mask as its last channel; within `Residual`, it starts from that filling.
    """

    def __init__(self, net: SourceGenerator) -> None:
        super().__init__(net)
        self.takes_mask = MASK in net.conditions
        if not self.takes_mask:
            self.conditions = (*net.conditions, MASK)
            self.fill_smoothly = SmoothFilling(LEVELS, SMOOTHINGS)
            self.multiple = lcm(net.multiple, 2**LEVELS)

    def forward(self, source: Tensor, mask: Tensor, **conditions: Tensor) -> Tensor:
        self.check_source(source)
        is_hole = mask > 0.5
        hole = is_hole.to(source.dtype)
        if self.takes_mask:
            filling = self.net(source.masked_fill(is_hole, 0.0), mask=hole, **conditions)
        else:
            filling = self.net(torch.cat([self.fill_smoothly(source, is_hole), hole], 1), **conditions)
        return torch.where(is_hole, filling, source)

    @property
    def path(self) -> Iterable[nn.Module]:
        return self.net.path if self.takes_mask else (*self.fill_smoothly.path, *self.net.path)

    @property
    def smallest_side(self) -> int:
        return -(-self.net.smallest_side // self.multiple) * self.multiple

    @property
    def convolutional_reach(self) -> int | None:
        if self.takes_mask or self.net.convolutional_reach is None:
            return self.net.convolutional_reach
        return compute_reach(self.path, self.scale, self.multiple)


@config
class Hole:
    """Pictures filled where a mask is 1, by any generator that does not enlarge."""

    generator: GeneratorDesign = GatedInpainting()

    def build_generator(self, source: ImageShape, channels: int) -> Generator:
        if source[0] != channels:
            raise GanvasError(
                f"Hole keeps pixels of its source, so both need as many channels, got {source[0]} for the source and "
                f"{channels} for samples: give both media the same `channels`"
            )
        wide_source = (source[0] + 1, *source[1:])
        net = self.generator.build_generator(source if self.takes_mask(source, channels) else wide_source, channels)
        require_same_size(net, "Hole")
        return Generator(net)

    def takes_mask(self, source: ImageShape, channels: int) -> bool:
        """Whether the generator takes the mask as a condition of its own."""
        with torch.device("meta"):
            conditions = self.generator.build_generator(source, channels).conditions
        assert SOURCE in conditions
        return MASK in conditions

    def smallest(self) -> "Hole":
        return replace(self, generator=self.generator.smallest())
