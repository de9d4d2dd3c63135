"""Data sets of known formats below a folder, as in repositories of Hugging Face and in the folders of torchvision."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ..parts import read_part_name
from . import cifar, idx, parquet


def find_nested_sets(folder: Path, file_paths: list[str]) -> list[Path]:
    """The folders below `folder` that hold a set in CIFAR's, MNIST's or Parquet's format.

    Args:
        file_paths: the paths of all files below `folder`, relative to it.
    """
    roots = {place for path in map(PurePosixPath, file_paths) for place in _guess_roots(path)}
    return [folder / root for root in sorted(roots) if takes_folder(folder / root)]


def takes_folder(folder: Path) -> bool:
    """Whether a folder directly holds such a set."""
    return cifar.takes_path(folder) or parquet.takes_path(folder) or idx.find_images_file(folder) is not None


def _guess_roots(path: PurePosixPath) -> Iterator[PurePosixPath]:
    """The folder of the set that a file seems to belong to, by its name."""
    if parquet.is_shard(path):
        yield path.parent.parent if read_part_name(path.parent.name) else path.parent
    elif "-images" in path.name or path.stem in cifar.FIRST_BATCH_NAMES:
        yield path.parent
