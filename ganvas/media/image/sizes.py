"""Sizes of pictures: how people write them, and which one suits a set of pictures."""

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from math import log
from statistics import median
from typing import NamedTuple

from ...errors import GanvasError, require
from ...resampling import count_common_halvings

MIN_SIDE, MAX_SIDE = 4, 2048  # pixels
SIDE_STEP = 8  # a chosen side is a multiple of this, so that networks can halve it
USUAL_PIXELS = 64 * 64  # what a laptop learns in minutes
AREA_TOLERANCE = 1.5  # a chosen size has at most so many times more or fewer pixels than asked for
NEARLY_ALL, SHAPE_TOLERANCE = 0.9, 1.1  # share of pictures with one shape; how far their shapes may be apart, as a factor
CUT_TOLERANCE = 0.05  # share of a picture that may be cut off for a size that networks can halve more often
MAX_ELONGATION = 8  # longer side over shorter side


class PictureSize(NamedTuple):
    """Width and height in pixels; as text "96x64"."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def setting(self) -> int | str:
        """The usual form in settings: a number for squares, else WIDTHxHEIGHT."""
        return self.width if self.width == self.height else str(self)


class SizeChoice(NamedTuple):
    """A size, and why: "pictures become 64x96 (width x height): …"."""

    size: PictureSize
    reason: str


def parse_size(size: int | str) -> PictureSize:
    """A number is a square's side; "96x64" is 96 wide and 64 high.

    Raises:
        SettingError: another text, or a side that is not from 4 to 2048 px. Networks may allow less.
    """
    match = re.fullmatch(r"\s*(-?\d{1,9})(?:\s*[xX×]\s*(-?\d{1,9}))?\s*", str(size))
    if match is None:
        require(False, "size", size, "a number such as 64, or WIDTHxHEIGHT such as 96x64")
        raise AssertionError
    width, height = int(match[1]), int(match[2] or match[1])
    allowed = f"from {MIN_SIDE} to {MAX_SIDE} px" + (" on both sides" if match[2] else "")
    require(min(width, height) >= MIN_SIDE and max(width, height) <= MAX_SIDE, "size", size, allowed)
    return PictureSize(width, height)


def choose_size(picture_sizes: Sequence[tuple[int, int]], pixels: int = USUAL_PIXELS) -> SizeChoice:
    """The size with about `pixels` pixels, or fewer, that suits pictures of some (width, height): multiples of 8.

    Pictures that all have one such size keep it. If nearly all have one shape, it stays; otherwise they are cut to squares.

    Raises:
        GanvasError: no sizes.
    """
    if not picture_sizes:
        raise GanvasError("no sizes of pictures to choose from: give one or more")
    if common_size := find_common_size(picture_sizes, pixels):
        return SizeChoice(common_size, f"pictures stay {common_size} (width x height)")
    ratio, shape_reason = choose_ratio(picture_sizes)
    if ratio == 1:
        picture_sizes = [(min(sides), min(sides)) for sides in picture_sizes]
    own_pixels = median(min(sides) for sides in picture_sizes) ** 2 * float(max(ratio, 1 / ratio))
    size = find_common_size(picture_sizes, pixels) or fit_size(ratio, min(own_pixels, pixels), AREA_TOLERANCE * pixels)
    is_shrunk = size.width * size.height < own_pixels and own_pixels > pixels
    about_area = f", shrunk to about {pixels:,} pixels each" if is_shrunk else ""
    return SizeChoice(size, f"pictures become {size} (width x height): {shape_reason}{about_area}")


def find_common_size(picture_sizes: Sequence[tuple[int, int]], pixels: int) -> PictureSize | None:
    """The size of nearly all pictures, if networks can take it as it is and it has not many more than `pixels` pixels."""
    size, count = Counter(picture_sizes).most_common(1)[0]
    has_usable_sides = all(SIDE_STEP <= side <= MAX_SIDE and side % SIDE_STEP == 0 for side in size)
    is_common = count >= NEARLY_ALL * len(picture_sizes)
    return PictureSize(*size) if is_common and has_usable_sides and size[0] * size[1] <= AREA_TOLERANCE * pixels else None


def choose_ratio(picture_sizes: Sequence[tuple[int, int]]) -> tuple[Fraction, str]:
    """(Width over height, why): that of nearly all pictures, or 1 if they differ."""
    ratios = [Fraction(width, height) for width, height in picture_sizes]
    ratio = median(ratios)
    close_count = sum(max(one / ratio, ratio / one) <= SHAPE_TOLERANCE for one in ratios)
    if close_count < NEARLY_ALL * len(ratios):
        return Fraction(1), "square, because their shapes differ"
    if max(ratio, 1 / ratio) <= SHAPE_TOLERANCE:
        return Fraction(1), "square, as nearly all of them are"
    if max(ratio, 1 / ratio) > MAX_ELONGATION:
        ratio = Fraction(MAX_ELONGATION) if ratio > 1 else Fraction(1, MAX_ELONGATION)
        return ratio, f"nearly all are longer than {MAX_ELONGATION} to 1, the most that is chosen"
    return ratio, f"nearly all have about this shape (width / height {float(ratio):.2f})"


def fit_size(ratio: Fraction, pixels: float, most_pixels: float) -> PictureSize:
    """The size with about this width over height and so many pixels, whose sides can be halved most often.

    It has `most_pixels` at most, if any size has so few.
    """
    elongation = float(max(ratio, 1 / ratio))

    def rank_size(size: tuple[int, int]) -> tuple[float, ...]:
        shorter, longer = size
        excess = abs(log(shorter * longer / pixels))
        cut = 1 - min(longer / shorter / elongation, elongation * shorter / longer)  # share of the picture
        limits = max(excess, log(AREA_TOLERANCE)), max(cut, CUT_TOLERANCE)  # alike for all sizes within the tolerances
        return (shorter * longer > most_pixels, *limits, -count_common_halvings(*size), excess + cut, longer)

    shorter, longer = min(list_sizes(elongation), key=rank_size)
    return PictureSize(longer, shorter) if ratio > 1 else PictureSize(shorter, longer)


def list_sizes(elongation: float) -> list[tuple[int, int]]:
    """All (shorter, longer) sides whose quotient is about `elongation`."""
    sides = range(SIDE_STEP, MAX_SIDE + 1, SIDE_STEP)
    if elongation == 1:
        return [(side, side) for side in sides]
    lengths = {side: int(side * elongation) // SIDE_STEP * SIDE_STEP for side in sides}
    return [
        (shorter, longer)
        for shorter, length in lengths.items()
        for longer in (length, length + SIDE_STEP)
        if longer <= MAX_SIDE
    ]
