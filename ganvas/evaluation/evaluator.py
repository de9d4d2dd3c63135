"""Reliable scores: fixed features, sample counts and real samples, and the score of real data to compare with.

Real samples come in two sets without overlap. The *reference* is the training set; Fréchet-like distances compare with it.
The *held-out* samples are a test split, if the data has one. Otherwise up to half of the training samples are put aside for
scoring, at most the size of the score card or 10,000, whichever is larger. The *unseen* samples are the few that were held out
of training; they show whether samples are copies. The floor is the score of held-out samples in the
place of generated ones, at the same count.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialise_tensors
from tqdm import tqdm

from ..configuration import to_json
from ..core import (
    Batch,
    Codec,
    Dataset,
    Extractor,
    Features,
    Method,
    Metric,
    Nets,
    RealFeatures,
    Source,
    seed_from,
    seeded_generator,
)
from ..data import EncodedDataset, Files
from ..data.cache import ENTRY_FORMAT
from ..data.columns import load_conditions
from ..data.dataset import open_data
from ..data.rows import take_rows
from ..errors import GanvasError
from ..extractors.by_name import list_extractors, make_extractor
from ..metrics.check import Explanatory, Selective, SelfCritical
from ..recipe import Evaluation
from ..runs.folder import RunFolder
from ..sampling.stream import SampleBlock, stream_blocks
from ..system.device import choose_device
from ..system.files import find_cache_folder, write_atomically
from .fitting import describe_fit, fit_metric

PREVIEW_SAMPLES = 256  # held-out samples kept for exhibits
CHECK_SAMPLES = 100  # try every metric on this many samples before training
MIN_REAL_SAMPLES = 2  # on each side: a mean and a variance need two
MAX_REFERENCE_SAMPLES = 100_000  # more real samples take time and do not change the second digit of any score


def select_reals(real: RealFeatures, metric: Metric, n: int) -> RealFeatures:
    """The real samples for `n` generated ones: the whole reference, and as many held-out samples."""
    return real._replace(held_out=take_first(take_first(real.held_out, n), metric.samples))


def compute_scores(real: RealFeatures, metrics: Iterable[Metric], fake: Features, n: int) -> dict[str, float]:
    """The scores of `n` generated samples, by name."""
    fitted_metrics = (fit_metric(metric, real, n) for metric in metrics)
    cards = (metric(select_reals(real, metric, n), take_first(fake, metric.samples)) for metric in fitted_metrics)
    return {name: value for card in cards for name, value in card.items()}


def compute_real_baseline(real: RealFeatures, metric: Metric, n: int) -> dict[str, float]:
    """The floor: the scores of real samples in the place of `n` generated ones. The metric does not compare with these."""
    metric = fit_metric(metric, real, n)
    if isinstance(metric, Selective):
        return metric.compute_baseline(real, n)
    other = real.held_out if metric.against == "train" else real.reference
    return metric(select_reals(real, metric, n), take_first(take_first(other, n), metric.samples))


def choose_metrics(metrics: Iterable[Metric], real: RealFeatures) -> tuple[Metric, ...]:
    """The metrics that these real samples allow."""
    return tuple(metric for metric in metrics if not isinstance(metric, Selective) or metric.applies_to(real))


def describe_findings(metrics: Iterable[Metric], scores: Mapping[str, float]) -> list[str]:
    """What these scores say about the generator, in sentences."""
    findings = (metric.describe_finding(scores) for metric in metrics if isinstance(metric, Explanatory))
    return [finding for finding in findings if finding]


def check_medium(extractor: Extractor, codec: Codec) -> None:
    """Raises GanvasError if the extractor does not take this medium."""
    if extractor.media and codec.medium not in extractor.media:
        others = [word for word, other in list_extractors().items() if not other.media or codec.medium in other.media]
        raise GanvasError(
            f"{extractor.name} takes {' and '.join(extractor.media)}, but these samples are {codec.medium}: take the extractor "
            f"{' or '.join(others)}"
        )


class Evaluator:
    """Scores generators against one data set by one protocol.

    Args:
        evaluation: the protocol.
        train: the training set, in stored form.
        held_out: a test split, if there is one.
        cache: a folder for the features of real samples; None always computes them.
        device: the device that computes features.
        has_progress_bar: whether to show a progress bar on a terminal.
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
        check_medium(evaluation.extractor, train.codec)
        split = split_reals(train, held_out, evaluation)
        self.train, self.order, self.is_split_from_training = train, split.order, split.is_from_training
        self.codec = train.codec
        self.preview_batch: Batch = {name: rows[:PREVIEW_SAMPLES].cpu() for name, rows in split.held_out.items()}
        self.data_metadata = split.description | {"data": train.title, "fingerprint": train.fingerprint}
        cache_key = (train.fingerprint, held_out and held_out.fingerprint, len(train), str(to_json(evaluation.extractor)))
        cache_key = (*cache_key, evaluation.extractor.name, ENTRY_FORMAT)  # features are of samples as they are encoded
        cache_key = (*cache_key, str(to_json(train.codec)), evaluation.seed, evaluation.split_size)
        reference, other = (
            self._load_or_compute_features(split.reference, cache, "reference", cache_key),
            self._load_or_compute_features(split.held_out, cache, "held-out", cache_key),
        )
        training = (other, reference) if split.is_from_training else (reference,)
        unseen = None if split.is_from_training else other
        if split.unseen is not None:
            unseen = self._load_or_compute_features(split.unseen, cache, "unseen", cache_key)
        self.real_features = RealFeatures(reference, other, training, unseen)
        self.floor_cache: dict[tuple[Metric, int], dict[str, float]] = {}
        self.caution_cache: dict[tuple[Metric, int], list[str]] = {}

    @cached_property
    def training_features(self) -> np.ndarray:
        """Features of training samples, [M, D]; row i belongs to training sample `order[i]`."""
        held_out = (
            self.real_features.held_out.features if self.is_split_from_training else self.real_features.held_out.features[:0]
        )
        return np.concatenate([held_out, self.real_features.reference.features])

    @property
    def primary_score(self) -> str:
        """The name of the score that chooses the best checkpoint."""
        return next(iter(self.evaluation.metrics[0].lower_is_better))

    def is_better(self, score: float, best_score: float | None) -> bool:
        is_lower_better = self.evaluation.metrics[0].lower_is_better[self.primary_score]
        # of equal scores, the later one is better
        return best_score is None or (score <= best_score if is_lower_better else score >= best_score)

    def score_snapshot(self, method: Method, nets: Nets) -> dict[str, Any]:
        """A quick score card with only the first metric."""
        return self.build_card(method, nets, self.evaluation.metrics[:1], self.sample_counts[0])

    def score_final(self, method: Method, nets: Nets) -> dict[str, Any]:
        """The full score card."""
        return self.build_card(method, nets, choose_metrics(self.evaluation.metrics, self.real_features), self.sample_counts[1])

    def build_card(self, method: Method, nets: Nets, metrics: tuple[Metric, ...], n: int) -> dict[str, Any]:
        """{"scores": …, "floor": …, "lower_is_better": …, "protocol": …} for `n` generated samples."""
        scores = compute_scores(self.real_features, metrics, self._compute_fake_features(method, nets, n), n)
        floor: dict[str, float] = {}
        lower_is_better: dict[str, bool] = {}
        for metric in metrics:
            floor |= self.compute_floor(metric, n)
            lower_is_better |= metric.lower_is_better
        card = {"scores": scores, "floor": floor, "lower_is_better": lower_is_better, "protocol": self.describe_protocol(n)}
        cautions = self.list_cautions(metrics, n) + describe_findings(metrics, scores)
        return card | {"cautions": cautions} if cautions else card

    def list_cautions(self, metrics: Iterable[Metric], n: int) -> list[str]:
        """What to keep in mind about the scores of `n` samples by these metrics."""
        return [line for metric in metrics for line in self.describe_caution(metric, n)]

    def describe_caution(self, metric: Metric, n: int) -> list[str]:
        if (metric, n) not in self.caution_cache:
            reals = self.real_features
            fitted = fit_metric(metric, reals, n)
            doubt = fitted.describe_doubt(select_reals(reals, fitted, n), n) if isinstance(fitted, SelfCritical) else ""
            self.caution_cache[metric, n] = [line for line in (describe_fit(metric, reals, n), doubt) if line]
        return self.caution_cache[metric, n]

    def compute_floor(self, metric: Metric, n: int) -> dict[str, float]:
        """The scores of real samples in the place of `n` generated ones."""
        if (metric, n) not in self.floor_cache:
            self.floor_cache[metric, n] = compute_real_baseline(self.real_features, metric, n)
        return self.floor_cache[metric, n]

    def check_floors(self) -> list[str]:
        """Try every metric on a few real samples; returns how metrics change because there are few samples.

        Raises:
            GanvasError: this data does not allow a metric.
        """
        snapshot_count, final_count = self.sample_counts
        metrics = choose_metrics(self.evaluation.metrics, self.real_features)
        for metric, n in ((self.evaluation.metrics[0], snapshot_count), *((m, final_count) for m in metrics)):
            try:
                self.compute_floor(metric, min(n, CHECK_SAMPLES))
            except GanvasError:  # it may need more samples
                self.compute_floor(metric, n)
        changes = (describe_fit(metric, self.real_features, final_count) for metric in metrics)
        return [change for change in changes if change]

    @property
    def sample_counts(self) -> tuple[int, int]:
        """(samples for a snapshot's card, samples for a final card), each at most the number of held-out samples."""
        held_out_count = len(self.real_features.held_out.features)
        return min(self.evaluation.snapshot_samples, held_out_count), min(self.evaluation.card_samples, held_out_count)

    def describe_protocol(self, n: int) -> dict[str, Any]:
        evaluation = self.evaluation
        parts = {"extractor": evaluation.extractor.name, "samples": n, **self.data_metadata, "seed": evaluation.seed}
        return parts | dict(self.codec.protocol())

    def _compute_fake_features(self, method: Method, nets: Nets, n: int) -> Features:
        blocks = stream_blocks(method, nets, self.codec, n, self.evaluation.seed)
        return self.compute_features(blocks, n, "generated samples")

    def compute_features(self, blocks: Iterable[SampleBlock], n: int, description: str) -> Features:
        """The features of `n` samples, computed from about 1,000 samples at a time."""
        feature_blocks: list[Features] = []
        pending_blocks: list[SampleBlock] = []
        remaining_samples = n
        with tqdm(
            total=n, unit="sample", desc=description, delay=2, leave=False, disable=None if self.has_progress_bar else True
        ) as bar:
            for block in blocks:
                pending_blocks.append(block)
                pending_samples = sum(len(pending.stored) for pending in pending_blocks)
                if pending_samples >= 1000 or pending_samples == remaining_samples:
                    feature_blocks.append(self.extract_features(pending_blocks))
                    pending_blocks, remaining_samples = [], remaining_samples - pending_samples
                    bar.update(pending_samples)
        return join_features(feature_blocks)

    def extract_features(self, blocks: list[SampleBlock]) -> Features:
        features = self.evaluation.extractor(torch.cat([block.stored for block in blocks]).to(self.device))
        names = blocks[0].conditions
        return features._replace(conditions={name: torch.cat([b.conditions[name] for b in blocks]).numpy() for name in names})

    def _load_or_compute_features(
        self, columns: Mapping[str, torch.Tensor], cache: Path | None, role: str, cache_key: tuple[Any, ...]
    ) -> Features:
        """Features of real samples, from the cache if they are there."""
        path = cache / "features" / f"{seed_from(role, cache_key):016x}.safetensors" if cache else None
        stored = columns["x"]
        features = load_features(path) if path else None
        if features is None:
            blocks = (SampleBlock(block, {}) for block in stored.split(1000))
            features = self.compute_features(blocks, len(stored), f"{role} samples")
            if path:
                save_features(path, features)
        conditions = load_conditions(self.codec, columns, self.train.spec.conditions)
        return features._replace(conditions={name: rows.cpu().numpy() for name, rows in conditions.items()})


def load_features(path: Path) -> Features | None:
    """Features from a cache file; None if it is missing or damaged."""
    try:
        entry = load_file(path)
        return Features(entry["features"].numpy(), entry["logits"].numpy() if "logits" in entry else None)
    except (SafetensorError, OSError, KeyError):
        return None


def save_features(path: Path, features: Features) -> None:
    """Write features to a cache file. If that fails, the next run only takes longer."""
    tensors = {"features": torch.from_numpy(features.features)}
    if features.logits is not None:
        tensors["logits"] = torch.from_numpy(features.logits)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda temporary: temporary.write_bytes(serialise_tensors(tensors)))


class RealSplit(NamedTuple):
    """The real samples to score with."""

    reference: Mapping[str, torch.Tensor]  # columns by name
    held_out: Mapping[str, torch.Tensor]
    order: torch.Tensor  # training rows in the order of Evaluator.training_features
    description: dict[str, str]  # for the score card
    is_from_training: bool  # `held_out` are training samples, put aside for scores alone
    unseen: Mapping[str, torch.Tensor] | None = None  # samples that training never saw, if `held_out` are others


def split_reals(train: Dataset, held_out: Dataset | None, evaluation: Evaluation) -> RealSplit:
    """Choose the reference and the held-out samples. Without a test split, put training samples aside.

    Samples that were held out of training take their place if they are as many. Otherwise they are `unseen`.
    """
    order = torch.randperm(len(train), generator=seeded_generator(evaluation.seed, "split"))
    count, unseen = min(len(train) // 2, evaluation.split_size), None
    is_taken = isinstance(held_out, EncodedDataset) and held_out.is_taken_from_training
    is_from_training = held_out is None or (is_taken and len(held_out) < count)
    if held_out is None or is_from_training:
        test_set, test_rows, reference_rows, noun = train, order[:count], order[count:], "other training samples"
        if held_out is not None:
            unseen = select_rows(held_out, torch.arange(len(held_out)))
    else:
        test_rows = torch.randperm(len(held_out), generator=seeded_generator(evaluation.seed, "held-out"))
        noun = "samples that training never saw" if is_taken else "test samples"
        test_set, test_rows, reference_rows = held_out, test_rows[: evaluation.split_size], order
    reference_rows = reference_rows[:MAX_REFERENCE_SAMPLES]
    words = {"reference": f"{len(reference_rows):,} training samples", "held_out": f"{len(test_rows):,} {noun}"}
    words |= {} if unseen is None else {"unseen": f"{len(unseen['x']):,} samples"}
    return RealSplit(
        select_rows(train, reference_rows), select_rows(test_set, test_rows), order, words, is_from_training, unseen
    )


def select_rows(data: Dataset, rows: torch.Tensor) -> dict[str, torch.Tensor]:
    """Some rows of every column."""
    return take_rows(data.columns, rows)


def check_sample_counts(train: Dataset, held_out: Dataset | None) -> None:
    """Raises GanvasError if there are too few real samples for any score."""
    if held_out is None and len(train) < 2 * MIN_REAL_SAMPLES:
        raise GanvasError(
            f"{train.title}: {len(train)} samples are too few, for half of them are put aside to score against: add more, "
            f"at least {2 * MIN_REAL_SAMPLES}"
        )
    for data in filter(None, (train, held_out)):
        if len(data) < MIN_REAL_SAMPLES:
            raise GanvasError(f"{data.title}: {len(data)} sample to score against is too few: give at least {MIN_REAL_SAMPLES}")


def take_first(features: Features, n: int | None) -> Features:
    return select_features(features, slice(n))


def select_features(features: Features, rows: slice | np.ndarray) -> Features:
    """Some of the samples."""
    logits = None if features.logits is None else features.logits[rows]
    return Features(features.features[rows], logits, {name: values[rows] for name, values in features.conditions.items()})


def join_features(blocks: list[Features]) -> Features:
    logits = [block.logits for block in blocks if block.logits is not None]
    conditions = {name: np.concatenate([block.conditions[name] for block in blocks]) for name in blocks[0].conditions}
    features = np.concatenate([block.features for block in blocks])
    return Features(features, np.concatenate(logits) if logits else None, conditions)


def open_scored_data(run: RunFolder, source: Source) -> tuple[EncodedDataset, EncodedDataset | None]:
    """(the training set, the held-out set or None) of a run, or of other data. The run's training saw none of other data."""
    held_out = run.recipe.held_out if source == run.recipe.data else None
    _, training_set, held_out_set = open_data(
        source, run.recipe.medium, run.read_codec(), held_out=held_out, held_out_key=run.meta["data"]["fingerprint"]
    )
    return training_set, held_out_set


def build_run_evaluator(
    run: RunFolder, extractor: str | Extractor | None = None, data: str | None = None, device: str = "auto"
) -> Evaluator:
    """An evaluator by the run's protocol, on the run's data or on other data."""
    recipe = run.recipe if data is None else replace(run.recipe, data=Files(path=data))
    if extractor is not None:
        chosen_extractor = make_extractor(extractor, is_download_allowed=False) if isinstance(extractor, str) else extractor
        recipe = replace(recipe, evaluation=replace(recipe.evaluation, extractor=chosen_extractor))
    training, held_out = open_scored_data(run, recipe.data)
    return Evaluator(recipe.evaluation, training, held_out, find_cache_folder(), choose_device(device), has_progress_bar=True)
