"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009) as they are handed out: the Python and the binary version, unpacked or not."""

import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from math import isqrt
from pathlib import Path, PurePosixPath

import numpy as np

from ...errors import GanvasError
from ...system.pickles import read_pickle, text
from ..items import Listed, fingerprint_of_files, stamp
from ..labels import Labels, of_values

PARTS = {"train": re.compile(r"(data_batch_\d+|train)(\.bin)?"), "test": re.compile(r"(test_batch|test)(\.bin)?")}
NAMES = re.compile(r"(batches\.)?meta|batches\.meta\.txt|fine_label_names\.txt")
FIRST, NAMED = ("data_batch_1", "train"), ("batches.meta", "meta", "batches.meta.txt", "fine_label_names.txt")
PACKED = (".tar", ".tar.gz", ".tgz")
MOST = 2**30  # bytes of all files
PIXELS = 3 * 32 * 32  # of a record in the binary version, after its labels: a byte each


def holds(path: Path) -> bool:
    """Whether this is an archive by its name, or a folder of CIFAR's files: batches, and the names of their classes."""
    if not path.is_dir():
        return path.name.lower().endswith(PACKED)
    batches = any((path / f"{name}{end}").is_file() for name in FIRST for end in ("", ".bin"))
    return batches and any((path / name).is_file() for name in NAMED)


def read(path: Path, part: str) -> Listed | None:
    """The images, uint8 [N, 32, 32, 3], and labels (CIFAR-100's fine ones) of the part "train" or "test"; None without it.

    Nothing in the files is unpickled (`pickles`), and nothing is unpacked to the disk.

    Raises:
        GanvasError: an archive of something else, a file that is broken or asks for something to be run.
    """
    found = dict(_files(path, PARTS[part]))
    batches = [_batch(name, data, f"{path}/{name}") for name, data in sorted(found.items()) if not NAMES.fullmatch(name)]
    if not batches:
        return None
    pixels, values = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    side = isqrt(pixels.shape[1] // 3)
    images = np.ascontiguousarray(pixels.reshape(-1, 3, side, side).transpose(0, 2, 3, 1))
    files = [path / name for name in sorted(found)] if path.is_dir() else [path]
    labels, classes = _labels(values, _classes(found, path), path)
    return Listed(
        names=[f"{path.name}/{part}[{i}]" for i in range(len(images))],
        read=images.__getitem__,
        fingerprint=fingerprint_of_files(files, map(stamp, files)),
        title=f"{path.name} ({len(images):,} {part} images)",
        labels=labels,
        classes=classes,
        array=images,
    )


def _files(path: Path, wanted: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the batches wanted and of what names their classes."""
    left = MOST
    try:
        for name, size, content in _beside(path) if path.is_dir() else _packed(path):
            left -= size
            if left < 0:
                raise GanvasError(f"{path} holds more than {MOST // 2**20:,} MB, which CIFAR does not: refused")
            if wanted.fullmatch(name) or NAMES.fullmatch(name):
                yield name, content()
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise GanvasError(f"{path} cannot be unpacked ({error}): fetch it again") from error


def _beside(folder: Path) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    for file in folder.iterdir():
        if file.is_file() and any(pattern.fullmatch(file.name) for pattern in (*PARTS.values(), NAMES)):
            yield file.name, file.stat().st_size, file.read_bytes


def _packed(path: Path) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    with tarfile.open(path) as archive:
        for entry in archive:
            content = archive.extractfile(entry) if entry.isreg() else None
            if content is not None:
                yield PurePosixPath(entry.name).name, entry.size, content.read


def _batch(name: str, data: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """A file's images, uint8 [n, 3·S·S], and labels [n]."""
    if name.endswith(".bin"):
        record = PIXELS + (1 if "batch" in name else 2)  # CIFAR-100 has the coarse label first
        if not data or len(data) % record:
            raise GanvasError(f"{where} is cut short: {len(data):,} bytes are no multiple of {record:,}; fetch it again")
        rows = np.frombuffer(data, np.uint8).reshape(-1, record)
        return rows[:, -PIXELS:], rows[:, -PIXELS - 1]
    found = read_pickle(data, where)
    pixels, labels = found.get("data"), found.get("labels", found.get("fine_labels"))
    if not (isinstance(pixels, np.ndarray) and pixels.ndim == 2 and 3 * isqrt(pixels.shape[1] // 3) ** 2 == pixels.shape[1]):
        raise GanvasError(f"{where} holds no square RGB images called 'data': give CIFAR's own files, or an .npz")
    if not (isinstance(labels, list) and len(labels) == len(pixels) and all(type(v) is int and 0 <= v < 2**31 for v in labels)):
        raise GanvasError(f"{where} has no whole number for each image in 'labels' or 'fine_labels': fetch it again")
    return pixels, np.array(labels, np.int64)


def _classes(found: dict[str, bytes], path: Path) -> tuple[str, ...]:
    """The classes' names, by their numbers; none where no file has them."""
    for name in filter(NAMES.fullmatch, sorted(found)):
        if name.endswith(".txt"):
            return tuple(found[name].decode("utf-8", "replace").split())
        meta = read_pickle(found[name], f"{path}/{name}")
        names = meta.get("fine_label_names", meta.get("label_names"))
        if not isinstance(names, list) or not all(isinstance(n, (str, bytes)) for n in names):
            raise GanvasError(f"{path}/{name} has no list of names in 'label_names' or 'fine_label_names': fetch it again")
        return tuple(map(text, names))
    return ()


def _labels(values: np.ndarray, classes: tuple[str, ...], path: Path) -> Labels:
    if not classes:
        return of_values(values, len(values), str(path))
    if values.max() >= len(classes):
        raise GanvasError(f"{path} has a label {values.max()}, but names for {len(classes)} classes only: fetch it again")
    return Labels(values.astype(np.int64), classes)
