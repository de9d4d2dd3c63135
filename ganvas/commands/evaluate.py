"""score a trained run"""

import json
from dataclasses import dataclass

from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Score a trained run; the card is printed and added to its scores.jsonl.

    data: score against other data than the run's own.
    n: generated samples. [default: the recipe's]
    extractor: what sees the samples: classifier (of small grey images), efficientnet (of photographs), inception (for
        FID) or pixels. [default: the recipe's]
    download: let the extractor's weights be fetched where they are missing (inception: 96 MB).
    per_class: score each class by itself as well, of a run that makes samples of a class.
    checkpoint: best, last, or samples seen.
    device: auto, cpu, cuda or mps.
    json: print JSON.
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
