"""learn which samples you like, and make more of them"""

import json
from dataclasses import dataclass

from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Learn which samples you like, from pairs that you choose between. Then draw or train by it.

    First write a page, choose on it, and save its file. Then learn from the file: the command says how well it understood you.
    `ganvas generate RUN --best-of 8` then keeps the best of eight samples. With --minutes, a new run starts from this one and
    learns to make what you like. The game with the data stays on, so the samples stay like the data.

    Examples:
        ganvas prefer runs/auto --page page.html
        ganvas prefer runs/auto --pairs preferences.csv
        ganvas generate runs/auto --best-of 8 --grid --out best.png
        ganvas prefer runs/auto --pairs preferences.csv --minutes 3 --out runs/preferred

    page: a page to write, an .html file. Open it in a browser. Nothing leaves it but the file that you save.
    n: how many pairs the page shows. 30 is the least to learn from, 100 are better.
    first_seed: of the page. Its first pair shows this seed and the next one.
    pairs: a file of choices: the columns better_seed and worse_seed.
    likes: instead, a file of samples that you like: the column seed.
    minutes: how long to train a new run. Default: train none.
    samples: how long to train it, in samples seen, instead of --minutes.
    out: the folder of the new run. Default: RUN-preferred.
    weight: of what you like. More wins more choices and costs more of the variety.
    margin: how far new samples are to win, in deviations of what you like. More wins more choices and costs more.
    stay: of the distance from the samples of this run. More keeps each sample nearer to what it was.
    seed: the number from which everything random follows.
    checkpoint: the state of the run: best, last, or a number of samples seen.
    device: where to compute: auto, cpu, cuda or mps.
    threads: how many threads to compute in, on a CPU. Default: all, or fewer where the machine is busy with other work.
    json: print JSON, for other programs.
    """

    page: str | None = None
    n: int = 100
    first_seed: int = 0
    pairs: str | None = None
    likes: str | None = None
    minutes: float | None = None
    samples: int | None = None
    out: str | None = None
    weight: float | None = None
    margin: float | None = None
    stay: float | None = None
    seed: int = 0
    checkpoint: str = "best"
    device: str = "auto"
    threads: int | None = None
    json: bool = False


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "prefer", Arguments())
    arguments = parse_settings(Arguments, Arguments(), argv, "ganvas prefer RUN")
    from ..api import prefer, preference_page
    from ..errors import GanvasError

    if arguments.page is not None:
        if arguments.pairs or arguments.likes:
            raise GanvasError("--page writes a page to choose on: give it without --pairs and --likes")
        options = {name: getattr(arguments, name) for name in ("n", "first_seed", "checkpoint", "device")}
        page = preference_page(run, arguments.page, **options)
        print(f"{page}\nopen it in a browser, choose, save the file, then: ganvas prefer {run.path} --pairs preferences.csv")
        return 0
    names = (
        "pairs",
        "likes",
        "minutes",
        "samples",
        "out",
        "weight",
        "margin",
        "stay",
        "seed",
        "checkpoint",
        "device",
        "threads",
    )
    result = prefer(run, **{name: getattr(arguments, name) for name in names}, quiet=arguments.json)
    if arguments.json:
        print(json.dumps(result, indent=1))
    elif "run" in result:
        print(f"run      {result['run']}\nreport   {result['run']}/report.html")
    else:
        print(f"learnt. The best of eight: ganvas generate {run.path} --best-of 8 --out best/")
    return 0
