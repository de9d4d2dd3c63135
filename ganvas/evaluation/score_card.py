"""A score card in words."""

from collections.abc import Mapping
from typing import Any

from ..extractors import Inception


def called(score: str, protocol: Mapping[str, Any]) -> str:
    """A score's name on a card: with Inception's features, and with no others, a Fréchet distance is FID."""
    return "FID" if score == "frechet" and protocol.get("extractor") == Inception().name else score


def table(card: Mapping[str, Any]) -> str:
    """A score card in words: each score, which way is better, and what real samples get."""
    protocol = card["protocol"]
    rows = [f"  {'score':<18}{'generated':>12}{'real':>12}   better"]
    for name, value in card["scores"].items():
        better = card["lower_is_better"].get(name)
        arrow = {True: "lower", False: "higher", None: ""}[better]
        rows.append(f"  {called(name, protocol):<18}{value:>12.4g}{card['floor'].get(name, float('nan')):>12.4g}   {arrow}")
    rows.append(f"  {protocol_words(protocol)}")
    return "\n".join(rows)


def protocol_words(protocol: Mapping[str, Any]) -> str:
    """What a score was taken of, with what and against what."""
    return (
        f"{protocol['samples']:,} samples, seed {protocol['seed']}, features {protocol['extractor']}; reference "
        f"{protocol['reference']}, held out {protocol['held_out']}; resize {protocol['resize']}"
    )
