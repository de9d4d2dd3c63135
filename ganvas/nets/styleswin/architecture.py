"""StyleSwin's settings. Zhang et al. 2022, section 4.1."""

from dataclasses import replace

from torch import nn

from ...configuration import config
from ...core import Spec
from ...errors import require
from ..layers.labels import check_widths, count_classes, read_image_levels
from ..layers.style import MappingNetwork
from ..progan import compute_progressive_widths
from .discriminator import Discriminator
from .generator import Generator


@config
class StyleSwin:
    """Square images from 8 px. Channels are `base` over the size, at most `width`; D's `d_base`, at most `d_width`.

    mapping: layers from z to a style.
    window: tokens on each side of a window of attention, at most the size.
    head_width: channels of a head; fewer where that would be fewer than 4 heads.
    group: samples whose variety D measures together.
    """

    z_dim: int = 512
    w_dim: int = 512
    mapping: int = 8
    width: int = 512
    base: int = 16384
    d_width: int = 512
    d_base: int = 32768
    window: int = 8
    head_width: int = 32
    group: int = 4
    labels: bool = True

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, w_dim=self.w_dim, mapping=self.mapping, group=self.group, head_width=self.head_width)
        check_widths(width=self.width, base=self.base, d_width=self.d_width, d_base=self.d_base)
        is_power = 2 <= self.window <= 64 and not self.window & (self.window - 1)
        require(is_power, "window", self.window, "a power of two from 2 to 64")
        require(self.width % 2 == 0, "width", self.width, "even, because two kinds of windows share it")

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = read_image_levels(spec, "StyleSwin")
        classes = count_classes(spec) if self.labels else 0
        widths = [max(2, width // 2 * 2) for width in compute_progressive_widths(self.width, self.base, levels)]
        mapping = MappingNetwork(self.z_dim, self.w_dim, self.mapping, classes)
        G = Generator(mapping, self.w_dim, widths, channels, self.head_width, self.window)
        d_widths = compute_progressive_widths(self.d_width, self.d_base, levels)
        return nn.ModuleDict({"G": G, "D": Discriminator(d_widths, channels, classes, self.w_dim, 2, self.group)})

    def smallest(self) -> "StyleSwin":
        return replace(self, z_dim=2, w_dim=2, mapping=1, width=2, d_width=2, window=2)
