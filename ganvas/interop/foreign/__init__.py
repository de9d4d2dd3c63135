"""Read other projects' generators from their files, without running anything in them; one file per project.

Each has `read(network)`, which recognises its networks by the names of their weights and converts them, or returns None. Files
in this folder that have this function are found automatically.
"""

import importlib
import pkgutil
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from ...core import Architecture
from ...errors import GanvasError

MAX_SIDE_PIXELS = 4096  # of an image, and so the largest number in a layer's name
MAX_CONVERTED_PIXELS = 2048  # the largest side of an image that codecs here can write


class FileNetwork(NamedTuple):
    """One network in a file: its weights by name, and settings or tensors that the file stores with them."""

    name: str  # in the file, such as "G_ema"; "" if it is the only one
    tensors: Mapping[str, Tensor]
    settings: Mapping[str, Any]


class ConvertedNetwork(NamedTuple):
    """A converted network: its origin, a recipe of its family, its architecture, the shape of x, its weights.

    recipe: "" for a translator, which takes a plain one.
    source: the shape of the pictures that a translator starts from; None: it starts from noise.
    attributes: numbers in the label that a translator takes.
    has_mask: whether a translator fills a hole, where a mask is 1.
    """

    origin: str
    recipe: str
    nets: Architecture
    shape: tuple[int, int, int]  # of x
    classes: int
    player: str  # "G" or "D"
    state: Mapping[str, Tensor]
    source: tuple[int, int, int] | None = None
    attributes: int = 0
    has_mask: bool = False


def recognise_network(network: FileNetwork) -> ConvertedNetwork | None:
    """The network converted by the first file here that recognises it, or None.

    Raises:
        GanvasError: a known network in a form that is not supported.
        ValueError: images larger than any network makes.
    """
    nonempty_tensors = {
        name: value for name, value in network.tensors.items() if value.numel()
    }  # empty tensors could claim any shape
    if any(int(number) > MAX_SIDE_PIXELS for name in nonempty_tensors for number in re.findall(r"\d+", name)):
        return None
    network = network._replace(tensors=nonempty_tensors)
    for module in pkgutil.iter_modules(__path__):
        read = getattr(importlib.import_module(f"{__name__}.{module.name}"), "read", None)
        converted = read(network) if read else None
        if converted is not None and max(converted.shape) > MAX_SIDE_PIXELS:
            raise ValueError(f"images of more than {MAX_SIDE_PIXELS} px")
        if converted is not None:
            check_image_side(converted)
            return converted
    return None


def check_image_side(converted: ConvertedNetwork) -> None:
    """Raises GanvasError for images larger than codecs here can write."""
    side = max(converted.shape)
    if side > MAX_CONVERTED_PIXELS:
        raise GanvasError(
            f"{converted.origin}: its images of {side} px are larger than {MAX_CONVERTED_PIXELS} px, the most here"
        )


def infer_width_and_base(widths: Mapping[int, int], what: str) -> tuple[int, int]:
    """(width, base) such that the channels at each size are min(width, base / size), from channels by size.

    Raises:
        GanvasError: the channels follow no such rule.
    """
    width, size = max(widths.values()), max(widths)
    base_channels = widths[size] * size
    if any(widths[s] != min(width, base_channels // s) for s in widths):
        width_list = ", ".join(f"{s} px: {n}" for s, n in sorted(widths.items()))
        raise GanvasError(f"{what} with widths that are not the published ones are not supported ({width_list})")
    return width, base_channels
