"""A generator that adds colours and keeps the luma, as colourisation asks. Zhang et al. 2016, section 2, in YCbCr.

The luma is that of ITU-R BT.601, by which files become gray.
"""

from dataclasses import replace

import torch
from torch import Tensor

from ...configuration import config
from ...errors import GanvasError
from ..layers.labels import ImageShape
from .source_generator import GeneratorDesign, SourceGenerator
from .unet import UNet
from .wrapped_generator import WrappedGenerator, require_same_size, silence_last_layer

LUMA_WEIGHTS = (0.299, 0.587, 0.114)  # of red, green and blue, BT.601
CB_RANGE, CR_RANGE = 2 - 2 * 0.114, 2 - 2 * 0.299  # of B - Y and R - Y, where RGB has a range of 1
SMALLEST_OFFSET = 1e-6  # keeps a quotient finite


def compute_luma(x: Tensor) -> Tensor:
    """RGB [N, 3, H, W] -> [N, 1, H, W]; gray pictures stay as they are."""
    if x.shape[1] == 1:
        return x
    red, green, blue = x.split(1, 1)
    return LUMA_WEIGHTS[0] * red + LUMA_WEIGHTS[1] * green + LUMA_WEIGHTS[2] * blue


def add_chroma(luma: Tensor, chroma: Tensor) -> Tensor:
    """Luma [N, 1, H, W] and (Cb, Cr) [N, 2, H, W], all in [-1, 1] -> RGB [N, 3, H, W] in [-1, 1].

    Colours beyond the range are paled until they fit: a clipped channel would change the luma.
    """
    cb, cr = chroma.split(1, 1)
    red, blue = CR_RANGE * cr, CB_RANGE * cb
    green = -(LUMA_WEIGHTS[0] * red + LUMA_WEIGHTS[2] * blue) / LUMA_WEIGHTS[1]  # so that the offsets have no luma
    offsets = torch.cat([red, green, blue], 1)
    room = torch.where(offsets > 0, 1 - luma, 1 + luma).clamp(min=0)
    share = (room / offsets.abs().clamp(min=SMALLEST_OFFSET)).amin(1, keepdim=True).clamp(max=1)
    return luma + share * offsets


class Generator(WrappedGenerator):
    """source, gray [N, 1, H, W] or RGB [N, 3, H, W], in [-1, 1] -> RGB of the same luma, in [-1, 1]. It starts with gray."""

    def __init__(self, net: SourceGenerator) -> None:
        super().__init__(net)
        self.offset = silence_last_layer(net, "Chroma")

    def forward(self, source: Tensor, **conditions: Tensor) -> Tensor:
        luma = compute_luma(source)
        chroma = self.net(luma, **conditions) - self.offset
        return add_chroma(luma, chroma.to(luma.dtype))


@config
class Chroma:
    """Colours for gray pictures, by any generator that does not enlarge. Of colour sources only the luma is seen."""

    generator: GeneratorDesign = UNet()

    def build_generator(self, source: ImageShape, channels: int) -> Generator:
        if source[0] not in (1, 3) or channels != 3:
            raise GanvasError(
                f"Chroma makes RGB of gray or RGB sources, got {source[0]} channels of sources and {channels} of samples: set "
                "`channels` to 3 for samples, and to 1 for sources"
            )
        net = self.generator.build_generator((1, *source[1:]), 2)
        require_same_size(net, "Chroma")
        return Generator(net)

    def smallest(self) -> "Chroma":
        return replace(self, generator=self.generator.smallest())
