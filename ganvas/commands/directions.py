"""directions along which samples change: found, drawn, kept for --edit"""

from dataclasses import dataclass
from pathlib import Path

from . import SamplingArguments
from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments(SamplingArguments):
    """Find directions along which samples change, draw them, and keep them with the run: generate --edit NAME=1.5 follows them.

    by: sefa (what moves the layers that read the code most), pca (how codes vary most), labels (from the other classes to one).
    count: of directions by sefa and pca.
    seeds: whose samples the picture shows, moved.
    data: for labels, where classes are from instead of the run's training data.
    extractor: what sees samples, for labels: classifier, efficientnet, pixels. [default: the recipe's]
    out: the picture, a PNG. [default: RUN/directions-BY.png]
    """

    by: str = "sefa"
    count: int = 8
    seeds: str = "0-1"
    data: str | None = None
    extractor: str | None = None
    out: str | None = None


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "directions", Arguments())
    arguments = parse_settings(Arguments, Arguments(), argv, "ganvas directions RUN")
    from ..api import directions

    out = Path(arguments.out) if arguments.out else run.path / f"directions-{arguments.by}.png"
    settings = {name: getattr(arguments, name) for name in ("by", "count", "seeds", "data", "extractor")}
    found_directions = directions(run, **settings, out=out, quiet=False, **arguments.sampling_options)
    print(f"{', '.join(found_directions)}\n{out}")
    return 0
