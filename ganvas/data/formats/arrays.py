"""Samples in one file of numbers: .npy, .npz or .csv. Nothing in such a file is ever unpickled."""

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...errors import GanvasError
from ..items import ItemList, build_array_items, fingerprint_files, read_file_stamp

ARRAY_SUFFIXES = (".npy", ".npz", ".csv")
SAMPLE_ARRAY_NAMES = ("x", "images", "data", "arr_0")  # the names looked for in an .npz
LABEL_ARRAY_NAMES = ("y", "labels", "label", "targets")


def read_array_items(path: Path) -> ItemList:
    """The rows of an array [N, …]: of a .npy (mapped, not read), of an .npz with its labels, or of a .csv of numbers.

    Raises:
        GanvasError: a broken file, one of Python objects, one without samples.
    """
    try:
        array, labels, notes = {".npy": _load_npy, ".npz": _load_npz, ".csv": _load_csv}[path.suffix.lower()](path)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise GanvasError(
            f"{path} cannot be read ({_explain_read_error(error)}): save it again as an array of numbers"
        ) from error
    if array.ndim < 2 or len(array) == 0:
        raise GanvasError(f"{path} holds an array of shape {array.shape}: samples are its rows, so it needs [N, …]")
    row_shape = " x ".join(str(n) for n in array.shape[1:])
    title = f"{path.name} ({len(array):,} of {row_shape})"
    items = build_array_items(array, labels, path.name, fingerprint_files([path], [read_file_stamp(path)]), title)
    return replace(items, notes=notes)


class LoadedArrays(NamedTuple):
    """Samples [N, …], their labels if there are any, and what is to be said of them."""

    samples: np.ndarray
    labels: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def _load_npy(path: Path) -> LoadedArrays:
    return LoadedArrays(np.load(path, mmap_mode="c", allow_pickle=False))


def _load_npz(path: Path) -> LoadedArrays:
    with np.load(path, allow_pickle=False) as file:
        samples = next((name for name in SAMPLE_ARRAY_NAMES if name in file), None)
        labels = next((name for name in LABEL_ARRAY_NAMES if name in file), None)
        if samples is None:
            available_names = ", ".join(file.files) or "nothing"
            raise GanvasError(
                f"{path} has no array named {', '.join(SAMPLE_ARRAY_NAMES)}; it has {available_names}: rename the one "
                "of samples to x"
            )
        unused_names = [name for name in file.files if name not in (samples, labels)]
        note = f"its arrays {', '.join(unused_names[:9])} are not used: labels are looked for in {', '.join(LABEL_ARRAY_NAMES)}"
        return LoadedArrays(file[samples], None if labels is None else file[labels], (note,) if unused_names else ())


def _load_csv(path: Path) -> LoadedArrays:
    with path.open(encoding="utf-8-sig") as file:
        first_line = file.readline()
        try:
            [float(cell) for cell in first_line.split(",")]
            header_lines = 0
        except ValueError:
            header_lines = 1
        if not file.readline():
            raise GanvasError(f"{path} holds no rows of numbers: put one sample a line, values parted by commas")
    return LoadedArrays(np.loadtxt(path, delimiter=",", skiprows=header_lines, ndmin=2, encoding="utf-8-sig"))


def _explain_read_error(error: Exception) -> str:
    text = str(error)
    if "object" in text.lower() or "pickle" in text.lower():
        return "it holds Python objects, which could run code"
    return text.partition(";")[0].rstrip(".")
