"""A zip of files, one per sample. Nothing is ever unpacked to the disk, so a hostile path inside is only a name."""

import zipfile
from pathlib import Path

from ...errors import GanvasError
from ..items import ItemList, fingerprint_parts, format_count, is_hidden
from ..labels import find_label_table, read_file_labels
from .folder import build_no_samples_error

MAX_UNPACKED_BYTES = 256 * 2**20  # bytes of one file, unpacked: a limit against zip bombs
ENCRYPTED_FLAG = 0x1  # a bit of an entry's flags


def read_zip_items(path: Path, suffixes: tuple[str, ...]) -> ItemList:
    """All files in the archive that end in one of the suffixes, in name order; labels come from folders or labels.csv.

    Raises:
        GanvasError: no archive, a broken or an encrypted one, or no such file.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise GanvasError(f"{path} is not a zip archive, or an incomplete one ({error}): fetch or pack it again") from error
    all_entries = [e for e in archive.infolist() if not e.is_dir() and not is_hidden(e.filename)]
    entries = sorted((e for e in all_entries if e.filename.lower().endswith(suffixes)), key=lambda e: e.filename)
    if not entries:
        raise build_no_samples_error(str(path), suffixes, [e.filename for e in all_entries])
    if any(e.flag_bits & ENCRYPTED_FLAG for e in entries):
        raise GanvasError(f"{path} is encrypted: unpack it with its password and give the folder")
    names = [e.filename for e in entries]
    table = find_label_table(names, [e.filename for e in all_entries])
    labels, classes = read_file_labels(names, table, str(path), lambda name: _unpack_entry(archive, archive.getinfo(name)))
    labelled_entries = [*entries, *(e for e in all_entries if e.filename == table)]
    return ItemList(
        names=names,
        read_item=lambda i: _unpack_entry(archive, entries[i]),
        fingerprint=fingerprint_parts([(e.filename, e.file_size, e.CRC) for e in labelled_entries]),
        title=f"{path.name} ({format_count(len(names))})",
        labels=labels,
        classes=classes,
    )


def _unpack_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.file_size > MAX_UNPACKED_BYTES:  # zipfile reads no more than the size that the entry states
        raise GanvasError(f"is {entry.file_size / 2**20:,.0f} MB unpacked, more than {MAX_UNPACKED_BYTES // 2**20} MB: refused")
    try:
        return archive.read(entry)
    except Exception as error:  # each way of packing has its own errors
        raise GanvasError(f"cannot be unpacked ({error})") from error
