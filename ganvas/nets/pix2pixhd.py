"""The global generator of pix2pixHD, for pictures and label maps at high resolution. Wang et al. 2018b, section 3.1, appendix.

Halvings, residual blocks, doublings, all with instance norm and reflection padding.
"""

from dataclasses import replace
from itertools import pairwise

from torch import Tensor, nn

from ..configuration import config
from ..core import Spec
from ..errors import require
from .layers.labels import check_widths
from .layers.reach import Sight, measure_reach, see_by_convolution, see_by_transposed_convolution
from .layers.reflected import ReflectedConv
from .restoration.source_generator import SourceGenerator, read_source_shape

MAX_LEVELS = 6  # halvings


def normalise_and_cut(width: int) -> list[nn.Module]:
    """Instance norm without weights, and ReLU."""
    return [nn.InstanceNorm2d(width), nn.ReLU(inplace=True)]


class ReflectedResidual(nn.Module):
    """Convolution, norm, ReLU, convolution, norm; added to the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        first, second = (ReflectedConv(width, width, 3) for _ in range(2))
        self.layers = nn.Sequential(first, *normalise_and_cut(width), second, nn.InstanceNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


def initialise_normal_weights(module: nn.Module) -> None:
    """N(0, 0.02), and biases 0."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


class Generator(SourceGenerator):
    """source [N, C, H, W] in [-1, 1] -> x [N, C', H, W] in [-1, 1]; `widths` from the image inwards."""

    def __init__(self, source_channels: int, channels: int, widths: list[int], blocks: int) -> None:
        super().__init__()
        levels = len(widths) - 1
        self.multiple = 2**levels
        self.first = nn.Sequential(ReflectedConv(source_channels, widths[0], 7), *normalise_and_cut(widths[0]))
        downs: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            downs += [nn.Conv2d(inputs, outputs, 3, 2, 1), *normalise_and_cut(outputs)]
        ups: list[nn.Module] = []
        for inputs, outputs in pairwise(reversed(widths)):
            ups += [nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, 1), *normalise_and_cut(outputs)]
        self.downs, self.ups = nn.Sequential(*downs), nn.Sequential(*ups)
        self.body = nn.Sequential(*(ReflectedResidual(widths[-1]) for _ in range(blocks)))
        self.last = ReflectedConv(widths[0], channels, 7)
        self.apply(initialise_normal_weights)
        see_7, see_3 = see_by_convolution(7), see_by_convolution(3)
        inner: list[Sight] = [*[see_by_convolution(3, 2)] * levels, *[see_3] * (2 * blocks)]
        inner += [see_by_transposed_convolution(3, 2, 1)] * levels
        self.reach = measure_reach([see_7, *inner, see_7], 1, self.multiple)

    def forward(self, source: Tensor) -> Tensor:
        self.check_sides(source)
        return self.last(self.ups(self.body(self.downs(self.first(source))))).tanh()


@config
class GlobalGenerator:
    """Pictures whose sides are multiples of 2^levels px, from sources of the same size.

    width: channels next to the image; they double inwards up to `cap`.
    """

    width: int = 64
    cap: int = 1024
    levels: int = 4
    blocks: int = 9

    def __post_init__(self) -> None:
        check_widths(width=self.width, cap=self.cap, blocks=self.blocks)
        require(1 <= self.levels <= MAX_LEVELS, "levels", self.levels, f"from 1 to {MAX_LEVELS}")

    def build(self, spec: Spec) -> nn.ModuleDict:
        shape = read_source_shape(spec, "GlobalGenerator", 1, 2**self.levels)
        widths = [min(self.cap, self.width * 2**k) for k in range(self.levels + 1)]
        return nn.ModuleDict({"G": Generator(shape.source_channels, shape.channels, widths, self.blocks)})

    def smallest(self) -> "GlobalGenerator":
        return replace(self, width=2, cap=4, levels=1, blocks=1)
