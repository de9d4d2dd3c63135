"""a picture of a style network's styles, mixed"""

from dataclasses import dataclass
from pathlib import Path

from . import SamplingArguments
from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments(SamplingArguments):
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


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "mix", Arguments())
    arguments = parse_settings(Arguments, Arguments(), argv, "ganvas mix RUN")
    from ..api import mix

    out = Path(arguments.out) if arguments.out else run.path / "mix.png"
    mix(run, arguments.rows, arguments.columns, arguments.layers, out=out, **arguments.sampling_options)
    print(out)
    return 0
