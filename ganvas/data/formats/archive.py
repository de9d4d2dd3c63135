"""A zip of files, one per sample. Nothing is ever unpacked to the disk, so a hostile path inside is only a name."""

import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from ...errors import GanvasError
from ...system.signatures import SIGNATURE_BYTES
from ..items import ItemList, fingerprint_parts
from ..listing import FileListing, ListedFile, build_listed_items
from ..names import is_hidden, normalise_name

MAX_UNPACKED_BYTES = 256 * 2**20  # bytes of one file, unpacked: a limit against zip bombs
ENCRYPTED_FLAG, UTF8_FLAG = 0x1, 0x800  # bits of an entry's flags


def read_zip_items(path: Path, suffixes: tuple[str, ...], split: str) -> ItemList | None:
    """All files in the archive that end in one of the suffixes, in name order; labels come from folders or a table.

    If the set has parts: the part "train" or "test"; None if it has no part to hold out.

    Raises:
        GanvasError: no archive, a broken or an encrypted one, or no such file.
    """
    return build_listed_items(list_archive(path), suffixes, split)


def list_archive(path: Path) -> FileListing:
    """The files in the archive. Raises GanvasError for none, a broken or an encrypted one."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:  # ValueError: names that are not UTF-8
        raise GanvasError(f"{path} is not a zip archive, or an incomplete one ({error}): fetch or pack it again") from error
    entries = {e: normalise_name(_decode_name(e)) for e in archive.infolist()}
    entries = {e: name for e, name in entries.items() if not name.endswith("/") and not is_hidden(name)}
    if any(e.flag_bits & ENCRYPTED_FLAG for e in entries):
        raise GanvasError(f"{path} is encrypted: unpack it with its password and give the folder")
    files = [
        ListedFile(
            name, (e.filename, e.file_size, e.CRC), partial(_unpack_entry, archive, e), partial(_unpack_head, archive, e)
        )
        for e, name in entries.items()
    ]

    def take_fingerprint(samples: Sequence[ListedFile], others: Sequence[ListedFile]) -> str:
        return fingerprint_parts([file.stamp for file in (*samples, *others)])

    return FileListing(str(path), path.name, sorted(files, key=lambda file: file.name), take_fingerprint, True)


def _decode_name(entry: zipfile.ZipInfo) -> str:
    """An entry's name. macOS writes UTF-8 without the flag for it, so names that are valid UTF-8 are read as that."""
    try:
        return entry.filename if entry.flag_bits & UTF8_FLAG else entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _unpack_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.file_size > MAX_UNPACKED_BYTES:  # zipfile reads no more than the size that the entry states
        raise GanvasError(f"is {entry.file_size / 2**20:,.0f} MB unpacked, more than {MAX_UNPACKED_BYTES // 2**20} MB: refused")
    try:
        return archive.read(entry)
    except Exception as error:  # each way of packing has its own errors
        raise GanvasError(f"cannot be unpacked ({error})") from error


def _unpack_head(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(entry) as file:
            return file.read(SIGNATURE_BYTES)
    except Exception:  # as above
        return b""
