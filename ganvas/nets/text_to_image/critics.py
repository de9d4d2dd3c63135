"""Critics that judge whether a picture is real and shows what a text says."""

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...core import CriticOutput
from ..projected import build_feature_layers
from .reader import TextReader


class TextDiscriminator(nn.Module):
    """x [N, C, H, W], text [N, 1 + L, size + 1] -> CriticOutput.

    Its features meet the text twice: as a product with a direction for each text (Miyato & Koyama 2018), and beside it in a
    further convolution (Reed et al. 2016).
    """

    def __init__(self, widths: Sequence[int], channels: int, grid: tuple[int, int], reader: TextReader) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip([channels, *widths], widths, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        self.layers, self.reader = nn.Sequential(*layers), reader
        width = widths[-1]
        self.direction = nn.Linear(self.reader.width, width * prod(grid), bias=False)
        self.joint = nn.Conv2d(width + self.reader.width, width, 3, padding=1)
        self.last = nn.Linear(width * prod(grid), 1)
        nn.init.normal_(self.direction.weight, std=0.02)

    def forward(self, x: Tensor, text: Tensor) -> CriticOutput:
        h, condition = self.layers(x), self.reader(text)
        plane = condition[:, :, None, None].expand(-1, -1, *h.shape[2:])
        joint = F.leaky_relu(self.joint(torch.cat([h, plane], 1)), 0.2).flatten(1)
        logit = self.last(joint).flatten() + (h.flatten(1) * self.direction(condition)).sum(1) / h[0].numel() ** 0.5
        return CriticOutput(logit, h.flatten(1))


class TextFeatureHead(nn.Module):
    """Features [N, C, H, W], what a text says [N, condition] -> a logit [N] and the inputs of the last layer [N, F]."""

    def __init__(self, shape: tuple[int, int, int], width: int, condition: int) -> None:
        super().__init__()
        self.layers, inner_shape = build_feature_layers(shape, width)
        self.last = nn.Linear(prod(inner_shape), 1)
        self.direction = nn.Linear(condition, prod(inner_shape), bias=False)
        nn.init.normal_(self.direction.weight, std=0.02)

    def forward(self, x: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        h = self.layers(x).flatten(1)
        return self.last(h).flatten() + (h * self.direction(condition)).sum(1) / h.shape[1] ** 0.5, h


class TextFeatureCritic(nn.Module):
    """Features [N, F] of these `shapes`, text [N, 1 + L, size + 1] -> CriticOutput, a logit for each shape."""

    feature_network = "efficientnet-lite0"  # it looks through this network, whose distances therefore flatter G

    def __init__(self, shapes: Sequence[tuple[int, int, int]], width: int, reader: TextReader) -> None:
        super().__init__()
        self.shapes, self.reader = tuple(shapes), reader
        self.heads = nn.ModuleList(TextFeatureHead(shape, width, self.reader.width) for shape in shapes)

    def forward(self, x: Tensor, text: Tensor) -> CriticOutput:
        condition, parts = self.reader(text), x.split([prod(shape) for shape in self.shapes], 1)
        outputs = [
            head(part.unflatten(1, shape).contiguous(memory_format=torch.channels_last), condition)
            for head, part, shape in zip(self.heads, parts, self.shapes, strict=True)
        ]
        return CriticOutput(torch.stack([logit for logit, _ in outputs], 1), torch.cat([h for _, h in outputs], 1))
