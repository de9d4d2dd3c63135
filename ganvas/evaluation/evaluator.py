"""Scores that can be believed: which features, how many samples, against which real ones, and what real ones score.

Real samples come in two sets that do not overlap: the *reference* (the training set, of which Fréchet-like distances are
taken) and the *held-out* ones (a test split where the data has one, else half of the training samples put aside for
scoring, at most as many as are generated). The floor is the score that the held-out samples get in the generated ones' place,
at the same count.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as packed
from tqdm import tqdm

from ..config import to_json
from ..core import Batch, Dataset, Extractor, Method, Metric, Nets, Scored, generator, key
from ..data import Files
from ..data.dataset import open_data
from ..extractors.by_name import called
from ..recipe import Evaluation
from ..runs.folder import Run
from ..sampling.stream import stream
from ..system.device import pick
from ..system.files import cache_folder, write_whole

SHOWN = 256  # held-out samples that are kept, to be shown
REFERENCE_LIMIT = 100_000  # more real samples than this change no score's second digit, and cost time


class Reals(NamedTuple):
    """Real samples to compare with, as the extractor sees them."""

    reference: Scored
    held: Scored

    def of(self, metric: Metric, n: int) -> Scored:
        """Those a metric compares `n` generated ones with: all of the reference, or as many held-out ones."""
        return self.reference if metric.against == "train" else cut(cut(self.held, n), metric.samples)

    def scores(self, metrics: Iterable[Metric], fake: Scored, n: int) -> dict[str, float]:
        """What `n` generated samples score."""
        cards = (metric(self.of(metric, n), cut(fake, metric.samples)) for metric in metrics)
        return {name: value for card in cards for name, value in card.items()}

    def floor(self, metric: Metric, n: int) -> dict[str, float]:
        """What the other real samples score in the place of `n` generated ones."""
        other = self.held if metric.against == "train" else self.reference
        return metric(self.of(metric, n), cut(cut(other, n), metric.samples))


class Judge:
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
        progress: bool = False,
    ) -> None:
        self.evaluation, self.device, self.progress = evaluation, device or torch.device("cpu"), progress
        order = torch.randperm(len(train), generator=generator(evaluation.seed, "split"))
        self.train, self.order, self.split = train, order, held_out is None
        if held_out is None:
            aside = min(len(train) // 2, evaluation.samples)
            self.words = {"reference": f"{min(len(train) - aside, REFERENCE_LIMIT):,} training samples"}
            self.words["held_out"] = f"{aside:,} other training samples"
            held, reference = train.stored[order[:aside]], train.stored[order[aside:][:REFERENCE_LIMIT]]
            self.labels = labels_of((train, order[aside:][:REFERENCE_LIMIT]), (train, order[:aside]))
        else:
            some = torch.randperm(len(held_out), generator=generator(evaluation.seed, "held-out"))[: evaluation.samples]
            self.words = {
                "reference": f"{min(len(train), REFERENCE_LIMIT):,} training samples",
                "held_out": f"{len(some):,} test samples",
            }
            held, reference = held_out.stored[some], train.stored[order[:REFERENCE_LIMIT]]
            self.labels = labels_of((train, order[:REFERENCE_LIMIT]), (held_out, some))
        self.codec = train.codec
        labels = {} if self.labels is None else {"label": self.labels[1][:SHOWN]}
        self.shown: Batch = {"stored": held[:SHOWN].cpu(), **labels}
        self.words |= {"data": train.title, "fingerprint": train.fingerprint}
        mark = (train.fingerprint, held_out and held_out.fingerprint, len(train), str(to_json(evaluation.extractor)))
        mark = (*mark, evaluation.extractor.name)
        mark = (*mark, str(to_json(train.codec)), evaluation.seed, evaluation.samples)
        reference, held = self._kept(reference, cache, "reference", mark), self._kept(held, cache, "held-out", mark)
        self.reals = Reals(reference, held)
        self.floors: dict[tuple[Metric, int], dict[str, float]] = {}

    @cached_property
    def known(self) -> np.ndarray:
        """Features of training samples, [M, D]; row i is of the sample `order[i]`."""
        held = self.reals.held.features if self.split else self.reals.held.features[:0]
        return np.concatenate([held, self.reals.reference.features])

    @property
    def first(self) -> str:
        """The score that picks the best checkpoint."""
        return next(iter(self.evaluation.metrics[0].lower_is_better))

    def better(self, score: float, than: float | None) -> bool:
        lower = self.evaluation.metrics[0].lower_is_better[self.first]
        return than is None or (score <= than if lower else score >= than)  # of equals, the later

    def snapshot(self, method: Method, nets: Nets) -> dict[str, Any]:
        """A quick score card, by the first metric alone."""
        return self.card(method, nets, self.evaluation.metrics[:1], self.counts[0])

    def final(self, method: Method, nets: Nets) -> dict[str, Any]:
        """The full score card."""
        return self.card(method, nets, self.evaluation.metrics, self.counts[1])

    def card(self, method: Method, nets: Nets, metrics: tuple[Metric, ...], n: int) -> dict[str, Any]:
        """{"scores": …, "floor": …, "lower_is_better": …, "protocol": …} of `n` generated samples."""
        scores = self.reals.scores(metrics, self._fake(method, nets, n), n)
        floor: dict[str, float] = {}
        lower: dict[str, bool] = {}
        for metric in metrics:
            floor |= self.floor(metric, n)
            lower |= metric.lower_is_better
        return {"scores": scores, "floor": floor, "lower_is_better": lower, "protocol": self.protocol(n)}

    def floor(self, metric: Metric, n: int) -> dict[str, float]:
        """What real samples score in the place of `n` generated ones."""
        if (metric, n) not in self.floors:
            self.floors[metric, n] = self.reals.floor(metric, n)
        return self.floors[metric, n]

    def check(self) -> None:
        """Take every floor now. Raises GanvasError, before any training, where a metric cannot be had from this data."""
        for metric in self.evaluation.metrics:
            self.floor(metric, self.counts[1])
        self.floor(self.evaluation.metrics[0], self.counts[0])

    @property
    def counts(self) -> tuple[int, int]:
        """Samples generated for a snapshot's card and for a final one: at most as many as real ones are held out."""
        held = len(self.reals.held.features)
        return min(self.evaluation.snapshot_samples, held), min(self.evaluation.samples, held)

    def protocol(self, n: int) -> dict[str, Any]:
        evaluation = self.evaluation
        words = {"extractor": evaluation.extractor.name, "samples": n, **self.words, "seed": evaluation.seed}
        return words | {"resize": self.codec.resize}

    def _fake(self, method: Method, nets: Nets, n: int) -> Scored:
        return self.features(stream(method, nets, self.codec, n, self.evaluation.seed), n, "generated samples")

    def features(self, blocks: Iterable[torch.Tensor], n: int, what: str) -> Scored:
        """The features of `n` samples in blocks, about a thousand at a time."""
        done: list[Scored] = []
        waiting: list[torch.Tensor] = []
        left = n
        with tqdm(total=n, unit="img", desc=what, delay=2, leave=False, disable=None if self.progress else True) as bar:
            for block in blocks:
                waiting.append(block)
                held = sum(map(len, waiting))
                if held >= 1000 or held == left:
                    done.append(self.evaluation.extractor(torch.cat(waiting).to(self.device)))
                    waiting, left = [], left - held
                    bar.update(held)
        return join(done)

    def _kept(self, stored: torch.Tensor, cache: Path | None, which: str, mark: tuple[Any, ...]) -> Scored:
        """Features of real samples, from the cache where they were computed before."""
        path = cache / "features" / f"{key(which, mark):016x}.safetensors" if cache else None
        if path and path.exists():
            try:
                kept = load_file(path)
                return Scored(kept["features"].numpy(), kept["logits"].numpy() if "logits" in kept else None)
            except (SafetensorError, OSError):
                pass  # a damaged entry is made anew
        scored = self.features(stored.split(1000), len(stored), f"{which} samples")
        if path:
            tensors = {"features": torch.from_numpy(scored.features)}
            if scored.logits is not None:
                tensors["logits"] = torch.from_numpy(scored.logits)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, lambda temporary: temporary.write_bytes(packed(tensors)))
            except OSError:
                pass  # a cache that cannot be written costs time, nothing else
        return scored


def labels_of(*chosen: tuple[Dataset, torch.Tensor]) -> tuple[torch.Tensor, ...] | None:
    """The labels of the rows of data sets, on the CPU; None where one has no classes."""
    found = [(data.labels, rows) for data, rows in chosen if data.labels is not None and data.labels.dim() == 1]
    return tuple(labels[rows.to(labels.device)].cpu() for labels, rows in found) if len(found) == len(chosen) else None


def cut(scored: Scored, n: int | None) -> Scored:
    return Scored(scored.features[:n], None if scored.logits is None else scored.logits[:n])


def join(blocks: list[Scored]) -> Scored:
    logits = [block.logits for block in blocks if block.logits is not None]
    return Scored(np.concatenate([block.features for block in blocks]), np.concatenate(logits) if logits else None)


def judge_of(run: Run, extractor: str | Extractor | None = None, data: str | None = None, device: str = "auto") -> Judge:
    """What sees a run's data, or other data, as the run's scores do."""
    recipe = run.recipe if data is None else replace(run.recipe, data=Files(path=data))
    if extractor is not None:
        seeing = called(extractor, download=False) if isinstance(extractor, str) else extractor
        recipe = replace(recipe, evaluation=replace(recipe.evaluation, extractor=seeing))
    _, training, held_out = open_data(recipe.data, recipe.medium, run.codec())
    return Judge(recipe.evaluation, training, held_out, cache_folder(), pick(device), progress=True)
