"""Metrics fitted to few samples: a setting that few samples do not allow is lowered, and the score card says so."""

from dataclasses import fields

from ..core import Metric, RealFeatures
from ..metrics.check import SampleLimited


def fit_metric(metric: Metric, fewest: int) -> Metric:
    """The metric as `fewest` samples, the size of the smallest set, allow it."""
    return metric.fit_to_samples(fewest) if isinstance(metric, SampleLimited) else metric


def count_fewest_samples(real: RealFeatures, n: int) -> int:
    """The size of the smallest set if `n` samples are generated."""
    return min(n, len(real.reference.features), len(real.held_out.features))


def describe_fit(metric: Metric, fewest: int) -> str:
    """How a metric is changed for so few samples; "" if it is not."""
    fitted = fit_metric(metric, fewest)
    changes = [
        f"{field.name} is {getattr(fitted, field.name)} in place of {getattr(metric, field.name)}"
        for field in fields(metric)  # type: ignore[arg-type]
        if getattr(fitted, field.name) != getattr(metric, field.name)
    ]
    return f"{', '.join(metric.lower_is_better)}: {fewest} samples are few, so {', '.join(changes)}" if changes else ""
