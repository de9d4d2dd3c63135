"""What a critic sees besides the sample: conditions that are pictures, as more channels."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ...core import Spec
from ...errors import GanvasError
from ..layers.labels import read_image_shape
from ..restoration.source_generator import count_condition_channels


def count_seen_channels(spec: Spec, sees: tuple[str, ...], network: str) -> int:
    """The channels of a sample and of the conditions that the critic sees: a mask has 1, a source as many as the data's.

    Raises:
        GanvasError: samples that are not images, or a condition that is no picture of their size.
    """
    channels, height, width = read_image_shape(spec, network)
    defaults = {"mask": 1}
    return channels + sum(count_condition_channels(spec, name, height * width, defaults.get(name, channels)) for name in sees)


def join_conditions(x: Tensor, conditions: Mapping[str, Tensor], sees: tuple[str, ...]) -> Tensor:
    """x [N, C, H, W] and the conditions that the critic sees, joined as channels.

    Raises:
        GanvasError: G does not take one of these conditions, so the critic does not get it.
    """
    missing = [name for name in sees if name not in conditions]
    if missing:
        raise GanvasError(f"the critic sees {missing[0]!r}, which its generator does not take: remove it from `sees`")
    return torch.cat([x, *(conditions[name].to(x.dtype) for name in sees)], 1) if sees else x
