"""GAT's settings. Hyun et al. 2025, section 3; its sizes are those of DiT (Peebles & Xie 2023)."""

from dataclasses import replace

from torch import nn

from ...configuration import config
from ...core import Spec
from ...errors import GanvasError, require
from ..layers.labels import check_widths, count_classes, read_image_shape
from ..layers.style import MappingNetwork
from .networks import Discriminator, Generator


@config
class GAT:
    """Transformers on patches, for images whose sides are multiples of `patch`, for the method LevelGuidance.

    z_dim: numbers in z, and in a class's embedding.
    w_dim: numbers in a style; None is `width`.
    width, depth, heads: of the transformers; published: S 384, 12, 6; B 768, 12, 12; L 1024, 24, 16; XL 1152, 28, 16.
    d_width, d_depth: D's; None are G's. D's heads are as wide as G's.
    levels: how many images G makes on its way; D sees all of them.
    patch: pixels on each side of a token.
    labels: use the classes of the data, if it has any.
    """

    z_dim: int = 64
    w_dim: int | None = None
    width: int = 768
    depth: int = 12
    heads: int = 12
    d_width: int | None = None
    d_depth: int | None = None
    levels: int = 4
    patch: int = 4
    labels: bool = True

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, w_dim=self.w_dim or 1, depth=self.depth, heads=self.heads, width=self.width)
        check_widths(d_width=self.d_width or 1, d_depth=self.d_depth or 1, levels=self.levels, patch=self.patch)
        turns = 4 * self.heads
        require(self.width % turns == 0, "width", self.width, f"a multiple of 4 times `heads` ({turns})")
        head_width = self.width // self.heads
        is_whole = self.d_width is None or self.d_width % head_width == 0
        require(is_whole, "d_width", self.d_width, f"a multiple of the width of a head ({head_width})")

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, height, width = read_image_shape(spec, "GAT")
        if height % self.patch or width % self.patch or min(height, width) < self.patch:
            raise GanvasError(
                f"GAT cuts images into patches of {self.patch}x{self.patch} px, which do not fill {width}x{height} "
                f"(width x height): set the medium's `size` to a multiple of {self.patch}, or `patch` to a divisor"
            )
        grid, classes = (height // self.patch, width // self.patch), count_classes(spec) if self.labels else 0
        w_dim, d_width = self.w_dim or self.width, self.d_width or self.width
        mapping = MappingNetwork(self.z_dim, w_dim, 2, classes)
        D_heads = d_width * self.heads // self.width
        sides = self.levels, self.patch, channels, grid
        G = Generator(mapping, w_dim, self.width, self.depth, self.heads, *sides)
        D = Discriminator(d_width, self.d_depth or self.depth, D_heads, *sides, classes, self.z_dim)
        return nn.ModuleDict({"G": G, "D": D})

    def smallest(self) -> "GAT":
        return replace(self, z_dim=2, w_dim=2, width=4, depth=2, heads=1, d_width=4, d_depth=1)
