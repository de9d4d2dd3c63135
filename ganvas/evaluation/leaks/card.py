"""The card of all attacks on a run: what is found in attacks.jsonl, and the same as text."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tqdm import tqdm

from ...core import Codec
from ...errors import GanvasError
from ...media import TableCodec
from ...privacy.attacks import attack_membership_by_logit
from ...privacy.attacks.membership_by_distance import MAX_SYNTHETIC
from ...recipe import Evaluation
from ...sampling.generator import Sampler
from .critic import explain_unusable_critic, measure_logits
from .findings import Finding, describe_membership
from .rows import RowTables, list_overlaps, list_row_attacks, look_for_copies
from .samples import attack_by_nearest_sample
from .targets import Targets

MAX_SAMPLES = 5_000  # generated pictures, and the like: their features take longer than rows
LOGIT = "Does D take training {0} for real more surely than other {0}? This needs the checkpoint: who has samples alone cannot."
CONTROL = "The control of each attack is the same attack on {} that training never saw: what works there too is no leak."
NO_PROMISE = "An attack that finds nothing proves no privacy: another one may find something."


def count_targets(codec: Codec, targets: int) -> int:
    """How many samples of each side to read: attacks that describe rows look at more than they are tried on."""
    return MAX_SYNTHETIC if isinstance(codec, TableCodec) else targets


def choose_sample_count(codec: Codec, n: int | None, training_count: int) -> int:
    """How many synthetic samples an attacker has: as many as there are training samples, unless `n` says otherwise."""
    most = MAX_SYNTHETIC if isinstance(codec, TableCodec) else MAX_SAMPLES
    if n is not None and not 1 <= n <= 10**6:
        raise GanvasError(f"n must be from 1 to 1,000,000 synthetic samples, got {n}")
    return n or min(most, training_count)


def attack_sampler(sampler: Sampler, sides: Targets, evaluation: Evaluation, n: int, targets: int, seed: int) -> dict[str, Any]:
    """Carry all attacks out that suit the run's samples. Returns the card.

    Raises:
        GanvasError: sides that do not fit the run's samples.
    """
    codec, notes = sampler.codec, list[str]()
    balanced = sides.balance(targets, seed)
    reason = explain_unusable_critic(sampler, balanced)
    attacks = [] if reason else [lambda: _attack_by_logit(sampler, balanced, seed)]
    notes += [reason] if reason else []
    copies: dict[str, Any] = {}
    if isinstance(codec, TableCodec):
        stored = [sides.members["x"], sides.others["x"], sampler(n, seed)]
        tables = RowTables(*(codec.read_middle_table(rows) for rows in stored))
        notes += list_overlaps(tables)
        attacks = [*list_row_attacks(tables, codec.target, targets, seed), *attacks]
        copies = look_for_copies(tables, targets, seed)
    else:
        attacks.append(lambda: attack_by_nearest_sample(sampler, balanced, evaluation, n, seed))
    findings = list(_carry_out(attacks))
    protocol = {"members": balanced.counts[0], "synthetic": n, "seed": seed, "training": sides.title}
    card = {"noun": codec.noun, "held_out": sides.other_title, "protocol": protocol, "attacks": findings, "notes": notes}
    return card | ({"copies": copies} if copies else {}) | {"summary": summarise_findings(findings)}


def _attack_by_logit(sampler: Sampler, targets: Targets, seed: int) -> Finding:
    logits = measure_logits(sampler, targets, seed)
    return describe_membership(attack_membership_by_logit(*logits, seed=seed), LOGIT.format(sampler.codec.noun))


def _carry_out(attacks: Sequence[Callable[[], Finding]]) -> Iterator[Finding]:
    """The findings, with a progress bar on a terminal."""
    for attack in tqdm(attacks, unit="attack", delay=1, disable=None, leave=False):
        yield attack()


def summarise_findings(findings: Iterable[Mapping[str, Any]]) -> str:
    """How many attacks see a sign of a leak, and how many would by chance."""
    findings = list(findings)
    signs = [str(finding["name"]) for finding in findings if finding["is_leak"]]
    expected = sum(finding["chance_of_false_sign"] for finding in findings)
    count = f"{len(signs)} of {len(findings)} attacks show a sign of a leak" + (f" ({', '.join(signs)})" if signs else "")
    return f"{count}; by chance alone it would be {expected:.1f} on average"


def format_attack_card(card: Mapping[str, Any]) -> str:
    """The card as text: each attack with its question, its result, and its difference from the control."""
    protocol, noun = card["protocol"], card["noun"]
    lines = [
        f"  attacked: {protocol['members']:,} of {protocol['training']}",
        f"  control: as many of {card['held_out']}",
        f"  with {protocol['synthetic']:,} synthetic {noun}, seed {protocol['seed']}",
        "",
    ]
    for finding in card["attacks"]:
        low, high = finding["interval"]
        figures = f"{finding['members']:.1%} against {finding['control']:.1%}, difference {low:+.1%} to {high:+.1%}"
        lines += [f"{finding['name']}: {figures}", f"  {finding['question']}", f"  {finding['sentence']}", ""]
    if "copies" in card:
        lines += ["closest records, a detector of copies", f"  {card['copies']['sentence']}", ""]
    lines += [f"note: {note}" for note in card["notes"]]
    return "\n".join([*lines, card["summary"], CONTROL.format(noun), NO_PROMISE])
