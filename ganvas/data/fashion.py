"""Fashion-MNIST, 28 x 28 gray. Xiao, Rasul and Vollgraf 2017. (c) 2017 Zalando SE, MIT: FASHION_MNIST_LICENSE.txt.

All of it if it is installed; otherwise the 10,000 training images that come with ganvas, 1,000 per class.
"""

import lzma
import os
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np

from ..errors import GanvasError
from .formats import idx
from .items import ItemList, build_array_items, fingerprint_parts

SET_NAME, EMBEDDED_SET_NAME = "fashion", "fashion-embedded"  # written instead of a path
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
FASHION_VARIABLE = "GANVAS_FASHION"  # names a folder with the four idx files
EMBEDDED_FILE_NAME = "fashion10k.xz"  # made by scripts/make_embedded_fashion.py: uint8 [10 classes, 1000, 28, 28]
CLASS_NAMES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def read_fashion_items(name: str) -> ItemList:
    """The training images for the path "fashion" or "fashion-embedded". Raises GanvasError for a folder without them."""
    folder_and_source = _find_installed_folder() if name == SET_NAME else None
    return _read_embedded_items() if folder_and_source is None else _read_installed_items(*folder_and_source, split="train")


def read_fashion_test_items(name: str) -> ItemList | None:
    """The 10,000 test images, if they are installed."""
    folder_and_source = _find_installed_folder() if name == SET_NAME else None
    return None if folder_and_source is None else _read_installed_items(*folder_and_source, split="t10k")


def _find_installed_folder() -> tuple[Path, str] | None:
    """The folder of idx files, and its source."""
    setting = os.environ.get(FASHION_VARIABLE)
    if setting:
        return Path(setting).expanduser(), f"${FASHION_VARIABLE}"
    return (DEBIAN_FOLDER, "Debian's dataset-fashion-mnist") if idx.find_images_file(DEBIAN_FOLDER) else None


def _read_installed_items(folder: Path, source: str, split: str) -> ItemList:
    images_path = idx.find_images_file(folder, split)
    if images_path is None:
        raise GanvasError(f"{FASHION_VARIABLE} is {folder}, which has no {split}-images-idx3-ubyte.gz: correct or unset it")
    items = idx.read_idx_items(images_path)
    kind = "training" if split == "train" else "test"
    return replace(items, classes=CLASS_NAMES, title=f"Fashion-MNIST, {len(items):,} {kind} images ({source})")


def _read_embedded_items() -> ItemList:
    compressed = resources.files("ganvas.data").joinpath(EMBEDDED_FILE_NAME).read_bytes()
    by_class = np.frombuffer(lzma.decompress(compressed), np.uint8).reshape(10, -1, 28, 28)
    images = by_class.swapaxes(0, 1).reshape(-1, 28, 28)  # the classes alternate, so that any part is balanced
    labels = np.arange(len(images)) % 10
    title = f"Fashion-MNIST, embedded subset of {len(images):,}"
    return replace(
        build_array_items(images, labels, EMBEDDED_SET_NAME, fingerprint_parts(compressed), title), classes=CLASS_NAMES
    )
