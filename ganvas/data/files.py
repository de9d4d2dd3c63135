"""Samples from a path: a folder, a zip, idx files, arrays, or a data set by its name."""

import difflib
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

from ..configuration import config
from ..core import Source
from ..errors import GanvasError
from . import fashion
from .formats import archive, arrays, cifar, idx, parquet
from .formats.folder import list_folder
from .formats.nested import find_nested_sets
from .items import MIN_DATASET_SAMPLES, ItemList, limit_items, match_labels
from .listing import build_listed_items, is_sample
from .names import list_examples

MAX_STRAY_FILES = 20  # pictures of a description, say, beside a set of another format


@config
class Files:
    """A folder, a .zip, MNIST's or CIFAR's files, a .npy, .npz, .csv or .parquet, or "fashion" or "fashion-embedded"."""

    path: str
    test: str | None = None  # another path: samples kept out of training, to score against
    limit: int | None = None  # train on at most this many samples: random, but always the same

    def items(self, suffixes: tuple[str, ...]) -> ItemList:
        """The training samples. Raises GanvasError if there are fewer than two."""
        return limit_items(_read_training_items(self.path, suffixes), self.limit)

    def held_out(self, suffixes: tuple[str, ...]) -> ItemList | None:
        """The samples at `test`, or the test part that the data set has; None if it has none."""
        if self.test is not None:
            test_items = _read_items(self.test, suffixes, "test") or _read_training_items(self.test, suffixes)
        else:
            test_items = _read_items(self.path, suffixes, "test")
        if test_items is None:
            return None
        return match_labels(test_items, _read_training_items(self.path, suffixes).condition)


def replace_path(source: Source, path: str) -> Source:
    """The same kind of source at another path, without its limit and its other paths. Files if it has no path."""
    names = {field.name for field in fields(cast("Any", source))}
    if "path" not in names:
        return Files(path=path)
    other_settings = {name: None for name in ("test", "targets", "limit") if name in names}
    return replace(cast("Any", source), path=path, **other_settings)


def _read_training_items(path: str, suffixes: tuple[str, ...]) -> ItemList:
    items = _read_items(path, suffixes, "train")
    if items is None:
        raise GanvasError(f"{path} has no CIFAR training images (data_batch_1 …, train): unpack it and give the folder")
    return items


def _read_items(path: str, suffixes: tuple[str, ...], split: str) -> ItemList | None:
    """The samples of the part "train" or "test"; None if it is missing. A set without parts is all "train"."""
    if path in (fashion.SET_NAME, fashion.EMBEDDED_SET_NAME):
        return fashion.read_fashion_items(path) if split == "train" else fashion.read_fashion_test_items(path)
    location = Path(path).expanduser()
    try:
        items = _read_by_kind(location, suffixes, split)
    except OSError as error:
        failed_path = error.filename or location
        raise GanvasError(f"{failed_path} cannot be read ({error.strerror or error}): check its permissions") from error
    if items is not None and len(items) < MIN_DATASET_SAMPLES:
        raise GanvasError(
            f"{items.title} is not a data set: at least {MIN_DATASET_SAMPLES} samples are needed, and hundreds to learn from"
        )
    return items


def _read_by_kind(location: Path, suffixes: tuple[str, ...], split: str) -> ItemList | None:
    """Read the path by the file of this package for its format."""
    if not location.exists():
        raise _build_missing_path_error(location)
    for module in (cifar, parquet):
        if module.takes_path(location):
            return module.read(location, split)
    if location.is_dir():
        if idx.find_images_file(location) is not None:
            return idx.read_idx_folder(location, split)
        return _read_folder(location, suffixes, split)
    suffix = location.suffix.lower()
    if suffix == ".zip":
        return archive.read_zip_items(location, suffixes, split)
    if suffix in arrays.ARRAY_SUFFIXES:
        return arrays.read_array_items(location, split)
    if idx.is_idx_file(location):
        return idx.read_idx_items(location) if split == "train" else None
    if suffix in suffixes:
        raise GanvasError(
            f"{location} is 1 file, and 1 is not a data set: give its folder, with at least {MIN_DATASET_SAMPLES} of them"
        )
    raise GanvasError(
        f"{location} holds no samples that can be read: give a folder, a .zip, .npy, .npz, .csv or .parquet file, or idx files"
    )


def _read_folder(location: Path, suffixes: tuple[str, ...], split: str) -> ItemList | None:
    """A folder's files as samples. If they are few, the data set of another format in one of its folders."""
    listing = list_folder(location)
    if sum(is_sample(file, suffixes) for file in listing.files) <= MAX_STRAY_FILES:
        nested_sets = find_nested_sets(location, [file.stamp[0] for file in listing.files])
        if len(nested_sets) > 1:
            raise GanvasError(f"{location} holds several sets: give one of them, {list_examples(list(map(str, nested_sets)))}")
        if nested_sets:
            items = _read_by_kind(nested_sets[0], suffixes, split)
            if items is None:
                return None
            return replace(items, title=f"{location.name}/{items.title}", notes=(*items.notes, f"read from {nested_sets[0]}"))
    return build_listed_items(listing, suffixes, split)


def _build_missing_path_error(location: Path) -> GanvasError:
    """The error for a missing path: its first missing part, and the most similar name there."""
    while not location.parent.exists():
        location = location.parent
    siblings = [p.name for p in location.parent.iterdir()] if location.parent.is_dir() else []
    similar_names = difflib.get_close_matches(location.name, siblings, n=1, cutoff=0.5)
    advice = (
        f"did you mean {location.parent / similar_names[0]}?"
        if similar_names
        else "give the path of a folder or file of samples"
    )
    return GanvasError(f"{location} does not exist: {advice}")
