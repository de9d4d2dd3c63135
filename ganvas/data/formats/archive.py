"""A zip of files, one a sample. Nothing is ever unpacked to the disk, so a hostile path inside is only a name."""

import zipfile
from pathlib import Path

from ...errors import GanvasError
from ..items import Listed, fingerprint, hidden, listed
from ..labels import of_files, table_among
from .folder import nothing_found

MOST = 256 * 2**20  # bytes of one file, unpacked: a bound against zip bombs
ENCRYPTED = 0x1  # a bit of an entry's flags


def read(path: Path, suffixes: tuple[str, ...]) -> Listed:
    """All files in the archive that end in one of the suffixes, in name order; folders or labels.csv are labels.

    Raises:
        GanvasError: no archive, a broken or an encrypted one, or none of the files fits.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise GanvasError(f"{path} is no zip archive, or an incomplete one ({error}): fetch or pack it again") from error
    everything = [e for e in archive.infolist() if not e.is_dir() and not hidden(e.filename)]
    entries = sorted((e for e in everything if e.filename.lower().endswith(suffixes)), key=lambda e: e.filename)
    if not entries:
        raise nothing_found(str(path), suffixes, [e.filename for e in everything])
    if any(e.flag_bits & ENCRYPTED for e in entries):
        raise GanvasError(f"{path} is encrypted: unpack it with its password and give the folder")
    names = [e.filename for e in entries]
    table = table_among(names, [e.filename for e in everything])
    labels, classes = of_files(names, table, str(path), lambda name: _unpacked(archive, archive.getinfo(name)))
    marks = [*entries, *(e for e in everything if e.filename == table)]
    return Listed(
        names=names,
        read=lambda i: _unpacked(archive, entries[i]),
        fingerprint=fingerprint([(e.filename, e.file_size, e.CRC) for e in marks]),
        title=f"{path.name} ({listed(len(names))})",
        labels=labels,
        classes=classes,
    )


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.file_size > MOST:  # zipfile reads no more than the size that the entry states
        raise GanvasError(f"is {entry.file_size / 2**20:,.0f} MB unpacked, more than {MOST // 2**20} MB: refused")
    try:
        return archive.read(entry)
    except Exception as error:  # each way of packing has errors of its own
        raise GanvasError(f"cannot be unpacked ({error})") from error
