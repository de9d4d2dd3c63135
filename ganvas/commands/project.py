"""the code whose sample looks most like a picture"""

import sys
from dataclasses import dataclass
from pathlib import Path

from .parsing import parse, run_first


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
    checkpoint: best, last, or images seen.
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


def main(words: list[str]) -> int:
    run, words = run_first(words, "project", Arguments())
    if words and words[0] in ("-h", "--help"):
        words = ["", *words]
    if not words or words[0].startswith("-"):
        print("ganvas: which picture? ganvas project RUN IMAGE", file=sys.stderr)
        return 2
    image, got = Path(words[0]), parse(Arguments, Arguments(), words[1:], "ganvas project RUN IMAGE")
    from ..api import project

    out = Path(got.out) if got.out else run.path / "projected" / image.stem
    settings = {name: getattr(got, name) for name in ("features", "steps", "tune", "tuned", "label", "checkpoint", "device")}
    for what, found in zip(("found", "tuned"), project(run, image, out=out, quiet=False, **settings), strict=False):
        print(f"{what}  RMS error {found.error:.4f} of values in [-1, 1], distance {found.distance:.4f}")
    print(out)
    return 0
