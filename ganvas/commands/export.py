"""a generator for those without ganvas"""

from dataclasses import dataclass
from pathlib import Path

from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Write a run's generator as generator.safetensors, generator.json and load.py, which makes samples with PyTorch alone.

    out: the folder. [default: RUN/exported]
    format: safetensors.
    checkpoint: best, last, or samples seen.
    """

    out: str | None = None
    format: str = "safetensors"
    checkpoint: str = "best"


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "export", Arguments())
    arguments = parse_settings(Arguments, Arguments(), argv, "ganvas export RUN")
    from ..api import export

    print(
        export(
            run,
            Path(arguments.out) if arguments.out else run.path / "exported",
            format=arguments.format,
            checkpoint=arguments.checkpoint,
        )
    )
    return 0
