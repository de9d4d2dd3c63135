"""make a film from one sample to the next"""

from dataclasses import dataclass
from pathlib import Path

from . import SamplingArguments
from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments(SamplingArguments):
    """Make a film, or strips of pictures, from one seed's sample to the next and back to the first; or from text to text.

    Between samples of two classes the class changes gradually, unless --label sets one.

    Examples:
        ganvas interpolate runs/auto --seeds 0-5 --out film.gif
        ganvas interpolate runs/text2image --texts prompts.txt --seeds 3 --out film.gif

    seeds: the samples to pass, in this order: 0-5 or 3,1,4. Default: 0-5; with --texts 0.
    texts: a file with a text a line, the stops of the path. One seed does for all of them, or give one for each.
    frames: pictures from one seed to the next.
    way: linear, spherical, or auto: linear in styles, spherical in z.
    loop: return to the first seed.
    rate: pictures a second.
    edit: directions to follow all along, which `ganvas directions` finds: NAME=1.5.
    out: the film to write: .gif, .webp or .mp4 (which needs the package av); a .png is a strip from each seed to the
        next. Default: RUN/interpolation.gif.
    """

    seeds: str | None = None
    texts: str | None = None
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
    from ..sampling.texts import read_prompts

    out = Path(arguments.out) if arguments.out else run.path / "interpolation.gif"
    texts = read_prompts(Path(arguments.texts)) if arguments.texts else ()
    settings = {name: getattr(arguments, name) for name in ("frames", "way", "loop", "rate")}
    interpolate(
        run,
        arguments.seeds,
        texts=texts,
        **settings,
        edit=parse_edit(arguments.edit) if arguments.edit else None,
        out=out,
        **arguments.sampling_options,
    )
    print(out)
    return 0
