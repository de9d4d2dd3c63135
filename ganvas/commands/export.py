"""a generator for those without ganvas"""

from dataclasses import dataclass
from pathlib import Path

from .parsing import parse, run_first


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Write a run's generator as generator.safetensors, generator.json and load.py, which makes samples with PyTorch alone.

    out: the folder. [default: RUN/exported]
    format: safetensors.
    checkpoint: best, last, or images seen.
    """

    out: str | None = None
    format: str = "safetensors"
    checkpoint: str = "best"


def main(words: list[str]) -> int:
    run, words = run_first(words, "export", Arguments())
    got = parse(Arguments, Arguments(), words, "ganvas export RUN")
    from ..api import export

    print(export(run, Path(got.out) if got.out else run.path / "exported", format=got.format, checkpoint=got.checkpoint))
    return 0
