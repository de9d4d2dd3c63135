"""write new samples of a trained run"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import SamplingArguments
from .parsing import load_named_run, parse_settings

UNFIT = ("seeds", "code", "edit", "grid", "label", "text", "texts", "conditions", "truncation", "best_of")
UNFIT_FOR_ROWS = (*UNFIT, "steps")
UNFIT_FOR_STEPS = (*UNFIT, "parents", "where", "format")


@dataclass(frozen=True, kw_only=True)
class Arguments(SamplingArguments):
    """Write new samples of a trained run, one file for each.

    Examples:
        ganvas generate runs/auto --n 64 --out out/
        ganvas generate runs/auto --seeds 0-31 --grid --out sheet.png
        ganvas generate runs/text2image --text "a red house at night" --n 8
        ganvas generate runs/text2image --texts prompts.txt --n 5 --grid --out sheet.png
        ganvas generate runs/table --n 100000 --where income='>50K' --where age=30..40 --out people.csv
        ganvas generate runs/series --n 10 --steps 500 --out long.csv

    n: how many samples.
    seed: the number from which the samples follow. The same seed gives the same samples, whatever n is.
    seeds: instead of n samples of one seed, the first sample of each of these seeds: 0-31,40.
    code: instead, the sample of a code in a file, which `ganvas project` writes. Only --edit goes with it.
    edit: directions to follow, which `ganvas directions` finds: NAME=1.5, several with commas.
    texts: a file with a text a line: n samples of each. Sample k of each text has the same latents, so that you see what
        a change of words does. With --grid, the texts stand under the rows.
    best_of: draw so many samples for each one, up to 64, and keep that which you would like best (`ganvas prefer`).
    parents: for a run that was trained with parents: a table of them, each with its number of children. Makes those.
    steps: for series, how many steps each one has: windows are joined to it. Default: one window.
    where: for tables, what holds in every row: age=30..40, income='>50K', state='TX|CA', income=missing. Once for each.
    out: the folder to write to; with --grid, also the picture itself, a .png; of tables, also a .csv, .tsv, .jsonl or .parquet.
        Default: RUN/generated.
    grid: write one picture of all samples.
    format: files (one for each sample), npy or zip (one file for all).
    """

    n: int = 64
    seed: int = 0
    seeds: str | None = None
    code: str | None = None
    edit: str | None = None
    texts: str | None = None
    best_of: int = 1
    parents: str | None = None
    steps: int | None = None
    where: tuple[str, ...] = ()
    out: str | None = None
    grid: bool = False
    format: str = "files"


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "generate", Arguments())
    arguments = parse_settings(Arguments, Arguments(), argv, "ganvas generate RUN")
    from ..errors import GanvasError
    from ..latent.projection import read_code
    from ..sampling.edits import parse_edit
    from ..sampling.generator import open_sampler
    from ..sampling.rows import makes_rows
    from ..sampling.seeds import parse_number_list
    from ..sampling.texts import read_prompts
    from ..sampling.writing import write_samples
    from ..system.console import print_status

    out = Path(arguments.out) if arguments.out else run.path / "generated"
    if makes_rows(run):
        print(write_rows(run, arguments, out))
        return 0
    if arguments.steps is not None:
        print(write_series(run, arguments, out))
        return 0
    if arguments.where:
        raise GanvasError(
            f"--where is for rows of tables: {run.path} makes other samples; --label, --text and --conditions say which"
        )
    edit = parse_edit(arguments.edit) if arguments.edit else None
    sampler = open_sampler(run, **arguments.sampling_options, edit=edit, best_of=arguments.best_of)
    if arguments.code and arguments.best_of > 1:
        raise GanvasError("a code is one sample, and there is no other to choose from: --code goes without --best-of")
    if arguments.code and (arguments.seeds or arguments.label is not None or arguments.truncation is not None):
        raise GanvasError("a code has its own label and is one sample: --code goes without --seeds, --label and --truncation")
    if arguments.grid and arguments.format != "files":
        raise GanvasError("--grid is one picture: it goes without --format")
    seed_numbers = parse_number_list(arguments.seeds, "--seeds", 1_000_000) if arguments.seeds else None
    if sampler.is_translator and "source" not in sampler.wishes:
        note = "note: sources are examples of the training data" + sampler.advise_translating()
        print_status(is_quiet=False, message=note)
    if arguments.texts and (seed_numbers or arguments.code or arguments.text is not None):
        raise GanvasError("--texts gives the samples of a seed for each text: it goes without --text, --seeds and --code")
    texts = read_prompts(Path(arguments.texts)) if arguments.texts else ()
    code = read_code(sampler, Path(arguments.code)) if arguments.code else None
    output_format = "grid" if arguments.grid else arguments.format
    print(write_samples(sampler, arguments.n, arguments.seed, out, output_format, seed_numbers, code, texts))
    return 0


def write_rows(run: Any, arguments: Arguments, out: Path) -> Path:
    """Write rows to one file. Raises GanvasError for settings that rows do not have."""
    from ..errors import GanvasError
    from ..media.table.writing import SAMPLES_NAME
    from ..sampling.children import write_children
    from ..sampling.rows import write_generated_rows

    if unfit := list_options(arguments, UNFIT_FOR_ROWS):
        raise GanvasError(f"{run.path} makes rows of a table, which have no {unfit}: take --n, --seed, --where and --out")
    if arguments.parents is not None:
        path = out if out.suffix else out / SAMPLES_NAME
        return write_children(run, arguments.parents, path, arguments.seed, arguments.checkpoint, arguments.device)
    return write_generated_rows(run, out, arguments.n, arguments.where, arguments.seed, arguments.checkpoint, arguments.device)


def write_series(run: Any, arguments: Arguments, out: Path) -> Path:
    """Write series of many steps to one file. Raises GanvasError for settings that they do not have."""
    from ..errors import GanvasError
    from ..sampling.long_series import write_long_series

    if unfit := list_options(arguments, UNFIT_FOR_STEPS):
        raise GanvasError(f"--steps makes long series, which have no {unfit}: take --n, --seed and --out")
    steps = arguments.steps or 0
    return write_long_series(run, out, arguments.n, steps, arguments.seed, arguments.checkpoint, arguments.device)


def list_options(arguments: Arguments, names: tuple[str, ...]) -> str:
    """Those of these options that were set, as "--label and --grid"."""
    default = Arguments()
    return " and ".join(f"--{name.replace('_', '-')}" for name in names if getattr(arguments, name) != getattr(default, name))
