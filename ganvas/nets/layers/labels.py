"""Helpers of the networks: reading geometry and classes from a spec, and labels from a batch."""

from collections.abc import Callable
from math import ceil, floor, log2

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot
from torch.nn.utils.parametrize import is_parametrized

from ...core import Condition, GeneratorNetwork, Spec
from ...errors import GanvasError, require
from ...resampling import count_common_halvings

ImageShape = tuple[int, int, int]  # channels, height, width
SIDE_STEP = 8  # sides of images that are not powers of two are multiples of this, so that they can be halved


def read_image_levels(spec: Spec, network: str, smallest: int = 8, largest: int = 2048) -> tuple[int, int]:
    """(channels, number of doublings from 4 px) of square images whose size is a power of two.

    Raises:
        GanvasError: any other spec.
    """
    channels, height, width = read_image_shape(spec, network)
    if height != width or not smallest <= height <= largest or height & (height - 1):
        nearest = min(largest, max(smallest, 2 ** round(log2(min(height, width)))))
        raise GanvasError(
            f"{network} makes square images whose size is a power of two from {smallest} to {largest}, got {width}x{height} "
            f"(width x height): resize the data, by setting the medium's `size` to {nearest}"
        )
    return channels, height.bit_length() - 3


def read_image_grid(spec: Spec, network: str, largest: int = 2048) -> tuple[int, tuple[int, int], int]:
    """(channels, (rows, columns) of the smallest grid, number of doublings from it) of images of any shape.

    96 x 64 px begin at 6 x 4 with 4 doublings, 48 x 48 px at 6 x 6 with 3.

    Raises:
        GanvasError: samples that are not images, or a side that is not a multiple of 8 from 8 to `largest`.
    """
    channels, height, width = read_image_shape(spec, network)
    if any(side % SIDE_STEP or not SIDE_STEP <= side <= largest for side in (height, width)):
        raise GanvasError(
            f"{network} makes images whose sides are multiples of {SIDE_STEP} from {SIDE_STEP} to {largest}, got "
            f"{width}x{height} (width x height): resize the data, by setting the medium's `size` to "
            f"{' or '.join(list_near_sizes(width, height, largest))}"
        )
    doublings = count_common_halvings(height, width)
    return channels, (height >> doublings, width >> doublings), doublings


def read_image_shape(spec: Spec, network: str) -> ImageShape:
    """(channels, height, width). Raises GanvasError if samples are not images."""
    if len(spec.shape) != 3:
        raise GanvasError(
            f"{network} makes images, and a sample here has shape {spec.shape}: choose another recipe (ganvas recipes)"
        )
    channels, height, width = spec.shape
    return channels, height, width


def list_near_sizes(width: int, height: int, largest: int) -> list[str]:
    """The next smaller and the next larger size whose sides are multiples of 8: "96x56" and "96x64"."""

    def round_size(rounding: Callable[[float], int]) -> str:
        w, h = (min(largest, max(SIDE_STEP, SIDE_STEP * rounding(side / SIDE_STEP))) for side in (width, height))
        return str(w) if width == height else f"{w}x{h}"

    return list(dict.fromkeys((round_size(floor), round_size(ceil))))


def check_widths(**widths: int) -> None:
    """Raises SettingError unless each width is from 1 to 65536."""
    for name, width in widths.items():
        require(1 <= width <= 65536, name, width, "from 1 to 65536")


def read_condition_names(net: nn.Module) -> tuple[str, ...]:
    """The names of the conditions that a generator takes."""
    return net.conditions if isinstance(net, GeneratorNetwork) else ()


def count_classes(spec: Spec) -> int:
    """The number of classes; 0 if samples have none."""
    label = spec.conditions.get("label")
    return label.size if label is not None and label.kind == "class" else 0


def compute_class_shares(label: Tensor, classes: int) -> Tensor:
    """Classes int64 [N] as one-hot float [N, K]; mixtures of classes [N, K] are that already."""
    return label.float() if label.is_floating_point() else one_hot(label, classes).float()


def embed_labels(table: nn.Embedding, label: Tensor) -> Tensor:
    """The row of each class, [N, size]; for a mixture of classes, the mixture of their rows."""
    return label.float() @ table.weight if label.is_floating_point() else table(label)


def make_placeholder_labels(label: Condition) -> Tensor:
    """Labels for two samples, to find out shapes."""
    return torch.zeros(2, dtype=torch.int64) if label.kind == "class" else torch.zeros(2, label.size)


def get_learned_weight(layer: nn.Module) -> Tensor:
    """The weight that a layer stores and learns: the input of spectral norm, for instance."""
    return layer.parametrizations.weight.original if is_parametrized(layer, "weight") else layer.weight  # type: ignore[union-attr, return-value]


def is_zero_weight(weight: Tensor) -> bool:
    """Whether a weight starts at 0 on purpose; False on the meta device, which has no values."""
    return not weight.is_meta and not bool(weight.any())
