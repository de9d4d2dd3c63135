"""Layers of Progressive GAN, which the style networks use, too. Karras et al. 2018, section 4.

Weights are stored ~ N(0, 1) and scaled at run time by He's constant. Adam's steps do not depend on the scale of gradients, so
all layers learn at one speed. Features are normalised pixel by pixel, and D sees how much a batch varies.
"""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

HE_GAIN = sqrt(2)  # the gain that makes up for a rectifier


class EqualisedLinear(nn.Module):
    """boost·(gain·lr/√fan_in · W x + lr·b); `lr` slows the layer's learning (its stored weights are larger by 1/lr).

    boost: the gain of the LeakyReLU that follows. It commutes with LeakyReLU, and there are fewer weights than features.
    """

    def __init__(
        self, inputs: int, outputs: int, gain: float = 1.0, lr: float = 1.0, bias: float = 0.0, boost: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / lr)
        self.bias = nn.Parameter(torch.full((outputs,), bias / lr))
        self.scale, self.bias_scale = boost * gain * lr / sqrt(inputs), boost * lr

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias * self.bias_scale)


class EqualisedConv(nn.Module):
    """boost·(gain/√fan_in · W * x + b), of the same size unless `stride` or `padding` changes it."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        gain: float = 1.0,
        stride: int = 1,
        padding: int | None = None,
        has_bias: bool = True,
        boost: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if has_bias else None
        self.scale, self.bias_scale, self.stride = boost * gain / sqrt(inputs * kernel**2), boost, stride
        self.padding = kernel // 2 if padding is None else padding

    def forward(self, x: Tensor) -> Tensor:
        bias = self.bias if self.bias is None or self.bias_scale == 1 else self.bias * self.bias_scale
        return F.conv2d(x, self.weight * self.scale, bias, self.stride, self.padding)


def normalise_pixels(x: Tensor) -> Tensor:
    """x·rsqrt(mean over channels of x² + 1e-8): [N, C, …]."""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


def append_deviation(x: Tensor, group: int = 4) -> Tensor:
    """x [N, C, H, W] with one more channel: the mean standard deviation of its group of samples.

    Every N/group-th sample belongs to one group. If `group` does not divide the batch, the next smaller size that does is used.
    Variances are biased, with 1e-8 inside the root.
    """
    n, _, height, width = x.shape
    size = next(size for size in range(min(group, n), 0, -1) if n % size == 0)
    groups = x.unflatten(0, (size, -1)).float()  # [size, n / size, C, H, W]
    variance = (groups - groups.mean(0)).square().mean(0)  # biased; torch.var is ten times slower here
    deviation = (variance + 1e-8).sqrt().mean((1, 2, 3))  # [n / size]
    plane = deviation.to(x.dtype).repeat(size)[:, None, None, None].expand(n, 1, height, width)
    return torch.cat([x, plane], 1)
