"""A conditional generator class by class: how well each is made, and what it looks like."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..core import Asked, Condition, Method, Nets, Scored, Spec
from ..errors import GanvasError
from ..sampling.generator import makes_classes
from ..sampling.stream import stream
from ..system.console import aligned
from .evaluator import Judge, Reals

LEAST = 50  # real samples of a class on each side, below which its scores say nothing
SHOWN = 16  # classes on a wall


def check(nets: Nets, spec: Spec, data: Condition | None, n: int) -> None:
    """Raises GanvasError where samples have no classes, `data` has others, or `n` samples are too few for each of them."""
    if not makes_classes(nets, spec):
        raise GanvasError("this run makes samples without classes: leave out --per-class")
    label = spec.conditions["label"]
    if data is None or data[:3] != label[:3]:
        there = "no classes" if data is None else f"the classes {', '.join(data.names[:5])} ({data.size})"
        here = f"{', '.join(label.names[:5])} ({label.size})"
        raise GanvasError(f"the run makes {here}, and the data has {there}: leave out --per-class or --data")
    if n // label.size < LEAST:
        raise GanvasError(f"{n:,} samples of {label.size} classes are fewer than {LEAST} of each: --n {2 * LEAST * label.size}")


def scores(judge: Judge, method: Method, nets: Nets, spec: Spec, n: int) -> dict[str, Any]:
    """{class: {"scores": …, "floor": …, "samples": …}} for the classes with enough real samples; `n` generated ones in all.

    Raises:
        GanvasError: no class with enough real samples.
    """
    assert judge.labels is not None  # `check`ed before
    label, found = spec.conditions["label"], dict[str, Any]()
    for k in range(label.size):
        reals = Reals(*(of_class(scored, labels, k) for scored, labels in zip(judge.reals, judge.labels, strict=True)))
        count = min(n // label.size, len(reals.held.features))
        if min(count, len(reals.reference.features)) < LEAST:
            continue
        blocks = stream(method, nets, judge.codec, count, judge.evaluation.seed, asked=Asked(torch.tensor(k)))
        metrics, floor = judge.evaluation.metrics, dict[str, float]()
        for metric in metrics:
            floor |= reals.floor(metric, count)
        card = {"scores": reals.scores(metrics, judge.features(blocks, count, f"class {k}"), count), "floor": floor}
        found[label.names[k] if label.names else str(k)] = card | {"samples": count}
    if not found:
        raise GanvasError(f"no class has {LEAST} real samples on each side to compare with: leave out --per-class")
    return found


def of_class(scored: Scored, labels: Tensor, k: int) -> Scored:
    rows = (labels == k).numpy()
    return Scored(scored.features[rows], None if scored.logits is None else scored.logits[rows])


def wall(judge: Judge, method: Method, nets: Nets, spec: Spec) -> Tensor:
    """A square of samples in stored form, a row for each of the first classes."""
    side = min(spec.conditions["label"].size, SHOWN)
    rows = (stream(method, nets, judge.codec, side, judge.evaluation.seed, asked=Asked(torch.tensor(k))) for k in range(side))
    return torch.cat([block for row in rows for block in row])


def table(found: Mapping[str, Any]) -> str:
    """`scores` in words: a line a class, the worst first, real samples' first score beside it."""
    names = list(next(iter(found.values()))["scores"])
    rows = [["class", "samples", *names, f"real {names[0]}"]]
    for name, card in sorted(found.items(), key=lambda item: -item[1]["scores"][names[0]]):
        values = [*card["scores"].values(), card["floor"][names[0]]]
        rows.append([name, f"{card['samples']:,}", *(f"{value:.4g}" for value in values)])
    return aligned(rows, left=(0,))
