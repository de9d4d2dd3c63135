"""Names of files: brought to one form, and listed in messages."""

import re
import unicodedata
from collections.abc import Sequence

from ..system.files import repair_text

FOREIGN_SHADOWS = ("__MACOSX", "@eaDir", "$RECYCLE.BIN")  # folders that macOS, Synology and Windows add


def normalise_name(name: str) -> str:
    """A path in one form: separated by "/", composed letters (NFC), valid UTF-8.

    Archives from Windows may be separated by "\\\\". macOS decomposes letters: é becomes e and an accent.
    ".." and a leading "/" stay, because nothing is opened by this name.
    """
    separated_name = re.sub(r"(?<=/)(\./|/)+|^(\./+)+", "", name.replace("\\", "/"))
    return unicodedata.normalize("NFC", repair_text(separated_name))


def is_hidden(name: str) -> bool:
    """Whether a path is hidden, or lies in a folder that an operating system added."""
    return any((p.startswith(".") and p not in (".", "..")) or p in FOREIGN_SHADOWS for p in name.split("/"))


def list_examples(names: Sequence[str]) -> str:
    """ "a.png, b.png, c.png, …" """
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def format_count(count: int, noun: str = "file", plural: str | None = None) -> str:
    """ "1,204 files" """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
