"""try what the samples of a run tell about its training data"""

import json
from dataclasses import dataclass

from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Attack a run, as someone would who wants to know who was in its training data.

    Each attack is tried on training data, and on data that training never saw. Only the difference is a leak: good synthetic
    rows tell about everybody. The card is printed, added to attacks.jsonl in the run, and shown in its report.html.

    Examples:
        ganvas attack runs/table
        ganvas attack runs/table --held-out other.csv

    held_out: a table, or pictures, that training never saw. Default: what the run has held out, or its test part.
    n: how many synthetic samples the attacker has. Default: as many as training samples, at most 20,000 rows or 5,000 pictures.
    targets: attack at most so many training samples, and as many held-out ones.
    seed: the number from which the samples follow, and who is attacked.
    checkpoint: the state of the run: best, last, or a number of samples seen.
    device: where to compute: auto, cpu, cuda or mps.
    json: print JSON, for other programs.
    """

    held_out: str | None = None
    n: int | None = None
    targets: int = 2_000
    seed: int = 0
    checkpoint: str = "best"
    device: str = "auto"
    json: bool = False


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "attack", Arguments())
    arguments = parse_settings(Arguments, Arguments(), argv, "ganvas attack RUN")
    from ..api import attack
    from ..evaluation.leaks.card import format_attack_card

    card = attack(
        run,
        arguments.held_out,
        n=arguments.n,
        targets=arguments.targets,
        seed=arguments.seed,
        checkpoint=arguments.checkpoint,
        device=arguments.device,
    )
    print(json.dumps(card, indent=1) if arguments.json else f"{card['samples']:,} samples\n{format_attack_card(card)}")
    return 0
