"""Generators that others trained, read from their files without running anything in them; one file an original.

Each has `read(found)`, which knows its networks by the names of their weights and says what they are here, or None. A file in
this folder that has one is found by itself.
"""

import importlib
import pkgutil
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from torch import Tensor

from ...core import Architecture
from ...errors import GanvasError

MAX_SIDE_PIXELS = 4096  # pixels of an image, and so the largest number in a layer's name
MAX_CONVERTED_PIXELS = 2048  # pixels of an image that there are codecs for


class FileNetwork(NamedTuple):
    """One network in a file: its weights by their names there, and settings or tensors that the file has beside them."""

    name: str  # in the file: "G_ema"; "" where there is but one
    tensors: Mapping[str, Tensor]
    settings: Mapping[str, Any]


class ConvertedNetwork(NamedTuple):
    """A network as it is here: whose it is, a recipe of that family, its architecture, what it makes, its weights."""

    origin: str
    recipe: str
    nets: Architecture
    shape: tuple[int, int, int]  # of x
    classes: int
    player: str  # "G" or "D"
    state: Mapping[str, Tensor]


def recognise_network(network: FileNetwork) -> ConvertedNetwork | None:
    """What a network is, by the first file here that knows it.

    Raises:
        GanvasError: one that is known, in a form that is not.
        ValueError: images of a size that no network makes.
    """
    nonempty_tensors = {
        name: value for name, value in network.tensors.items() if value.numel()
    }  # a side of 0 lets others claim anything
    if any(int(number) > MAX_SIDE_PIXELS for name in nonempty_tensors for number in re.findall(r"\d+", name)):
        return None
    network = network._replace(tensors=nonempty_tensors)
    for module in pkgutil.iter_modules(__path__):
        read = getattr(importlib.import_module(f"{__name__}.{module.name}"), "read", None)
        converted = read(network) if read else None
        if converted is not None and max(converted.shape) > MAX_SIDE_PIXELS:
            raise ValueError(f"images of more than {MAX_SIDE_PIXELS} px")
        if converted is not None and max(converted.shape) > MAX_CONVERTED_PIXELS:
            raise GanvasError(
                f"{converted.origin}: images of {max(converted.shape)} px are more than {MAX_CONVERTED_PIXELS} here"
            )
        if converted is not None:
            return converted
    return None


def check_image_side(converted: ConvertedNetwork) -> None:
    """Raises GanvasError for images that are larger than those that can be written here."""
    side = max(converted.shape)
    if side > MAX_CONVERTED_PIXELS:
        raise GanvasError(
            f"{converted.origin}: its images of {side} px are larger than {MAX_CONVERTED_PIXELS} px, the most here"
        )


def infer_width_and_base(widths: Mapping[int, int], what: str) -> tuple[int, int]:
    """(width, base) of which channels at a size are min(width, base / size), from channels by size.

    Raises:
        GanvasError: other channels.
    """
    width, size = max(widths.values()), max(widths)
    base_channels = widths[size] * size
    if any(widths[s] != min(width, base_channels // s) for s in widths):
        width_list = ", ".join(f"{s} px: {n}" for s, n in sorted(widths.items()))
        raise GanvasError(f"{what} of other widths than the published ones are not known here ({width_list})")
    return width, base_channels
