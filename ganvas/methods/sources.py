"""Helpers of methods that start from a source: its shape, and distances of pictures."""

from torch import Tensor

from ..core import ShapedCondition, Spec
from ..errors import GanvasError

SOURCE_COLUMN = "source"


def read_source_condition_shape(spec: Spec, method: str) -> tuple[int, ...]:
    """The shape of a source as networks see it. Raises GanvasError if the data has no sources."""
    source = spec.conditions.get(SOURCE_COLUMN)
    if not isinstance(source, ShapedCondition):
        raise GanvasError(f"{method} translates sources, and the data has none: give two folders of pictures, or pairs")
    return source.shape


def require_like_source(spec: Spec, method: str) -> None:
    """Raises GanvasError unless sources have the shape of samples, which the identity term needs."""
    shape = read_source_condition_shape(spec, method)
    if shape != spec.shape:
        raise GanvasError(
            f"{method}'s identity term lets G see samples as sources, but sources have shape {list(shape)} and samples "
            f"{list(spec.shape)}: give both media the same `size` and `channels`, or set identity=0"
        )


def measure_pixel_error(a: Tensor, b: Tensor) -> Tensor:
    """The mean of |a - b| for each sample: [N, …] twice -> [N]."""
    return (a.float() - b.float()).abs().flatten(1).mean(1)
