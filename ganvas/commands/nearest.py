"""samples above the training samples nearest to them: copies show"""

from dataclasses import dataclass
from pathlib import Path

from . import SamplingArguments
from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments(SamplingArguments):
    """A picture of samples, each above the training sample nearest to it, so that copying shows.

    seeds: whose samples.
    data: where to look instead of the run's training data.
    extractor: what sees them: classifier, efficientnet, inception or pixels. [default: the recipe's]
    out: the picture, a PNG. [default: RUN/copies.png]
    """

    seeds: str = "0-15"
    data: str | None = None
    extractor: str | None = None
    out: str | None = None


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "nearest", Arguments())
    arguments = parse_settings(Arguments, Arguments(), argv, "ganvas nearest RUN")
    from ..api import nearest

    out = Path(arguments.out) if arguments.out else run.path / "copies.png"
    nearest(run, arguments.seeds, data=arguments.data, extractor=arguments.extractor, out=out, **arguments.sampling_options)
    print(out)
    return 0
