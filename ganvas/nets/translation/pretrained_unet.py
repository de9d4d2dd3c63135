"""A U-Net whose way down is a trained classifier, so that it knows things from the first step on.

Ronneberger et al. 2015 (the U-Net); Iglovikov & Shvets 2018 (TernausNet: a trained encoder). The classifier is
EfficientNet-Lite0. It never learns here, and takes no room in checkpoints.
"""

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...configuration import config
from ...errors import require
from ..layers.doubling import double_and_convolve
from ..layers.labels import ImageShape, check_widths
from ..pretrained.efficientnet import load_efficientnet
from .source_generator import SourceGenerator

LEVELS = {1: 16, 3: 24, 5: 40, 11: 112, 16: 320}  # the classifier's layers that are seen, and their channels: 1/2 to 1/32
DEEPEST_STRIDE = 32  # the classifier's input, in pixels for each place of its deepest features
FEATURE_SCALE = 0.2  # features have standard deviations of 2 to 9, for drawings and photographs alike
MAX_ENLARGED_PIXELS = 96**2  # up to this size, the classifier sees sources twice as large
WIDENINGS = (1, 2, 4, 8, 8, 8)  # of the decoder, from full size inwards


class DecoderBlock(nn.Module):
    """Twice the size: each pixel repeated and a 3x3 convolution; then another one that also sees the classifier's features."""

    def __init__(self, inputs: int, outputs: int, seen: int) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)
        self.mix, self.mix_norm = nn.Conv2d(outputs + seen, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)

    def forward(self, h: Tensor, features: Tensor) -> Tensor:
        h = F.leaky_relu(self.norm(double_and_convolve(h, self.conv.weight)), 0.2)
        return F.leaky_relu(self.mix_norm(self.mix(torch.cat([h, features], 1))), 0.2)


class Generator(SourceGenerator):
    """source [N, C, H, W] -> x [N, C', H, W] in [-1, 1].

    The classifier sees gray as RGB. Of more channels it sees each three as a picture, such as a person and a shirt.
    """

    output_at_zero = 0.0

    def __init__(self, source_channels: int, channels: int, width: int, enlargement: int) -> None:
        super().__init__()
        self.multiple = DEEPEST_STRIDE // enlargement
        self.enlarge = nn.Upsample(scale_factor=2, mode="bilinear") if enlargement == 2 else nn.Identity()
        self.stem = nn.Conv2d(source_channels, width, 3, padding=1)
        self.pictures = max(1, source_channels // 3)
        *seen, deepest = (self.pictures * channels_seen for channels_seen in LEVELS.values())
        seen = [width + seen[0], *seen[1:]] if enlargement == 2 else [width, *seen]
        widths = [width * widening for widening in WIDENINGS[: len(seen) + 1]]
        self.first = nn.Conv2d(deepest, widths[-1], 1)
        self.ups = nn.ModuleList(DecoderBlock(widths[k + 1], widths[k], seen[k]) for k in range(len(seen)))
        self.last = nn.Conv2d(width, channels, 3, padding=1)

    def find_encoder(self, device: torch.device) -> nn.Sequential:
        """The classifier. It is no part of this network's modules, so it is neither trained nor saved."""
        return load_efficientnet(device)

    def forward(self, source: Tensor) -> Tensor:
        self.check_source(source)
        *features, h = self.see(source)
        stem = F.leaky_relu(self.stem(source), 0.2)
        features = [stem, *features] if len(features) < len(self.ups) else [torch.cat([stem, features[0]], 1), *features[1:]]
        h = self.first(h)
        for up, seen in zip(reversed(self.ups), reversed(features), strict=True):
            h = up(h, seen)
        return self.last(h).tanh()

    def see(self, source: Tensor) -> list[Tensor]:
        """The classifier's features at each level, from the largest to the smallest. Gradients pass to the source alone."""
        x = source[:, : 3 * self.pictures] if source.shape[1] >= 3 else source[:, :1].expand(-1, 3, -1, -1)
        x = x.unflatten(1, (self.pictures, 3)).flatten(0, 1)
        encoder, features = self.find_encoder(source.device), list[Tensor]()
        with torch.set_grad_enabled(source.requires_grad and torch.is_grad_enabled()):
            h = self.enlarge(x).contiguous(memory_format=torch.channels_last)
            for number, layer in zip(range(max(LEVELS) + 1), encoder, strict=False):
                h = layer(h)
                if number in LEVELS:
                    features.append(FEATURE_SCALE * h.unflatten(0, (-1, self.pictures)).flatten(1, 2))
        return features

    @property
    def path(self) -> Iterable[nn.Module]:
        """Through the classifier's deepest layer."""
        encoder = self.find_encoder(self.last.weight.device)[: max(LEVELS) + 1]
        doublings = [layer for up in reversed(self.ups) for layer in (nn.Upsample(scale_factor=2.0), up)]
        return (self.enlarge, encoder, self.first, *doublings, self.last)


@config
class PretrainedUNet:
    """For sources of things that a classifier of photographs knows something of, drawings among them.

    width: channels at full size; they double inwards, up to eight times as many.
    enlargement: how many times as large the classifier sees the source. None: 2 up to 96x96 pixels, else 1. Sides that are no
        multiples of 32 take 2.
    """

    width: int = 16
    enlargement: int | None = None

    def __post_init__(self) -> None:
        check_widths(width=self.width)
        require(self.enlargement in (None, 1, 2), "enlargement", self.enlargement, "1, 2 or none")

    def build_generator(self, source: ImageShape, channels: int) -> Generator:
        enlargement = self.enlargement or (2 if source[1] * source[2] <= MAX_ENLARGED_PIXELS else 1)
        is_whole = all(side % DEEPEST_STRIDE == 0 for side in source[1:])
        return Generator(source[0], channels, self.width, enlargement if is_whole else 2)

    def smallest(self) -> "PretrainedUNet":
        return replace(self, width=2)
