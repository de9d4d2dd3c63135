"""What holds for every score of pairs, found by walking the packages."""

import dataclasses
import importlib
import json
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import pytest
import torch

import ganvas.extractors
import ganvas.metrics.pairs
from ganvas.configuration import from_json, is_config, to_json
from ganvas.core import Metric, PairMetric
from ganvas.errors import GanvasError


def components(package: ModuleType) -> Iterator[object]:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, type) and value.__module__ == module.name and dataclasses.is_dataclass(value):
                yield value()


PAIR_METRICS = [
    instance
    for package in (ganvas.metrics.pairs, ganvas.extractors)
    for instance in components(package)
    if is_config(instance) and isinstance(instance, PairMetric) and not isinstance(instance, Metric)
]
every_metric = pytest.mark.parametrize("metric", PAIR_METRICS, ids=lambda m: type(m).__name__)


def pictures(seed: int, n: int = 3, side: int = 48) -> torch.Tensor:
    """Coarse blots, so that there is something to recognise."""
    coarse = torch.rand(n, 3, 6, 6, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size=(side, side), mode="bilinear")


def test_the_walk_finds_metrics():
    expected = {"PSNR", "SSIM", "Colourfulness", "PerceptualDistance", "ContentKept"}
    assert {type(m).__name__ for m in PAIR_METRICS} == expected


@every_metric
def test_returns_what_it_announces_one_value_a_pair(metric):
    values = metric(pictures(0), pictures(1))
    assert list(values) == list(metric.lower_is_better)
    assert all(type(lower) is bool for lower in metric.lower_is_better.values())
    assert all(v.shape == (3,) and torch.isfinite(v).all() for v in values.values())


@every_metric
def test_a_pair_is_scored_alike_alone_and_among_others(metric):
    together = metric(pictures(2), pictures(3))
    for i in range(3):
        alone = metric(pictures(2)[i : i + 1], pictures(3)[i : i + 1])
        for name, value in alone.items():
            torch.testing.assert_close(value[0], together[name][i], rtol=1e-4, atol=1e-5)


@every_metric
def test_the_same_picture_is_best_and_a_noisy_one_better_than_another(metric):
    name, lower = next(iter(metric.lower_is_better.items()))
    if name == "colourfulness":
        pytest.skip("it measures each picture by itself")
    truth = pictures(4)
    noisy = truth + 0.1 * torch.randn(truth.shape, generator=torch.Generator().manual_seed(5))
    same, near, far = (metric(x, truth)[name].mean() for x in (truth, noisy, pictures(6)))
    assert same < near < far if lower else same > near > far


@every_metric
def test_values_beyond_the_range_are_clipped_as_in_a_file(metric):
    x, truth = 1.5 * pictures(7), pictures(8)
    for clipped, given in zip(metric(x.clamp(-1, 1), truth).values(), metric(x, truth).values(), strict=True):
        assert torch.equal(clipped, given)


@every_metric
def test_refuses_other_shapes_and_what_is_not_finite(metric):
    with pytest.raises(GanvasError, match="of one shape"):
        metric(pictures(0), pictures(0)[:2])
    with pytest.raises(GanvasError, match="NaN or infinity"):
        metric(pictures(0) * float("nan"), pictures(0))


@every_metric
def test_survives_json_and_leaves_the_global_generator_alone(metric):
    before = torch.get_rng_state()
    metric(pictures(0), pictures(1))
    assert torch.equal(before, torch.get_rng_state())
    assert from_json(json.loads(json.dumps(to_json(metric)))) == metric
