"""A conditional generator class by class: how well each is made, and what it looks like."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..core import Condition, Features, Method, Nets, Request, Spec
from ..data.labels import name_distinctly
from ..errors import GanvasError
from ..sampling.generator import makes_classes
from ..sampling.stream import stream_samples
from ..system.console import align_columns
from .evaluator import Evaluator, RealFeatures

MIN_SAMPLES_PER_CLASS = 50  # real samples of a class on each side, below which its scores say nothing
MAX_GRID_CLASSES = 16  # classes on a wall


def check_classes(nets: Nets, spec: Spec, data: Condition | None, n: int) -> None:
    """Raises GanvasError where samples have no classes, `data` has others, or `n` samples are too few for each of them."""
    if not makes_classes(nets, spec):
        raise GanvasError("this run makes samples without classes: leave out --per-class")
    label = spec.conditions["label"]
    if data is None or data[:3] != label[:3]:
        data_classes = "no classes" if data is None else f"the classes {', '.join(data.names[:5])} ({data.size})"
        run_classes = f"{', '.join(label.names[:5])} ({label.size})"
        raise GanvasError(f"the run makes {run_classes}, and the data has {data_classes}: leave out --per-class or --data")
    if n // label.size < MIN_SAMPLES_PER_CLASS:
        raise GanvasError(
            f"{n:,} samples of {label.size} classes are fewer than {MIN_SAMPLES_PER_CLASS} of each: --n "
            f"{2 * MIN_SAMPLES_PER_CLASS * label.size}"
        )


def score_classes(evaluator: Evaluator, method: Method, nets: Nets, spec: Spec, n: int) -> dict[str, Any]:
    """{class: {"scores": …, "floor": …, "samples": …}} for the classes with enough real samples; `n` generated ones in all.

    Raises:
        GanvasError: no class with enough real samples.
    """
    assert evaluator.labels is not None  # `check`ed before
    label, cards = spec.conditions["label"], dict[str, Any]()
    for k in range(label.size):
        reals = RealFeatures(
            *(
                select_class(features, labels, k)
                for features, labels in zip(evaluator.real_features, evaluator.labels, strict=True)
            )
        )
        count = min(n // label.size, len(reals.held_out.features))
        if min(count, len(reals.reference.features)) < MIN_SAMPLES_PER_CLASS:
            continue
        blocks = stream_samples(
            method, nets, evaluator.codec, count, evaluator.evaluation.seed, request=Request(torch.tensor(k))
        )
        metrics, floor = evaluator.evaluation.metrics, dict[str, float]()
        for metric in metrics:
            floor |= reals.compute_floor(metric, count)
        card = {
            "scores": reals.compute_scores(metrics, evaluator.compute_features(blocks, count, f"class {k}"), count),
            "floor": floor,
        }
        cards[name_distinctly(label, k)] = card | {"samples": count}
    if not cards:
        raise GanvasError(
            f"no class has {MIN_SAMPLES_PER_CLASS} real samples on each side to compare with: leave out --per-class"
        )
    return cards


def select_class(features: Features, labels: Tensor, k: int) -> Features:
    rows = (labels == k).numpy()
    return Features(features.features[rows], None if features.logits is None else features.logits[rows])


def sample_class_grid(evaluator: Evaluator, method: Method, nets: Nets, spec: Spec) -> Tensor:
    """A square of samples in stored form, a row for each of the first classes."""
    side = min(spec.conditions["label"].size, MAX_GRID_CLASSES)
    rows = (
        stream_samples(method, nets, evaluator.codec, side, evaluator.evaluation.seed, request=Request(torch.tensor(k)))
        for k in range(side)
    )
    return torch.cat([block for row in rows for block in row])


def format_class_scores(cards: Mapping[str, Any]) -> str:
    """`scores` in words: a line a class, the worst first, real samples' first score beside it."""
    names = list(next(iter(cards.values()))["scores"])
    rows = [["class", "samples", *names, f"real {names[0]}"]]
    for name, card in sorted(cards.items(), key=lambda item: -item[1]["scores"][names[0]]):
        values = [*card["scores"].values(), card["floor"][names[0]]]
        rows.append([name, f"{card['samples']:,}", *(f"{value:.4g}" for value in values)])
    return align_columns(rows, left_columns=(0,))
