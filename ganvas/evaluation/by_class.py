"""Scores and pictures of a conditional generator, for each class."""

import sys
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..core import Dataset, Method, Nets, RealFeatures, Request
from ..data import ClassCondition
from ..data.conditions import is_same_condition, name_distinctly
from ..errors import GanvasError
from ..sampling.stream import stream_blocks, stream_samples
from ..system.console import align_columns
from .evaluator import Evaluator
from .features import select_features
from .scorer import choose_metrics, compute_real_baseline, score_samples

MIN_SAMPLES_PER_CLASS = 50  # with fewer reference or held-out samples of a class, its scores mean nothing
ALL_HELD_OUT = sys.maxsize  # a class has few of them
MAX_GRID_CLASSES = 16  # most classes in the picture


def check_classes(classes: tuple[str, ClassCondition] | None, data: Dataset, n: int) -> tuple[str, ClassCondition]:
    """(the condition's name, the generator's classes), checked against the data.

    Raises:
        GanvasError: the generator takes no classes, the data has other classes, or `n` samples are too few for all classes.
    """
    if classes is None:
        raise GanvasError("this run makes samples without classes: leave out --per-class")
    name, label = classes
    other = data.conditions.get(name)
    if other is None or not is_same_condition(other, label):
        data_classes = "no classes" if other is None else other.describe()
        raise GanvasError(f"the run makes {label.describe()}, but the data has {data_classes}: leave out --per-class or --data")
    if n // label.size < MIN_SAMPLES_PER_CLASS:
        raise GanvasError(
            f"{n:,} samples of {label.size} classes are fewer than {MIN_SAMPLES_PER_CLASS} per class: --n "
            f"{2 * MIN_SAMPLES_PER_CLASS * label.size}"
        )
    return classes


def score_classes(
    evaluator: Evaluator, method: Method, nets: Nets, classes: tuple[str, ClassCondition], n: int
) -> dict[str, Any]:
    """{class: {"scores": …, "floor": …, "samples": …}} for each class with enough real samples; at most `n` fakes in total.

    Raises:
        GanvasError: no class with enough real samples.
    """
    name, label = classes
    cards = dict[str, Any]()
    for k in range(label.size):
        reals = [select_class(scorer.load_reals(ALL_HELD_OUT), name, k) for scorer in evaluator.scorers]
        count = min(n // label.size, len(reals[0].held_out.features))
        if min(count, len(reals[0].reference.features)) < MIN_SAMPLES_PER_CLASS:
            continue
        request = Request({name: torch.tensor(k)})
        blocks = stream_blocks(method, nets, evaluator.codec, count, evaluator.evaluation.seed, request=request)
        scores, floor = dict[str, float](), dict[str, float]()
        fakes = evaluator.extract(evaluator.scorers, blocks, count, f"class {k}")
        for scorer, real, fake in zip(evaluator.scorers, reals, fakes, strict=True):
            prefix, metrics = evaluator.get_prefix(scorer), choose_metrics(scorer.metrics, real)
            scores |= {prefix + key: value for key, value in score_samples(real, metrics, fake, count).items()}
            for metric in metrics:
                floor |= {prefix + key: value for key, value in compute_real_baseline(real, metric, count).items()}
        cards[name_distinctly(label, k)] = {"scores": scores, "floor": floor, "samples": count}
    if not cards:
        raise GanvasError(
            f"no class has {MIN_SAMPLES_PER_CLASS} reference and held-out samples to compare with: leave out --per-class"
        )
    return cards


def select_class(reals: RealFeatures, name: str, k: int) -> RealFeatures:
    """The real samples of class `k`."""
    reference, held_out = (
        select_features(features, features.conditions[name] == k)
        for features in (reals.reference, reals.held_out)  # of a class, too few samples are unseen
    )
    return RealFeatures(reference, held_out)


def sample_class_grid(evaluator: Evaluator, method: Method, nets: Nets, classes: tuple[str, ClassCondition]) -> Tensor:
    """A square of samples in stored form; each row shows one of the first classes."""
    name, label = classes
    side = min(label.size, MAX_GRID_CLASSES)
    rows = (
        stream_samples(method, nets, evaluator.codec, side, evaluator.evaluation.seed, request=Request({name: torch.tensor(k)}))
        for k in range(side)
    )
    return torch.cat([block for row in rows for block in row])


def format_class_scores(cards: Mapping[str, Any]) -> str:
    """`score_classes`'s result as a table: a line per class, highest first score first, and the real samples' first score.

    Only the first judge's scores, so that it fits a screen.
    """
    names = [name for name in next(iter(cards.values()))["scores"] if "/" not in name]
    rows = [["class", "samples", *names, f"real {names[0]}"]]
    for name, card in sorted(cards.items(), key=lambda item: -item[1]["scores"][names[0]]):
        values = [*(card["scores"][name] for name in names), card["floor"][names[0]]]
        rows.append([name, f"{card['samples']:,}", *(f"{value:.4g}" for value in values)])
    return align_columns(rows, left_columns=(0,))
