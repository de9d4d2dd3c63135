"""Read masks as people paint them: 0 and 1, black and white, in colours, or as transparency."""

from typing import NamedTuple

import numpy as np

from ..errors import GanvasError


class MaskReading(NamedTuple):
    """Where something is pasted or filled, bool [H, W]; and how the file was understood, for people."""

    is_inside: np.ndarray
    description: str


def understand_mask(pixels: np.ndarray, name: str) -> MaskReading:
    """The mask in a picture [H, W, C] of 8 or 16 bits: what is brighter than half of its brightest, or less transparent.

    Raises:
        GanvasError: the same value everywhere, so that it selects nothing or everything.
    """
    alpha = pixels[..., -1] if pixels.shape[2] in (2, 4) else None
    if alpha is not None and alpha.min() < alpha.max():
        return describe_mask(alpha, "its transparency is the mask")
    colours = pixels[..., : 1 if pixels.shape[2] <= 2 else 3]
    kind = "its brightness is the mask, whatever its colours" if (colours != colours[..., :1]).any() else "white is inside"
    values = colours.astype(np.float64).mean(2)
    if values.min() == values.max():
        colour = "black" if values.max() == 0 else "the same colour"
        raise GanvasError(f"the mask {name} is {colour} everywhere: paint white what belongs to it, and black the rest")
    return describe_mask(values, "it holds 0 and 1, and 1 is inside" if values.max() <= 1 else kind)


def describe_mask(values: np.ndarray, kind: str) -> MaskReading:
    is_inside = values > float(values.max()) / 2
    return MaskReading(is_inside, f"{kind}; {is_inside.mean():.1%} of the picture")
