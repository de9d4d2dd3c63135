"""A generator that fills holes and keeps all other pixels, bit for bit. Pathak et al. 2016; Yu et al. 2018, section 3.1."""

from dataclasses import replace

import torch
from torch import Tensor

from ...configuration import config
from ...errors import GanvasError
from ..layers.labels import ImageShape
from .gated import GatedInpainting
from .source_generator import SOURCE, GeneratorDesign, SourceGenerator
from .wrapped_generator import WrappedGenerator, require_same_size

MASK = "mask"


class Generator(WrappedGenerator):
    """source [N, C, H, W], mask [N, 1, H, W], 1 in the hole -> what a network makes in the hole, and the source around it.

    The network never sees what the source has in the hole. One that takes no mask gets it as the source's last channel.
    """

    def __init__(self, net: SourceGenerator) -> None:
        super().__init__(net)
        self.takes_mask = MASK in net.conditions
        self.conditions = net.conditions if self.takes_mask else (*net.conditions, MASK)

    def forward(self, source: Tensor, mask: Tensor, **conditions: Tensor) -> Tensor:
        is_hole = mask > 0.5
        visible = source.masked_fill(is_hole, 0.0)
        if self.takes_mask:
            filling = self.net(visible, mask=is_hole.to(source.dtype), **conditions)
        else:
            filling = self.net(torch.cat([visible, is_hole.to(source.dtype)], 1), **conditions)
        return torch.where(is_hole, filling, source)


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
