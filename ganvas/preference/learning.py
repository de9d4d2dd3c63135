"""Learn from choices: a reward from most of them, and a second, independent one from those that were held out."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..errors import GanvasError
from ..nets.reward import Reward, compute_features, fit_feature_map
from ..privacy.attacks.rates import Rate
from ..runs.checkpoint import read_nets_checksum
from ..sampling.generator import Sampler
from .bradley_terry import fit_reward
from .choices import Choices

MAP_SAMPLES, MAP_SEED, RATED_AT_ONCE = 512, 20_801, 64
DOUBTED_ACCURACY = 0.6


class LearntRewards(NamedTuple):
    """What choices taught."""

    reward: Reward
    judge: Reward  # learnt from the held-out choices alone
    accuracy: Rate  # of the reward, on held-out choices
    judge_accuracy: Rate  # of the judge, on the others


def learn_rewards(sampler: Sampler, choices: Choices) -> LearntRewards:
    """Both rewards. Raises GanvasError for choices between samples of other networks."""
    check_weights(sampler, choices)
    seeds = torch.cat([choices.training, choices.held_out]).unique()
    features = compute_stored_features(sampler, list(sampler.stream_seeds(seeds.tolist())))
    usual = compute_stored_features(sampler, list(sampler.stream_samples(MAP_SAMPLES, MAP_SEED)))
    feature_map = fit_feature_map(usual)
    parts = [features[torch.searchsorted(seeds, pairs)].unbind(1) for pairs in (choices.training, choices.held_out)]
    reward, judge = (fit_reward(feature_map, usual, *part) for part in parts)
    accuracy, judge_accuracy = measure_accuracy(reward, *parts[1]), measure_accuracy(judge, *parts[0])
    tests = Rate(round(accuracy.share * choices.tests), choices.tests)
    return LearntRewards(reward, judge, tests, judge_accuracy)


def check_weights(sampler: Sampler, choices: Choices) -> None:
    checksum = read_nets_checksum(sampler.checkpoint_folder)
    if not all(checksum.startswith(weights) for weights in choices.weights):
        raise GanvasError(
            f"these choices are between samples of other weights than checkpoint {sampler.checkpoint_folder.name} of "
            f"{sampler.run.path}: give the run and the --checkpoint that the page names, or choose again"
        )


@torch.no_grad()
def compute_stored_features(sampler: Sampler, blocks: Sequence[Tensor]) -> Tensor:
    """Stored samples [N, …], in blocks -> [N, FEATURE_COUNT] on the CPU."""
    parts = [part for block in blocks for part in block.split(RATED_AT_ONCE)]
    return torch.cat([compute_features(sampler.codec.load(part.to(sampler.device), None)).cpu() for part in parts])


def measure_accuracy(reward: Reward, better: Tensor, worse: Tensor) -> Rate:
    """How many pairs with these features the reward orders as people did."""
    hits = reward.rate_features(better) > reward.rate_features(worse)
    return Rate(int(hits.sum()), len(hits))


def describe_learning(choices: Choices, rewards: LearntRewards) -> list[str]:
    """What was learnt, in sentences."""
    low, high = rewards.accuracy.interval
    lines = [
        f"pairs to learn from: {len(choices.training):,}; held out: {len(choices.held_out):,}",
        f"  the reward orders {rewards.accuracy.share:.0%} of the held-out pairs as you did ({low:.0%} to {high:.0%}; "
        "chance is 50%)",
    ]
    if choices.contradictions:
        lines.append(f"  pairs chosen both ways, which count as no difference: {choices.contradictions:,}")
    if choices.repetitions:
        lines.append(f"  lines that repeat others, and count once: {choices.repetitions:,}")
    if low < 0.5:
        lines.append("  that may be chance: choose more pairs, or more consistently, before you rely on it")
    return lines


def describe_rewards(choices: Choices, rewards: LearntRewards, checkpoint: str) -> dict[str, Any]:
    """A reward's card."""
    low, high = rewards.accuracy.interval
    return {
        "checkpoint": checkpoint,
        "choices": choices.fingerprint,
        "training_pairs": len(choices.training),
        "held_out_pairs": len(choices.held_out),
        "contradictions": choices.contradictions,
        "repetitions": choices.repetitions,
        "accuracy": rewards.accuracy.share,
        "accuracy_interval": [low, high],
        "judge_accuracy": rewards.judge_accuracy.share,
    }
