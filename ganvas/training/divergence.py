"""Recovery from NaN or infinity: go back to the last good checkpoint with half the learning rates; finally, a diagnosis."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from ..recipe import Recipe

MAX_LR_HALVINGS = 3  # training gives up after this many
NOTABLE_GROWTH_FACTOR = 5.0  # a diagnosis mentions values above this many times their usual value


def halve_learning_rates(requested: Recipe, resolved: Recipe) -> Recipe | None:
    """The recipe with half the learning rates; None if they were already halved three times."""
    scale = resolved.train.lr_scale / 2
    if scale < requested.train.lr_scale / 2**MAX_LR_HALVINGS:
        return None
    return replace(resolved, train=replace(resolved.train, lr_scale=scale))


def diagnose_divergence(nonfinite_names: Sequence[str], lines: Sequence[dict[str, Any]], precision: str) -> str:
    """Explain from its log why a run diverged.

    Args:
        nonfinite_names: names of the values that were not finite.
        lines: the lines of log.jsonl, before it is cut back.
    """
    findings = [f"{', '.join(nonfinite_names)} was not finite, even with the learning rates halved {MAX_LR_HALVINGS} times"]
    finite_lines = [line for line in lines if not any(isinstance(v, str) for v in flatten_log_values(line).values())]
    if not finite_lines:
        findings.append("it happened before the first report: check the data for values that are not finite")
    else:
        last_values = flatten_log_values(finite_lines[-1])
        usual_values = {
            name: median(abs(flatten_log_values(line).get(name, 0.0)) for line in finite_lines) for name in last_values
        }
        growth_factors = {name: abs(last_values[name]) / usual_values[name] for name in last_values if usual_values[name] > 0}
        for name, factor in sorted(growth_factors.items(), key=lambda item: -item[1])[:2]:
            if factor > NOTABLE_GROWTH_FACTOR:
                findings.append(f"just before, {name} was {factor:.0f} times its usual value of {usual_values[name]:.3g}")
    if precision == "bf16":
        findings.append("try --train.precision fp32")
    findings.append("strengthen the penalty on D or lower --optim.D.lr and --optim.G.lr further, and train in a new folder")
    return "training diverged: " + "; ".join(findings)


def flatten_log_values(line: dict[str, Any]) -> dict[str, Any]:
    """The losses, statistics and gradient norms in a line of the log, by name."""
    groups = (("terms", ""), ("seen", ""), ("gradient_norm", "gradient norm of "))
    return {prefix + name: value for kind, prefix in groups for name, value in line.get(kind, {}).items()}
