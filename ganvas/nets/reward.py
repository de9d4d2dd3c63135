"""What people like, learnt from their choices: a frozen classifier's features, and a sum of them.

P(a is chosen over b) = σ(r(a) − r(b)), after Bradley and Terry 1952, with features for r (Christiano et al. 2017, eq. 1).
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import GanvasError
from .pretrained.efficientnet import load_efficientnet

MIN_SIDE, MAX_SIDE = 32, 128  # px: other pictures are resized before the classifier sees them
DEPTHS = ((1, 16), (3, 24), (5, 40), (11, 112), (16, 320))  # (the classifier's last layer of a size, its channels)
COARSE_CELLS, COARSE_DEPTHS = 4, 3  # along each side of coarse maps; of pixels and of the first depths
PLACED_SIZES = tuple(channels * COARSE_CELLS**2 for _, channels in DEPTHS[:COARSE_DEPTHS])
GROUP_SIZES = (3 * COARSE_CELLS**2 + 6, *(2 * channels for _, channels in DEPTHS), *PLACED_SIZES, 1280)  # of each kind
FEATURE_COUNT = sum(GROUP_SIZES)
COMPONENTS = 48  # of the linear map


class FeatureMap(NamedTuple):
    """(f − mean) @ projection: features [N, FEATURE_COUNT] -> components [N, COMPONENTS] of deviation near 1."""

    mean: Tensor  # [FEATURE_COUNT]
    projection: Tensor  # [FEATURE_COUNT, COMPONENTS]


class Reward(nn.Module):
    """Samples x [N, C, H, W] in [-1, 1] -> r [N], a weighted sum of their features.

    It is 0 for all samples before it is fitted. Its tensors are buffers, so that no game trains them.
    """

    mean: Tensor
    weight: Tensor

    feature_network = "efficientnet-lite0"  # scores by the same network flatter a game with this reward

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(FEATURE_COUNT))
        self.register_buffer("weight", torch.zeros(FEATURE_COUNT))

    def forward(self, x: Tensor) -> Tensor:
        return self.rate_features(compute_features(x))

    def rate_features(self, features: Tensor) -> Tensor:
        """Features [N, FEATURE_COUNT] -> r [N]."""
        with torch.autocast(features.device.type, enabled=False):  # differences of rewards are small
            return (features.float() - self.mean) @ self.weight


def compute_features(x: Tensor) -> Tensor:
    """x [N, C, H, W] in [-1, 1] -> [N, FEATURE_COUNT], in groups of GROUP_SIZES.

    They are coarse pixels, statistics of the classifier's depths, coarse maps of its first depths, and its last features.
    Gray becomes RGB, and channels after the third are dropped. Values beyond ±1 count as ±1, as in a file. Raises
    GanvasError for samples that are no pictures.
    """
    if x.dim() != 4:
        raise GanvasError(f"a reward rates pictures [N, C, H, W], got {list(x.shape)}: take a run of pictures")
    x = soften(x.float().clamp(-1, 1))
    x = x[:, :3] if x.shape[1] >= 3 else x[:, :1].expand(-1, 3, -1, -1)
    moments, places = [torch.cat([coarsen(x), *measure_map_moments(x)], 1)], list[Tensor]()
    h, last_layers = resize_to_bounds(x).contiguous(memory_format=torch.channels_last), [layer for layer, _ in DEPTHS]
    for number, layer in enumerate(list(load_efficientnet(x.device))[:-1]):
        h = layer(h)
        if number in last_layers:
            moments.append(torch.cat(measure_map_moments(h.float()), 1))
            places.append(coarsen(h.float()))
    return torch.cat([*moments, *places[:COARSE_DEPTHS], h.float()], 1)


def coarsen(maps: Tensor) -> Tensor:
    """Means of the cells of a coarse grid: [N, C, H, W] -> [N, C·COARSE_CELLS²]."""
    return F.adaptive_avg_pool2d(maps, COARSE_CELLS).flatten(1)


def soften(x: Tensor) -> Tensor:
    """Each pixel averaged with its neighbours, by 1-2-1 along both axes.

    Generators else please a reward by a faint texture that people hardly see (docs/decisions/0016).
    """
    line = torch.tensor([0.25, 0.5, 0.25], device=x.device, dtype=x.dtype)
    kernel = (line[:, None] * line).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel, groups=x.shape[1])


def measure_map_moments(maps: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and the deviation over places: [N, C, H, W] -> [N, C] twice."""
    return maps.mean((2, 3)), (maps.var((2, 3), unbiased=False) + 1e-6).sqrt()


def resize_to_bounds(x: Tensor) -> Tensor:
    """Pictures whose shorter side is MIN_SIDE or more, and whose longer one is MAX_SIDE or less where both are possible."""
    height, width = x.shape[2:]
    scale = max(MIN_SIDE / min(height, width), min(1.0, MAX_SIDE / max(height, width)))
    if scale == 1:
        return x
    size = [round(side * scale) for side in (height, width)]
    return F.interpolate(x, size=size, mode="bilinear", antialias=scale < 1, align_corners=False)


def fit_feature_map(features: Tensor) -> FeatureMap:
    """The principal components of some samples' features [N, FEATURE_COUNT], where N is above COMPONENTS.

    Each kind of feature counts alike. Within a kind each has deviation 1.
    """
    weights = torch.cat([torch.full((size,), size**-0.5) for size in GROUP_SIZES])
    mean, deviation = features.mean(0), features.std(0)
    scale = torch.where(deviation > 1e-5, weights / deviation.clamp(min=1e-5), 0.0)
    _, sizes, directions = torch.linalg.svd((features - mean) * scale, full_matrices=False)
    unit = (sizes[:COMPONENTS].square().sum() / len(features) / COMPONENTS).sqrt().clamp(min=1e-5)
    return FeatureMap(mean, scale[:, None] * directions[:COMPONENTS].T / unit)
