"""a picture of a style network's styles, mixed"""

from dataclasses import dataclass
from pathlib import Path

from . import Sampling
from .parsing import parse, run_first


@dataclass(frozen=True, kw_only=True)
class Arguments(Sampling):
    """A picture of mixed styles: each row's sample with some layers' styles of each column's.

    rows: seeds, at the left.
    columns: seeds, at the top.
    layers: which take the column's style; coarse ones come first. [default: the finer half]
    out: the picture, a PNG. [default: RUN/mix.png]
    """

    rows: str = "0-3"
    columns: str = "4-9"
    layers: str | None = None
    out: str | None = None


def main(words: list[str]) -> int:
    run, words = run_first(words, "mix", Arguments())
    got = parse(Arguments, Arguments(), words, "ganvas mix RUN")
    from ..api import mix

    out = Path(got.out) if got.out else run.path / "mix.png"
    mix(run, got.rows, got.columns, got.layers, out=out, **got.sampling)
    print(out)
    return 0
