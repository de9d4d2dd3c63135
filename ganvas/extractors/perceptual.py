"""How different pictures look: distances between the features of a trained network, chosen by name."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from ..errors import require
from . import efficientnet, small

FeatureMaps = Callable[[Tensor], list[Tensor]]  # x [N, C, H, W] in [-1, 1] -> features [N, F, h, w] each
PIXEL_SCALES = 4  # scales of the pixel distance, each half of the one before
MIN_EFFICIENTNET_PIXELS = 96  # smaller pictures are enlarged to this side for EfficientNet
FEATURE_NAMES = ("efficientnet", "classifier", "pixels")


def build_distance(name: str, target: Tensor) -> Callable[[Tensor], Tensor]:
    """A function that measures the distance [N] of x [N, C, H, W] from `target` [1, C, H, W], by features and by pixels.

    Features have length 1 at each position, as in Zhang et al. 2018, eq. 1, with the same weight for all channels.

    Raises:
        GanvasError: the features are unknown, or their weights are missing.
    """
    compute_maps = choose_feature_maps(name)(target.device)
    target_maps = compute_maps(target)

    def measure_distance(x: Tensor) -> Tensor:
        pixel_error = (x - target).square().mean((1, 2, 3))
        map_errors = [(a - b).square().sum(1).mean((1, 2)) for a, b in zip(compute_maps(x), target_maps, strict=True)]
        return torch.stack([*map_errors, pixel_error]).sum(0)

    return measure_distance


def choose_feature_maps(name: str) -> Callable[[torch.device], FeatureMaps]:
    loaders = {"efficientnet": load_photograph_maps, "classifier": load_clothes_maps, "pixels": build_pixel_maps}
    require(name in loaders, "features", name, f"one of {', '.join(FEATURE_NAMES)}")
    return loaders[name]


def load_photograph_maps(device: torch.device) -> FeatureMaps:
    """EfficientNet-Lite0, trained on photographs: its blocks' outputs at five sizes."""
    net = efficientnet.load_efficientnet(device)
    last_layers = (1, 3, 5, 11, 16)  # the last block at each size

    def compute_maps(x: Tensor) -> list[Tensor]:
        x = ((x[:, [0, 1, 2]] if x.shape[1] >= 3 else x[:, :1].expand(-1, 3, -1, -1)) + 1) * 127.5
        if x.shape[2] < MIN_EFFICIENTNET_PIXELS:
            x = interpolate(x, size=(MIN_EFFICIENTNET_PIXELS, MIN_EFFICIENTNET_PIXELS), mode="bilinear", align_corners=False)
        return collect_activations(net, (x - 127) / 128, last_layers)

    return compute_maps


def load_clothes_maps(device: torch.device) -> FeatureMaps:
    """The shipped classifier, trained on small grey pictures: its activations for each channel."""
    net = small.load_fashion_classifier(device)
    last_layers = tuple(k for k, layer in enumerate(net) if isinstance(layer, nn.ReLU))

    def compute_maps(x: Tensor) -> list[Tensor]:
        channels = x[:, :3].flatten(0, 1)[:, None]
        if channels.shape[2] != 32:
            channels = interpolate(channels, size=(32, 32), mode="bilinear", antialias=True, align_corners=False)
        return [part.unflatten(0, (len(x), -1)).flatten(1, 2) for part in collect_activations(net, channels, last_layers)]

    return compute_maps


def build_pixel_maps(device: torch.device) -> FeatureMaps:
    """Averages of pixels at several scales: no network, nothing to install."""

    def compute_maps(x: Tensor) -> list[Tensor]:
        return [avg_pool2d(x, 2**k) for k in range(1, PIXEL_SCALES) if x.shape[2] >= 2**k]

    return compute_maps


def collect_activations(net: nn.Sequential, x: Tensor, last_layers: tuple[int, ...]) -> list[Tensor]:
    """The outputs of `last_layers`, with features of length 1 at each position."""
    activations: list[Tensor] = []
    for k, layer in enumerate(list(net)[: max(last_layers) + 1]):
        x = layer(x)
        if k in last_layers:
            activations.append(x / (x.square().sum(1, keepdim=True) + 1e-8).sqrt())
            x = x.clone()  # the next layers may work in place
    return activations
