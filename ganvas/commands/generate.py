"""write samples of a trained run"""

from dataclasses import dataclass
from pathlib import Path

from . import Sampling
from .parsing import parse, run_first


@dataclass(frozen=True, kw_only=True)
class Arguments(Sampling):
    """Write samples of a trained run: one file a sample, or all in one.

    n: how many.
    seed: sample i of a seed is the same whatever n is.
    seeds: instead of these two, the first sample of each of these seeds: 0-31,40.
    code: instead, what this file's code makes, with --edit at most (ganvas project writes some).
    edit: directions to follow, NAME=1.5, several with commas (ganvas directions finds some).
    out: the folder to write to; with --grid also the picture itself, a .png. [default: RUN/generated]
    grid: write one picture of all samples instead.
    format: files (one a sample, as the medium has them), npy or zip.
    """

    n: int = 64
    seed: int = 0
    seeds: str | None = None
    code: str | None = None
    edit: str | None = None
    out: str | None = None
    grid: bool = False
    format: str = "files"


def main(words: list[str]) -> int:
    run, words = run_first(words, "generate", Arguments())
    got = parse(Arguments, Arguments(), words, "ganvas generate RUN")
    from ..errors import GanvasError
    from ..latent.projection import read_code
    from ..sampling.edits import asked
    from ..sampling.generator import opened
    from ..sampling.seeds import seeds
    from ..sampling.writing import write_samples

    out = Path(got.out) if got.out else run.path / "generated"
    made = opened(run, **got.sampling, edit=asked(got.edit) if got.edit else None)
    if got.code and (got.seeds or got.label is not None or got.truncation is not None):
        raise GanvasError("a code has its own label and is one sample: --code goes without --seeds, --label and --truncation")
    if got.grid and got.format != "files":
        raise GanvasError("--grid is one picture: it goes without --format")
    chosen = seeds(got.seeds, "--seeds", 1_000_000) if got.seeds else None
    code = read_code(made, Path(got.code)) if got.code else None
    print(write_samples(made, got.n, got.seed, out, "grid" if got.grid else got.format, chosen, code))
    return 0
