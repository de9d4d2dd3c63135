"""Samples in one file of numbers: .npy, .npz or .csv. Nothing in such a file is ever unpickled."""

import zipfile
from pathlib import Path

import numpy as np

from ...errors import GanvasError
from ..items import Listed, fingerprint_of_files, of_array, stamp

SUFFIXES = (".npy", ".npz", ".csv")
SAMPLES, LABELS = ("x", "images", "data", "arr_0"), ("y", "labels")  # the names looked for in an .npz


def read(path: Path) -> Listed:
    """The rows of an array [N, …]: of a .npy (mapped, not read), of an .npz with its labels, or of a .csv of numbers.

    Raises:
        GanvasError: a broken file, one of Python objects, one without samples.
    """
    try:
        array, labels = {".npy": _npy, ".npz": _npz, ".csv": _csv}[path.suffix.lower()](path)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise GanvasError(f"{path} cannot be read ({_reason(error)}): save it again as an array of numbers") from error
    if array.ndim < 2 or len(array) == 0:
        raise GanvasError(f"{path} holds an array of shape {array.shape}: samples are its rows, so it needs [N, …]")
    each = " x ".join(str(n) for n in array.shape[1:])
    title = f"{path.name} ({len(array):,} of {each})"
    return of_array(array, labels, path.name, fingerprint_of_files([path], [stamp(path)]), title)


def _npy(path: Path) -> tuple[np.ndarray, None]:
    return np.load(path, mmap_mode="c", allow_pickle=False), None


def _npz(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    with np.load(path, allow_pickle=False) as file:
        samples = next((name for name in SAMPLES if name in file), None)
        labels = next((name for name in LABELS if name in file), None)
        if samples is None:
            there = ", ".join(file.files) or "nothing"
            raise GanvasError(f"{path} has no array named {', '.join(SAMPLES)}; it has {there}: rename the one of samples to x")
        return file[samples], None if labels is None else file[labels]


def _csv(path: Path) -> tuple[np.ndarray, None]:
    with path.open(encoding="utf-8-sig") as file:
        first = file.readline()
        try:
            [float(cell) for cell in first.split(",")]
            header = 0
        except ValueError:
            header = 1
        if not file.readline():
            raise GanvasError(f"{path} holds no rows of numbers: put one sample a line, values parted by commas")
    return np.loadtxt(path, delimiter=",", skiprows=header, ndmin=2, encoding="utf-8-sig"), None


def _reason(error: Exception) -> str:
    text = str(error)
    if "object" in text.lower() or "pickle" in text.lower():
        return "it holds Python objects, which could run code"
    return text.partition(";")[0].rstrip(".")
