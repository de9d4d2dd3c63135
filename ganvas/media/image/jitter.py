"""Random jitter: a picture is enlarged, and a random part of its own size is taken. Isola et al. 2017, section 6.2.

The papers resize to 286 px and take 256; here that is an enlargement by 286 / 256.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import interpolate

MAX_ENLARGEMENT = 2.0


def take_random_parts(
    x: Tensor, enlarge: float, generator: torch.Generator, filter: Literal["bicubic", "nearest-exact"] = "bicubic"
) -> Tensor:
    """float [N, C, H, W], enlarged by a factor and cut at random places to [N, C, H, W], channels last in memory.

    Places are shares of what is cut off. So one draw takes the same part of pictures that belong together, even of two sizes.
    """
    height, width = x.shape[2:]
    rows, columns = (round(enlarge * side) for side in (height, width))
    margins = torch.tensor([[rows - height], [columns - width]])
    places = (torch.rand(2, len(x), generator=generator) * (margins + 1)).long().tolist()  # tops, lefts
    antialias = {"antialias": True, "align_corners": False} if filter == "bicubic" else {}  # Pillow's bicubic filter
    enlarged = interpolate(x, size=(rows, columns), mode=filter, **antialias)
    parts = [picture[:, top : top + height, left : left + width] for picture, top, left in zip(enlarged, *places, strict=True)]
    return torch.stack(parts).contiguous(memory_format=torch.channels_last)
