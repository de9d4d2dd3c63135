"""Where the tiles of photographs lie, and which of them show enough. The answer is kept in the cache."""

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ..errors import GanvasError
from ..system.files import encode_json, find_cache_folder, write_atomically
from .encoding import ENCODING_THREADS
from .items import ItemList, fingerprint_parts
from .side_by_side import decode_pixels, read_picture_size

SURVEY_FORMAT = 1  # raise it when the same photographs give other tiles
WHOLE_FACTOR = 2  # up to so many times the tile's size, pictures stay whole


class PhotographTiles(NamedTuple):
    """The tiles of one photograph."""

    is_whole: bool  # it is no larger than WHOLE_FACTOR times a tile, or can only be read as a whole
    corners: Sequence[tuple[int, int]] = ()  # left and upper of each tile with enough detail
    flat_count: int = 0  # tiles with less

    def count_tiles(self) -> int:
        return 1 if self.is_whole else len(self.corners)


class ThreadPictures:
    """Decoded photographs; each thread keeps its last one, because its next tile is usually of the same."""

    def __init__(self, photographs: ItemList) -> None:
        self.photographs, self.last = photographs, threading.local()

    def decode(self, number: int) -> np.ndarray:
        """uint8 or uint16 [H, W] or [H, W, C]. Raises GanvasError if it cannot be read."""
        if getattr(self.last, "number", None) != number:
            self.last.number = None
            self.last.pixels = decode_item(self.photographs[number])
            self.last.number = number
        return self.last.pixels


def decode_item(item: bytes | np.ndarray) -> np.ndarray:
    return item if isinstance(item, np.ndarray) else decode_pixels(item)


def cut_tile(pixels: np.ndarray, corner: tuple[int, int], size: int) -> np.ndarray:
    """A copy of `size` x `size` px, so that the photograph's memory can go."""
    left, upper = corner
    return pixels[upper : upper + size, left : left + size].copy()


def survey_photographs(photographs: ItemList, size: int, least_detail: float) -> Sequence[PhotographTiles]:
    """The tiles of each photograph. All large ones are decoded once; the answer is kept for next time."""
    key = fingerprint_parts(SURVEY_FORMAT, photographs.fingerprint, len(photographs), size, least_detail)
    path = find_cache_folder() / f"{key}.tiles.json"
    surveys = _load_surveys(path, len(photographs))
    if surveys is None:
        surveys = _survey_all(photographs, size, least_detail)
        if any(not survey.is_whole for survey in surveys):
            _save_surveys(path, surveys)
    return surveys


def _survey_all(photographs: ItemList, size: int, least_detail: float) -> Sequence[PhotographTiles]:
    def survey(number: int) -> PhotographTiles:
        return survey_photograph(photographs, number, size, least_detail)

    numbers = range(len(photographs))
    title = f"looking for sharp tiles in {photographs.title}"
    with (
        ThreadPoolExecutor(ENCODING_THREADS) as pool,
        tqdm(pool.map(survey, numbers), title, len(numbers), unit="", leave=False, disable=None, delay=2) as bar,
    ):
        return list(bar)


def survey_photograph(photographs: ItemList, number: int, size: int, least_detail: float) -> PhotographTiles:
    """The tiles of one photograph. One that cannot be read stays whole, and is named where it is encoded."""
    try:
        item = photographs[number]
        if not _is_large(item, size):
            return PhotographTiles(is_whole=True)
        pixels = decode_item(item)
    except (GanvasError, OSError):
        return PhotographTiles(is_whole=True)
    corners, details = measure_detail(pixels, size)
    sharp_corners = [corner for corner, detail in zip(corners, details, strict=True) if detail >= least_detail]
    return PhotographTiles(False, sharp_corners, len(corners) - len(sharp_corners))


def _is_large(item: bytes | np.ndarray, size: int) -> bool:
    """Whether a picture is cut: its longer side is more than twice a tile's, and a tile fits in."""
    if isinstance(item, np.ndarray):
        is_picture = item.ndim == 2 or (item.ndim == 3 and item.shape[2] <= 4)
        sides = item.shape[:2] if is_picture else (0, 0)
    else:
        sides = read_picture_size(item)
    return max(sides) > WHOLE_FACTOR * size and min(sides) >= size


def measure_detail(pixels: np.ndarray, size: int) -> tuple[list[tuple[int, int]], list[float]]:
    """(corners of all tiles, the detail of each), of uint8 or uint16 [H, W] or [H, W, C]. The grid lies in the middle.

    Detail is the mean difference of neighbours, down plus right, of the mean colour in levels of 255.
    """
    colours = pixels[..., :3] if pixels.ndim == 3 and pixels.shape[2] in (3, 4) else pixels
    step = np.iinfo(pixels.dtype).max / 255
    rows, columns = pixels.shape[0] // size, pixels.shape[1] // size
    upper, left = pixels.shape[0] % size // 2, pixels.shape[1] % size // 2
    corners: list[tuple[int, int]] = []
    details: list[float] = []
    for row in range(rows):
        start = upper + row * size
        strip = colours[start : start + size, left : left + columns * size].astype(np.float32)
        gray = (strip if strip.ndim == 2 else strip.mean(2)).reshape(size, columns, size)
        detail = np.abs(np.diff(gray, axis=0)).mean((0, 2)) + np.abs(np.diff(gray, axis=2)).mean((0, 2))
        details += (detail / step).tolist()
        corners += [(left + column * size, start) for column in range(columns)]
    return corners, details


def _save_surveys(path: Path, surveys: Sequence[PhotographTiles]) -> None:
    text = encode_json([[survey.is_whole, survey.corners, survey.flat_count] for survey in surveys])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    except OSError:  # a full or read-only disk: it is measured again next time
        pass


def _load_surveys(path: Path, count: int) -> Sequence[PhotographTiles] | None:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        surveys = [PhotographTiles(bool(w), [(int(x), int(y)) for x, y in c], int(f)) for w, c, f in entries]
    except (OSError, ValueError, TypeError):
        return None
    return surveys if len(surveys) == count else None
