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
    levels: how many images G makes on its way; D sees all of them.
    patch: pixels on each side of a token.
    shifts: styles of G also shift, and are strong (ShiftedBlock); the paper's only scale.
    d_width, d_depth, d_patch: D's; None are G's. D's heads are as wide as G's.
    labels: use the classes of the data, if it has any.
    """

    z_dim: int = 64
    w_dim: int | None = None
    width: int = 768
    depth: int = 12
    heads: int = 12
    levels: int = 4
    patch: int = 4
    shifts: bool = False
    d_width: int | None = None
    d_depth: int | None = None
    d_patch: int | None = None
    labels: bool = True

    def __post_init__(self) -> None:
        check_widths(z_dim=self.z_dim, w_dim=self.w_dim or 1, depth=self.depth, heads=self.heads, width=self.width)
        check_widths(levels=self.levels, patch=self.patch)
        check_widths(d_width=self.d_width or 1, d_depth=self.d_depth or 1, d_patch=self.d_patch or 1)
        turns = 4 * self.heads
        require(self.width % turns == 0, "width", self.width, f"a multiple of 4 times `heads` ({turns})")
        head_width = self.width // self.heads
        is_whole = self.d_width is None or self.d_width % head_width == 0
        require(is_whole, "d_width", self.d_width, f"a multiple of the width of a head ({head_width})")

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, height, width = read_image_shape(spec, "GAT")
        patch, d_patch = self.patch, self.d_patch or self.patch
        grid, d_grid = (_count_patches(height, width, side) for side in (patch, d_patch))
        classes = count_classes(spec) if self.labels else 0
        w_dim, d_width = self.w_dim or self.width, self.d_width or self.width
        mapping = MappingNetwork(self.z_dim, w_dim, 2, classes)
        d_heads, d_depth = d_width * self.heads // self.width, self.d_depth or self.depth
        G = Generator(mapping, w_dim, self.width, self.depth, self.heads, self.levels, patch, channels, grid, self.shifts)
        D = Discriminator(d_width, d_depth, d_heads, self.levels, d_patch, channels, d_grid, classes, self.z_dim)
        return nn.ModuleDict({"G": G, "D": D})

    def smallest(self) -> "GAT":
        return replace(self, z_dim=2, w_dim=2, width=4, depth=2, heads=1, d_width=4, d_depth=1)


def _count_patches(height: int, width: int, patch: int) -> tuple[int, int]:
    if height % patch or width % patch:
        raise GanvasError(
            f"GAT cuts images into patches of {patch}x{patch} px, which do not fill {width}x{height} (width x height): "
            f"set the medium's `size` to a multiple of {patch}, or `patch` and `d_patch` to divisors"
        )
    return height // patch, width // patch
