"""How different pictures look: distances between the features of a network that has learned to see, by name."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate

from ..errors import GanvasError
from . import efficientnet, small

Maps = Callable[[Tensor], list[Tensor]]  # x [N, C, H, W] in [-1, 1] -> features [N, F, h, w] each
SIZES = 4  # of pixels' distance, each half of the one before
SEEN = 96  # pixels at which EfficientNet looks at smaller pictures
NAMES = ("efficientnet", "classifier", "pixels")


def difference(name: str, like: Tensor) -> Callable[[Tensor], Tensor]:
    """The distance of x [N, C, H, W] from `like` [1, C, H, W], [N]: how their features differ, and their pixels.

    Features are of length 1 at each place, as in Zhang et al. 2018, eq. 1, with all channels' weights the same.

    Raises:
        GanvasError: features that are not known or whose weights are missing.
    """
    maps = named(name)(like.device)
    wanted = maps(like)

    def distance(x: Tensor) -> Tensor:
        pixels = (x - like).square().mean((1, 2, 3))
        found = [(a - b).square().sum(1).mean((1, 2)) for a, b in zip(maps(x), wanted, strict=True)]
        return torch.stack([*found, pixels]).sum(0)

    return distance


def named(name: str) -> Callable[[torch.device], Maps]:
    kinds = {"efficientnet": of_photographs, "classifier": of_clothes, "pixels": of_pixels}
    if name not in kinds:
        raise GanvasError(f"there are no features {name!r}: --features {', '.join(NAMES)}")
    return kinds[name]


def of_photographs(device: torch.device) -> Maps:
    """EfficientNet-Lite0, trained on photographs: what its blocks see at five sizes."""
    net = efficientnet.loaded(device)
    ends = (1, 3, 5, 11, 16)  # the last block at each size

    def maps(x: Tensor) -> list[Tensor]:
        x = ((x[:, [0, 1, 2]] if x.shape[1] >= 3 else x[:, :1].expand(-1, 3, -1, -1)) + 1) * 127.5
        if x.shape[2] < SEEN:
            x = interpolate(x, size=(SEEN, SEEN), mode="bilinear", align_corners=False)
        return through(net, (x - 127) / 128, ends)

    return maps


def of_clothes(device: torch.device) -> Maps:
    """The classifier that ganvas scores with, trained on small grey pictures: each channel by itself, its activations."""
    net = small.loaded(device)
    ends = tuple(k for k, layer in enumerate(net) if isinstance(layer, nn.ReLU))

    def maps(x: Tensor) -> list[Tensor]:
        each = x[:, :3].flatten(0, 1)[:, None]
        if each.shape[2] != 32:
            each = interpolate(each, size=(32, 32), mode="bilinear", antialias=True, align_corners=False)
        return [part.unflatten(0, (len(x), -1)).flatten(1, 2) for part in through(net, each, ends)]

    return maps


def of_pixels(device: torch.device) -> Maps:
    """Means of pixels at several sizes: no network, and nothing to install."""

    def maps(x: Tensor) -> list[Tensor]:
        return [avg_pool2d(x, 2**k) for k in range(1, SIZES) if x.shape[2] >= 2**k]

    return maps


def through(net: nn.Sequential, x: Tensor, ends: tuple[int, ...]) -> list[Tensor]:
    """What comes out of some layers, each place's features of length 1."""
    found: list[Tensor] = []
    for k, layer in enumerate(list(net)[: max(ends) + 1]):
        x = layer(x)
        if k in ends:
            found.append(x / (x.square().sum(1, keepdim=True) + 1e-8).sqrt())
            x = x.clone()  # layers that follow may work in place
    return found
