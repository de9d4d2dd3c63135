"""show samples above the training samples nearest to them"""

from dataclasses import dataclass
from pathlib import Path

from . import SamplingArguments
from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments(SamplingArguments):
    """Draw samples, each above the training sample that is nearest to it. If the two look the same, the sample is a copy.

    Example:
        ganvas nearest runs/auto --seeds 0-15

    seeds: the samples to look at: 0-15 or 3,1,4.
    data: other data to search. Default: the run's training data.
    extractor: the network that says what is near: efficientnet, classifier, inception or pixels. Default: the first of the run.
    out: the picture to write, a PNG. Default: RUN/copies.png.
    """

    seeds: str = "0-15"
    data: str | None = None
    extractor: str | None = None
    out: str | None = None


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "nearest", Arguments())
    arguments = parse_settings(Arguments, Arguments(), argv, "ganvas nearest RUN")
    from ..api import nearest
    from ..core import PrivateMethod
    from ..system.console import print_status

    looks_at_people = isinstance(run.recipe.method, PrivateMethod) and arguments.data is None
    print_status(
        not looks_at_people, "note: this looks at the training data, so the picture is not private: keep it to yourself"
    )

    out = Path(arguments.out) if arguments.out else run.path / "copies.png"
    nearest(run, arguments.seeds, data=arguments.data, extractor=arguments.extractor, out=out, **arguments.sampling_options)
    print(out)
    return 0
