"""a film or a strip of the way from one sample to the next"""

from dataclasses import dataclass
from pathlib import Path

from . import SamplingArguments
from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments(SamplingArguments):
    """The way from one seed's sample to the next and back, as a film or as lines of pictures.

    Between samples of two classes the class changes as well, unless --label asks for one.

    seeds: where it goes through.
    frames: pictures between one seed and the next.
    way: linear, spherical, or auto (linear in styles, spherical in z).
    loop: go back to the first seed.
    rate: pictures a second.
    edit: directions to follow all along, NAME=1.5 (ganvas directions finds some).
    out: .gif, .webp, .mp4 (needs the package av), or .png: a line of pictures from each seed to the next. [default:
        RUN/interpolation.gif]
    """

    seeds: str = "0-5"
    frames: int = 20
    way: str = "auto"
    loop: bool = True
    rate: float = 20.0
    edit: str | None = None
    out: str | None = None


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "interpolate", Arguments())
    arguments = parse_settings(Arguments, Arguments(), argv, "ganvas interpolate RUN")
    from ..api import interpolate
    from ..sampling.edits import parse_edit

    out = Path(arguments.out) if arguments.out else run.path / "interpolation.gif"
    settings = {name: getattr(arguments, name) for name in ("frames", "way", "loop", "rate")}
    interpolate(
        run,
        arguments.seeds,
        **settings,
        edit=parse_edit(arguments.edit) if arguments.edit else None,
        out=out,
        **arguments.sampling_options,
    )
    print(out)
    return 0
