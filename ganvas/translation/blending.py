"""Blend a part of one picture file into another: place it, read its mask, and let a translator choose colours at large."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL.PngImagePlugin import PngInfo
from torch import Tensor
from torch.nn.functional import interpolate

from ..errors import GanvasError
from ..media.image import png
from ..media.image.bands import convert_channels, convert_to_bands
from ..media.image.picture import PICTURE_CHANNELS, decode_picture
from ..nets.translation import SourceGenerator
from ..pictures.blending import Paste, blend_paste
from ..runs.folder import RunFolder
from ..sampling.generator import Sampler, open_sampler
from ..system.files import write_bytes
from ..version import __version__
from .paste_masks import understand_mask

MAX_SHAPE_DIFFERENCE = 1.02  # by this factor the shapes of a mask and its source may differ
MARGIN_SHARE, MIN_MARGIN = 0.5, 32  # of the mask's box, and in pixels: how far around it the target counts
LAYER_WITH_ALPHA = 4


class Layer(NamedTuple):
    """A part and where it goes: pixels [h, w, C], bool [h, w], and the place (column, row) of its upper left corner."""

    pixels: np.ndarray
    is_inside: np.ndarray
    at: tuple[int, int]


def blend(
    source: str | Path,
    target: str | Path,
    *,
    mask: str | Path | None = None,
    at: tuple[int, int] | None = None,
    run: str | Path | RunFolder | None = None,
    out: str | Path | None = None,
    checkpoint: str = "best",
    device: str = "auto",
    say: Callable[[str], None] = lambda line: None,
) -> np.ndarray:
    """Blend a part of `source` into `target` without a seam: uint8 or uint16 [H, W, C], as the target is.

    Args:
        mask: a picture that is white where the source is taken. None: where the source is not transparent.
        at: column and row of the target for the source's upper left corner. None: the middle.
        run: a translator that makes the colours at large of a rough paste natural. None: they follow from the seam.
        out: a PNG file to write.
        say: called with each line about how the files were understood.

    Raises:
        GanvasError: a file that cannot be read, a mask that fits neither picture, or a part that lies outside the target.
    """
    if out is not None and Path(out).suffix.lower() != ".png":
        raise GanvasError(f"a blended picture is a .png, got {Path(out).name}: --out blended.png")
    target_pixels, source_pixels = (read_picture_pixels(Path(path)) for path in (target, source))
    is_inside = choose_mask(source_pixels, target_pixels, Path(source), None if mask is None else Path(mask), at, say)
    layer = Layer(match_pixels(source_pixels, target_pixels), is_inside, choose_place(source_pixels, target_pixels, at, say))
    sampler = None if run is None else open_sampler(run, checkpoint, device)
    blended = blend_layer(layer, target_pixels, sampler)
    if out is not None:
        write_blended(blended, Path(out), sampler)
    return blended


def read_picture_pixels(path: Path) -> np.ndarray:
    """A picture file as [H, W, C]."""
    try:
        return convert_to_bands(decode_picture(path.read_bytes()))
    except OSError as error:
        raise GanvasError(f"{path} cannot be read ({error.strerror}): give the path of a picture") from None
    except GanvasError as error:
        raise GanvasError(f"{path} {error}") from None


def match_pixels(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The source's colours with the channels of the target's colours. Raises GanvasError for channels of unknown meaning."""
    colours = source[..., :3] if source.shape[2] == LAYER_WITH_ALPHA else source
    wanted = 3 if target.shape[2] == LAYER_WITH_ALPHA else target.shape[2]
    try:
        return convert_channels(colours, wanted, 255)
    except GanvasError as error:
        raise GanvasError(f"the source {error}") from None


def choose_mask(
    source: np.ndarray,
    target: np.ndarray,
    source_path: Path,
    mask_path: Path | None,
    at: tuple[int, int] | None,
    say: Callable[[str], None],
) -> np.ndarray:
    """Where the source is taken, bool of its height and width. Raises GanvasError for a mask that does not fit."""
    if mask_path is None:
        if source.shape[2] != LAYER_WITH_ALPHA or source[..., 3].min() == source[..., 3].max():
            raise GanvasError(f"{source_path.name} has no transparency that says what to take: give --mask, white where it is")
        mask = understand_mask(source, source_path.name)
    else:
        mask = understand_mask(read_picture_pixels(mask_path), mask_path.name)
    say(f"mask: {mask.description}")
    if mask.is_inside.shape == source.shape[:2]:
        return mask.is_inside
    assert mask_path is not None
    if mask.is_inside.shape == target.shape[:2]:
        say("the mask has the target's size: it says where in the target")
        return cut_to_source(mask.is_inside, source, choose_place(source, target, at, lambda line: None))
    return fit_mask(mask.is_inside, source, target, mask_path.name, say)


def cut_to_source(is_inside: np.ndarray, source: np.ndarray, place: tuple[int, int]) -> np.ndarray:
    """The part of a mask of the target that lies where the source comes."""
    part = np.zeros(source.shape[:2], bool)
    rows, columns = (find_overlap(part.shape[k], is_inside.shape[k], place[1 - k]) for k in (0, 1))
    part[rows.own, columns.own] = is_inside[rows.other, columns.other]
    return part


def fit_mask(
    is_inside: np.ndarray, source: np.ndarray, target: np.ndarray, name: str, say: Callable[[str], None]
) -> np.ndarray:
    """A mask of the source's shape at its size. Raises GanvasError for one of another shape."""
    (height, width), (rows, columns) = source.shape[:2], is_inside.shape
    ratio = (rows * width) / (columns * height)
    if not 1 / MAX_SHAPE_DIFFERENCE < ratio < MAX_SHAPE_DIFFERENCE:
        raise GanvasError(
            f"the mask {name} is {columns} x {rows} px, the source {width} x {height} and the target {target.shape[1]} x "
            f"{target.shape[0]}: make the mask as large as the source, or as the target"
        )
    say(f"the mask is {columns} x {rows} px: resized to the source's {width} x {height}")
    return is_inside[np.arange(height) * rows // height][:, np.arange(width) * columns // width]


def choose_place(
    source: np.ndarray, target: np.ndarray, at: tuple[int, int] | None, say: Callable[[str], None]
) -> tuple[int, int]:
    """(column, row) of the source's upper left corner; the middle where none is asked for."""
    (height, width), (rows, columns) = source.shape[:2], target.shape[:2]
    if at is not None:
        return at
    place = ((columns - width) // 2, (rows - height) // 2)
    if place != (0, 0):
        sizes = f"the source is {width} x {height} px and the target {columns} x {rows}"
        say(f"{sizes}: placed in the middle, at {place[0]},{place[1]}")
    return place


class Overlap(NamedTuple):
    """Where two lines overlap: in each one's own places."""

    own: slice
    other: slice


def find_overlap(length: int, other_length: int, offset: int) -> Overlap:
    """Of a line that begins at `offset` of another."""
    start, stop = max(0, offset), max(max(0, offset), min(other_length, offset + length))
    return Overlap(slice(start - offset, stop - offset), slice(start, stop))


def blend_layer(layer: Layer, target: np.ndarray, sampler: Sampler | None = None) -> np.ndarray:
    """The target [H, W, C] with the layer blended in. Raises GanvasError for a layer that lies outside."""
    paste = place_layer(layer, target)
    box = find_box(paste.mask)
    coarse = None if sampler is None else translate_coarsely(sampler, paste.composite)
    if coarse is not None:
        coarse = interpolate(coarse[None], size=paste.mask.shape, mode="bicubic", align_corners=False)[0][:, box[0], box[1]]
    part = Paste(paste.source[:, box[0], box[1]], paste.target[:, box[0], box[1]], paste.mask[box])
    colours = blend_paste(part, coarse)
    levels = (colours * np.iinfo(target.dtype).max).round().permute(1, 2, 0).numpy().astype(target.dtype)
    blended, inside = target.copy(), part.mask.numpy()
    view = blended[box]
    view[inside, : levels.shape[2]] = levels[inside]
    if target.shape[2] == LAYER_WITH_ALPHA:
        view[inside, 3] = np.iinfo(target.dtype).max
    return blended


def place_layer(layer: Layer, target: np.ndarray) -> Paste:
    """The layer on a canvas of the target's size."""
    rows, columns = (find_overlap(layer.pixels.shape[k], target.shape[k], layer.at[1 - k]) for k in (0, 1))
    mask = np.zeros(target.shape[:2], bool)
    mask[rows.other, columns.other] = layer.is_inside[rows.own, columns.own]
    if not mask.any():
        raise GanvasError(
            f"what the mask selects lies outside the target of {target.shape[1]} x {target.shape[0]} px at "
            f"{layer.at[0]},{layer.at[1]}: choose another place with --at COLUMN,ROW"
        )
    target_values = scale_to_unit(target[..., : layer.pixels.shape[2]])
    source_values = target_values.clone()
    source_values[:, rows.other, columns.other] = scale_to_unit(layer.pixels[rows.own, columns.own])
    return Paste(source_values, target_values, torch.from_numpy(mask))


def scale_to_unit(pixels: np.ndarray) -> Tensor:
    """[H, W, C] of 8 or 16 bits -> float64 [C, H, W] in [0, 1]."""
    return torch.from_numpy(pixels.astype(np.float64) / np.iinfo(pixels.dtype).max).permute(2, 0, 1)


def find_box(mask: Tensor) -> tuple[slice, slice]:
    """Rows and columns of the mask, with a margin."""
    slices: list[slice] = []
    for axis in (1, 0):
        places = torch.nonzero(mask.any(axis))[:, 0]
        first, last = int(places[0]), int(places[-1]) + 1
        margin = max(MIN_MARGIN, round(MARGIN_SHARE * (last - first)))
        slices.append(slice(max(0, first - margin), min(mask.shape[1 - axis], last + margin)))
    return slices[0], slices[1]


def translate_coarsely(sampler: Sampler, composite: Tensor) -> Tensor:
    """What the run's translator makes of a rough paste [C, H, W] in [0, 1], at the size of its training: [C, h, w] in [0, 1].

    Raises:
        GanvasError: a run that translates no such pictures.
    """
    network, shape = sampler.generator, getattr(sampler.spec.conditions.get("source"), "shape", None)
    if not isinstance(network, SourceGenerator) or shape is None or network.conditions != ("source",):
        raise GanvasError(f"{sampler.run.path} does not translate pictures alone: give a run that learned to harmonise pastes")
    if (shape[0], sampler.spec.shape[0]) != (len(composite), len(composite)):
        raise GanvasError(
            f"{sampler.run.path} makes {sampler.spec.shape[0]} channels from {shape[0]}, and the target has {len(composite)}: "
            "give a run that was trained from such pictures to such pictures"
        )
    small = interpolate(composite[None].float(), size=shape[1:], mode="bilinear", antialias=True, align_corners=False)
    with torch.inference_mode():
        x = sampler.method.render(sampler.nets, {"source": (2 * small - 1).to(sampler.device)})
    return ((x[0].float().cpu() + 1) / 2).clamp(0, 1).double()


def write_blended(pixels: np.ndarray, out: Path, sampler: Sampler | None) -> None:
    """Write a PNG that says how it was made. Raises GanvasError for channels that PNG cannot hold."""
    if pixels.shape[2] not in PICTURE_CHANNELS:
        raise GanvasError(f"a PNG has 1, 3 or 4 channels, not {pixels.shape[2]}: call ganvas.blend and save its result")
    words = {"Software": f"ganvas {__version__}", "Comment": "edited: a part of another picture is blended in"}
    info = PngInfo()
    for name, text in (words if sampler is None else sampler.describe_provenance("none: a blend")).items():
        info.add_text(name, text)
    write_bytes(out, png.encode_png(pixels, info))
