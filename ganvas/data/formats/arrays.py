"""Samples in one file of numbers: .npy, .npz or .csv. Nothing in such a file is ever unpickled."""

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ...core import format_shape
from ...errors import GanvasError
from ..items import ItemList, build_array_items, fingerprint_files, fingerprint_parts, read_file_stamp
from ..parts import HELD_OUT_PARTS, PART_NAMES

ARRAY_SUFFIXES = (".npy", ".npz", ".csv")
SAMPLE_ARRAY_NAMES = ("x", "images", "data", "arr_0")  # the names looked for in an .npz
LABEL_ARRAY_NAMES = ("y", "labels", "label", "targets")


def read_array_items(path: Path, split: str) -> ItemList | None:
    """The rows of an array [N, …]: of a .npy (mapped, not read), of an .npz with its labels, or of a .csv of numbers.

    An .npz may have parts: x_train and x_test (Keras), or train_images and test_images (MedMNIST). Then these are the rows of
    the part "train" or "test". None if there is nothing to hold out.

    Raises:
        GanvasError: a broken file, Python objects, or no samples.
    """
    suffix = path.suffix.lower()
    if suffix != ".npz" and split == "test":
        return None
    try:
        loaded_arrays = _load_npz(path, split) if suffix == ".npz" else {".npy": _load_npy, ".csv": _load_csv}[suffix](path)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise GanvasError(
            f"{path} cannot be read ({_explain_read_error(error)}): save it again as an array of numbers"
        ) from error
    if loaded_arrays is None:
        return None
    array, labels, notes, part = loaded_arrays
    if array.ndim < 2 or len(array) == 0:
        raise GanvasError(f"{path} holds an array of shape {array.shape}: samples are its rows, so it needs [N, …]")
    title = f"{path.name}{f'/{part}' if part else ''} ({len(array):,} of {format_shape(array.shape[1:])})"
    fingerprint = fingerprint_files([path], [read_file_stamp(path)])
    fingerprint = fingerprint_parts(fingerprint, part) if part else fingerprint
    return replace(build_array_items(array, labels, path.name, fingerprint, title), label_notes=notes)


class LoadedArrays(NamedTuple):
    """Samples [N, …], their labels if there are any, notes for the user, and the part of the set."""

    samples: np.ndarray
    labels: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    part: str = ""


def _load_npy(path: Path) -> LoadedArrays:
    return LoadedArrays(np.load(path, mmap_mode="c", allow_pickle=False))


def _load_npz(path: Path, split: str) -> LoadedArrays | None:
    with np.load(path, allow_pickle=False) as file:
        samples = next((name for name in SAMPLE_ARRAY_NAMES if name in file), None)
        if samples is None and (parts := _find_part_arrays(file.files)):
            return _load_part(file, parts, split)
        if split == "test":
            return None
        labels = next((name for name in LABEL_ARRAY_NAMES if name in file), None)
        if samples is None:
            available_names = ", ".join(file.files) or "nothing"
            raise GanvasError(
                f"{path} has no array named {', '.join(SAMPLE_ARRAY_NAMES)}; it has {available_names}: rename the array "
                "of samples to x"
            )
        notes = _describe_unused_arrays(file.files, (samples, labels), labels)
        return LoadedArrays(file[samples], None if labels is None else file[labels], notes)


def _find_part_arrays(names: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    """The names of the arrays of samples and labels, by part. Empty without "train"."""
    forms = [form for part, words in PART_NAMES.items() for word in words for form in ((part, f"{word}_"), (part, f"_{word}"))]
    arrays_by_part: dict[str, tuple[str, str | None]] = {}
    for part, word in forms:
        bare_names = {name.lower().replace(word, "", 1): name for name in names if word in name.lower()}
        samples = next((bare_names[name] for name in SAMPLE_ARRAY_NAMES if name in bare_names), None)
        if samples is not None and part not in arrays_by_part:
            label = next((bare_names[name] for name in LABEL_ARRAY_NAMES if name in bare_names), None)
            arrays_by_part[part] = samples, label
    return arrays_by_part if "train" in arrays_by_part else {}


def _load_part(file: Any, arrays_by_part: dict[str, tuple[str, str | None]], split: str) -> LoadedArrays | None:
    held_out_part = next((part for part in HELD_OUT_PARTS if part in arrays_by_part), None)
    part = "train" if split == "train" else held_out_part
    if part is None:
        return None
    samples, labels = arrays_by_part[part]
    used_names = [name for p in ("train", held_out_part or "train") for name in arrays_by_part[p]]
    notes = _describe_unused_arrays(file.files, used_names, labels)
    return LoadedArrays(file[samples], None if labels is None else file[labels], notes, part)


def _describe_unused_arrays(names: Sequence[str], used_names: Sequence[str | None], labels: str | None) -> tuple[str, ...]:
    unused_names = [name for name in names if name not in used_names]
    if not unused_names:
        return ()
    advice = "" if labels is not None else f": labels are looked for in {', '.join(LABEL_ARRAY_NAMES)}"
    return (f"its arrays {', '.join(unused_names[:9])} are not used{advice}",)


def _load_csv(path: Path) -> LoadedArrays:
    with path.open(encoding="utf-8-sig") as file:
        first_line = file.readline()
        try:
            [float(cell) for cell in first_line.split(",")]
            header_lines = 0
        except ValueError:
            header_lines = 1
        if not file.readline():
            raise GanvasError(f"{path} holds no rows of numbers: put one sample on each line, values separated by commas")
    return LoadedArrays(np.loadtxt(path, delimiter=",", skiprows=header_lines, ndmin=2, encoding="utf-8-sig"))


def _explain_read_error(error: Exception) -> str:
    text = str(error)
    if "object" in text.lower() or "pickle" in text.lower():
        return "it holds Python objects, which could run code"
    return text.partition(";")[0].rstrip(".")
