"""Scores that can be believed: which features, how many samples, against which real ones, and what real ones score.

Real samples come in two sets that do not overlap: the *reference* (the training set, of which Fréchet-like distances are
taken) and the *held-out* ones (a test split where the data has one, else half of the training samples put aside for
scoring, at most as many as are generated). The floor is the score that the held-out samples get in the generated ones' place,
at the same count.
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialise_tensors
from tqdm import tqdm

from ..config import to_json
from ..core import Batch, Dataset, Extractor, Features, Method, Metric, Nets, seed_from, seeded_generator
from ..data import Files
from ..data.dataset import open_data
from ..errors import GanvasError
from ..extractors.by_name import make_extractor
from ..metrics.check import SampleLimited, SelfCritical
from ..recipe import Evaluation
from ..runs.folder import RunFolder
from ..sampling.stream import stream_samples
from ..system.device import choose_device
from ..system.files import find_cache_folder, write_atomically

PREVIEW_SAMPLES = 256  # held-out samples that are kept, to be shown
MIN_REAL_SAMPLES = 2  # to compare with on each side, for a mean and a variance
MAX_REFERENCE_SAMPLES = 100_000  # more real samples than this change no score's second digit, and cost time


class RealFeatures(NamedTuple):
    """Real samples to compare with, as the extractor sees them."""

    reference: Features
    held_out: Features

    def select_reals(self, metric: Metric, n: int) -> Features:
        """Those a metric compares `n` generated ones with: all of the reference, or as many held-out ones."""
        return self.reference if metric.against == "train" else take_first(take_first(self.held_out, n), metric.samples)

    def fit_metric(self, metric: Metric, n: int) -> Metric:
        """The metric as `n` samples, and as many real ones as there are, allow it."""
        return metric.fit_to_samples(self.count_fewest(n)) if isinstance(metric, SampleLimited) else metric

    def count_fewest(self, n: int) -> int:
        """How many samples the smallest set has when `n` are generated."""
        return min(n, *(len(part.features) for part in self))

    def compute_scores(self, metrics: Iterable[Metric], fake: Features, n: int) -> dict[str, float]:
        """What `n` generated samples score."""
        fitted_metrics = (self.fit_metric(metric, n) for metric in metrics)
        cards = (metric(self.select_reals(metric, n), take_first(fake, metric.samples)) for metric in fitted_metrics)
        return {name: value for card in cards for name, value in card.items()}

    def compute_floor(self, metric: Metric, n: int) -> dict[str, float]:
        """What the other real samples score in the place of `n` generated ones."""
        metric = self.fit_metric(metric, n)
        other = self.held_out if metric.against == "train" else self.reference
        return metric(self.select_reals(metric, n), take_first(take_first(other, n), metric.samples))


class Evaluator:
    """Scores generators against one data set by one protocol.

    Args:
        evaluation: the protocol.
        train: the training set, in stored form.
        held_out: a test split, where there is one.
        cache: a folder that keeps the real samples' features; None computes them anew.
        device: where features are computed.
        progress: whether to show, on a terminal, how far they are.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        train: Dataset,
        held_out: Dataset | None,
        cache: Path | None,
        device: torch.device | None = None,
        has_progress_bar: bool = False,
    ) -> None:
        check_sample_counts(train, held_out)
        self.evaluation, self.device, self.has_progress_bar = evaluation, device or torch.device("cpu"), has_progress_bar
        order = torch.randperm(len(train), generator=seeded_generator(evaluation.seed, "split"))
        self.train, self.order, self.is_split_from_training = train, order, held_out is None
        if held_out is None:
            held_out_count = min(len(train) // 2, evaluation.samples)
            self.data_metadata = {"reference": f"{min(len(train) - held_out_count, MAX_REFERENCE_SAMPLES):,} training samples"}
            self.data_metadata["held_out"] = f"{held_out_count:,} other training samples"
            held_out_set, reference_set = (
                train.stored[order[:held_out_count]],
                train.stored[order[held_out_count:][:MAX_REFERENCE_SAMPLES]],
            )
            self.labels = select_labels(
                (train, order[held_out_count:][:MAX_REFERENCE_SAMPLES]), (train, order[:held_out_count])
            )
        else:
            test_rows = torch.randperm(len(held_out), generator=seeded_generator(evaluation.seed, "held-out"))[
                : evaluation.samples
            ]
            self.data_metadata = {
                "reference": f"{min(len(train), MAX_REFERENCE_SAMPLES):,} training samples",
                "held_out": f"{len(test_rows):,} test samples",
            }
            held_out_set, reference_set = held_out.stored[test_rows], train.stored[order[:MAX_REFERENCE_SAMPLES]]
            self.labels = select_labels((train, order[:MAX_REFERENCE_SAMPLES]), (held_out, test_rows))
        self.codec = train.codec
        labels = {} if self.labels is None else {"label": self.labels[1][:PREVIEW_SAMPLES]}
        self.preview_batch: Batch = {"stored": held_out_set[:PREVIEW_SAMPLES].cpu(), **labels}
        self.data_metadata |= {"data": train.title, "fingerprint": train.fingerprint}
        cache_key = (train.fingerprint, held_out and held_out.fingerprint, len(train), str(to_json(evaluation.extractor)))
        cache_key = (*cache_key, evaluation.extractor.name)
        cache_key = (*cache_key, str(to_json(train.codec)), evaluation.seed, evaluation.samples)
        reference_set, held_out_set = (
            self._load_or_compute_features(reference_set, cache, "reference", cache_key),
            self._load_or_compute_features(held_out_set, cache, "held-out", cache_key),
        )
        self.real_features = RealFeatures(reference_set, held_out_set)
        self.floor_cache: dict[tuple[Metric, int], dict[str, float]] = {}
        self.caution_cache: dict[tuple[Metric, int], list[str]] = {}

    @cached_property
    def training_features(self) -> np.ndarray:
        """Features of training samples, [M, D]; row i is of the sample `order[i]`."""
        held_out = (
            self.real_features.held_out.features if self.is_split_from_training else self.real_features.held_out.features[:0]
        )
        return np.concatenate([held_out, self.real_features.reference.features])

    @property
    def primary_score(self) -> str:
        """The score that picks the best checkpoint."""
        return next(iter(self.evaluation.metrics[0].lower_is_better))

    def is_better(self, score: float, best_score: float | None) -> bool:
        is_lower_better = self.evaluation.metrics[0].lower_is_better[self.primary_score]
        return best_score is None or (score <= best_score if is_lower_better else score >= best_score)  # of equals, the later

    def score_snapshot(self, method: Method, nets: Nets) -> dict[str, Any]:
        """A quick score card, by the first metric alone."""
        return self.build_card(method, nets, self.evaluation.metrics[:1], self.sample_counts[0])

    def score_final(self, method: Method, nets: Nets) -> dict[str, Any]:
        """The full score card."""
        return self.build_card(method, nets, self.evaluation.metrics, self.sample_counts[1])

    def build_card(self, method: Method, nets: Nets, metrics: tuple[Metric, ...], n: int) -> dict[str, Any]:
        """{"scores": …, "floor": …, "lower_is_better": …, "protocol": …} of `n` generated samples."""
        scores = self.real_features.compute_scores(metrics, self._compute_fake_features(method, nets, n), n)
        floor: dict[str, float] = {}
        lower_is_better: dict[str, bool] = {}
        for metric in metrics:
            floor |= self.compute_floor(metric, n)
            lower_is_better |= metric.lower_is_better
        card = {"scores": scores, "floor": floor, "lower_is_better": lower_is_better, "protocol": self.describe_protocol(n)}
        cautions = self.list_cautions(metrics, n)
        return card | {"cautions": cautions} if cautions else card

    def list_cautions(self, metrics: Iterable[Metric], n: int) -> list[str]:
        """What to keep in mind of the scores of `n` samples by these metrics."""
        return [line for metric in metrics for line in self.describe_caution(metric, n)]

    def describe_caution(self, metric: Metric, n: int) -> list[str]:
        if (metric, n) not in self.caution_cache:
            fitted = self.real_features.fit_metric(metric, n)
            doubt = (
                fitted.describe_doubt(self.real_features.select_reals(fitted, n), n) if isinstance(fitted, SelfCritical) else ""
            )
            self.caution_cache[metric, n] = [line for line in (self.describe_fit(metric, n), doubt) if line]
        return self.caution_cache[metric, n]

    def compute_floor(self, metric: Metric, n: int) -> dict[str, float]:
        """What real samples score in the place of `n` generated ones."""
        if (metric, n) not in self.floor_cache:
            self.floor_cache[metric, n] = self.real_features.compute_floor(metric, n)
        return self.floor_cache[metric, n]

    def check_floors(self) -> list[str]:
        """Take every floor now, and say which metrics few samples have changed.

        Raises:
            GanvasError: a metric cannot be had from this data; before any training.
        """
        for metric in self.evaluation.metrics:
            self.compute_floor(metric, self.sample_counts[1])
        self.compute_floor(self.evaluation.metrics[0], self.sample_counts[0])
        return list(filter(None, (self.describe_fit(metric, self.sample_counts[1]) for metric in self.evaluation.metrics)))

    def describe_fit(self, metric: Metric, n: int) -> str:
        """How a metric is changed for so few samples; "" if it is not."""
        fitted = self.real_features.fit_metric(metric, n)
        changes = [
            f"{field.name} is {getattr(fitted, field.name)} in place of {getattr(metric, field.name)}"
            for field in fields(metric)  # type: ignore[arg-type]
            if getattr(fitted, field.name) != getattr(metric, field.name)
        ]
        fewest = self.real_features.count_fewest(n)
        return f"{', '.join(metric.lower_is_better)}: {fewest} samples are few, so {', '.join(changes)}" if changes else ""

    @property
    def sample_counts(self) -> tuple[int, int]:
        """Samples generated for a snapshot's card and for a final one: at most as many as real ones are held out."""
        held_out_count = len(self.real_features.held_out.features)
        return min(self.evaluation.snapshot_samples, held_out_count), min(self.evaluation.samples, held_out_count)

    def describe_protocol(self, n: int) -> dict[str, Any]:
        evaluation = self.evaluation
        parts = {"extractor": evaluation.extractor.name, "samples": n, **self.data_metadata, "seed": evaluation.seed}
        return parts | {"resize": self.codec.resize_name}

    def _compute_fake_features(self, method: Method, nets: Nets, n: int) -> Features:
        return self.compute_features(stream_samples(method, nets, self.codec, n, self.evaluation.seed), n, "generated samples")

    def compute_features(self, blocks: Iterable[torch.Tensor], n: int, description: str) -> Features:
        """The features of `n` samples in blocks, about a thousand at a time."""
        feature_blocks: list[Features] = []
        pending_blocks: list[torch.Tensor] = []
        remaining_samples = n
        with tqdm(
            total=n, unit="img", desc=description, delay=2, leave=False, disable=None if self.has_progress_bar else True
        ) as bar:
            for block in blocks:
                pending_blocks.append(block)
                pending_samples = sum(map(len, pending_blocks))
                if pending_samples >= 1000 or pending_samples == remaining_samples:
                    feature_blocks.append(self.evaluation.extractor(torch.cat(pending_blocks).to(self.device)))
                    pending_blocks, remaining_samples = [], remaining_samples - pending_samples
                    bar.update(pending_samples)
        return join_features(feature_blocks)

    def _load_or_compute_features(
        self, stored: torch.Tensor, cache: Path | None, role: str, cache_key: tuple[Any, ...]
    ) -> Features:
        """Features of real samples, from the cache where they were computed before."""
        path = cache / "features" / f"{seed_from(role, cache_key):016x}.safetensors" if cache else None
        if path and path.exists():
            try:
                entry = load_file(path)
                return Features(entry["features"].numpy(), entry["logits"].numpy() if "logits" in entry else None)
            except (SafetensorError, OSError):
                pass  # a damaged entry is made anew
        features = self.compute_features(stored.split(1000), len(stored), f"{role} samples")
        if path:
            tensors = {"features": torch.from_numpy(features.features)}
            if features.logits is not None:
                tensors["logits"] = torch.from_numpy(features.logits)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, lambda temporary: temporary.write_bytes(serialise_tensors(tensors)))
            except OSError:
                pass  # a cache that cannot be written costs time, nothing else
        return features


def check_sample_counts(train: Dataset, held_out: Dataset | None) -> None:
    """Raises GanvasError where real samples are too few for any score."""
    if held_out is None and len(train) < 2 * MIN_REAL_SAMPLES:
        raise GanvasError(
            f"{train.title}: {len(train)} samples are too few, for half of them are put aside to score against: add more, "
            f"at least {2 * MIN_REAL_SAMPLES}"
        )
    for data in filter(None, (train, held_out)):
        if len(data) < MIN_REAL_SAMPLES:
            raise GanvasError(f"{data.title}: {len(data)} sample to score against is too few: give at least {MIN_REAL_SAMPLES}")


def select_labels(*selections: tuple[Dataset, torch.Tensor]) -> tuple[torch.Tensor, ...] | None:
    """The labels of the rows of data sets, on the CPU; None where one has no classes."""
    label_rows = [(data.labels, rows) for data, rows in selections if data.labels is not None and data.labels.dim() == 1]
    return (
        tuple(labels[rows.to(labels.device)].cpu() for labels, rows in label_rows)
        if len(label_rows) == len(selections)
        else None
    )


def take_first(features: Features, n: int | None) -> Features:
    return Features(features.features[:n], None if features.logits is None else features.logits[:n])


def join_features(blocks: list[Features]) -> Features:
    logits = [block.logits for block in blocks if block.logits is not None]
    return Features(np.concatenate([block.features for block in blocks]), np.concatenate(logits) if logits else None)


def build_run_evaluator(
    run: RunFolder, extractor: str | Extractor | None = None, data: str | None = None, device: str = "auto"
) -> Evaluator:
    """What sees a run's data, or other data, as the run's scores do."""
    recipe = run.recipe if data is None else replace(run.recipe, data=Files(path=data))
    if extractor is not None:
        chosen_extractor = make_extractor(extractor, is_download_allowed=False) if isinstance(extractor, str) else extractor
        recipe = replace(recipe, evaluation=replace(recipe.evaluation, extractor=chosen_extractor))
    _, training, held_out = open_data(recipe.data, recipe.medium, run.read_codec())
    return Evaluator(recipe.evaluation, training, held_out, find_cache_folder(), choose_device(device), has_progress_bar=True)
