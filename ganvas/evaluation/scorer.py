"""One judge at work: its features of the real samples, its metrics, and the scores of real samples in their place."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..configuration import to_json
from ..core import Features, Metric, RealFeatures, seed_from
from ..metrics.check import Selective, SelfCritical, SelfExplaining
from ..recipe import Judge
from .features import FEATURE_BLOCK, Extraction, join_features, take_first
from .fitting import count_fewest_samples, describe_fit, fit_metric
from .reals import RealSet, RealSplit


@dataclass
class Scorer:
    """Scores the features of generated samples by the metrics of one judge."""

    judge: Judge
    split: RealSplit
    cache: Path | None  # a folder for features of real samples; None always computes them
    extraction: Extraction
    held_out: Features | None = None  # as far as they have been needed
    floor_cache: dict[tuple[Metric, int], dict[str, float]] = field(default_factory=dict[tuple[Metric, int], dict[str, float]])
    caution_cache: dict[tuple[Metric, int], list[str]] = field(default_factory=dict[tuple[Metric, int], list[str]])

    # ------------------------------------------------------------ features of real samples

    @cached_property
    def reference(self) -> Features:
        return self._load_set("reference", self.split.reference)

    @cached_property
    def unseen(self) -> Features | None:
        """The samples that training never saw, if they are no held-out samples and a metric compares with them."""
        is_needed = any(metric.against == "unseen" for metric in self.judge.metrics)
        return self._load_set("unseen", self.split.unseen) if self.split.unseen is not None and is_needed else None

    @cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The judge's metrics that the real samples allow."""
        return choose_metrics(self.judge.metrics, self.load_reals(FEATURE_BLOCK))

    def load_reals(self, n: int) -> RealFeatures:
        """The whole reference and the blocks of held-out samples that hold the first `n`; all if there are fewer.

        The training samples are those of both sets that are training samples: all, or a random part of many.
        """
        have, blocks = 0 if self.held_out is None else len(self.held_out.features), max(1, -(-n // FEATURE_BLOCK))
        wanted = min(blocks * FEATURE_BLOCK, self.split.held_out.size)
        if self.held_out is None or have < wanted:
            more = [self._load_block("held-out", self.split.held_out, start) for start in range(have, wanted, FEATURE_BLOCK)]
            self.held_out = join_features([self.held_out, *more] if self.held_out else more)
        held_out = take_first(self.held_out, wanted)
        if self.split.is_from_training:
            return RealFeatures(self.reference, held_out, (held_out, self.reference), self.unseen)
        return RealFeatures(self.reference, held_out, (self.reference,), held_out)

    def _load_set(self, role: str, reals: RealSet) -> Features:
        return join_features([self._load_block(role, reals, start) for start in range(0, reals.size, FEATURE_BLOCK)])

    def _load_block(self, role: str, reals: RealSet, start: int) -> Features:
        stored, rows = reals.take(start, start + FEATURE_BLOCK)["x"], slice(start, start + FEATURE_BLOCK)
        extractor = self.judge.extractor
        key = (role, start, len(stored), self.split.cache_key, str(to_json(extractor)), extractor.name)
        path = self.cache / "features" / f"{seed_from(*key):016x}.safetensors" if self.cache else None
        features = self.extraction.load_or_extract(extractor, stored, path, f"{role} samples")
        return features._replace(conditions={name: values[rows] for name, values in reals.conditions.items()})

    # ------------------------------------------------------------ scores

    def compute_scores(self, metrics: Iterable[Metric], fake: Features, n: int) -> dict[str, float]:
        """The scores of `n` generated samples, by name."""
        return score_samples(self.load_reals(n), metrics, fake, n)

    def compute_floor(self, metric: Metric, n: int) -> dict[str, float]:
        """The scores of real samples in the place of `n` generated ones."""
        if (metric, n) not in self.floor_cache:
            self.floor_cache[metric, n] = compute_real_baseline(self.load_reals(n), metric, n)
        return self.floor_cache[metric, n]

    def list_cautions(self, metric: Metric, n: int) -> list[str]:
        """What to keep in mind about the scores of `n` samples by this metric."""
        if (metric, n) not in self.caution_cache:
            reals, fewest = self.load_reals(n), self.split.count_fewest(n)
            fitted = fit_metric(metric, fewest)
            doubt = fitted.describe_doubt(select_reals(reals, fitted, n), n) if isinstance(fitted, SelfCritical) else ""
            lines = (describe_fit(metric, fewest), doubt, self.describe_unsearched_samples(metric, reals))
            self.caution_cache[metric, n] = [line for line in lines if line]
        return self.caution_cache[metric, n]

    def describe_unsearched_samples(self, metric: Metric, reals: RealFeatures) -> str:
        """A sentence if the metric looks for copies of some training samples, and not of all; else ""."""
        count = sum(len(part.features) for part in reals.training)
        if metric.against != "unseen" or count == self.split.training_count:
            return ""
        name = next(iter(metric.lower_is_better))
        return f"{name} looks at {count:,} of {self.split.training_count:,} training samples: copies of the others go unnoticed"


def list_explanations(metrics: Iterable[Metric], scores: dict[str, float]) -> list[str]:
    """What scores mean, in the words of the metrics that say so."""
    lines = (metric.explain(scores) for metric in metrics if isinstance(metric, SelfExplaining))
    return [line for line in lines if line]


def choose_metrics(metrics: Iterable[Metric], real: RealFeatures) -> tuple[Metric, ...]:
    """The metrics that these real samples allow."""
    return tuple(metric for metric in metrics if not isinstance(metric, Selective) or metric.applies_to(real))


def select_reals(real: RealFeatures, metric: Metric, n: int) -> RealFeatures:
    """The real samples for `n` generated ones: the whole reference, and as many held-out samples."""
    return real._replace(held_out=take_first(take_first(real.held_out, n), metric.samples))


def score_samples(real: RealFeatures, metrics: Iterable[Metric], fake: Features, n: int) -> dict[str, float]:
    """The scores of `n` generated samples, by name."""
    fitted_metrics = (fit_metric(metric, count_fewest_samples(real, n)) for metric in metrics)
    cards = (metric(select_reals(real, metric, n), take_first(fake, metric.samples)) for metric in fitted_metrics)
    return {name: value for card in cards for name, value in card.items()}


def compute_real_baseline(real: RealFeatures, metric: Metric, n: int) -> dict[str, float]:
    """The floor: the scores of real samples in the place of `n` generated ones. The metric does not compare with these."""
    metric = fit_metric(metric, count_fewest_samples(real, n))
    if isinstance(metric, Selective):
        return metric.compute_baseline(real, n)
    other = real.held_out if metric.against == "train" else real.reference
    return metric(select_reals(real, metric, n), take_first(take_first(other, n), metric.samples))
