"""Score cards as text."""

from collections.abc import Mapping
from typing import Any

from ..extractors import Inception


def name_score(score_name: str, protocol: Mapping[str, Any]) -> str:
    """A score's name on a card. A Fréchet distance is called FID only with Inception's features."""
    return "FID" if score_name == "frechet" and protocol.get("extractor") == Inception().name else score_name


def format_card(card: Mapping[str, Any]) -> str:
    """A score card as text: each score, the score of real samples, and which direction is better."""
    protocol = card["protocol"]
    rows = [f"  {'score':<18}{'generated':>12}{'real':>12}   better"]
    for name, value in card["scores"].items():
        is_lower_better = card["lower_is_better"].get(name)
        direction = {True: "lower", False: "higher", None: ""}[is_lower_better]
        rows.append(
            f"  {name_score(name, protocol):<18}{value:>12.4g}{card['floor'].get(name, float('nan')):>12.4g}   {direction}"
        )
    rows.append(f"  {format_protocol(protocol)}")
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
