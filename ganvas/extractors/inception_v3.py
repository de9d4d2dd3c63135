"""Inception v3 as TensorFlow released it on 2015-12-05. Szegedy et al. 2016, also for the figures below.

It has 1008 logits, average pools that ignore padding, and a max pool instead of an average in the last block.
"""

from collections import OrderedDict
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LayerSettings(NamedTuple):
    """A convolution with batch norm and ReLU; `name` is its name in the weights file."""

    name: str
    out: int
    kernel: int | tuple[int, int] = 1
    stride: int = 1
    is_padded: bool = True  # to keep the size


class ConvolutionReLU(nn.Conv2d):
    """A convolution with its batch norm folded in, and ReLU."""

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(super().forward(input), inplace=True)


class ParallelBranches(nn.Module):
    """Parallel branches, whose channels are concatenated."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.ways = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.ways], 1)


def build_chain(width: int, *steps: LayerSettings | nn.Module) -> nn.Sequential:
    """Layers in sequence, starting from `width` channels."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for step in steps:
        if isinstance(step, nn.Module):
            layers[f"step{len(layers)}"] = step
            continue
        kernel = step.kernel if isinstance(step.kernel, tuple) else (step.kernel, step.kernel)
        padding = (kernel[0] // 2, kernel[1] // 2) if step.is_padded else 0
        layers[step.name] = ConvolutionReLU(width, step.out, kernel, step.stride, padding)
        width = step.out
    return nn.Sequential(layers)


def build_average_pool() -> nn.Module:
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


def build_halving_pool() -> nn.Module:
    return nn.MaxPool2d(3, stride=2)


def build_block_a(width: int, pool_channels: int) -> nn.Module:
    """Figure 5: two 3x3 instead of a 5x5. 35 px; `pool_channels` + 224 channels."""
    return ParallelBranches(
        build_chain(width, LayerSettings("branch1x1", 64)),
        build_chain(width, LayerSettings("branch5x5_1", 48), LayerSettings("branch5x5_2", 64, 5)),
        build_chain(
            width,
            LayerSettings("branch3x3dbl_1", 64),
            LayerSettings("branch3x3dbl_2", 96, 3),
            LayerSettings("branch3x3dbl_3", 96, 3),
        ),
        build_chain(width, build_average_pool(), LayerSettings("branch_pool", pool_channels)),
    )


def build_block_b(width: int) -> nn.Module:
    """Figure 10: 35 px to 17; `width` + 480 channels."""
    return ParallelBranches(
        build_chain(width, LayerSettings("branch3x3", 384, 3, 2, is_padded=False)),
        build_chain(
            width,
            LayerSettings("branch3x3dbl_1", 64),
            LayerSettings("branch3x3dbl_2", 96, 3),
            LayerSettings("branch3x3dbl_3", 96, 3, 2, is_padded=False),
        ),
        build_halving_pool(),
    )


def build_block_c(width: int, inner: int) -> nn.Module:
    """Figure 6: 7x7 as 1x7 and 7x1. 17 px; 768 channels."""
    row, column = (1, 7), (7, 1)
    return ParallelBranches(
        build_chain(width, LayerSettings("branch1x1", 192)),
        build_chain(
            width,
            LayerSettings("branch7x7_1", inner),
            LayerSettings("branch7x7_2", inner, row),
            LayerSettings("branch7x7_3", 192, column),
        ),
        build_chain(
            width,
            LayerSettings("branch7x7dbl_1", inner),
            LayerSettings("branch7x7dbl_2", inner, column),
            LayerSettings("branch7x7dbl_3", inner, row),
            LayerSettings("branch7x7dbl_4", inner, column),
            LayerSettings("branch7x7dbl_5", 192, row),
        ),
        build_chain(width, build_average_pool(), LayerSettings("branch_pool", 192)),
    )


def build_block_d(width: int) -> nn.Module:
    """17 px to 8; `width` + 512 channels."""
    return ParallelBranches(
        build_chain(width, LayerSettings("branch3x3_1", 192), LayerSettings("branch3x3_2", 320, 3, 2, is_padded=False)),
        build_chain(
            width,
            LayerSettings("branch7x7x3_1", 192),
            LayerSettings("branch7x7x3_2", 192, (1, 7)),
            LayerSettings("branch7x7x3_3", 192, (7, 1)),
            LayerSettings("branch7x7x3_4", 192, 3, 2, is_padded=False),
        ),
        build_halving_pool(),
    )


def build_block_e(width: int, pool: nn.Module) -> nn.Module:
    """Figure 7: parallel 1x3 and 3x1 instead of a 3x3. 8 px; 2048 channels."""

    def build_split_branch(name: str) -> nn.Module:
        return ParallelBranches(
            build_chain(384, LayerSettings(f"{name}a", 384, (1, 3))), build_chain(384, LayerSettings(f"{name}b", 384, (3, 1)))
        )

    return ParallelBranches(
        build_chain(width, LayerSettings("branch1x1", 320)),
        build_chain(width, LayerSettings("branch3x3_1", 384), build_split_branch("branch3x3_2")),
        build_chain(
            width,
            LayerSettings("branch3x3dbl_1", 448),
            LayerSettings("branch3x3dbl_2", 384, 3),
            build_split_branch("branch3x3dbl_3"),
        ),
        build_chain(width, pool, LayerSettings("branch_pool", 192)),
    )


def build_inception_v3() -> nn.Sequential:
    """[N, 3, 299, 299] -> 1008 logits; the layers before the last give the 2048 features. 23,850,960 parameters before batch
    norm is folded in."""
    stem = build_chain(
        3,
        LayerSettings("Conv2d_1a_3x3", 32, 3, 2, is_padded=False),
        LayerSettings("Conv2d_2a_3x3", 32, 3, is_padded=False),
        LayerSettings("Conv2d_2b_3x3", 64, 3),
        build_halving_pool(),
        LayerSettings("Conv2d_3b_1x1", 80),
        LayerSettings("Conv2d_4a_3x3", 192, 3, is_padded=False),
        build_halving_pool(),
    )
    blocks = OrderedDict[str, nn.Module](
        Mixed_5b=build_block_a(192, 32),
        Mixed_5c=build_block_a(256, 64),
        Mixed_5d=build_block_a(288, 64),
        Mixed_6a=build_block_b(288),
        Mixed_6b=build_block_c(768, 128),
        Mixed_6c=build_block_c(768, 160),
        Mixed_6d=build_block_c(768, 160),
        Mixed_6e=build_block_c(768, 192),
        Mixed_7a=build_block_d(768),
        Mixed_7b=build_block_e(1280, build_average_pool()),
        Mixed_7c=build_block_e(2048, nn.MaxPool2d(3, stride=1, padding=1)),
    )
    head = OrderedDict[str, nn.Module](pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(2048, 1008))
    return nn.Sequential(OrderedDict([*stem.named_children(), *blocks.items(), *head.items()]))
