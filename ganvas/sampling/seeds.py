"""Seeds as a person writes them: numbers and ranges."""

import re

from ..errors import GanvasError

MOST = 64  # rows and columns of a picture at most


def seeds(text: str, what: str = "seeds", most: int = MOST) -> list[int]:
    """ "0-3,7" as [0, 1, 2, 3, 7]. Raises GanvasError for anything else, and for more than `most`."""
    found: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,18})(?:\s*-\s*(\d{1,18}))?\s*", part)
        if not match or int(match[2] or match[1]) < int(match[1]):
            raise GanvasError(f"{what} are numbers and ranges such as 0-3,7, got {text!r}")
        first, last = int(match[1]), int(match[2] or match[1])
        if last - first + 1 + len(found) > most:
            raise GanvasError(f"{what} may be {most:,} at most, got {text!r}")
        found += range(first, last + 1)
    return found
