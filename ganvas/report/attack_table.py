"""Attacks on the page: the last card of attacks.jsonl as one table."""

import json
from html import escape
from pathlib import Path
from typing import Any

from ..evaluation.leaks.card import CONTROL, NO_PROMISE
from ..evaluation.leaks.findings import VERDICTS

ATTACKS_FILE = "attacks.jsonl"
HEADS = ("Attack", "On training data", "Control", "Difference, 95%", "Result")


def render_attacks(run: Path) -> str:
    """A section with the last card; "" without one. Lines that are no cards are left out."""
    try:
        lines = (run / ATTACKS_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        try:
            return _render_card(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return ""


def _render_card(card: dict[str, Any]) -> str:
    heads = "".join(f'<th scope="col">{head}</th>' for head in HEADS)
    body = "".join(map(_render_finding, card["attacks"]))
    protocol, noun = card["protocol"], str(card["noun"])
    copies = [f"Closest records, a detector of copies: {card['copies']['sentence']}"] if "copies" in card else []
    remarks = "".join(f"<p>{escape(str(line))}.</p>" for line in (card["summary"], *copies))
    notes = "".join(f'<p class="quiet">Note: {escape(str(note))}.</p>' for note in card["notes"])
    sides = (
        f"{int(protocol['members']):,} of {protocol['training']}, beside as many of {card['held_out']}; "
        f"{int(protocol['synthetic']):,} synthetic {noun}, at {int(card['samples']):,} samples."
    )
    return (
        f'<section aria-label="Attacks"><h2>Attacks</h2><div class="card"><div class="wide"><table><thead><tr>{heads}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>{remarks}{notes}"
        f'<p class="quiet">{escape(f"{sides} {CONTROL.format(noun)} {NO_PROMISE}")}</p></div></section>'
    )


def _render_finding(finding: dict[str, Any]) -> str:
    low, high = map(float, finding["interval"])
    result = escape(VERDICTS[bool(finding["is_leak"])])
    cells = (
        f"{float(finding['members']):.1%}",
        f"{float(finding['control']):.1%}",
        f"{low:+.1%} to {high:+.1%}",
        f"<b>{result}</b>" if finding["is_leak"] else result,
    )
    name, question = escape(str(finding["name"])), escape(str(finding["question"]))
    return f'<tr><th scope="row">{name}<small>{question}</small></th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
