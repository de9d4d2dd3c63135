"""Pictures with captions, to learn to make pictures from words."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..configuration import config
from ..errors import GanvasError
from .attributes import derive_attributes
from .captions.reading import CaptionReading, CaptionRow, PictureIndex
from .captions.tables import read_table_captions
from .captions.text_files import read_text_files
from .captions.texts import CaptionCounts, clean_captions
from .formats.folder import list_folder
from .items import MIN_DATASET_SAMPLES, ItemList, fingerprint_parts, limit_items
from .listing import FileListing, ListedFile, build_no_samples_error, choose_part, is_sample
from .names import format_count, list_examples
from .sides import list_files

MAX_BARE_SHARE = 0.05  # of pictures without a caption that are left out; more of them are refused
TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".txt")  # of a path that is the table itself
CAPTION_ADVICE = "write 0001.txt beside 0001.png, a caption a line; or captions.csv with the columns file_name and text"


@config
class Captioned:
    """Pictures with captions in a folder or a zip. A generator learns to make the picture, "x", from its caption, "text".

    path: pictures with a text beside each, 0001.png and 0001.txt; or with captions.csv, captions.tsv, metadata.jsonl or
        metadata.csv, with the columns file_name and text; or such a table itself.
    limit: train on at most this many pictures: random, but always the same.
    """

    path: str
    limit: int | None = None

    def items(self, suffixes: tuple[str, ...]) -> ItemList:
        """The pictures to train on: mappings with "x" and "text", a JSON list of captions in UTF-8.

        Raises:
            GanvasError: there are no captions, or fewer than two pictures; more than 5% of the pictures have no caption.
        """
        items = _read_captioned_part(self.path, suffixes, "train")
        if items is None or len(items) < MIN_DATASET_SAMPLES:
            raise GanvasError(f"{self.path} has no pictures with captions to train on: {MIN_DATASET_SAMPLES} are needed")
        return limit_items(items, self.limit)

    def held_out(self, suffixes: tuple[str, ...]) -> ItemList | None:
        """The pictures of a folder called test or val, with their captions; None if there is none."""
        return _read_captioned_part(self.path, suffixes, "test")


class CaptionedPicture(Mapping[str, bytes]):
    """A picture with its captions: "x", which is read when it is needed, and "text"."""

    def __init__(self, file: ListedFile, captions: Sequence[str]) -> None:
        self.file, self.captions = file, captions

    def __getitem__(self, name: str) -> bytes:
        if name == "x":
            return self.file.read()
        if name == "text":
            return pack_captions(self.captions)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(("x", "text"))

    def __len__(self) -> int:
        return 2


def pack_captions(captions: Sequence[str]) -> bytes:
    """Captions as an item of the column "text": a JSON list in UTF-8."""
    return json.dumps(list(captions), ensure_ascii=False).encode()


class CaptionedListing(NamedTuple):
    """The files of a set, which of them are pictures, and all captions."""

    listing: FileListing
    pictures: Sequence[ListedFile]
    reading: CaptionReading


def find_captions(path: str, suffixes: tuple[str, ...]) -> CaptionedListing | None:
    """All captions of a folder, a zip or a table; None if there are none. `suffixes` are those of pictures.

    Raises:
        GanvasError: a table of captions that cannot be read, a path that is none of the three, or no pictures.
    """
    location = Path(path).expanduser()
    table = location.name if location.is_file() and location.suffix.lower() in TABLE_SUFFIXES else None
    listing = list_files(path) if table is None else list_folder(location.parent)
    pictures = [file for file in listing.files if is_sample(file, suffixes)]
    if not pictures:
        raise build_no_samples_error(listing, suffixes)
    index = PictureIndex([file.name for file in pictures])
    reading = read_table_captions(listing, index, table)
    if reading is None and table is None:
        reading = read_text_files(listing, index)
    return None if reading is None else CaptionedListing(listing, pictures, reading)


def _read_captioned_part(path: str, suffixes: tuple[str, ...], split: str) -> ItemList | None:
    captioned = find_captions(path, suffixes)
    if captioned is None:
        raise GanvasError(f"{path} has no captions: {CAPTION_ADVICE}")
    reading, names = captioned.reading, [file.name for file in captioned.pictures]
    part = choose_part(names, split)
    if part is None:
        return None
    title, part_notes = part.name_in(captioned.listing.title), part.notes
    return build_captioned_items(captioned, part.names.names, title, (*reading.notes, *part_notes))


def build_captioned_items(
    captioned: CaptionedListing, names: Sequence[str], title: str, notes: tuple[str, ...] = ()
) -> ItemList:
    """The pictures `names` with their captions and attributes.

    Raises:
        GanvasError: more than 5% of them have no caption.
    """
    listing, reading = captioned.listing, captioned.reading
    counts, rows = CaptionCounts(), _group_rows(reading.rows)
    captions = {name: clean_captions([text for row in rows.get(name, ()) for text in row.captions], counts) for name in names}
    used_names = [name for name in names if captions[name]]
    files = {file.name: file for file in captioned.pictures}
    count_notes = _describe_captions([captions[name] for name in used_names], reading.origin)
    bare_notes = _describe_bare_pictures(title, [name for name in names if not captions[name]], len(names))
    stray_notes = _describe_stray_rows([row.name for row in reading.rows if row.picture is None])
    known = derive_attributes([[row.cells for row in rows[name]] for name in sorted(rows)])
    positions = {name: k for k, name in enumerate(sorted(rows))}
    indices = np.array([positions[name] for name in used_names], np.int64)

    def read_picture(index: int) -> CaptionedPicture:
        return CaptionedPicture(files[used_names[index]], captions[used_names[index]])

    used_files = [files[name] for name in used_names]
    return ItemList(
        names=used_names,
        read_item=read_picture,  # type: ignore[arg-type]
        fingerprint=fingerprint_parts(
            listing.take_fingerprint(used_files, []), [captions[name] for name in used_names], known.attributes
        ),
        title=f"{title} ({format_count(len(used_names), 'picture')})",
        notes=(*listing.notes, *notes, *count_notes, *counts.describe(), *bare_notes, *stray_notes, *known.notes),
        attributes=known.attributes,
        attribute_values=known.values[indices] if known.attributes else None,
    )


def _group_rows(rows: Sequence[CaptionRow]) -> dict[str, list[CaptionRow]]:
    """The rows of each picture, by its path."""
    grouped = dict[str, list[CaptionRow]]()
    for row in rows:
        if row.picture is not None:
            grouped.setdefault(row.picture, []).append(row)
    return grouped


def count_captions(captions: Sequence[Sequence[str]]) -> str:
    """ "4,000 captions, 3,980 of them distinct" """
    texts = [text for picture_captions in captions for text in picture_captions]
    distinct_count = len(set(texts))
    share = "all" if distinct_count == len(texts) else f"{distinct_count:,} of them"
    return f"{format_count(len(texts), 'caption')}, {share} distinct"


def _describe_captions(captions: Sequence[Sequence[str]], origin: str) -> tuple[str, ...]:
    return (f"{count_captions(captions)}, from {origin}",)


def _describe_bare_pictures(title: str, names: Sequence[str], total: int) -> tuple[str, ...]:
    """A note about pictures without a caption. Raises GanvasError if they are many."""
    if not names:
        return ()
    verb = "has" if len(names) == 1 else "have"
    description = f"{format_count(len(names), 'picture')} of {total:,} in {title} {verb} no caption ({list_examples(names)})"
    if len(names) > MAX_BARE_SHARE * total:
        raise GanvasError(f"{description}: write their captions, or remove these pictures")
    return (f"{description}: left out",)


def _describe_stray_rows(names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    return (f"{format_count(len(names), 'row')} of captions without a picture left out ({list_examples(names)})",)
