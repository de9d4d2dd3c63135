"""Pictures that are maps of labels: their pixels are numbers of one small palette, which all of them share."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

MAX_LABELS = 64  # of a map that is recognised without being named as one


def count_shared_labels(pictures: Sequence[bytes | np.ndarray]) -> int | None:
    """How many entries of a palette the pictures use, if all of them have the same palette; None if they are no maps.

    A drawing that was saved with few colours has a palette of its own, so one picture alone says nothing.
    """
    palettes, labels = set[bytes](), set[int]()
    for picture in pictures:
        try:
            opened = None if isinstance(picture, np.ndarray) else Image.open(io.BytesIO(picture))
            if opened is None or opened.mode != "P":
                return None
            palettes.add(bytes(opened.getpalette() or ()))
            labels.update(np.unique(np.asarray(opened)).tolist())
        except (OSError, ValueError, Image.DecompressionBombError):
            return None
        if len(palettes) > 1 or len(labels) > MAX_LABELS:
            return None
    return len(labels) if len(pictures) > 1 else None
