"""Scores of one translator for many domains: whether each result shows the label asked for, and keeps the rest of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from ..configuration import to_json
from ..core import Batch, Condition, seed_from
from ..data.columns import load_batch
from ..data.rows import take_rows
from ..losses.classification import measure_label_nll
from ..recipe import LabelJudge
from .label_classifier import LabelClassifier, load_or_train
from .translations import LABEL, HeldOutSources
from .wanted_labels import ATTRIBUTE_LIMIT


@dataclass
class LabelScorer:
    """Asks a classifier for the labels of translations of held-out sources.

    cache: a folder for the classifier's weights; None always trains it.
    key: decides the training samples.
    """

    judge: LabelJudge
    sources: HeldOutSources
    cache: Path | None
    key: object

    @property
    def condition(self) -> Condition:
        return self.sources.spec.conditions[LABEL]

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        """Of classes there is nothing to keep: what was asked for is all that there is."""
        return (
            {"label found": False}
            if self.condition.kind == "class"
            else dict.fromkeys(("label right", "label found", "label kept"), False)
        )

    @cached_property
    def classifier(self) -> LabelClassifier:
        training, codec, device = self.sources.training, self.sources.codec, self.sources.device

        def measure_loss(classifier: LabelClassifier, rows: Tensor, generator: torch.Generator) -> Tensor:
            columns = {name: values.to(device) for name, values in take_rows(training.columns, rows).items()}
            batch: Batch = load_batch(codec, columns, generator)
            return measure_label_nll(classifier(batch["x"].float()), batch[LABEL]).mean()

        def build() -> LabelClassifier:
            return LabelClassifier(codec.spec.shape[0], self.condition.size, self.judge.width).to(device)

        name = f"{seed_from(self.key, str(to_json(self.judge))):016x}.safetensors"
        path = self.cache / "label-classifiers" / name if self.cache else None
        return load_or_train(build, measure_loss, training.size, self.judge.steps, self.judge.seed, path)

    def compute_scores(self, stored: Tensor) -> dict[str, float]:
        """The scores of translations [N, …] of the first held-out sources to the labels asked for."""
        count = len(stored)
        return score_labels(self.read_labels(stored), self.sources.list_own_labels(count), self.sources.draw_wanted(count))

    def compute_floor(self, n: int) -> dict[str, float]:
        """The scores of real pictures that have the labels asked for of others: how often the classifier is right on them."""
        own_labels = self.sources.list_own_labels(n)
        seen_labels = self.read_labels(self.sources.reals.take(0, n)["x"])
        return score_columns(seen_labels == own_labels, self.sources.draw_wanted(n) != own_labels)

    def read_labels(self, stored: Tensor) -> Tensor:
        """What the classifier sees in samples [N, …]: classes int64 [N], or attributes [N, K] of 0 and 1."""
        parts: list[Tensor] = []
        with torch.inference_mode():
            for block in stored.split(256):
                logits = self.classifier(self.sources.codec.load(block.to(self.sources.device), None).float()).cpu()
                parts.append(logits.argmax(1) if self.condition.kind == "class" else (logits > 0).float())
        return torch.cat(parts)


def score_labels(seen_labels: Tensor, own_labels: Tensor, targets: Tensor) -> dict[str, float]:
    """See `score_columns`. Labels are classes [N] or attributes [N, K]: in the results, in the sources, and asked for."""
    if seen_labels.dim() > 1:
        seen_labels, own_labels, targets = (label >= ATTRIBUTE_LIMIT for label in (seen_labels, own_labels, targets))
    return score_columns(seen_labels == targets, targets != own_labels)


def score_columns(is_right: Tensor, is_changed: Tensor) -> dict[str, float]:
    """Shares, in [0, 1]. Both are bool, [N] of classes or [N, K] of attributes.

    "label found": of samples whose changed attributes are all as wanted, or whose class is. "label kept": of the attributes
    that were to stay and did. "label right": of samples whose attributes are all as wanted.
    """
    if is_right.dim() == 1:
        return {"label found": is_right.double().mean().item()}
    return {
        "label right": is_right.all(1).double().mean().item(),
        "label found": (is_right | ~is_changed).all(1).double().mean().item(),
        "label kept": is_right[~is_changed].double().mean().item(),
    }
