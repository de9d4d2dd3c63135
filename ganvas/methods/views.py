"""Views of samples for further critics."""

import torch
from torch import Tensor
from torch.nn import functional as F

from ..configuration import config
from ..nets.pretrained.efficientnet import load_efficientnet
from ..nets.projected import PYRAMID_LEVELS, find_enlargement

FEATURE_SCALE = 0.1  # features have a standard deviation of 7 to 11, for clothes, sprites and emoji alike


@config
class FeaturePyramid:
    """Images as a frozen EfficientNet-Lite0 sees them: x [N, C, H, W] in [-1, 1] -> its features at three sizes, [N, F].

    Sauer et al. 2021 (Projected GANs), section 3.1, without random mixing of features. Small pictures are enlarged to 32 px
    or more. Gray becomes RGB, and channels after the third are dropped. Features come in the order of `PYRAMID_LEVELS`.
    """

    def __call__(self, x: Tensor) -> Tensor:
        x = x[:, :3] if x.shape[1] >= 3 else x[:, :1].expand(-1, 3, -1, -1)
        if (enlargement := find_enlargement(*x.shape[2:])) > 1:
            x = F.interpolate(x, scale_factor=enlargement, mode="bilinear", align_corners=False)
        h, maps = x.contiguous(memory_format=torch.channels_last), list[Tensor]()
        last_layers = [level.layer for level in PYRAMID_LEVELS]
        for number, layer in zip(range(last_layers[-1] + 1), load_efficientnet(x.device), strict=False):
            h = layer(h)
            if number in last_layers:
                maps.append(h.flatten(1))
        return FEATURE_SCALE * torch.cat(maps, 1)
