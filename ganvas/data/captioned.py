"""Pictures with captions, to learn to make pictures from words."""

import re
from pathlib import Path

from ..configuration import config
from ..errors import GanvasError
from .captioned_items import CaptionedListing, build_captioned_items
from .captions.coco import JSON_SUFFIX, is_caption_file, read_coco_captions
from .captions.parquet import read_parquet_captions
from .captions.reading import CaptionReading, PictureIndex
from .captions.tables import read_table_captions
from .captions.text_files import read_text_files
from .formats import parquet
from .formats.folder import list_folder
from .items import MIN_DATASET_SAMPLES, ItemList, limit_items
from .listing import FileListing, choose_part, is_sample
from .names import normalise_name
from .sides import list_files

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".json", ".txt")  # of a path that is the table itself
ZIP_SUFFIX = ".zip"
ANNOTATION_FOLDER = "annotations"  # COCO's tables lie in it, and the pictures beside it
HEAD_BYTES, MAX_NAME_CHARACTERS = 4096, 255  # of a table, enough for its first lines; of a path in it
CAPTION_ADVICE = "write 0001.txt beside 0001.png, a caption a line; or captions.csv with the columns file_name and text"


@config
class Captioned:
    """Pictures with captions in a folder or a zip. A generator learns to make the picture, "x", from its caption, "text".

    path: pictures with a text beside each, 0001.png and 0001.txt; or with captions.csv, captions.tsv, metadata.jsonl or
        metadata.csv, with the columns file_name and text; or with COCO's annotations/captions_train2017.json; or such a table
        itself; or Parquet with the columns image and text.
    limit: train on at most this many pictures: random, but always the same.
    """

    path: str
    limit: int | None = None

    def items(self, suffixes: tuple[str, ...]) -> ItemList:
        """The pictures to train on: mappings with "x" and "text", a JSON list of captions in UTF-8.

        Raises:
            GanvasError: there are no captions, or fewer than two pictures; more than 5% of the pictures have no caption.
        """
        items = read_part(self._find_captions(suffixes), "train")
        if items is None or len(items) < MIN_DATASET_SAMPLES:
            raise GanvasError(f"{self.path} has no pictures with captions to train on: {MIN_DATASET_SAMPLES} are needed")
        return limit_items(items, self.limit)

    def held_out(self, suffixes: tuple[str, ...]) -> ItemList | None:
        """The pictures of a folder called test or val, with their captions; None if there is none."""
        return read_part(self._find_captions(suffixes), "test")

    def _find_captions(self, suffixes: tuple[str, ...]) -> CaptionedListing:
        captioned = find_captions(self.path, suffixes)
        if captioned is None:
            raise GanvasError(f"{self.path} has no pictures with captions: {CAPTION_ADVICE}")
        return captioned


def find_captions(path: str, suffixes: tuple[str, ...]) -> CaptionedListing | None:
    """All captions of a folder, a zip or a table; None if there are none. `suffixes` are those of pictures.

    Raises:
        GanvasError: a table of captions that cannot be read, or a path that is none of the three.
    """
    location = Path(path).expanduser()
    if location.exists() and parquet.takes_path(location):
        rows = read_parquet_captions(location)
        return None if rows is None else CaptionedListing(rows.listing, rows.listing.files, rows.reading)
    listing, table = _list_set(location)
    pictures = [file for file in listing.files if is_sample(file, suffixes)]
    reading = None if not pictures else _read_captions(listing, PictureIndex([file.name for file in pictures]), table)
    return None if reading is None else CaptionedListing(listing, pictures, reading)


def may_hold_captions(location: Path, suffixes: tuple[str, ...]) -> bool:
    """Whether a path holds pictures, or is a table that names one; then `find_captions` can look. It reads little."""
    if not location.exists():
        return False
    if parquet.takes_path(location):
        return parquet.has_pictures(location)
    if location.is_file() and location.suffix.lower() in TABLE_SUFFIXES:
        return is_caption_file(location.name) or _names_picture(location)
    is_set = location.is_dir() or location.suffix.lower() == ZIP_SUFFIX
    return is_set and any(is_sample(file, suffixes) for file in list_files(str(location)).files)


def _names_picture(table: Path) -> bool:
    """Whether one of a table's first lines names a file beside it."""
    with table.open("rb") as file:
        lines = file.read(HEAD_BYTES).decode("utf-8", "replace").splitlines()[:2]
    cells = [cell.strip(' "{}') for line in lines for cell in re.split(r'[,\t]|"\s*:\s*"', line)]
    return any(0 < len(cell) <= MAX_NAME_CHARACTERS and "\0" not in cell and (table.parent / cell).is_file() for cell in cells)


def _list_set(location: Path) -> tuple[FileListing, str | None]:
    """(all files of the set, the path of its table among them if it was given instead of the folder)."""
    if location.is_dir() or (location.is_file() and location.suffix.lower() == ZIP_SUFFIX):
        return list_files(str(location)), None
    if not location.is_file() or location.suffix.lower() not in TABLE_SUFFIXES:
        fault = "is no folder, zip or table of captions" if location.exists() else "does not exist"
        raise GanvasError(f"{location} {fault}: give a folder of pictures, and {CAPTION_ADVICE}")
    is_below = location.parent.name == ANNOTATION_FOLDER
    top = location.parent.parent if is_below else location.parent
    return list_folder(top), normalise_name(str(location.relative_to(top)))


def _read_captions(listing: FileListing, pictures: PictureIndex, table: str | None) -> CaptionReading | None:
    """The captions by the first format that has some."""
    if table is not None:
        read_table = read_coco_captions if table.lower().endswith(JSON_SUFFIX) else read_table_captions
        return read_table(listing, pictures, table)
    for read in (read_table_captions, read_coco_captions, read_text_files):
        reading = read(listing, pictures)
        if reading is not None:
            return reading
    return None


def read_part(captioned: CaptionedListing, split: str) -> ItemList | None:
    """The pictures to train on, or to hold out ("test"); None if there are none."""
    listing, parts = captioned.listing, captioned.reading.parts
    if parts is not None:
        return build_captioned_items(captioned, parts[split], listing.title) if parts.get(split) else None
    part = choose_part([file.name for file in captioned.pictures], split)
    return None if part is None else build_captioned_items(captioned, part.names.names, part.name_in(listing.title), part.notes)
