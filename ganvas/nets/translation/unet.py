"""pix2pix's U-Net: halvings down to a pixel or so, and doublings that see the features of their own size again.

Isola et al. 2017, section 6.1.1; Ronneberger et al. 2015.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...configuration import config
from ...errors import require
from ..layers.chance import BatchStatistics, ConstantDropout
from ..layers.instance_norm import Norm, build_norm, initialise_translation_weights, needs_bias
from ..layers.labels import ImageShape, check_widths
from .source_generator import SourceGenerator

MAX_WIDENING = 8  # no layer is wider than this many times the first
MAX_HALVINGS = 8  # of the paper's network for 256 px


class Generator(SourceGenerator):
    """source [N, C, H, W] -> x [N, C', H, W] in [-1, 1].

    Level 0 is the largest. Its halving has no norm, nor has that of the smallest level, whose features may be a single pixel.
    Dropout, where there is any, follows the doublings from level 4 up to the smallest but one.
    """

    def __init__(
        self, source_channels: int, channels: int, width: int, depth: int, norm: Norm, has_dropout: bool, varies: bool
    ) -> None:
        super().__init__()

        def normalise(features: int) -> nn.Module:
            return BatchStatistics(features) if varies and norm == "batch" else build_norm(norm, features)

        self.depth, self.multiple = depth, 2**depth
        widths = [width * min(MAX_WIDENING, 2**k) for k in range(depth)]
        has_bias = needs_bias(norm)
        self.downs = nn.ModuleList(nn.Conv2d(i, o, 4, 2, 1, bias=has_bias) for i, o in pairwise([source_channels, *widths]))
        self.down_norms = nn.ModuleList(normalise(o) if 0 < k < depth - 1 else nn.Identity() for k, o in enumerate(widths))
        outputs = [channels, *widths[:-1]]
        inputs = [2 * width for width in widths[:-1]] + widths[-1:]  # joined with the features on the way down
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(i, o, 4, 2, 1, bias=has_bias or k == 0)
            for k, (i, o) in enumerate(zip(inputs, outputs, strict=True))
        )
        self.up_norms = nn.ModuleList(normalise(o) if k else nn.Identity() for k, o in enumerate(outputs))
        self.dropouts = nn.ModuleList(
            (ConstantDropout() if varies else nn.Dropout(0.5)) if has_dropout and 4 <= k < depth - 1 else nn.Identity()
            for k in range(depth)
        )

    def forward(self, source: Tensor) -> Tensor:
        self.check_source(source)
        features: list[Tensor] = []
        h = source
        for k, (down, norm) in enumerate(zip(self.downs, self.down_norms, strict=True)):
            h = norm(down(F.leaky_relu(h, 0.2) if k else h))
            features.append(h)
        h = features.pop()
        for k in reversed(range(self.depth)):
            h = self.dropouts[k](self.up_norms[k](self.ups[k](h.relu())))
            if features:
                h = torch.cat([features.pop(), h], 1)
        return h.tanh()

    @property
    def path(self) -> Iterable[nn.Module]:
        """Through the smallest level, which sees farthest. If that level is one pixel, it sees the whole image."""
        return (*self.downs, *reversed(self.ups))


@config
class UNet:
    """pix2pix's U-Net: 8 halvings for 256 px, 7 for 128 px.

    depth: the number of halvings. None: as many as the size of the data allows, at most 8.
    norm: "batch" in the paper.
    dropout: drop half of the features after some doublings, the paper's only source of chance. It acts from depth 6.
    varies: dropout and the batch's statistics also act when it translates, as in the paper. A result then depends on the
        pictures beside it. Without it, one picture has one result.
    """

    width: int = 64  # channels at half the size; they double inwards, up to eight times as many
    depth: int | None = None
    norm: Norm = "batch"
    dropout: bool = True
    varies: bool = False

    def __post_init__(self) -> None:
        check_widths(width=self.width)
        require(self.depth is None or 2 <= self.depth <= 16, "depth", self.depth, "from 2 to 16, or none")

    def build_generator(self, source: ImageShape, channels: int) -> Generator:
        depth = self.depth or count_unet_halvings(*source[1:])
        G = Generator(source[0], channels, self.width, depth, self.norm, self.dropout, self.varies)
        initialise_translation_weights(G, self.norm)
        return G

    def smallest(self) -> "UNet":
        return replace(self, width=2)


def count_unet_halvings(height: int, width: int) -> int:
    """How often both sides can be halved and stay whole: from 2 to 8."""
    count = 0
    while count < MAX_HALVINGS and height % 2 == width % 2 == 0:
        height, width, count = height // 2, width // 2, count + 1
    return max(2, count)
