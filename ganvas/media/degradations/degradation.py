"""What makes the source of restoration from a picture: small, blurred, noisy, gray, with holes. Networks learn the way back."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from ...core import Batch
from ...errors import GanvasError


@runtime_checkable
class Degradation(Protocol):
    """Makes a source from pictures. Frozen settings (@config)."""

    def __call__(self, x: Tensor, generator: torch.Generator) -> Mapping[str, Tensor]:
        """Pictures [N, C, H, W] in [-1, 1] -> "source" [N, …] in [-1, 1], and perhaps "mask".

        "mask" is [N, 1, H, W] of 0 and 1: 1 where the picture is to be filled or changed.

        Args:
            generator: on the CPU, for all draws.
        """
        ...


def degrade(x: Tensor, by: Sequence[Degradation], generator: torch.Generator, max_level: int) -> Batch:
    """One degradation after another: x [N, C, H, W] in [-1, 1] -> "source", and "mask" where a degradation makes one.

    A source is rounded to whole levels of 0 to `max_level`, as in a file. Several masks add up.

    Raises:
        GanvasError: a degradation without a mask follows one with a mask.
    """
    columns = {"source": x}
    for degradation in by:
        result = degradation(columns["source"], generator)
        if "mask" in columns:
            if "mask" not in result:
                raise GanvasError(f"{type(degradation).__name__} cannot follow a mask: put degradations with a mask last")
            result = {**result, "mask": torch.maximum(columns["mask"], result["mask"])}
        columns = {**result} if "mask" in result else {"source": round_to_levels(result["source"], max_level)}
    return columns


def round_to_levels(x: Tensor, max_level: int) -> Tensor:
    """Values in [-1, 1], clipped, and rounded as if stored as 0 to `max_level`."""
    half_range = max_level / 2
    return x.clamp(-1.0, 1.0).add(1.0).mul(half_range).round().div(half_range).sub(1.0)


def draw_uniform(limits: tuple[float, float], shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Float32 values between two limits, on the CPU."""
    return torch.rand(shape, generator=generator) * (limits[1] - limits[0]) + limits[0]


def draw_choices(share: float, count: int, generator: torch.Generator) -> Tensor:
    """Which of `count` pictures belong to a random share: bool [count], on the CPU."""
    return torch.rand(count, generator=generator) < share


def filter_each(x: Tensor, kernels: Tensor) -> Tensor:
    """Filter every picture of x [N, C, H, W] by its own kernel [N, K, K], K odd; borders are mirrored."""
    count, channels, height, width = x.shape
    radius = kernels.shape[-1] // 2
    weights = kernels.to(x.device, x.dtype).repeat_interleave(channels, 0)[:, None]
    mirrored = pad(x, [radius] * 4, mode="reflect").reshape(1, count * channels, height + 2 * radius, width + 2 * radius)
    return conv2d(mirrored, weights, groups=count * channels).view(count, channels, height, width)


def limit_radius(radius: int, x: Tensor) -> int:
    """The largest radius up to `radius` of a filter whose mirrored borders fit into x [N, C, H, W]."""
    return min(radius, *(side - 1 for side in x.shape[2:]))


def select_colours(x: Tensor) -> Tensor:
    """The channels of x [N, C, H, W] without the alpha of RGBA; a view."""
    return x[:, :3] if x.shape[1] == 4 else x


def replace_colours(x: Tensor, colours: Tensor) -> Tensor:
    """x with other colours; the alpha of RGBA stays."""
    return torch.cat([colours, x[:, 3:]], 1) if x.shape[1] == 4 else colours
