"""Score cards as text."""

import re
from collections.abc import Mapping
from typing import Any

from ..extractors import Inception


def name_score(score_name: str, protocol: Mapping[str, Any]) -> str:
    """A score's name on a card. A Fréchet distance is called FID only with Inception's features."""
    return "FID" if score_name == "frechet" and protocol.get("extractor") == Inception().name else score_name


def get_judge_word(score_name: str) -> str:
    """The judge in a score's name: "classifier" of "classifier/frechet"; "" for the first judge."""
    match = re.match(r"([a-z][\w-]*)/", score_name)
    return match[1] if match else ""


def name_direction(is_lower_better: bool | None) -> str:
    """Which values are better, in a word or two."""
    return {True: "lower", False: "higher", None: "as real"}[is_lower_better]


def format_card(card: Mapping[str, Any]) -> str:
    """A score card as text: each score, the score of real samples and of baselines, and which direction is better.

    Of a card without scores, why there are none.
    """
    if not card["scores"]:
        return "\n".join(f"  note: {caution}" for caution in card.get("cautions", ()))
    protocol, baselines = card["protocol"], card.get("baselines", {})
    width = max(18, *(len(name) for name in card["scores"]))
    widths = [12, *(max(12, len(word) + 2) for word in baselines)]  # of the columns "real" and baselines
    head = "".join(f"{word:>{size}}" for word, size in zip(("real", *baselines), widths, strict=True))
    rows = [f"  {'score':<{width}}{'generated':>12}{head}   better"]
    for name, value in card["scores"].items():
        others = [card["floor"].get(name), *(scores.get(name) for scores in baselines.values())]
        texts = ("–" if other is None else f"{other:.4g}" for other in others)
        cells = "".join(f"{text:>{size}}" for text, size in zip(texts, widths, strict=True))
        direction = name_direction(card["lower_is_better"].get(name))
        rows.append(f"  {name_score(name, protocol):<{width}}{value:>12.4g}{cells}   {direction}")
    rows += [f"  {remark}" for remark in card.get("remarks", ())]
    rows.append(f"  {format_protocol(protocol)}")
    rows += [f"  {word}: features {name}" for word, name in card.get("judges", {}).items()]
    rows += [f"  note: {caution}" for caution in card.get("cautions", ())]
    return "\n".join(rows)


def format_protocol(protocol: Mapping[str, Any]) -> str:
    """The protocol as text: samples, seed, features and real samples."""
    return (
        f"{protocol['samples']:,} samples, seed {protocol['seed']}, features {protocol['extractor']}; reference "
        f"{protocol['reference']}, held out {protocol['held_out']}"
        + (f"; training never saw {protocol['unseen']}" if "unseen" in protocol else "")
        + (f"; resize {protocol['resize']}" if "resize" in protocol else "")
    )
