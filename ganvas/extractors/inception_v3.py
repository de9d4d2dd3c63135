"""Inception v3 as TensorFlow released it on 2015-12-05. Szegedy et al. 2016; the figures are that paper's.

It has 1008 logits, averages that leave padding out, and a maximum for the average in the last block.
"""

from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Layer(NamedTuple):
    """A convolution, batch norm and ReLU, by the name that the weights file has for it."""

    name: str
    out: int
    kernel: int | tuple[int, int] = 1
    stride: int = 1
    padded: bool = True  # to keep the size


class Rectified(nn.Conv2d):
    """A convolution, its batch norm folded in, and ReLU."""

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(super().forward(input), inplace=True)


class Side(nn.Module):
    """Ways side by side, their channels stacked."""

    def __init__(self, *ways: nn.Module) -> None:
        super().__init__()
        self.ways = nn.ModuleList(ways)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([way(x) for way in self.ways], 1)


def chain(width: int, *steps: Layer | nn.Module) -> nn.Sequential:
    """One step after another, from `width` channels."""
    made: OrderedDict[str, nn.Module] = OrderedDict()
    for step in steps:
        if isinstance(step, nn.Module):
            made[f"step{len(made)}"] = step
            continue
        kernel = step.kernel if isinstance(step.kernel, tuple) else (step.kernel, step.kernel)
        padding = (kernel[0] // 2, kernel[1] // 2) if step.padded else 0
        made[step.name] = Rectified(width, step.out, kernel, step.stride, padding)
        width = step.out
    return nn.Sequential(made)


def average() -> nn.Module:
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


def halve() -> nn.Module:
    return nn.MaxPool2d(3, stride=2)


def block_a(width: int, pooled: int) -> nn.Module:
    """Figure 5: two 3x3 for a 5x5. 35 px; `pooled` + 224 channels."""
    return Side(
        chain(width, Layer("branch1x1", 64)),
        chain(width, Layer("branch5x5_1", 48), Layer("branch5x5_2", 64, 5)),
        chain(width, Layer("branch3x3dbl_1", 64), Layer("branch3x3dbl_2", 96, 3), Layer("branch3x3dbl_3", 96, 3)),
        chain(width, average(), Layer("branch_pool", pooled)),
    )


def block_b(width: int) -> nn.Module:
    """Figure 10: 35 px to 17; `width` + 480 channels."""
    return Side(
        chain(width, Layer("branch3x3", 384, 3, 2, padded=False)),
        chain(
            width,
            Layer("branch3x3dbl_1", 64),
            Layer("branch3x3dbl_2", 96, 3),
            Layer("branch3x3dbl_3", 96, 3, 2, padded=False),
        ),
        halve(),
    )


def block_c(width: int, inner: int) -> nn.Module:
    """Figure 6: 7x7 as 1x7 and 7x1. 17 px; 768 channels."""
    row, column = (1, 7), (7, 1)
    return Side(
        chain(width, Layer("branch1x1", 192)),
        chain(width, Layer("branch7x7_1", inner), Layer("branch7x7_2", inner, row), Layer("branch7x7_3", 192, column)),
        chain(
            width,
            Layer("branch7x7dbl_1", inner),
            Layer("branch7x7dbl_2", inner, column),
            Layer("branch7x7dbl_3", inner, row),
            Layer("branch7x7dbl_4", inner, column),
            Layer("branch7x7dbl_5", 192, row),
        ),
        chain(width, average(), Layer("branch_pool", 192)),
    )


def block_d(width: int) -> nn.Module:
    """17 px to 8; `width` + 512 channels."""
    return Side(
        chain(width, Layer("branch3x3_1", 192), Layer("branch3x3_2", 320, 3, 2, padded=False)),
        chain(
            width,
            Layer("branch7x7x3_1", 192),
            Layer("branch7x7x3_2", 192, (1, 7)),
            Layer("branch7x7x3_3", 192, (7, 1)),
            Layer("branch7x7x3_4", 192, 3, 2, padded=False),
        ),
        halve(),
    )


def block_e(width: int, pool: nn.Module) -> nn.Module:
    """Figure 7: 3x3 as 1x3 beside 3x1. 8 px; 2048 channels."""

    def beside(name: str) -> nn.Module:
        return Side(chain(384, Layer(f"{name}a", 384, (1, 3))), chain(384, Layer(f"{name}b", 384, (3, 1))))

    return Side(
        chain(width, Layer("branch1x1", 320)),
        chain(width, Layer("branch3x3_1", 384), beside("branch3x3_2")),
        chain(width, Layer("branch3x3dbl_1", 448), Layer("branch3x3dbl_2", 384, 3), beside("branch3x3dbl_3")),
        chain(width, pool, Layer("branch_pool", 192)),
    )


def network() -> nn.Sequential:
    """[N, 3, 299, 299] -> 1008 logits; all but its last layer give the 2048 features. 23,850,960 parameters before batch
    norm is folded in."""
    stem = chain(
        3,
        Layer("Conv2d_1a_3x3", 32, 3, 2, padded=False),
        Layer("Conv2d_2a_3x3", 32, 3, padded=False),
        Layer("Conv2d_2b_3x3", 64, 3),
        halve(),
        Layer("Conv2d_3b_1x1", 80),
        Layer("Conv2d_4a_3x3", 192, 3, padded=False),
        halve(),
    )
    blocks = OrderedDict[str, nn.Module](
        Mixed_5b=block_a(192, 32),
        Mixed_5c=block_a(256, 64),
        Mixed_5d=block_a(288, 64),
        Mixed_6a=block_b(288),
        Mixed_6b=block_c(768, 128),
        Mixed_6c=block_c(768, 160),
        Mixed_6d=block_c(768, 160),
        Mixed_6e=block_c(768, 192),
        Mixed_7a=block_d(768),
        Mixed_7b=block_e(1280, average()),
        Mixed_7c=block_e(2048, nn.MaxPool2d(3, stride=1, padding=1)),
    )
    head = OrderedDict[str, nn.Module](pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(2048, 1008))
    return nn.Sequential(OrderedDict([*stem.named_children(), *blocks.items(), *head.items()]))
