"""Files of captions beside pictures: 0001.txt beside 0001.png, one caption a line."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from ...errors import GanvasError
from ..listing import FileListing, ListedFile
from ..names import format_count, list_examples
from .reading import CaptionReading, CaptionRow, PictureIndex
from .texts import decode_file_text

TEXT_SUFFIX = ".txt"
MAX_TEXT_FILE_BYTES = 64 * 2**10
MIN_CAPTIONED_SHARE = 0.5  # of all pictures: with fewer, texts beside them are something else


def read_text_files(listing: FileListing, pictures: PictureIndex) -> CaptionReading | None:
    """The captions of the .txt files called as the pictures are; None if most pictures have none, or they hold numbers.

    Raises:
        GanvasError: a file is too large for captions.
    """
    files = _pair_texts(listing, pictures)
    if len(files) < max(1, MIN_CAPTIONED_SHARE * len(pictures.paths)):
        return None
    texts, faults = _read_texts(files)
    lettered_count = sum(any(map(str.isalpha, text)) for text in texts.values())
    if lettered_count < MIN_CAPTIONED_SHARE * len(files):  # boxes of objects are written so, too
        if faults:
            raise GanvasError(f"{listing.title}: {faults[0]}")
        return None
    rows = [CaptionRow(picture, picture, tuple(text.split("\n"))) for picture, text in texts.items()]
    notes = (f"{format_count(len(faults))} of captions left out: {list_examples(faults)}",) if faults else ()
    return CaptionReading("the .txt files beside them", rows, notes=notes)


def _pair_texts(listing: FileListing, pictures: PictureIndex) -> Mapping[str, ListedFile]:
    """The file of texts of each picture that has one: 0001.txt, or 0001.png.txt."""
    files = {file.name: file for file in listing.files if file.name.lower().endswith(TEXT_SUFFIX)}
    by_stem = {name[: -len(TEXT_SUFFIX)]: file for name, file in files.items()}
    pairs = {
        path: by_stem.get(str(PurePosixPath(path).with_suffix(""))) or by_stem.get(path) for path in sorted(pictures.paths)
    }
    return {path: file for path, file in pairs.items() if file is not None}


def _read_texts(files: Mapping[str, ListedFile]) -> tuple[dict[str, str], list[str]]:
    """(text by picture, what is wrong with the files that are no text). Raises GanvasError for a file that is too large."""
    texts, faults = dict[str, str](), list[str]()
    for picture, file in files.items():
        if file.stamp[1] > MAX_TEXT_FILE_BYTES:
            raise GanvasError(
                f"{file.name} has {file.stamp[1]:,} bytes, more than {MAX_TEXT_FILE_BYTES:,}: a file of captions has one a line"
            )
        try:
            texts[picture] = decode_file_text(file.read()).rstrip("\r\n").replace("\r", "\n")
        except (GanvasError, OSError) as error:
            faults.append(f"{file.name} {error}")
    return texts, faults
