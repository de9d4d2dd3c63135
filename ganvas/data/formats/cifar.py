"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009) as published: the Python and the binary version, unpacked or not."""

import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from math import isqrt
from pathlib import Path, PurePosixPath

import numpy as np

from ...errors import GanvasError
from ...system.pickles import decode_text, read_pickle
from ..items import ItemList, fingerprint_files, read_file_stamp
from ..labels import SampleLabels, parse_label_values
from ..names import normalise_name

SPLIT_PATTERNS = {"train": re.compile(r"(data_batch_\d+|train)(\.bin)?"), "test": re.compile(r"(test_batch|test)(\.bin)?")}
CLASS_FILE_PATTERN = re.compile(r"(batches\.)?meta|batches\.meta\.txt|fine_label_names\.txt")
FIRST_BATCH_NAMES, CLASS_FILE_NAMES = (
    ("data_batch_1", "train"),
    ("batches.meta", "meta", "batches.meta.txt", "fine_label_names.txt"),
)
ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz")
MAX_CIFAR_BYTES = 2**30  # bytes of all files
BYTES_PER_IMAGE = 3 * 32 * 32  # of a record in the binary version, after its labels


def takes_path(path: Path) -> bool:
    """Whether this is an archive, by its name, or a folder with CIFAR's batches and the names of its classes."""
    if not path.is_dir():
        return path.name.lower().endswith(ARCHIVE_SUFFIXES)
    has_batches = any((path / f"{name}{end}").is_file() for name in FIRST_BATCH_NAMES for end in ("", ".bin"))
    return has_batches and any((path / name).is_file() for name in CLASS_FILE_NAMES)


def read(path: Path, split: str) -> ItemList | None:
    """The images, uint8 [N, 32, 32, 3], and labels (CIFAR-100's fine ones) of the part "train" or "test"; None if missing.

    Nothing in the files is unpickled (see system/pickles.py), and nothing is unpacked to the disk.

    Raises:
        GanvasError: an archive of something else, a file that is broken or asks to run something.
    """
    contents = dict(_read_files(path, SPLIT_PATTERNS[split]))
    batches = [
        _parse_batch(name, data, f"{path}/{name}")
        for name, data in sorted(contents.items())
        if not CLASS_FILE_PATTERN.fullmatch(name)
    ]
    if not batches:
        return None
    pixels, values = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    side = isqrt(pixels.shape[1] // 3)
    images = np.ascontiguousarray(pixels.reshape(-1, 3, side, side).transpose(0, 2, 3, 1))
    files = [path / name for name in sorted(contents)] if path.is_dir() else [path]
    labels, classes = _build_labels(values, _read_class_names(contents, path), path)
    return ItemList(
        names=[f"{path.name}/{split}[{i}]" for i in range(len(images))],
        read_item=images.__getitem__,
        fingerprint=fingerprint_files(files, map(read_file_stamp, files)),
        title=f"{path.name} ({len(images):,} {split} images)",
        labels=labels,
        classes=classes,
        array=images,
    )


def _read_files(path: Path, batch_pattern: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the matching batches, and of the files that name their classes."""
    remaining_bytes = MAX_CIFAR_BYTES
    try:
        for name, size, content in _list_folder_files(path) if path.is_dir() else _list_archive_files(path):
            remaining_bytes -= size
            if remaining_bytes < 0:
                raise GanvasError(f"{path} holds more than {MAX_CIFAR_BYTES // 2**20:,} MB, which CIFAR does not: refused")
            if batch_pattern.fullmatch(name) or CLASS_FILE_PATTERN.fullmatch(name):
                yield name, content()
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise GanvasError(f"{path} cannot be unpacked ({error}): fetch it again") from error


def _list_folder_files(folder: Path) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    for file in folder.iterdir():
        if file.is_file() and any(pattern.fullmatch(file.name) for pattern in (*SPLIT_PATTERNS.values(), CLASS_FILE_PATTERN)):
            yield file.name, file.stat().st_size, file.read_bytes


def _list_archive_files(path: Path) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    with tarfile.open(path) as archive:
        for entry in archive:
            content = archive.extractfile(entry) if entry.isreg() else None
            if content is not None:
                yield PurePosixPath(normalise_name(entry.name)).name, entry.size, content.read


def _parse_batch(name: str, data: bytes, path: str) -> tuple[np.ndarray, np.ndarray]:
    """A file's images, uint8 [n, 3·S·S], and labels [n]."""
    if name.endswith(".bin"):
        record = BYTES_PER_IMAGE + (1 if "batch" in name else 2)  # CIFAR-100 has the coarse label first
        if not data or len(data) % record:
            raise GanvasError(f"{path} is cut short: {len(data):,} bytes are not a multiple of {record:,}; fetch it again")
        rows = np.frombuffer(data, np.uint8).reshape(-1, record)
        return rows[:, -BYTES_PER_IMAGE:], rows[:, -BYTES_PER_IMAGE - 1]
    mapping = read_pickle(data, path)
    pixels, labels = mapping.get("data"), mapping.get("labels", mapping.get("fine_labels"))
    if not (isinstance(pixels, np.ndarray) and pixels.ndim == 2 and 3 * isqrt(pixels.shape[1] // 3) ** 2 == pixels.shape[1]):
        raise GanvasError(f"{path} holds no square RGB images called 'data': give CIFAR's own files, or an .npz")
    if not (isinstance(labels, list) and len(labels) == len(pixels) and all(type(v) is int and 0 <= v < 2**31 for v in labels)):
        raise GanvasError(f"{path} has no whole number for each image in 'labels' or 'fine_labels': fetch it again")
    return pixels, np.array(labels, np.int64)


def _read_class_names(contents: dict[str, bytes], path: Path) -> tuple[str, ...]:
    """The classes' names, in the order of their numbers; empty if no file has them."""
    for name in filter(CLASS_FILE_PATTERN.fullmatch, sorted(contents)):
        if name.endswith(".txt"):
            return tuple(contents[name].decode("utf-8", "replace").split())
        meta = read_pickle(contents[name], f"{path}/{name}")
        names = meta.get("fine_label_names", meta.get("label_names"))
        if not isinstance(names, list) or not all(isinstance(n, (str, bytes)) for n in names):
            raise GanvasError(f"{path}/{name} has no list of names in 'label_names' or 'fine_label_names': fetch it again")
        return tuple(map(decode_text, names))
    return ()


def _build_labels(values: np.ndarray, classes: tuple[str, ...], path: Path) -> SampleLabels:
    if not classes:
        return parse_label_values(values, len(values), str(path))
    if values.max() >= len(classes):
        raise GanvasError(f"{path} has a label {values.max()}, but names for {len(classes)} classes only: fetch it again")
    return SampleLabels(values.astype(np.int64), classes)
