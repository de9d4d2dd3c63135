"""find directions along which samples change, such as wider or darker"""

from dataclasses import dataclass
from pathlib import Path

from . import SamplingArguments
from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments(SamplingArguments):
    """Find directions along which samples change, draw them, and keep them with the run.

    Then `ganvas generate RUN --edit NAME=2` moves samples along one. A run keeps the directions that were found last.

    Example:
        ganvas directions runs/auto --by sefa --count 4

    by: how to find them. sefa: what moves the layers that read the code most; pca: how codes vary most; labels: from the other
        classes to one, for generators that are not told the class.
    count: how many directions sefa and pca find.
    seeds: the samples that the picture shows, moved along each direction: 0-1 or 0,4,7.
    data: for labels, the data that shows the classes. Default: the run's training data.
    extractor: for labels, the network that recognises them: efficientnet, classifier or pixels. Default: the first of the run.
    out: the picture to write, a PNG. Default: RUN/directions-BY.png.
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
