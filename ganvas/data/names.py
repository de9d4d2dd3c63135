"""Names of files in one form, wherever they were written, and some of them in words."""

import re
import unicodedata
from collections.abc import Sequence

from ..system.files import repair_text

FOREIGN_SHADOWS = ("__MACOSX", "@eaDir", "$RECYCLE.BIN")  # folders of systems' own copies: macOS, Synology, Windows


def normalise_name(name: str) -> str:
    """A path with "/" between its parts, whoever parted them how, and with its letters composed (NFC) and fit for UTF-8.

    Archives made on Windows have "\\\\", and macOS takes letters apart: é is e and an accent. ".." and a leading "/" stay:
    nothing is ever opened by this name.
    """
    parted_name = re.sub(r"(?<=/)(\./|/)+|^(\./+)+", "", name.replace("\\", "/"))
    return unicodedata.normalize("NFC", repair_text(parted_name))


def is_hidden(name: str) -> bool:
    """Whether a path names something hidden, or a system's shadow of a file."""
    return any((p.startswith(".") and p not in (".", "..")) or p in FOREIGN_SHADOWS for p in name.split("/"))


def list_examples(names: Sequence[str]) -> str:
    """ "a.png, b.png, c.png, …" """
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def format_count(count: int, noun: str = "file", plural: str | None = None) -> str:
    """ "1,204 files" """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
