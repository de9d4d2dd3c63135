"""Samples from whatever lies at a path: a folder, a zip, idx files, arrays, or a set that comes by name."""

import difflib
from pathlib import Path

from ..config import config
from ..errors import GanvasError
from . import fashion
from .formats import archive, arrays, cifar, folder, idx, parquet
from .items import LEAST, Listed, relabelled, thinned


@config
class Files:
    """A folder, a .zip, MNIST's or CIFAR's files, a .npy, .npz, .csv or .parquet, or "fashion" or "fashion-embedded"."""

    path: str
    test: str | None = None  # another path: samples kept out of training, to score against
    limit: int | None = None  # train on at most so many samples, drawn at random but always the same

    def items(self, suffixes: tuple[str, ...]) -> Listed:
        """The samples to train on. Raises GanvasError, with what to do, where there are fewer than two."""
        return thinned(_read(self.path, suffixes), self.limit)

    def held_out(self, suffixes: tuple[str, ...]) -> Listed | None:
        """The samples at `test`, or the test part that MNIST, CIFAR, Fashion-MNIST and their kin bring along."""
        if self.test is not None:
            return relabelled(_read(self.test, suffixes), _read(self.path, suffixes).condition)
        if self.path in (fashion.NAME, fashion.EMBEDDED):
            return fashion.held_out(self.path)
        place = Path(self.path).expanduser()
        found = _test_part(place)
        return None if found is None else relabelled(found, _read(self.path, suffixes).condition)


def _read(path: str, suffixes: tuple[str, ...]) -> Listed:
    if path in (fashion.NAME, fashion.EMBEDDED):
        return fashion.read(path)
    place = Path(path).expanduser()
    try:
        found = _dispatch(place, suffixes)
    except OSError as error:
        where = error.filename or place
        raise GanvasError(f"{where} cannot be read ({error.strerror or error}): check who may read it") from error
    if len(found) < LEAST:
        raise GanvasError(f"{found.title} is no data set: at least {LEAST} samples are needed, and some hundreds to learn from")
    return found


def _dispatch(place: Path, suffixes: tuple[str, ...]) -> Listed:
    """Hand the path to the file of this package that knows its kind."""
    if not place.exists():
        raise _missing(place)
    for kind in (cifar, parquet):
        if kind.holds(place):
            return _training(kind.read(place, "train"), place)
    if place.is_dir():
        images = idx.in_folder(place)
        return folder.read(place, suffixes) if images is None else idx.read(images)
    suffix = place.suffix.lower()
    if suffix == ".zip":
        return archive.read(place, suffixes)
    if suffix in arrays.SUFFIXES:
        return arrays.read(place)
    if idx.is_idx(place):
        return idx.read(place)
    if suffix in suffixes:
        raise GanvasError(f"{place} is 1 file, and 1 is not a data set: give its folder, with at least {LEAST} of them")
    raise GanvasError(
        f"{place} is nothing to learn from: give a folder, a .zip, .npy, .npz, .csv or .parquet file, or idx files"
    )


def _training(found: Listed | None, place: Path) -> Listed:
    if found is None:
        raise GanvasError(f"{place} has no training images of CIFAR's (data_batch_1 …, train): unpack it and give the folder")
    return found


def _test_part(place: Path) -> Listed | None:
    """The samples for testing that lie beside those for training."""
    for kind in (cifar, parquet):
        if kind.holds(place):
            return kind.read(place, "test")
    if not (place.is_dir() and idx.in_folder(place)):
        return None
    images = idx.in_folder(place, "t10k") or idx.in_folder(place, "test")
    return None if images is None else idx.read(images)


def _missing(place: Path) -> GanvasError:
    """What to say for a path that is not there: the first part that is missing, and the name most like it beside it."""
    while not place.parent.exists():
        place = place.parent
    beside = [p.name for p in place.parent.iterdir()] if place.parent.is_dir() else []
    alike = difflib.get_close_matches(place.name, beside, n=1, cutoff=0.5)
    advice = f"did you mean {place.parent / alike[0]}?" if alike else "give the path of a folder or file of samples"
    return GanvasError(f"{place} does not exist: {advice}")
