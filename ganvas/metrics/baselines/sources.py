"""Sources brought to the shape of the samples that are made from them."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ...core import ShapedCondition, Spec
from ...resampling import multiply_both_axes

SOURCE, MASK = "source", "mask"  # names of conditions; a mask is 1 where a picture is to be filled
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, of red, green and blue
Filter = Literal["bilinear", "bicubic", "lanczos"]
LANCZOS_LOBES = 3

PictureShape = tuple[int, int, int]  # channels, height, width


class TranslationShapes(NamedTuple):
    """Of sources and of what is made from them."""

    source: PictureShape
    x: PictureShape

    @property
    def keeps_size(self) -> bool:
        return self.source[1:] == self.x[1:]

    @property
    def is_enlargement(self) -> bool:
        """Whether both sides grow by a whole factor above 1."""
        factors = {made // given if made % given == 0 else 0 for given, made in zip(self.source[1:], self.x[1:], strict=True)}
        return len(factors) == 1 and factors.pop() > 1


def read_translation_shapes(spec: Spec) -> TranslationShapes | None:
    """The shapes of a translation from picture to picture; None if the data is of another kind."""
    source = spec.conditions.get(SOURCE)
    if not isinstance(source, ShapedCondition) or len(source.shape) != 3 or len(spec.shape) != 3:
        return None
    (a, b, c), (d, e, f) = source.shape, spec.shape
    return TranslationShapes((a, b, c), (d, e, f))


def adapt_source(source: Tensor, x: Tensor) -> Tensor:
    """Sources [N, C, H, W] with the channels and the size of x [N, C', H', W']; other sizes are interpolated (bicubic)."""
    source = adapt_channels(source, x.shape[1])
    if source.shape[2:] == x.shape[2:]:
        return source
    resized = interpolate(source, size=x.shape[2:], mode="bicubic", antialias=True, align_corners=False)
    return resized.clamp(-1, 1)


def adapt_channels(source: Tensor, channels: int) -> Tensor:
    """Grey is repeated, colours become grey by BT.601, and a new alpha is opaque. Other channels: the first ones, repeated.

    Of sources with five channels or more, such as several pictures, the first three are colours, as in previews.
    """
    has_colours = source.shape[1] >= 3
    if source.shape[1] == channels:
        return source
    colours = source[:, :3] if has_colours else source[:, :1]
    if channels <= 2:
        grey = compute_source_luma(colours) if has_colours else colours
        return append_opacity(grey, channels - 1)
    if channels <= 4:
        return append_opacity(colours.expand(-1, 3, -1, -1), channels - 3)
    return source[:, torch.arange(channels, device=source.device) % source.shape[1]]


def append_opacity(x: Tensor, channels: int) -> Tensor:
    return torch.cat([x, torch.ones_like(x[:, :1]).expand(-1, channels, -1, -1)], 1)


def compute_source_luma(x: Tensor) -> Tensor:
    """RGB [N, 3, H, W] -> [N, 1, H, W] in the same range."""
    return (x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def enlarge_pictures(x: Tensor, size: tuple[int, int], kind: Filter) -> Tensor:
    """Images [N, C, H, W] in [-1, 1] at a larger size, by the filters of Pillow."""
    rows, columns = (build_filter_matrix(made, given, kind).to(x) for made, given in zip(size, x.shape[2:], strict=True))
    return multiply_both_axes(x, rows, columns).clamp(-1, 1)


def build_filter_matrix(output_size: int, input_size: int, kind: Filter) -> Tensor:
    """Weights [output_size, input_size] of pixels; beyond the border there is nothing, and weights are brought to sum 1."""
    centres = (torch.arange(output_size, dtype=torch.float64) + 0.5) * input_size / output_size - 0.5
    distances = torch.arange(input_size, dtype=torch.float64) - centres[:, None]
    weights = evaluate_filter(distances, kind)
    return weights / weights.sum(1, keepdim=True)


def evaluate_filter(distance: Tensor, kind: Filter) -> Tensor:
    """A filter's weight at distances in pixels. Bicubic: Keys 1981 with a = −0.5."""
    d = distance.abs()
    if kind == "bilinear":
        return (1 - d).clamp(min=0)
    if kind == "lanczos":
        return torch.where(d < LANCZOS_LOBES, torch.sinc(d) * torch.sinc(d / LANCZOS_LOBES), 0.0)
    near, far = 1.5 * d**3 - 2.5 * d**2 + 1, -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2
    return torch.where(d < 1, near, torch.where(d < 2, far, 0.0))
