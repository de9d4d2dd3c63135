"""When a step was not finite: back to the last good checkpoint with half the learning rate, and in the end a diagnosis."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from ..recipe import Recipe

HALVINGS = 3  # of the learning rates, before training gives up
GROWN = 5.0  # times its usual value: what a diagnosis mentions


def eased(asked: Recipe, settled: Recipe) -> Recipe | None:
    """The recipe with half the learning rates; None where they were halved three times already."""
    scale = settled.train.lr_scale / 2
    if scale < asked.train.lr_scale / 2**HALVINGS:
        return None
    return replace(settled, train=replace(settled.train, lr_scale=scale))


def diagnosis(bad: Sequence[str], lines: Sequence[dict[str, Any]], precision: str) -> str:
    """What the log of a run that diverged says about why.

    Args:
        bad: the values that were no longer finite.
        lines: of log.jsonl, before it was cut back.
    """
    found = [f"{', '.join(bad)} was not finite, with the learning rates halved {HALVINGS} times"]
    sound = [line for line in lines if not any(isinstance(v, str) for v in values(line).values())]
    if not sound:
        found.append("it happened within the first report: look for values in the data that are not finite")
    else:
        last = values(sound[-1])
        usual = {name: median(abs(values(line).get(name, 0.0)) for line in sound) for name in last}
        grown = {name: abs(last[name]) / usual[name] for name in last if usual[name] > 0}
        for name, times in sorted(grown.items(), key=lambda item: -item[1])[:2]:
            if times > GROWN:
                found.append(f"{name} had grown to {times:.0f} times its usual value of {usual[name]:.3g} just before")
    if precision == "bf16":
        found.append("try --train.precision fp32")
    found.append("strengthen the penalty on D, or lower --optim.D.lr and --optim.G.lr further, and train into a new folder")
    return "training diverged: " + "; ".join(found)


def values(line: dict[str, Any]) -> dict[str, Any]:
    """The losses, what was seen and the gradient norms of a line of the log, by name."""
    groups = (("terms", ""), ("seen", ""), ("gradient_norm", "gradient norm of "))
    return {prefix + name: value for kind, prefix in groups for name, value in line.get(kind, {}).items()}
