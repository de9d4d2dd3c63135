"""What the networks here share: reading an image's geometry from a spec."""

from ..core import Spec
from ..errors import GanvasError


def image_levels(spec: Spec, network: str, smallest: int = 8) -> tuple[int, int]:
    """(channels, number of doublings from 4 px) of square images whose size is a power of two.

    Raises:
        GanvasError: any other spec.
    """
    if len(spec.shape) != 3:
        raise GanvasError(
            f"{network} makes images, and a sample here has shape {spec.shape}: use a recipe for it (ganvas recipes)"
        )
    channels, height, width = spec.shape
    if height != width or height < smallest or height & (height - 1):
        raise GanvasError(
            f"{network} makes square images of {smallest}, {2 * smallest}, … px, got {height} x {width}: --medium.size 32"
        )
    return channels, height.bit_length() - 3
