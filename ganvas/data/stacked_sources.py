"""Several sources for one result: their pictures, stacked along channels into one source."""

from collections.abc import Mapping, Sequence

import numpy as np

from ..errors import GanvasError
from .listing import ListedFile
from .side_by_side import decode_pixels, read_picture_size

SOURCE_CHANNELS = 3  # of each source in a stack: all are RGB, so that every row has the same channels
MAX_SOURCES = 21  # pictures have up to 64 channels
SIZE_ADVICE = "bring all of them to one size"


def stack_pictures(pictures: Mapping[str, np.ndarray], advice: str = SIZE_ADVICE) -> np.ndarray:
    """Pictures by name, [H, W] or [H, W, C] each, as one: [H, W, 3 for each], in their order.

    Gray is repeated, and transparent places become white. The stack has 16 bits if one of the pictures has.
    `advice` says what to do about different sizes.

    Raises:
        GanvasError: sizes differ, or a picture is neither gray nor RGB.
    """
    sizes = {name: (pixels.shape[1], pixels.shape[0]) for name, pixels in pictures.items()}
    check_one_size(sizes, advice)
    is_deep = any(pixels.dtype == np.uint16 for pixels in pictures.values())
    return np.concatenate([convert_to_rgb(name, pixels, is_deep) for name, pixels in pictures.items()], 2)


def check_one_size(sizes: Mapping[str, tuple[int, int]], advice: str = SIZE_ADVICE) -> None:
    """Raises GanvasError, with advice, if sources differ in width or height."""
    if len(set(sizes.values())) > 1:
        listed_sizes = ", ".join(f"{name} of {width} x {height}" for name, (width, height) in sizes.items())
        raise GanvasError(f"has sources of different sizes ({listed_sizes} px): {advice}")


def convert_to_rgb(name: str, pixels: np.ndarray, is_deep: bool) -> np.ndarray:
    """uint8 or uint16 [H, W], [H, W, 1], [H, W, 3] or [H, W, 4] -> [H, W, 3], over white. Raises GanvasError for others."""
    values = pixels[..., None] if pixels.ndim == 2 else pixels
    if values.shape[2] not in (1, 3, 4):
        raise GanvasError(f"has a {name} with {values.shape[2]} channels: several sources are gray or RGB each")
    if is_deep and values.dtype == np.uint8:
        values = values.astype(np.uint16) * 257
    if values.shape[2] == 4:
        top = float(np.iinfo(values.dtype).max)
        alpha = values[..., 3:] / top
        return (alpha * values[..., :3] + (1 - alpha) * top).round().astype(values.dtype)
    return values if values.shape[2] == SOURCE_CHANNELS else values.repeat(SOURCE_CHANNELS, 2)


def read_stack(files: Mapping[str, ListedFile]) -> bytes | np.ndarray:
    """The source of one row: a lone file as it is, several as a stack. Raises GanvasError for one that does not fit."""
    if len(files) == 1:
        return next(iter(files.values())).read()
    stack = stack_pictures({name: _decode_source(name, file) for name, file in files.items()})
    height, _, channels = stack.shape
    if height < channels:  # an array of few rows would be read as [C, H, W]
        raise GanvasError(
            f"is {height} px high: pictures of {len(files)} sources are at least {channels} px high, so enlarge them"
        )
    return stack


def _decode_source(name: str, file: ListedFile) -> np.ndarray:
    try:
        return decode_pixels(file.read(), "save it with 8 bits for each channel")
    except GanvasError as error:
        raise GanvasError(f"has the {name} {file.name}, which {error}") from None


def check_stacks(rows: Sequence[Mapping[str, ListedFile]]) -> None:
    """Raises GanvasError for rows whose sources have different sizes."""
    for files in rows:
        try:
            check_one_size({f"the {name} {file.name}": _read_size(file) for name, file in files.items()})
        except GanvasError as error:
            raise GanvasError(f"a row {error}") from None


def _read_size(file: ListedFile) -> tuple[int, int]:
    try:
        return read_picture_size(file.read())
    except GanvasError as error:
        raise GanvasError(f"has {file.name}, which {error}") from None
