"""draw a table of mixed styles, for StyleGAN recipes"""

from dataclasses import dataclass
from pathlib import Path

from . import SamplingArguments
from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments(SamplingArguments):
    """Draw a table of mixed styles: each cell has the coarse styles of its row and the fine styles of its column.

    Example:
        ganvas mix runs/stylegan2_small --rows 0-3 --columns 4-9

    rows: the seeds at the left.
    columns: the seeds at the top.
    layers: the layers that take the column's style, such as 2-5; coarse ones come first. Default: the finer half.
    out: the picture to write, a PNG. Default: RUN/mix.png.
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
