"""blend a part of one picture into another without a seam"""

import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import GanvasError
from .parsing import parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Blend a part of the picture SOURCE into the picture TARGET: details of the part, colours of the target.

    Example:
        ganvas blend duck.png lake.jpg --mask duck-mask.png --at 120,80 --out blended.png

    mask: a picture that is white where the source is taken: black and white, 0 and 1, or transparent. It is as large as the
        source, or as the target. Default: where the source is not transparent.
    at: column and row in the target of the source's upper left corner, such as 120,80. Default: the middle.
    run: a translator that was trained to make rough pastes natural; it chooses the colours. Default: they follow from the seam.
    out: the picture to write, a PNG.
    checkpoint: the state of the run: best, last, or a number of samples seen.
    device: where to compute the translation: auto, cpu, cuda or mps.
    """

    mask: str | None = None
    at: str | None = None
    run: str | None = None
    out: str = "blended.png"
    checkpoint: str = "best"
    device: str = "auto"


def main(argv: list[str]) -> int:
    if len(argv) < 2 or argv[0].startswith("-") or argv[1].startswith("-"):
        if not any(word in ("-h", "--help") for word in argv):
            print("ganvas: which two pictures? ganvas blend SOURCE TARGET --mask MASK", file=sys.stderr)
            return 2
        argv = ["", "", "--help"]
    arguments = parse_settings(Arguments, Arguments(), argv[2:], "ganvas blend SOURCE TARGET")
    from ..api import blend

    blend(
        argv[0],
        argv[1],
        mask=arguments.mask,
        at=parse_place(arguments.at),
        run=arguments.run,
        out=Path(arguments.out),
        checkpoint=arguments.checkpoint,
        device=arguments.device,
        say=lambda line: print(line, file=sys.stderr),
    )
    print(arguments.out)
    return 0


def parse_place(text: str | None) -> tuple[int, int] | None:
    """ "120,80" as (120, 80). Raises GanvasError for anything else."""
    if text is None:
        return None
    words = text.split(",")
    try:
        column, row = (int(word) for word in words)
    except ValueError:
        raise GanvasError(f"--at is COLUMN,ROW in pixels, such as 120,80, got {text!r}") from None
    return column, row
