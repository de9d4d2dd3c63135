"""samples above the training samples nearest to them: copies show"""

from dataclasses import dataclass
from pathlib import Path

from . import Sampling
from .parsing import parse, run_first


@dataclass(frozen=True, kw_only=True)
class Arguments(Sampling):
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


def main(words: list[str]) -> int:
    run, words = run_first(words, "nearest", Arguments())
    got = parse(Arguments, Arguments(), words, "ganvas nearest RUN")
    from ..api import nearest

    out = Path(got.out) if got.out else run.path / "copies.png"
    nearest(run, got.seeds, data=got.data, extractor=got.extractor, out=out, **got.sampling)
    print(out)
    return 0
