"""What the networks here share: reading an image's geometry from a spec."""

from math import log2

from ..core import Spec
from ..errors import GanvasError, refuse


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
        nearest = max(smallest, 2 ** round(log2(min(height, width))))
        raise GanvasError(
            f"{network} makes square images whose size is a power of two from {smallest}, got {height} x {width}: "
            f"resize the data with --medium.size {nearest}"
        )
    return channels, height.bit_length() - 3


def check_widths(**widths: int) -> None:
    """Raises GanvasError for a layer of no channels, or of more than any network here has."""
    for name, width in widths.items():
        refuse(not 1 <= width <= 65536, f"nets.{name}", width, "between 1 and 65536", f"--nets.{name.replace('_', '-')} 64")


def classes_of(spec: Spec) -> int:
    """How many classes samples come in; 0 where they have none."""
    label = spec.conditions.get("label")
    return label.size if label is not None and label.kind == "class" else 0
