"""score a trained run"""

import json
from dataclasses import dataclass

from .parsing import parse, run_first


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Score a trained run; the card is printed and added to its scores.jsonl.

    data: score against other data than the run's own.
    n: generated samples. [default: the recipe's]
    extractor: what sees the samples: classifier (of small grey images), efficientnet (of photographs), inception (for
        FID) or pixels. [default: the recipe's]
    download: let the extractor's weights be fetched where they are missing (inception: 96 MB).
    per_class: score each class by itself as well, of a run that makes samples of a class.
    checkpoint: best, last, or images seen.
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


def main(words: list[str]) -> int:
    run, words = run_first(words, "evaluate", Arguments())
    got = parse(Arguments, Arguments(), words, "ganvas evaluate RUN")
    from ..api import evaluate
    from ..evaluation import by_class
    from ..evaluation.score_card import table

    card = evaluate(
        run,
        data=got.data,
        n=got.n,
        extractor=got.extractor,
        download=got.download,
        checkpoint=got.checkpoint,
        device=got.device,
        per_class=got.per_class,
    )
    classes = f"\n\n{by_class.table(card['per_class'])}" if got.per_class else ""
    print(json.dumps(card, indent=1) if got.json else f"{card['images']:,} images\n{table(card)}{classes}")
    return 0
