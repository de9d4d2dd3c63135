"""find the code whose sample looks most like a picture"""

import sys
from dataclasses import dataclass
from pathlib import Path

from . import collect_conditions
from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Find the code whose sample looks most like IMAGE. Both are drawn side by side, and the code is written to a file.

    Then `ganvas generate RUN --code FILE` makes the sample again.

    Example:
        ganvas project runs/auto face.png --tune 200

    features: what pictures are compared by: efficientnet (photographs), classifier (small grey pictures) or pixels. Default:
        efficientnet for coloured pictures where it is installed, else pixels.
    steps: how many steps the search takes.
    tune: how many steps then change the generator itself, so that it makes the picture better (pivotal tuning).
    tuned: a folder for a new run with the tuned generator.
    out: the folder to write to. Default: RUN/projected/IMAGE.
    label: the class to search in, by its name or number.
    text: what IMAGE shows, in words, for runs that were trained on captions.
    checkpoint: the state of the run: best, last, or a number of samples seen.
    device: where to compute: auto, cpu, cuda or mps.
    """

    features: str = "auto"
    steps: int = 300
    tune: int = 0
    tuned: str | None = None
    out: str | None = None
    label: str | None = None
    text: str | None = None
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
    settings["conditions"] = collect_conditions(arguments.label, (), arguments.text)
    for stage, projection in zip(("found", "tuned"), project(run, image, out=out, quiet=False, **settings), strict=False):
        print(f"{stage}  RMS error {projection.error:.4f} of values in [-1, 1], distance {projection.distance:.4f}")
    print(out)
    return 0
