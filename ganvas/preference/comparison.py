"""A preferred run beside the run that it started from: what it wins, what it costs, and whether it fooled its reward."""

import io
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ..core import Exhibit
from ..pictures.table import join_side_by_side
from ..privacy.attacks.rates import Rate
from ..report.evaluate import evaluate
from ..report.page import write_report
from ..runs.exhibits import BEFORE_AFTER, write_exhibits
from ..runs.folder import RunFolder
from ..sampling.generator import Sampler
from .learning import DOUBTED_ACCURACY, LearntRewards, compute_stored_features

COMPARED_SAMPLES, COMPARISON_SEED, SHOWN_SAMPLES = 500, 20_802, 36
HACKED_GAP = 0.2  # by how much the reward's win rate may exceed the judge's
PRICES = ("frechet", "coverage")


def compare_with_start(
    start: Sampler, preferred: RunFolder, rewards: LearntRewards, known: Callable[[Tensor], Tensor] | None, device: str
) -> dict[str, Any]:
    """Wins of the preferred run's samples over the start's samples of the same latents, both runs' scores, and sentences."""
    after = Sampler(preferred, "last", device)
    old, new = (torch.cat(list(s.stream_samples(COMPARED_SAMPLES, COMPARISON_SEED))) for s in (start, after))
    show_both(start, preferred, old, new)

    features = [compute_stored_features(start, [stored]) for stored in (old, new)]
    outcome: dict[str, Any] = {
        "wins": count_wins(*map(rewards.judge.rate_features, features)),
        "reward_wins": count_wins(*map(rewards.reward.rate_features, features)),
        "judge_accuracy": rewards.judge_accuracy.share,
        "judge_pairs": rewards.accuracy.trials,
        "compared": len(new),
    }
    if known is not None:
        outcome["known_wins"] = count_wins(known(old), known(new))
    outcome |= collect_prices(start, preferred, device)
    return outcome | {"sentences": describe_comparison(outcome)}


def count_wins(old: Tensor, new: Tensor) -> dict[str, Any]:
    """How often a new sample's rating is above that of the old one, [N] each."""
    wins = Rate(int((new > old).sum()), len(new))
    return {"share": wins.share, "interval": list(wins.interval)}


def show_both(start: Sampler, preferred: RunFolder, old: Tensor, new: Tensor) -> None:
    """Put the start's samples and the new ones of the same latents under a slider, on the preferred run's page."""
    sides, buffer = [start.codec.preview(stored[:SHOWN_SAMPLES]) for stored in (old, new)], io.BytesIO()
    join_side_by_side(sides).save(buffer, "PNG")
    caption = "Samples of the run that this one started from, and this run's samples of the same latents"
    write_exhibits(preferred.path, [Exhibit(BEFORE_AFTER, caption, ".png", buffer.getvalue())])
    write_report(preferred.path)


def collect_prices(start: Sampler, preferred: RunFolder, device: str) -> dict[str, Any]:
    """{"before": scores, "after": scores, …} by one protocol; {} without scores. The start is scored if it was not yet."""
    last = next((card for card in reversed(preferred.score_cards) if "last" in card.get("which", "")), None)
    if last is None or not last["scores"]:
        return {}
    name = start.checkpoint_folder.name
    before = find_card(start.run, name, last["protocol"])
    if before is None:
        before = evaluate(start.run, n=last["protocol"]["samples"], checkpoint=name, device=device)
    return {"before": before["scores"], "after": last["scores"], "lower_is_better": last["lower_is_better"]}


def find_card(run: RunFolder, checkpoint: str, protocol: Mapping[str, Any]) -> dict[str, Any] | None:
    """The newest whole card of a checkpoint by this protocol."""
    cards = [card for card in run.score_cards if card["checkpoint"] == checkpoint and card["kind"] != "snapshot"]
    return next((card for card in reversed(cards) if card["protocol"] == protocol), None)


def describe_comparison(outcome: Mapping[str, Any]) -> list[str]:
    """What was won and what it cost, in sentences."""
    wins, reward_wins = outcome["wins"], outcome["reward_wins"]
    low, high = wins["interval"]
    lines = [
        f"of {outcome['compared']} samples, {wins['share']:.0%} are better than the start's sample of the same latents "
        f"({low:.0%} to {high:.0%}; before training 50%)",
        f"  says a second reward, learnt from the {outcome['judge_pairs']} held-out choices alone; it orders "
        f"{outcome['judge_accuracy']:.0%} of the other choices as you did",
    ]
    if outcome["judge_accuracy"] < DOUBTED_ACCURACY:
        lines.append("  that is little: so few held-out choices say little. Choose more pairs, or look for yourself")
    elif reward_wins["share"] - wins["share"] > HACKED_GAP:
        reason = "the generator has fooled it" if low < 0.5 else "part of what pleases it does not please the second one"
        lines.append(
            f"  the reward itself says {reward_wins['share']:.0%}: {reason}. Look at the samples; train with a smaller "
            "--weight, or choose more pairs"
        )
    if "known_wins" in outcome:
        lines.append(f"  by the known preference {outcome['known_wins']['share']:.0%} are better")
    return [*lines, *describe_prices(outcome)]


def describe_prices(outcome: Mapping[str, Any]) -> list[str]:
    """The price in each score of PRICES that both runs have, by each judge."""
    lines: list[str] = []
    for name, after in outcome.get("after", {}).items():
        before = outcome["before"].get(name)
        if name.rpartition("/")[2] in PRICES and before:
            change = after / before - 1
            word = "better" if (change < 0) == outcome["lower_is_better"].get(name, True) else "worse"
            lines.append(f"  {name}: {before:.4g} before, {after:.4g} after: {abs(change):.0%} {word}")
    return ["the price, by the scores of both runs:", *lines] if lines else []
