"""Samples from whatever lies at a path: a folder, a zip, idx files, arrays, or a set that comes by name."""

import difflib
from pathlib import Path

from ..configuration import config
from ..errors import GanvasError
from . import fashion
from .formats import archive, arrays, cifar, folder, idx, parquet
from .items import MIN_DATASET_SAMPLES, ItemList, limit_items, match_labels


@config
class Files:
    """A folder, a .zip, MNIST's or CIFAR's files, a .npy, .npz, .csv or .parquet, or "fashion" or "fashion-embedded"."""

    path: str
    test: str | None = None  # another path: samples kept out of training, to score against
    limit: int | None = None  # train on at most so many samples, drawn at random but always the same

    def items(self, suffixes: tuple[str, ...]) -> ItemList:
        """The samples to train on. Raises GanvasError, with what to do, where there are fewer than two."""
        return limit_items(_read_items(self.path, suffixes), self.limit)

    def held_out(self, suffixes: tuple[str, ...]) -> ItemList | None:
        """The samples at `test`, or the test part that MNIST, CIFAR, Fashion-MNIST and their kin bring along."""
        if self.test is not None:
            return match_labels(_read_items(self.test, suffixes), _read_items(self.path, suffixes).condition)
        if self.path in (fashion.SET_NAME, fashion.EMBEDDED_SET_NAME):
            return fashion.read_fashion_test_items(self.path)
        location = Path(self.path).expanduser()
        test_items = _read_test_items(location)
        return None if test_items is None else match_labels(test_items, _read_items(self.path, suffixes).condition)


def _read_items(path: str, suffixes: tuple[str, ...]) -> ItemList:
    if path in (fashion.SET_NAME, fashion.EMBEDDED_SET_NAME):
        return fashion.read_fashion_items(path)
    location = Path(path).expanduser()
    try:
        items = _read_by_kind(location, suffixes)
    except OSError as error:
        failed_path = error.filename or location
        raise GanvasError(f"{failed_path} cannot be read ({error.strerror or error}): check who may read it") from error
    if len(items) < MIN_DATASET_SAMPLES:
        raise GanvasError(
            f"{items.title} is no data set: at least {MIN_DATASET_SAMPLES} samples are needed, and some hundreds to learn from"
        )
    return items


def _read_by_kind(location: Path, suffixes: tuple[str, ...]) -> ItemList:
    """Hand the path to the file of this package that knows its kind."""
    if not location.exists():
        raise _build_missing_path_error(location)
    for module in (cifar, parquet):
        if module.takes_path(location):
            return _require_training_items(module.read(location, "train"), location)
    if location.is_dir():
        images_path = idx.find_images_file(location)
        return folder.read_folder_items(location, suffixes) if images_path is None else idx.read_idx_items(images_path)
    suffix = location.suffix.lower()
    if suffix == ".zip":
        return archive.read_zip_items(location, suffixes)
    if suffix in arrays.ARRAY_SUFFIXES:
        return arrays.read_array_items(location)
    if idx.is_idx_file(location):
        return idx.read_idx_items(location)
    if suffix in suffixes:
        raise GanvasError(
            f"{location} is 1 file, and 1 is not a data set: give its folder, with at least {MIN_DATASET_SAMPLES} of them"
        )
    raise GanvasError(
        f"{location} is nothing to learn from: give a folder, a .zip, .npy, .npz, .csv or .parquet file, or idx files"
    )


def _require_training_items(items: ItemList | None, location: Path) -> ItemList:
    if items is None:
        raise GanvasError(
            f"{location} has no training images of CIFAR's (data_batch_1 …, train): unpack it and give the folder"
        )
    return items


def _read_test_items(location: Path) -> ItemList | None:
    """The samples for testing that lie beside those for training."""
    for module in (cifar, parquet):
        if module.takes_path(location):
            return module.read(location, "test")
    if not (location.is_dir() and idx.find_images_file(location)):
        return None
    images_path = idx.find_images_file(location, "t10k") or idx.find_images_file(location, "test")
    return None if images_path is None else idx.read_idx_items(images_path)


def _build_missing_path_error(location: Path) -> GanvasError:
    """What to say for a path that is not there: the first part that is missing, and the name most like it beside it."""
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
