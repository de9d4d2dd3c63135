"""Pictures with their captions as items, and what is said of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..errors import GanvasError
from .attributes import derive_attributes
from .captions.reading import CaptionReading, CaptionRow
from .captions.texts import CaptionCounts, clean_captions
from .items import ItemList, fingerprint_parts
from .listing import FileListing, ListedFile
from .names import format_count, list_examples

MAX_BARE_SHARE = 0.05  # of pictures without a caption that are left out; more of them are refused


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
    caption_notes = [
        f"{count_captions([captions[name] for name in used_names])}, from {reading.origin}",
        *counts.describe(),
        *_describe_bare_pictures(title, [name for name in names if not captions[name]], len(names)),
        *_describe_stray_rows([row.name for row in reading.rows if row.picture is None]),
    ]
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
        notes=(*listing.notes, *reading.notes, *notes, *caption_notes, *known.notes),
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
