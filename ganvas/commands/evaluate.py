"""print how good the samples of a run are"""

import json
from dataclasses import dataclass

from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Compare samples of a run with real ones. The score card is printed and added to scores.jsonl in the run.

    Example:
        ganvas evaluate runs/auto --n 5000

    data: other data to compare with. Default: the run's own.
    n: how many samples to generate. Default: as many as the recipe says.
    extractor: the only judge: efficientnet (all pictures), classifier (small grey ones), appearance (detail, colours),
        inception (for FID) or pixels. Default: all judges of the run.
    download: fetch the extractor's weights where they are missing (inception: 96 MB).
    per_class: score each class by itself as well, if the run makes samples of a class.
    checkpoint: the state of the run: best, last, or a number of samples seen.
    device: where to compute: auto, cpu, cuda or mps.
    json: print JSON, for other programs.
    """

    data: str | None = None
    n: int | None = None
    extractor: str | None = None
    download: bool = False
    per_class: bool = False
    checkpoint: str = "best"
    device: str = "auto"
    json: bool = False


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "evaluate", Arguments())
    arguments = parse_settings(Arguments, Arguments(), argv, "ganvas evaluate RUN")
    from ..api import evaluate
    from ..evaluation import by_class
    from ..evaluation.score_card import format_card

    card = evaluate(
        run,
        data=arguments.data,
        n=arguments.n,
        extractor=arguments.extractor,
        download=arguments.download,
        checkpoint=arguments.checkpoint,
        device=arguments.device,
        per_class=arguments.per_class,
    )
    classes = f"\n\n{by_class.format_class_scores(card['per_class'])}" if arguments.per_class else ""
    print(json.dumps(card, indent=1) if arguments.json else f"{card['samples']:,} samples\n{format_card(card)}{classes}")
    return 0
