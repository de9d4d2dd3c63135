"""the code whose sample looks most like a picture"""

import sys
from dataclasses import dataclass
from pathlib import Path

from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Find the code whose sample looks most like IMAGE; write both side by side, and the code for generate --code.

    features: by which pictures are compared: efficientnet (photographs), classifier (small grey pictures), pixels. [default:
        efficientnet for colours where it is installed, else pixels]
    steps: of the search.
    tune: steps of moving the generator towards the picture afterwards (pivotal tuning).
    tuned: a folder for a run with the tuned generator.
    out: the folder. [default: RUN/projected/IMAGE]
    label: of which class (its name or number), for runs with labels.
    checkpoint: best, last, or samples seen.
    device: auto, cpu, cuda or mps.
    """

    features: str = "auto"
    steps: int = 300
    tune: int = 0
    tuned: str | None = None
    out: str | None = None
    label: str | None = None
    checkpoint: str = "best"
    device: str = "auto"


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "project", Arguments())
    if argv and argv[0] in ("-h", "--help"):
        argv = ["", *argv]
    if not argv or argv[0].startswith("-"):
        print("ganvas: which picture? ganvas project RUN IMAGE", file=sys.stderr)
        return 2
    image, arguments = Path(argv[0]), parse_settings(Arguments, Arguments(), argv[1:], "ganvas project RUN IMAGE")
    from ..api import project

    out = Path(arguments.out) if arguments.out else run.path / "projected" / image.stem
    settings = {name: getattr(arguments, name) for name in ("features", "steps", "tune", "tuned", "checkpoint", "device")}
    for stage, projection in zip(("found", "tuned"), project(run, image, out=out, quiet=False, **settings), strict=False):
        print(f"{stage}  RMS error {projection.error:.4f} of values in [-1, 1], distance {projection.distance:.4f}")
    print(out)
    return 0
