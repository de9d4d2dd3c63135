"""StyleSwin's D: convolutions on the wavelets of an image at every size. Zhang et al. 2022, section 3.4; Gal et al. 2021.

Windows leave seams between them. D finds these among high frequencies, which wavelets separate from low ones.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, pixel_unshuffle

from ...core import CriticOutput
from ...resampling import get_constant_tensor, halve_size
from ..layers.equalised import HE_GAIN, EqualisedConv, EqualisedLinear, append_deviation
from ..layers.style import MappingNetwork
from ..stylegan2 import DownBlock

# rows: of 2x2 pixels the mean, and the differences of rows, of columns and of diagonals, all of length 1
HAAR = (0.5, 0.5, 0.5, 0.5, 0.5, 0.5, -0.5, -0.5, 0.5, -0.5, 0.5, -0.5, 0.5, -0.5, -0.5, 0.5)


def compute_wavelets(x: Tensor) -> Tensor:
    """Haar wavelets, x [N, C, H, W] -> [N, 4·C, H/2, W/2], with the same sum of squares."""
    pixels = pixel_unshuffle(x, 2).unflatten(1, (-1, 4))
    return torch.einsum("bp,ncphw->ncbhw", get_constant_tensor(HAAR, x.dtype, x.device).view(4, 4), pixels).flatten(1, 2)


class Discriminator(nn.Module):
    """x [N, C, S, S], label int64 [N] if there are `classes` -> CriticOutput; `widths` from 4 px up. Labels by projection."""

    def __init__(self, widths: list[int], channels: int, classes: int, w_dim: int, layers: int, group: int = 4) -> None:
        super().__init__()
        self.group = group
        widths = widths[:-1]  # wavelets have half the image's size
        self.from_wavelets = nn.ModuleList(EqualisedConv(4 * channels, width, 1, boost=HE_GAIN) for width in reversed(widths))
        self.blocks = nn.ModuleList(DownBlock(inputs, outputs) for outputs, inputs in reversed(list(pairwise(widths))))
        self.end = EqualisedConv(widths[0] + 1, widths[0], 3, boost=HE_GAIN)
        self.dense = EqualisedLinear(widths[0] * 16, widths[0], boost=HE_GAIN)
        self.last = EqualisedLinear(widths[0], w_dim if classes else 1)
        self.label = MappingNetwork(0, w_dim, layers, classes, mean_decay=None) if classes else None

    def forward(self, x: Tensor, label: Tensor | None = None) -> CriticOutput:
        h = leaky_relu(self.from_wavelets[0](compute_wavelets(x)), 0.2, inplace=True)
        for block, from_wavelets in zip(self.blocks, self.from_wavelets[1:], strict=True):  # type: ignore[arg-type]
            x = halve_size(x)
            h = block(h) + leaky_relu(from_wavelets(compute_wavelets(x)), 0.2, inplace=True)
        h = leaky_relu(self.end(append_deviation(h, self.group)), 0.2, inplace=True)
        features = leaky_relu(self.dense(h.flatten(1)), 0.2)
        outputs = self.last(features)
        if self.label is None or label is None:
            return CriticOutput(outputs.squeeze(1), features)
        mapped_class = self.label(None, label)
        return CriticOutput((outputs * mapped_class).sum(1) / mapped_class.shape[1] ** 0.5, features)
