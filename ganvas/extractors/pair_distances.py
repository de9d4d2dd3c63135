"""Scores of pairs by a trained network: how different two pictures look, and whether one keeps the content of the other."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ..configuration import config
from ..errors import require
from ..metrics.pairs.pixels import check_pair, round_to_pixels
from .appearance import compute_luminance
from .perceptual import FEATURE_NAMES, FeatureMaps, choose_feature_maps

LEAST_DEVIATION = 0.02  # of the brightness of a picture in [-1, 1]: a flat picture has no content to enlarge
CONTENT_LAYERS = slice(1, 4)  # of five: the first sees only edges, the last hardly any places


@config
class PerceptualDistance:
    """ "perceptual": how different two pictures look, from 0 for the same. Zhang et al. 2018, eq. 1, with equal weights.

    Squared differences between features of length 1 at each place: their mean over places, summed over layers. Pixels are
    rounded to 8 bits first. The published LPIPS has another network (VGG or AlexNet) and learned weights: numbers differ.

    features: the network's: "efficientnet" for photographs and drawings, "classifier" for small grey pictures, or "pixels".
    batch: pictures at a time.
    """

    features: str = "efficientnet"
    batch: int = 32

    def __post_init__(self) -> None:
        require(self.features in FEATURE_NAMES, "features", self.features, f"one of {', '.join(FEATURE_NAMES)}")
        require(self.batch >= 1, "batch", self.batch, "1 or more")

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"perceptual": True}

    def __call__(self, x: Tensor, other: Tensor) -> dict[str, Tensor]:
        check_pair(x, other, "perceptual")
        compute_maps = choose_feature_maps(self.features)(x.device)
        with torch.inference_mode():
            pairs = zip(x.split(self.batch), other.split(self.batch), strict=True)
            return {"perceptual": torch.cat([measure_map_distance(compute_maps, a, b) for a, b in pairs])}


def measure_map_distance(compute_maps: FeatureMaps, x: Tensor, other: Tensor) -> Tensor:
    """The distance [N] of images [N, C, H, W] in [-1, 1]."""
    maps, other_maps = (compute_maps(round_to_unit(image)) for image in (x, other))
    return torch.stack([(a - b).square().sum(1).mean((1, 2)) for a, b in zip(maps, other_maps, strict=True)]).sum(0)


def round_to_unit(x: Tensor) -> Tensor:
    """Images in [-1, 1], rounded and clipped to 8 bits."""
    return (round_to_pixels(x) / 127.5 - 1).float()


@config
class ContentKept:
    """ "content": how much of a source's content stays, from about 0 for an unrelated picture to 1 for the same.

    Colours are removed first: what is compared is the brightness of each picture, brought to one mean and contrast. The score
    is the correlation, over places and features, of what a trained network sees there; its mean over three layers. For
    unpaired translation, which has no truth to compare with: a translator that ignores its sources scores low.

    batch: pictures at a time.
    """

    batch: int = 32

    def __post_init__(self) -> None:
        require(self.batch >= 1, "batch", self.batch, "1 or more")

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"content": False}

    def __call__(self, x: Tensor, other: Tensor) -> dict[str, Tensor]:
        check_pair(x, other, "content")
        compute_maps = choose_feature_maps("efficientnet")(x.device)
        with torch.inference_mode():
            pairs = zip(x.split(self.batch), other.split(self.batch), strict=True)
            return {
                "content": torch.cat([correlate_content(compute_maps, round_to_unit(a), round_to_unit(b)) for a, b in pairs])
            }


def correlate_content(compute_maps: FeatureMaps, x: Tensor, other: Tensor) -> Tensor:
    """The mean correlation [N] of the features of images [N, C, H, W] in [0, 1]. Gradients pass to both."""
    maps, other_maps = (compute_maps(remove_colour(image)) for image in (x, other))
    layers = list(zip(maps, other_maps, strict=True))[CONTENT_LAYERS]
    return torch.stack([correlate_maps(a, b) for a, b in layers]).mean(0)


def remove_colour(x: Tensor) -> Tensor:
    """Images [N, C, H, W] in [0, 1] -> their brightness [N, 1, H, W], with mean 0 and deviation 0.5."""
    luminance = compute_luminance(x[:, : 3 if x.shape[1] >= 3 else 1])[:, None]
    centred = luminance - luminance.mean((2, 3), keepdim=True)
    return 0.5 * centred / centred.square().mean((2, 3), keepdim=True).sqrt().clamp(min=LEAST_DEVIATION)


def correlate_maps(a: Tensor, b: Tensor) -> Tensor:
    """The correlation [N] of feature maps [N, F, h, w], after their mean over places is taken off."""
    a, b = ((maps - maps.mean((2, 3), keepdim=True)).flatten(1) for maps in (a, b))
    lengths = (a.square().sum(1) * b.square().sum(1)).sqrt()
    return (a * b).sum(1) / lengths.clamp(min=1e-8)
