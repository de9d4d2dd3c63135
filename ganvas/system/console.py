"""Status lines, and text in columns."""

import sys
from collections.abc import Iterable, Sequence


def print_status(is_quiet: bool, message: str) -> None:
    """Print a line on stderr, apart from a command's own output."""
    if not is_quiet:
        print(message, file=sys.stderr)


def align_columns(rows: Sequence[Sequence[str]], left_columns: Iterable[int]) -> str:
    """Rows as columns two blanks apart: `left_columns` aligned to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = ["<" if i in set(left_columns) else ">" for i in range(len(widths))]
    lines = ("  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)) for row in rows)
    return "\n".join(f"  {line}".rstrip() for line in lines)
