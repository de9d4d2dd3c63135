"""Names of files in one form, wherever they were written."""

import re
import unicodedata

FOREIGN_SHADOWS = ("__MACOSX", "@eaDir", "$RECYCLE.BIN")  # folders of systems' own copies: macOS, Synology, Windows


def normalise_name(name: str) -> str:
    """A path with "/" between its parts, whoever parted them how, and with its letters composed (NFC).

    Archives made on Windows have "\\\\", and macOS takes letters apart: é is e and an accent. ".." and a leading "/" stay:
    nothing is ever opened by this name.
    """
    parted_name = re.sub(r"(?<=/)(\./|/)+|^(\./+)+", "", name.replace("\\", "/"))
    return unicodedata.normalize("NFC", parted_name)


def is_hidden(name: str) -> bool:
    """Whether a path names something hidden, or a system's shadow of a file."""
    return any((p.startswith(".") and p not in (".", "..")) or p in FOREIGN_SHADOWS for p in name.split("/"))
