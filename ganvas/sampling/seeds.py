"""Parse lists of seeds: numbers and ranges."""

import re

from ..errors import GanvasError

MAX_ROWS_OR_COLUMNS = 64  # most rows or columns of a picture


def parse_number_list(text: str, what: str = "seeds", limit: int = MAX_ROWS_OR_COLUMNS) -> list[int]:
    """ "0-3,7" as [0, 1, 2, 3, 7]. Raises GanvasError for other text, and for more than `limit` numbers."""
    numbers: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,18})(?:\s*-\s*(\d{1,18}))?\s*", part)
        if not match or int(match[2] or match[1]) < int(match[1]):
            raise GanvasError(f"{what} are numbers and ranges such as 0-3,7, got {text!r}")
        first, last = int(match[1]), int(match[2] or match[1])
        if last - first + 1 + len(numbers) > limit:
            raise GanvasError(f"{what} may be {limit:,} at most, got {text!r}")
        numbers += range(first, last + 1)
    return numbers
