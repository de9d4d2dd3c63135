"""Pad a picture by its mirror image, up to sides that a network takes."""

import numpy as np


def fit_side(side: int, multiple: int, smallest: int) -> int:
    """The least length from `side` on that is a multiple, and not below the smallest."""
    return max(-(-side // multiple) * multiple, -(-smallest // multiple) * multiple)


def list_mirrored_indices(start: int, stop: int, side: int) -> np.ndarray:
    """The rows of a picture that stand at `start` to `stop` if it goes on as its mirror image, again and again: int64 [K].

    The border itself is not repeated: 0 1 2 3 | 2 1 0 1 2 …
    """
    if side == 1:
        return np.zeros(stop - start, np.int64)
    period = 2 * (side - 1)
    places = np.arange(start, stop) % period
    return np.minimum(places, period - places)
