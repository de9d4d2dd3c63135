"""Helpers of image extractors: 8 bits per channel, three channels, batches in full precision."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..core import Features
from ..errors import GanvasError


def check_images(stored: Tensor, extractor_name: str) -> None:
    """Raises GanvasError, with the name of the extractor, for anything but uint8 or uint16 images [N, H, W, C]."""
    if stored.ndim != 4 or stored.dtype not in (torch.uint8, torch.uint16):
        kind = str(stored.dtype).removeprefix("torch.")
        raise GanvasError(
            f"{extractor_name}: needs 8- or 16-bit images [N, H, W, C], got {kind} {list(stored.shape)}: use Pixels"
        )


def to_eight_bits(stored: Tensor) -> Tensor:
    """uint8 or uint16 images [N, H, W, C] as uint8 [N, H, W, 1 to 3]: 16 bits are divided by 257 = 65,535 / 255.

    Only the first three channels stay. Alpha, the fourth, is not composited.
    """
    first = stored[..., :3]
    return first if first.dtype == torch.uint8 else first.float().div(257).round().to(torch.uint8)


def to_three_channels(stored: Tensor) -> Tensor:
    """Images [N, H, W, C] as 8-bit values in float32 [N, 3, H, W]; with fewer than three channels, the first is repeated."""
    x = to_eight_bits(stored)
    channels = torch.arange(3, device=x.device) % x.shape[3]
    return x[..., channels].permute(0, 3, 1, 2).float()


def extract_in_batches(
    stored: Tensor, batch: int, sizes: tuple[int, int], forward: Callable[[Tensor], tuple[Tensor, Tensor]]
) -> Features:
    """The outputs of `forward` for samples [N, …], a batch at a time: features [N, sizes[0]] and logits [N, sizes[1]]."""
    features, logits = np.empty((len(stored), sizes[0])), np.empty((len(stored), sizes[1]))
    cudnn = torch.backends.cudnn
    with torch.inference_mode(), cudnn.flags(enabled=cudnn.enabled, allow_tf32=False):  # TF32 would change scores
        for i in range(0, len(stored), batch):
            h, y = forward(stored[i : i + batch])
            features[i : i + batch], logits[i : i + batch] = h.cpu(), y.cpu()
    return Features(features, logits)
