"""write a generator for people without ganvas"""

from dataclasses import dataclass
from pathlib import Path

from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Write a generator for people without ganvas: its weights, a list of operations, and load.py.

    load.py makes samples with PyTorch alone: `python load.py 16`. Of a translator: `python load.py photo.png`.

    Example:
        ganvas export runs/auto --out model/

    out: the folder to write to. Default: RUN/exported.
    texts: of a run on captions, a file with a text a line: load.py makes pictures of these. Default: captions of the data.
    format: how to write the weights: safetensors.
    checkpoint: the state of the run: best, last, or a number of samples seen.
    """

    out: str | None = None
    texts: str | None = None
    format: str = "safetensors"
    checkpoint: str = "best"


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "export", Arguments())
    arguments = parse_settings(Arguments, Arguments(), argv, "ganvas export RUN")
    from ..api import export
    from ..sampling.texts import read_prompts

    print(
        export(
            run,
            Path(arguments.out) if arguments.out else run.path / "exported",
            format=arguments.format,
            checkpoint=arguments.checkpoint,
            texts=read_prompts(Path(arguments.texts)) if arguments.texts else (),
        )
    )
    return 0
