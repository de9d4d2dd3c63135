"""What makes the source of restoration from a picture: small, blurred, noisy, gray, with holes. Networks learn the way back."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from ...core import Batch
from ...errors import GanvasError

CONVOLVED_TOGETHER = 16  # channels that a processor convolves in the time of one


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
    """Filter every picture of x [N, C, H, W] by its own kernel [N, K, K], K odd; borders are mirrored.

    Few pictures go through in strips, because processors convolve 16 channels in the time of one.
    """
    count, channels, height, width = x.shape
    radius, strips = kernels.shape[-1] // 2, max(1, CONVOLVED_TOGETHER // (count * channels))
    rows = -(-height // strips)  # of a strip
    mirrored = pad(pad(x, [radius] * 4, mode="reflect"), [0, 0, 0, rows * strips - height])
    planes = mirrored.unfold(2, rows + 2 * radius, rows).transpose(3, 4)  # [N, C, strips, rows and border, W and border]
    planes = planes.reshape(1, count * channels * strips, *planes.shape[3:])
    weights = kernels.to(x.device, x.dtype).repeat_interleave(channels * strips, 0)[:, None]
    filtered = conv2d(planes, weights, groups=len(weights))
    return filtered.reshape(count, channels, strips * rows, width)[:, :, :height]


def filter_rows_and_columns(x: Tensor, kernels: Tensor) -> Tensor:
    """Filter every picture of x [N, C, H, W] along both axes by its own kernel [N, K], K odd; borders are mirrored."""
    count, channels, height, width = x.shape
    mirrored = pad(x, [kernels.shape[1] // 2] * 4, mode="reflect")
    kernels = kernels.to(x.device, x.dtype)
    rows = mirrored.reshape(count, channels * mirrored.shape[2], -1) @ build_bands(kernels, width).transpose(1, 2)
    return build_bands(kernels, height)[:, None] @ rows.view(count, channels, -1, width)


def build_bands(kernels: Tensor, side: int) -> Tensor:
    """Matrices [N, side, side + K - 1] that filter by kernels [N, K]: in each row the kernel stands one place further right."""
    length = side + kernels.shape[1] - 1
    return pad(kernels, (0, side)).repeat(1, side)[:, : side * length].view(-1, side, length)


def limit_radius(radius: int, x: Tensor) -> int:
    """The largest radius up to `radius` of a filter whose mirrored borders fit into x [N, C, H, W]."""
    return min(radius, *(side - 1 for side in x.shape[2:]))


def select_colours(x: Tensor) -> Tensor:
    """The channels of x [N, C, H, W] without the alpha of RGBA; a view."""
    return x[:, :3] if x.shape[1] == 4 else x


def replace_colours(x: Tensor, colours: Tensor) -> Tensor:
    """x with other colours; the alpha of RGBA stays."""
    return torch.cat([colours, x[:, 3:]], 1) if x.shape[1] == 4 else colours
