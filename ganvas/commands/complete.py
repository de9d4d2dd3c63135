"""fill the gaps in rows of a table or series, or forecast series"""

from dataclasses import dataclass
from pathlib import Path

from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Fill the missing cells of a table by a run that was trained on such rows. What is known stays as it is.

    A run of series fills gaps in time, and goes on where the file ends.

    Examples:
        ganvas complete runs/table partial.csv --out full.csv
        ganvas complete runs/series recent.csv --steps 48 --draws 20 --out forecast.csv

    file: a table with some of the columns, of any kind that training reads.
    out: the file to write: .csv, .tsv, .jsonl or .parquet. Default: FILE_complete with the same ending.
    steps: for series: add so many rows at the end of each one, and fill them. Rows are sorted by key and time then.
    draws: so many answers one after the other; a first column "draw" numbers them.
    seed: another number fills the gaps otherwise.
    checkpoint: the state of the run: best, last, or a number of samples seen.
    device: where to compute: auto, cpu, cuda or mps.
    """

    file: str = ""
    out: str | None = None
    steps: int | None = None
    draws: int = 1
    seed: int = 0
    checkpoint: str = "best"
    device: str = "auto"


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "complete", Arguments())
    has_file = bool(argv) and not argv[0].startswith("-")
    file = argv.pop(0) if has_file else ""
    arguments = parse_settings(Arguments, Arguments(file=file), argv, "ganvas complete RUN FILE")
    from ..errors import GanvasError
    from ..sampling.completion import write_completed_rows

    if not arguments.file:
        raise GanvasError(f"which table? ganvas complete {run.path} partial.csv --out full.csv")
    source = Path(arguments.file)
    out = Path(arguments.out) if arguments.out else source.with_name(f"{source.stem.partition('.')[0]}_complete.csv")
    settings = (arguments.seed, arguments.checkpoint, arguments.device, arguments.steps, arguments.draws)
    print(write_completed_rows(run, arguments.file, out, *settings))
    return 0
