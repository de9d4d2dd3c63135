"""train on pictures or a table, or go on with a run"""

import re
from dataclasses import dataclass, replace
from typing import Any

from ..errors import GanvasError
from .parsing import parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Train a recipe, named first. Without a name the data decides. The same command again goes on where the run stopped.

    One folder of pictures: `auto` makes new ones. A table: `table` makes new rows. A/ and B/ with the same names: `translator`
    makes B from A. A/ and B/ with other names: `unpaired_translator`. With --degrade: a recipe that restores.

    Examples:
        ganvas train --data photos/ --minutes 30
        ganvas train --data drawings-and-photos/ --minutes 60
        ganvas train --data photos/ --degrade x4
        ganvas train --data people.csv --minutes 5
        ganvas train --data sensors.csv --window 24 --key station --time hour
        ganvas train dcgan_small --data photos/ --samples 100000 --optim.G.lr 5e-4
        ganvas train --data photos/ --together image,class --minutes 10
        ganvas train --data people.csv --private 1 --bounds bounds.toml
        ganvas train --data photos/ --private 10
        ganvas train --resume runs/auto --minutes 60
        ganvas train --from runs/auto --data few/ --minutes 5

    data: what to learn from: a folder of pictures, a zip, idx, npz, npy, parquet or CIFAR file, or "fashion". Subfolders or
        labels.csv give labels. Or a table: a .csv, .tsv, .parquet, .feather or .jsonl file, sqlite:///FILE?table=NAME.
    out: the folder of the run. Default: runs/RECIPE.
    minutes: how long to train, without the start and the final scores. Default: as long as the recipe says.
    samples: how long to train, in samples seen, instead of --minutes.
    seed: the number from which everything random follows.
    device: where to compute: auto, cpu, cuda or mps.
    threads: how many threads to compute in, on a CPU. Default: all, or fewer where the machine is busy with other work.
    resume: the folder of a run to go on with. Only its budget may grow.
    source: a run whose networks to start from, on other data. Its recipe is used unless another is named.
    freeze_d: with --from, how many of D's layers stay as they are, counted from the image.
    private: train with this epsilon: how much anybody may learn of one row or picture. 1 is usual, 10 protects little.
    bounds: of a private table, a .toml file of public categories and bounds. A new name: a file to fill in is written there.
    rules: of a table, a file of rules that all generated rows keep. `ganvas rules TABLE` writes one to choose from.
    degrade: learn to undo this: x4 (small pictures), gray, mask (holes), jpeg+noise+blur, "realistic x4".
    window: learn time series from a table: a sample is so many rows that follow each other.
    key: of series, the column that names the station or person. Default: the table is one series.
    together: columns to make at once, for pictures with classes or attributes: image,class or image,attributes.
    time: of series, the column of dates or numbers to sort by. Default: the rows are in order.
    """

    recipe: Any
    data: str | None = None
    out: str | None = None
    minutes: float | None = None
    samples: int | None = None
    seed: int = 0
    device: str = "auto"
    threads: int | None = None
    resume: str | None = None
    source: str | None = None
    freeze_d: int = 0
    private: float | None = None
    bounds: str | None = None
    degrade: str | None = None
    rules: str | None = None
    window: int | None = None
    key: str | None = None
    time: str | None = None
    together: str | None = None


def main(argv: list[str]) -> int:
    from ..api import resume, train
    from ..system import distributed
    from ..training.private import choose_private_recipe
    from ..training.session import resolve_recipe
    from ..training.tasks import choose_parts, cut_into_windows

    has_name = bool(argv) and not argv[0].startswith("-")
    name, source = argv.pop(0) if has_name else None, find_option_value("--from", argv)
    freeze_d, data, degrade = (find_option_value(option, argv) for option in ("--freeze-d", "--data", "--degrade"))
    is_resumed = find_option_value("--resume", argv) is not None
    window, key, time = (find_option_value(option, argv) for option in ("--window", "--key", "--time"))
    is_series = any((window, key, time))
    together = find_option_value("--together", argv)
    default_name = "together" if together else "series" if is_series else None
    chosen_name = default_name if name is None and source is None else name
    rules = find_option_value("--rules", argv)
    epsilon, bounds = parse_epsilon(find_option_value("--private", argv)), find_option_value("--bounds", argv)
    is_private = epsilon is not None and not is_resumed
    if (bounds and epsilon is None) or (is_private and (source or degrade or rules)):
        raise GanvasError("--private EPSILON and --bounds FILE go together, and without --from, --degrade and --rules")
    recipe = choose_private_recipe(name, data, epsilon, bounds) if is_private and epsilon is not None else None
    recipe = recipe or resolve_recipe(chosen_name, source, parse_whole_number(freeze_d), data, degrade, is_quiet=is_resumed)
    if together is not None:
        recipe = choose_parts(recipe, together)
    if rules is not None:
        recipe = add_rules(recipe, rules)
    if is_series:
        recipe = cut_into_windows(recipe, parse_whole_number(window) or None, key, time)
    default = Arguments(recipe=recipe)
    arguments = parse_settings(Arguments, default, argv, f"ganvas train {name or 'auto'}")
    if arguments.freeze_d != (arguments.recipe.start.freeze if arguments.recipe.start else 0):
        raise GanvasError(f"--freeze-d is a number of layers and goes with --from, got {arguments.freeze_d}: --freeze-d 2")
    if arguments.resume is not None:
        if has_name or arguments != Arguments(
            recipe=default.recipe, **{k: getattr(arguments, k) for k in ("resume", "minutes", "samples", "device", "threads")}
        ):
            raise GanvasError("--resume takes a run as it is: leave out all but --minutes, --samples, --device and --threads")
        run = resume(
            arguments.resume,
            minutes=arguments.minutes,
            samples=arguments.samples,
            device=arguments.device,
            threads=arguments.threads,
        )
    else:
        run = train(
            arguments.recipe,
            data=arguments.data,
            out=arguments.out,
            minutes=arguments.minutes,
            samples=arguments.samples,
            seed=arguments.seed,
            device=arguments.device,
            threads=arguments.threads,
        )
    if distributed.is_printing_process():
        print_run(run)
    return 0


def add_rules(recipe: Any, path: str) -> Any:
    """The recipe with the rules of a file. Raises GanvasError for a recipe that is not for tables, or a wrong file."""
    from ..media import Table, read_rules

    if not isinstance(recipe.medium, Table):
        raise GanvasError(f"--rules are for rows of a table, and {recipe.name} makes other samples: leave them out")
    return replace(recipe, medium=replace(recipe.medium, rules=read_rules(path)))


def find_option_value(option: str, argv: list[str]) -> str | None:
    """What an option is given, before the others can be read: the recipe that they set follows from it."""
    for k, word in enumerate(argv):
        if word.split("=", 1)[0].replace("_", "-") == option:
            value = word.partition("=")[2] or (argv[k + 1] if k + 1 < len(argv) else "")
            return value or None
    return None


def parse_whole_number(text: str | None) -> int:
    """The number that was given; of anything else the parser says what it is."""
    return int(text) if text is not None and text.isdecimal() else 0


def parse_epsilon(text: str | None) -> float | None:
    """The epsilon that was given. Raises GanvasError for anything but a number above 0."""
    if text is None:
        return None
    if not re.fullmatch(r"\d+(\.\d*)?|\.\d+", text) or float(text) == 0:
        raise GanvasError(f"--private: epsilon must be above 0, a number, got {text!r}: 1 is usual, 10 protects little")
    return float(text)


def print_run(run: Any) -> None:
    """The last thing training prints: scores, and where to look."""
    from ..evaluation.score_card import format_card

    for card in run.score_cards:
        if card["kind"] == "final":
            print(f"\n{card['which']}: {card['samples']:,} samples\n{format_card(card)}")
            if "reconstruction_psnr" in card:
                psnr, reconstructed_set = card["reconstruction_psnr"], card["reconstructed"]
                print(f"  reconstructions of {reconstructed_set}: PSNR {psnr:.1f} dB (exhibits/reconstructions.png)")
    pictures = sorted((run.path / "samples").glob("*.png"))
    print(f"\nsamples  {pictures[-1] if pictures else 'none'}\nreport   {run.path / 'report.html'}")
