"""Two sides of a set of pictures: sources, and what they become. Folders tell them apart."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import GanvasError
from .formats.archive import list_archive
from .formats.folder import list_folder
from .listing import FileListing, ListedFile, build_no_samples_error, is_sample
from .names import format_count, list_examples
from .pairing import PlacedSide, Side, place_side
from .parts import choose_held_out_part


class SidedFile(NamedTuple):
    """A file, and its place in a set of two sides."""

    file: ListedFile
    place: PlacedSide


class SidedPart(NamedTuple):
    """The files of one part of a set, such as "train"; the targets may lie in a folder of their own."""

    listing: FileListing
    target_listing: FileListing
    files: Sequence[SidedFile]

    def list_side(self, side: Side | None) -> list[SidedFile]:
        """The files of one side; of None, those of neither."""
        return [file for file in self.files if file.place.side == side]


def list_files(path: str) -> FileListing:
    """The files of a folder or a zip. Raises GanvasError for anything else."""
    location = Path(path).expanduser()
    if location.is_dir():
        return list_folder(location)
    if location.suffix.lower() == ".zip" and location.is_file():
        return list_archive(location)
    raise GanvasError(f"{path} is no folder and no zip of pictures: give the folder that holds A/ and B/")


def list_sided_files(listing: FileListing, suffixes: tuple[str, ...]) -> list[SidedFile]:
    """The files with one of the suffixes. Raises GanvasError if there are none."""
    files = [SidedFile(file, place_side(file.name)) for file in listing.files if is_sample(file, suffixes)]
    if not files:
        raise build_no_samples_error(listing, suffixes)
    return files


def read_sided_part(path: str, targets: str | None, suffixes: tuple[str, ...], split: str) -> SidedPart | None:
    """The files to train on ("train") or to hold out ("test"); None if there are none.

    targets: the folder of the second side, if `path` holds the first one only.
    """
    listing = target_listing = list_files(path)
    files = list_sided_files(listing, suffixes)
    if targets is not None:
        target_listing = list_files(targets)
        files = [_put_on_side(file, "source") for file in files]
        files += [_put_on_side(file, "target") for file in list_sided_files(target_listing, suffixes)]
    part = "train" if split == "train" else choose_held_out_part(Counter(file.place.part for file in files))
    files = [file for file in files if file.place.part == part]
    return SidedPart(listing, target_listing, files) if files else None


def _put_on_side(file: SidedFile, side: Side) -> SidedFile:
    return file._replace(place=file.place._replace(side=side))


def divide_sides(part: SidedPart, advice: str) -> tuple[list[SidedFile], list[SidedFile]]:
    """(the files of A, those of B). Raises GanvasError for files outside both, and with `advice` for an empty side."""
    title, strays = part.listing.title, part.list_side(None)
    if strays:
        raise GanvasError(
            f"{format_count(len(strays))} of {title} lie neither in A nor in B "
            f"({list_examples([file.file.name for file in strays])}): move them into one of these folders"
        )
    first, second = part.list_side("source"), part.list_side("target")
    if not first or not second:
        place = "" if part.files[0].place.part == "train" else f" of its {part.files[0].place.part} part"
        counts = f"{format_count(len(first))} in A and {format_count(len(second))} in B"
        raise GanvasError(f"{title} has {counts}{place}: {advice}")
    return first, second
