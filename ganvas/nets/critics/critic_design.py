"""What all critics of images have in common: how they are built, and what they see besides the sample."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ..layers.labels import ImageShape


@runtime_checkable
class CriticDesign(Protocol):
    """The settings of a critic of images. Frozen (@config)."""

    def build_critic(self, x: ImageShape, seen_channels: Mapping[str, int]) -> nn.Module:
        """A critic D(x, **conditions) -> CriticOutput. It ignores conditions that it does not see.

        x: the shape of samples.
        seen_channels: the channels of each condition that it sees, an image as large as x.

        Raises:
            GanvasError: images whose sides it does not take.
        """
        ...

    def smallest(self) -> "CriticDesign":
        """The same design with as few parameters as possible, for tests."""
        ...


def join_conditions(x: Tensor, conditions: Mapping[str, Tensor], names: Sequence[str]) -> Tensor:
    """What a critic sees: the named conditions [N, C', H, W] and x [N, C, H, W], as the channels of one image.

    Conditions come first, as in pix2pix and pix2pixHD.

    Raises:
        TypeError: the call lacks a condition.
    """
    for name in names:
        if name not in conditions:
            raise TypeError(f"this critic needs the {name} too: call D(x, {name}=…)")
    return torch.cat([*(conditions[name].to(x.dtype) for name in names), x], 1) if names else x
