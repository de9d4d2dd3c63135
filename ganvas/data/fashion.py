"""Fashion-MNIST, 28 x 28 gray. Xiao, Rasul and Vollgraf 2017. (c) 2017 Zalando SE, MIT: FASHION_MNIST_LICENSE.txt.

All of it where it is installed; else the 10,000 training images that come with ganvas, 1,000 a class.
"""

import lzma
import os
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np

from ..errors import GanvasError
from .formats import idx
from .items import Listed, fingerprint, of_array

NAME, EMBEDDED = "fashion", "fashion-embedded"  # what a user writes for a path
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
VARIABLE = "GANVAS_FASHION"  # names a folder of the four idx files
FILE = "fashion10k.xz"  # made by scripts/make_embedded_fashion.py: uint8 [10 classes, 1000, 28, 28]
CLASSES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def read(name: str) -> Listed:
    """The training images for the path "fashion" or "fashion-embedded". Raises GanvasError for a folder without them."""
    installed = _installed() if name == NAME else None
    return _embedded() if installed is None else _full(*installed, part="train")


def held_out(name: str) -> Listed | None:
    """The 10,000 test images, where they are installed."""
    installed = _installed() if name == NAME else None
    return None if installed is None else _full(*installed, part="t10k")


def _installed() -> tuple[Path, str] | None:
    """The folder of idx files, and whose it is."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).expanduser(), f"${VARIABLE}"
    return (DEBIAN, "Debian's dataset-fashion-mnist") if idx.in_folder(DEBIAN) else None


def _full(folder: Path, whose: str, part: str) -> Listed:
    images = idx.in_folder(folder, part)
    if images is None:
        raise GanvasError(f"{VARIABLE} is {folder}, which has no {part}-images-idx3-ubyte.gz: correct or unset it")
    found = idx.read(images)
    kind = "training" if part == "train" else "test"
    return replace(found, classes=CLASSES, title=f"Fashion-MNIST, {len(found):,} {kind} images ({whose})")


def _embedded() -> Listed:
    packed = resources.files("ganvas.data").joinpath(FILE).read_bytes()
    by_class = np.frombuffer(lzma.decompress(packed), np.uint8).reshape(10, -1, 28, 28)
    images = by_class.swapaxes(0, 1).reshape(-1, 28, 28)  # the classes in turn, so that any stretch is balanced
    labels = np.arange(len(images)) % 10
    title = f"Fashion-MNIST, embedded subset of {len(images):,}"
    return replace(of_array(images, labels, EMBEDDED, fingerprint(packed), title), classes=CLASSES)
