"""What holds for every metric of ganvas.metrics, found by walking the package."""

import dataclasses
import importlib
import json
import math
import pkgutil
from collections.abc import Iterator
from typing import get_type_hints

import numpy as np
import pytest

import ganvas.metrics
from ganvas.configuration import from_json, is_config, to_json
from ganvas.core import Features, Metric
from ganvas.errors import GanvasError
from ganvas.metrics.check import SampleLimited, Selective
from small_recipes import both

N, D = 60, 8
REQUIRED = {float: 2.0, int: 2, tuple[tuple[float, ...], ...]: ((0.0,) * D, (1.0,) * D)}  # for fields without default


def metrics() -> Iterator[Metric]:
    """One instance of every component that is a metric."""
    for module in pkgutil.walk_packages(ganvas.metrics.__path__, "ganvas.metrics."):
        for value in vars(importlib.import_module(module.name)).values():
            is_own = isinstance(value, type) and value.__module__ == module.name
            if not (is_own and dataclasses.is_dataclass(value) and hasattr(value, "lower_is_better")):
                continue
            hints = get_type_hints(value)
            open_fields = [f.name for f in dataclasses.fields(value) if f.default is dataclasses.MISSING]
            instance = value(**{name: REQUIRED[hints[name]] for name in open_fields})
            if is_config(instance) and isinstance(instance, Metric):
                yield instance


def scored(seed: int, shift: float = 0.0) -> Features:
    rng = np.random.default_rng(seed)
    return Features(rng.normal(size=(N, D)) + shift, 2 * rng.normal(size=(N, 5)))


def shuffled(samples: Features, seed: int) -> Features:
    order = np.random.default_rng(seed).permutation(N)
    assert samples.logits is not None
    return Features(samples.features[order], samples.logits[order])


every_metric = pytest.mark.parametrize("metric", list(metrics()), ids=lambda m: type(m).__name__)


def test_the_walk_finds_metrics():
    assert {type(m).__name__ for m in metrics()} >= {"Frechet", "KID"}


@every_metric
def test_returns_what_it_announces(metric):
    result = metric(both(scored(0)), scored(1, 0.3))
    assert list(result) == list(metric.lower_is_better)
    assert all(type(value) is float and math.isfinite(value) for value in result.values())
    assert type(next(iter(metric.lower_is_better.values()))) is bool, "the first score can choose a checkpoint"
    assert all(type(lower) is bool or lower is None for lower in metric.lower_is_better.values())
    assert metric.against in ("train", "held-out", "unseen")
    assert metric.samples is None or metric.samples > 0


@every_metric
def test_order_does_not_matter(metric):
    if hasattr(metric, "splits"):  # consecutive splits are part of a definition; one split has no order
        metric = dataclasses.replace(metric, splits=1)
    real, fake = scored(2), scored(3, 0.3)
    expected = metric(both(real), fake)
    assert metric(both(shuffled(real, 0)), shuffled(fake, 1)) == pytest.approx(expected, rel=1e-8, abs=1e-9)


@every_metric
def test_leaves_its_input_and_the_global_generator_alone(metric):
    real, fake, before = scored(4), scored(5), np.random.get_state()[1].copy()
    assert metric(both(real), fake) == metric(both(real), fake)
    for given, fresh in ((real, scored(4)), (fake, scored(5))):
        np.testing.assert_array_equal(given.features, fresh.features)
        np.testing.assert_array_equal(given.logits, fresh.logits)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@every_metric
def test_prefers_the_real_distribution_to_a_far_one(metric):
    name, lower = next(iter(metric.lower_is_better.items()))
    real, far = scored(6), Features(scored(7).features + 50, np.zeros((N, 5)))
    near, away = metric(both(real), scored(8))[name], metric(both(real), far)[name]
    if metric.against == "unseen":  # it compares the real sets with each other, whatever the generator's quality
        assert near == away
    else:
        assert near < away if lower else near > away


@every_metric
def test_survives_json(metric):
    assert from_json(json.loads(json.dumps(to_json(metric)))) == metric


@every_metric
def test_refuses_what_is_not_finite(metric):
    broken = Features(np.full((N, D), np.nan), np.full((N, 5), np.nan))
    with pytest.raises(GanvasError, match="NaN or infinity"):
        metric(both(scored(0)), broken)


@every_metric
@pytest.mark.parametrize("n", [2, 3, 4, 5, 6, 11])
def test_few_samples_are_scored_by_a_metric_that_fits_them(metric, n):
    fitted = metric.fit_to_samples(n) if isinstance(metric, SampleLimited) else metric
    real, fake = (Features(s.features[:n], s.logits[:n]) for s in (scored(9), scored(10)))
    if isinstance(fitted, Selective) and not fitted.applies_to(both(real)):
        with pytest.raises(GanvasError, match="at least"):
            fitted(both(real), fake)
        return
    assert all(math.isfinite(value) for value in fitted(both(real), fake).values())
    if isinstance(metric, SampleLimited):
        assert metric.fit_to_samples(N) == metric
        assert fitted.fit_to_samples(n) == fitted
