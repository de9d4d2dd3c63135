"""Scores of translations, one by one, and of what they have to beat."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..recipe import PairJudge
from .translations import HeldOutSources


@dataclass
class PairScorer:
    """Compares translations of held-out sources with what belongs to them."""

    sources: HeldOutSources
    judges: Sequence[PairJudge]

    @property
    def knows_truth(self) -> bool:
        """Whether each held-out source has its true translation."""
        return any(judge.against == "truth" for judge in self.judges)

    @property
    def lower_is_better(self) -> dict[str, bool]:
        """By name, in the order of a score card: scores that know the truth come first."""
        others = (judge for judge in self.judges if judge.against != "truth")
        return self.truth_directions | list_directions(others)

    @property
    def truth_directions(self) -> dict[str, bool]:
        """Of scores that know the truth. The source itself is best by the others, so no baseline counts there."""
        return list_directions(judge for judge in self.judges if judge.against == "truth")

    @property
    def content_name(self) -> str | None:
        """The score of content kept, where no truth says how good a translation is."""
        others = list_directions(judge for judge in self.judges if judge.against == "source")
        return next((name for name, lower in others.items() if not lower and not self.knows_truth), None)

    def compute_scores(self, stored: Tensor) -> dict[str, float]:
        """The mean scores of translations [N, …] of the first held-out sources."""
        values: dict[str, list[Tensor]] = {name: [] for name in self.lower_is_better}
        for rows, batch in self.sources.load_blocks(len(stored)):
            x = self.sources.codec.load(stored[rows].to(self.sources.device), None)
            for judge in self.judges:
                other = batch["x" if judge.against == "truth" else "source"]
                for metric in judge.metrics:
                    for name, value in metric(x, other).items():
                        values[name].append(value.cpu())
        return {name: torch.cat(parts).double().mean().item() for name, parts in values.items() if parts}


def list_directions(judges: Iterable[PairJudge]) -> dict[str, bool]:
    """Whether lower is better, by the score's name."""
    return {name: lower for j in judges for metric in j.metrics for name, lower in metric.lower_is_better.items()}


def list_losses_to_baselines(
    scores: Mapping[str, float], baselines: Mapping[str, Mapping[str, float]], lower_is_better: Mapping[str, bool]
) -> list[str]:
    """A sentence for each score named in `lower_is_better` in which a baseline is at least as good as the generator."""
    lines: list[str] = []
    for name, is_lower_better in lower_is_better.items():
        value, rivals = scores[name], {word: card[name] for word, card in baselines.items() if name in card}
        if all(rival == value for rival in rivals.values()):  # there is none, or the score does not look at the translation
            continue
        best = (min if is_lower_better else max)(rivals, key=lambda word: rivals[word])
        if (rivals[best] <= value) if is_lower_better else (rivals[best] >= value):
            lines.append(f"{name}: the baseline {best} is no worse, {rivals[best]:.4g} against {value:.4g}")
    return lines
