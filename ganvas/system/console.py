"""What is printed beside a command's own output."""

import sys
from collections.abc import Iterable, Sequence


def say(quiet: bool, text: str) -> None:
    """A line on stderr, beside whatever a command prints."""
    if not quiet:
        print(text, file=sys.stderr)


def aligned(rows: Sequence[Sequence[str]], left: Iterable[int]) -> str:
    """Rows as columns two blanks apart, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = ["<" if i in set(left) else ">" for i in range(len(widths))]
    lines = ("  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)) for row in rows)
    return "\n".join(f"  {line}".rstrip() for line in lines)
