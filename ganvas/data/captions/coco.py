"""COCO's captions: a JSON file of pictures and annotations. Chen et al. 2015."""

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from ...errors import GanvasError
from ..labels import MAX_TABLE_BYTES
from ..listing import FileListing, ListedFile
from .reading import CaptionReading, CaptionRow, PictureIndex
from .texts import decode_file_text

JSON_SUFFIX = ".json"
NAME_BEGINNING = "captions"  # captions_train2017.json
HELD_OUT_WORDS = ("val", "test", "dev")  # captions_val2017.json holds pictures to score against


class CocoFile(NamedTuple):
    """One file: the pictures that it lists and those found, and a row for each caption."""

    name: str
    pictures: Sequence[str]
    rows: Sequence[CaptionRow]


def read_coco_captions(listing: FileListing, pictures: PictureIndex, table: str | None = None) -> CaptionReading | None:
    """The captions of captions_train2017.json and captions_val2017.json, say; None if there is no such file.

    table: the path of another file, if it is meant and no other.

    Raises:
        GanvasError: a file cannot be read or is not in COCO's format, or there are several to train on.
    """
    chosen_files = [file for file in listing.files if (file.name == table if table else is_caption_file(file.name))]
    parsed = {file.name: parse_coco_file(file, pictures) for file in chosen_files}
    coco_files = [file for file in parsed.values() if file.pictures]
    if not parsed:
        return None
    if not coco_files:
        raise GanvasError(f"{' and '.join(parsed)} names no picture of {listing.title}: put the folder of pictures beside it")
    held_out = [file for file in coco_files if any(word in PurePosixPath(file.name).name for word in HELD_OUT_WORDS)]
    training = [file for file in coco_files if file not in held_out] or held_out
    held_out = [file for file in held_out if file not in training]
    for files in (training, held_out):
        if len(files) > 1:
            raise GanvasError(f"{listing.title} has {' and '.join(f.name for f in files)}: give one of these files itself")
    parts = {"train": training[0].pictures} | ({"test": held_out[0].pictures} if held_out else {})
    used_files = [*training, *held_out]
    rows = [row for file in used_files for row in file.rows]
    return CaptionReading(" and ".join(file.name for file in used_files), rows, parts)


def is_caption_file(name: str) -> bool:
    """Whether a file is called as COCO calls its captions."""
    file_name = PurePosixPath(name).name.lower()
    return file_name.startswith(NAME_BEGINNING) and file_name.endswith(JSON_SUFFIX)


def parse_coco_file(file: ListedFile, pictures: PictureIndex) -> CocoFile:
    """The pictures and captions of a file. Raises GanvasError if it cannot be read, or is in another format."""
    if file.stamp[1] > MAX_TABLE_BYTES:
        raise GanvasError(f"{file.name} is larger than {MAX_TABLE_BYTES // 2**20} MB: refused")
    try:
        content = json.loads(decode_file_text(file.read()))
        names = {entry["id"]: str(entry["file_name"]) for entry in content["images"]}
        annotations = [(entry["image_id"], str(entry["caption"])) for entry in content["annotations"]]
    except GanvasError as error:
        raise GanvasError(f"{file.name} {error}") from None
    except (ValueError, RecursionError) as error:
        raise GanvasError(f"{file.name} cannot be read ({error}): fetch it again") from None
    except (KeyError, TypeError):
        raise GanvasError(
            f'{file.name} is not in COCO\'s format for captions: "images" with id and file_name, and "annotations" with '
            "image_id and caption"
        ) from None
    found = _find_pictures(names, pictures, PurePosixPath(file.name).stem)
    rows = [CaptionRow(names.get(number, f"picture {number}"), found.get(number), (text,)) for number, text in annotations]
    return CocoFile(file.name, list(dict.fromkeys(found.values())), rows)


def _find_pictures(names: dict[Any, str], pictures: PictureIndex, stem: str) -> dict[Any, str]:
    """The path of each picture that is there. Those of captions_train2017 are sought in folders called train2017 first."""
    folder_name = stem.partition("_")[2]
    folders = sorted({path.rpartition("/")[0] for path in pictures.paths})
    folders = [f"{folder}/" for folder in folders if folder and folder.rpartition("/")[2] == folder_name] or [""]
    found = {number: pictures.find_picture(name, folder) for folder in folders[:1] for number, name in names.items()}
    return {number: path for number, path in found.items() if path is not None}
