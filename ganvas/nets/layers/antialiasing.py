"""Halve and double images without aliasing, as CUT does. Zhang 2019 (making convolutional networks shift-invariant again)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...resampling import get_constant_tensor

TAPS = (0.25, 0.5, 0.25)


class BlurredHalving(nn.Module):
    """[N, C, H, W] -> [N, C, ⌈H/2⌉, ⌈W/2⌉]: every other pixel after a blur by [1, 2, 1]. Borders are mirrored."""

    def forward(self, x: Tensor) -> Tensor:
        if x.is_cpu and x.dtype == torch.bfloat16:  # its derivative is many times slower than in fp32
            with torch.autocast("cpu", enabled=False):
                return self.blur(x.float()).to(x.dtype)
        return self.blur(x)

    def blur(self, x: Tensor) -> Tensor:
        taps = get_constant_tensor(TAPS, x.dtype, x.device)
        kernel = (taps[:, None] * taps).expand(x.shape[1], 1, 3, 3)
        return F.conv2d(F.pad(x, [1] * 4, mode="reflect"), kernel, stride=2, groups=x.shape[1])


class BlurredDoubling(nn.Upsample):
    """[N, C, H, W] -> [N, C, 2H, 2W] by [1, 3, 3, 1] with repeated borders, which is bilinear interpolation."""

    def __init__(self) -> None:
        super().__init__(scale_factor=2, mode="bilinear")
