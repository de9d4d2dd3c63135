"""The idx files of MNIST and the like (LeCun's format: magic number, sizes, bytes), gzipped or not."""

import gzip
import math
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from ...errors import GanvasError
from ..items import ItemList, build_array_items, fingerprint_files, read_file_stamp

UNSIGNED_BYTE_CODE = 0x08  # the type code of unsigned bytes
MAX_DEFLATE_RATIO = 1032  # gzip's largest ratio


def is_idx_file(path: Path) -> bool:
    """Whether the file starts like an idx file of bytes or of other numbers."""
    try:
        with _open_idx_file(path) as file:
            magic = file.read(4)
    except (OSError, EOFError, zlib.error):
        return False
    return len(magic) == 4 and magic[:2] == b"\0\0" and 0x08 <= magic[2] <= 0x0E and 1 <= magic[3] <= 4


def find_images_file(folder: Path, split: str = "train") -> Path | None:
    """The file of images in a folder of MNIST's layout: part "train", or "t10k" for the test images."""
    return next((p for p in sorted(folder.glob(f"*{split}-images*idx3*")) if is_idx_file(p)), None)


def read_idx_folder(folder: Path, split: str) -> ItemList | None:
    """The images of the part "train", or "test", in a folder of MNIST's layout; None without it."""
    part_names = ("train",) if split == "train" else ("t10k", "test")
    images_path = next(filter(None, (find_images_file(folder, name) for name in part_names)), None)
    return None if images_path is None else read_idx_items(images_path)


def read_idx_items(path: Path) -> ItemList:
    """The images in an idx file, uint8 [N, H, W], with labels if their file lies next to it.

    Raises:
        GanvasError: no idx file of bytes, or one that is cut short; labels that do not fit.
    """
    images = _read_idx_array(path)
    labels_path = _find_labels_file(path)
    if images.ndim < 2:
        raise GanvasError(f"{path} holds labels, not images: give the file of images (its name has 'images-idx3')")
    files = [path] if labels_path is None else [path, labels_path]
    items = build_array_items(
        images,
        None if labels_path is None else _read_idx_array(labels_path),
        name=path.name,
        fingerprint=fingerprint_files(files, map(read_file_stamp, files)),
        title=f"{path.name} ({len(images):,} images)",
    )
    if labels_path is not None or "images" not in path.name:
        return items
    return replace(items, label_notes=(f"no labels: there is no {_name_labels_file(path)} beside it",))


def _name_labels_file(path: Path) -> str:
    return path.name.replace("images", "labels").replace("idx3", "idx1").removesuffix(".gz")


def _find_labels_file(path: Path) -> Path | None:
    if "images" not in path.name:
        return None
    name = _name_labels_file(path)
    return next((p for p in (path.with_name(name), path.with_name(f"{name}.gz")) if p.exists()), None)


def _read_idx_array(path: Path) -> np.ndarray:
    try:
        with _open_idx_file(path) as file:
            magic = file.read(4)
            if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] != UNSIGNED_BYTE_CODE:
                raise GanvasError(f"{path} is not an idx file of bytes: give one like train-images-idx3-ubyte.gz")
            sizes = file.read(4 * magic[3])
            shape = [int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4)]
            size = math.prod(shape)
            if len(sizes) != 4 * magic[3] or size > path.stat().st_size * MAX_DEFLATE_RATIO:
                raise GanvasError(f"{path} is cut short or damaged: fetch it again")
            data = file.read(size)
    except (OSError, EOFError, zlib.error) as error:
        raise GanvasError(f"{path} cannot be read ({error}): fetch it again") from error
    if len(data) != size:
        raise GanvasError(f"{path} is cut short: {len(data):,} of {size:,} bytes are there; fetch it again")
    return np.frombuffer(data, np.uint8).reshape(shape)


def _open_idx_file(path: Path):
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")
