"""Critics of patches at several scales. Wang et al. 2018b (pix2pixHD), sections 3.2 and 3.3.

The same layers, with other weights, see the picture at full size, at half of it, and so on. The large patches of small pictures
keep the whole consistent; the small patches judge detail.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from ...configuration import config
from ...core import CriticOutput
from ...errors import require
from ..layers.instance_norm import InstanceNorm, initialise_translation_weights
from ..layers.labels import ImageShape, check_widths
from .critic_design import join_conditions

WIDTH_CAP = 512
MAX_SCALES, MAX_HALVINGS = 5, 6


class PatchLayers(nn.Module):
    """x [N, C, H, W] -> what each layer makes of it, the logits [N, 1, h, w] last. Layers are 4x4, padded by 2."""

    def __init__(self, channels: int, widths: list[int]) -> None:
        super().__init__()
        last_stride = [2] * (len(widths) - 1) + [1]
        self.layers = nn.ModuleList()
        for k, ((inputs, outputs), stride) in enumerate(zip(pairwise([channels, *widths]), last_stride, strict=True)):
            norm = [InstanceNorm()] if k else []
            self.layers.append(nn.Sequential(nn.Conv2d(inputs, outputs, 4, stride, 2), *norm, nn.LeakyReLU(0.2, inplace=True)))
        self.layers.append(nn.Conv2d(widths[-1], 1, 4, 1, 2))

    def forward(self, x: Tensor) -> list[Tensor]:
        maps: list[Tensor] = []
        for layer in self.layers:
            x = layer(x)
            maps.append(x)
        return maps


class Discriminator(nn.Module):
    """x [N, C, H, W], conditions by name -> CriticOutput with logits [N, scales, h, w], smaller ones enlarged to the largest.

    So a mean over the logits gives each scale the same weight. The features [N, F] are all layers' maps, each divided by its
    number of values and of scales: a sum of absolute differences is the paper's feature matching loss, eq. 4.

    seen_channels: the channels of each condition that it sees.
    """

    def __init__(self, channels: int, seen_channels: Mapping[str, int], widths: list[int], scales: int) -> None:
        super().__init__()
        self.sees = tuple(seen_channels)
        inputs = sum(seen_channels.values()) + channels
        self.scales = nn.ModuleList(PatchLayers(inputs, widths) for _ in range(scales))  # full size first
        initialise_translation_weights(self, "instance")

    def forward(self, x: Tensor, **conditions: Tensor) -> CriticOutput:
        h = join_conditions(x, conditions, self.sees)
        logits: list[Tensor] = []
        features: list[Tensor] = []
        for k, layers in enumerate(self.scales):
            h = avg_pool2d(h, 3, 2, 1, count_include_pad=False) if k else h
            *maps, scores = layers(h)
            logits.append(scores)
            features += [m.flatten(1) / (m[0].numel() * len(self.scales)) for m in maps]
        enlarged = [interpolate(scores, logits[0].shape[2:], mode="nearest") for scores in logits]
        return CriticOutput(torch.cat(enlarged, 1), torch.cat(features, 1))


@config
class ScalesCritic:
    """Pictures of any size.

    width: channels next to the image; they double up to 512.
    halvings: of the picture in each critic.
    scales: critics, each at half the size of the one before.
    """

    width: int = 64
    halvings: int = 3
    scales: int = 2

    def __post_init__(self) -> None:
        check_widths(width=self.width)
        require(1 <= self.halvings <= MAX_HALVINGS, "halvings", self.halvings, f"from 1 to {MAX_HALVINGS}")
        require(1 <= self.scales <= MAX_SCALES, "scales", self.scales, f"from 1 to {MAX_SCALES}")

    def build_critic(self, x: ImageShape, seen_channels: Mapping[str, int]) -> Discriminator:
        widths = [min(WIDTH_CAP, self.width * 2**k) for k in range(self.halvings + 1)]
        return Discriminator(x[0], seen_channels, widths, self.scales)

    def smallest(self) -> "ScalesCritic":
        return replace(self, width=2, halvings=1)
