"""The moving average's half-life, schedules, and settings out of range."""

from typing import Any

import pytest
import torch
from torch import nn

from ganvas.core import Clock
from ganvas.errors import GanvasError, SettingError
from ganvas.losses import R1
from ganvas.optim import moving_average
from ganvas.optim.optimisers import Adam, ClipGradients
from ganvas.optim.schedules import Constant, Cosine
from ganvas.recipe import Train


def nets(value: float) -> nn.ModuleDict:
    norm = nn.BatchNorm1d(2)
    nn.init.constant_(norm.weight, value)
    norm.running_mean.fill_(value)  # type: ignore[union-attr]
    norm.num_batches_tracked.fill_(int(value))  # type: ignore[union-attr]
    return nn.ModuleDict({"G": norm})


def test_half_life() -> None:
    """After half-life images of a constant target, half of the way is done; counters are copied."""
    average, target = moving_average.copy_networks(nets(0.0), ("G",)), nets(8.0)
    for step in range(100):
        moving_average.update_average(average, target, batch=10, samples=10 * (step + 1) + 10**6, kimg=1.0, ramp=0.05)
    G = average["G"]
    torch.testing.assert_close(G.weight, torch.full((2,), 4.0))
    torch.testing.assert_close(G.running_mean, torch.full((2,), 4.0))
    assert G.num_batches_tracked == 8
    assert not G.weight.requires_grad


def test_constants_stay_as_they_are() -> None:
    """A mask with infinities once became NaN in the average, and samples became black, until the run was loaded again."""
    target = nets(8.0)
    mask = torch.tensor([0.0, -torch.inf])
    target["G"].register_buffer("mask", mask, persistent=False)
    average = moving_average.copy_networks(target, ("G",))
    moving_average.update_average(average, target, batch=10, samples=1000, kimg=1.0, ramp=0.05)
    assert torch.equal(average["G"].mask, mask)


def test_warm_up_shortens_the_half_life() -> None:
    average, target = moving_average.copy_networks(nets(0.0), ("G",)), nets(8.0)
    moving_average.update_average(average, target, batch=10, samples=200, kimg=1000.0, ramp=0.05)  # half-life 10 images
    torch.testing.assert_close(average["G"].weight, torch.full((2,), 4.0))


def test_no_average_costs_nothing() -> None:
    moving_average.update_average(nn.ModuleDict(), nets(1.0), batch=1, samples=1, kimg=0.0, ramp=0.05)


@pytest.mark.parametrize(("done", "factor"), [(0.0, 1.0), (0.5, 1.0), (0.75, 0.55), (1.0, 0.1), (1.2, 0.1)])
def test_cosine(done: float, factor: float) -> None:
    clock = Clock(0, int(1000 * done), 1000)
    assert Cosine(final=0.1, start=0.5)(clock) == pytest.approx(factor)
    assert Constant()(clock) == 1.0
    assert Adam(lr=2.0, schedule=Cosine(final=0.1, start=0.5)).at(clock)["lr"] == pytest.approx(2 * factor)


@pytest.mark.parametrize(("images", "way"), [(0, 0.0), (500, 0.5), (1000, 1.0), (9000, 1.0)])
def test_what_follows_a_schedule(images: int, way: float) -> None:
    """R3GAN's: over the first images, however long the run is; betas and γ go with it."""
    clock, cosine = Clock(0, images, 10_000), Cosine(final=0.1, kimg=1.0)
    assert cosine.compute_progress(clock) == pytest.approx(way)
    found = Adam(lr=1.0, betas=(0.0, 0.9), final_betas=(0.0, 0.99), schedule=cosine).at(clock)
    assert found["lr"] == pytest.approx(1 - 0.9 * way)
    assert found["betas"] == pytest.approx((0.0, 0.9 + 0.09 * way))
    x = torch.ones(3, 2)
    penalty = R1(gamma=2.0, schedule=cosine)(lambda s: s.sum(1), x, None, clock)
    torch.testing.assert_close(penalty, torch.full((3,), 2 * (1 - 0.9 * way)))


def test_betas_that_would_never_come_are_refused() -> None:
    with pytest.raises(GanvasError, match="given with a schedule"):
        Adam(final_betas=(0.0, 0.99))


def test_betas_reach_the_optimiser() -> None:
    """The fused step takes them from its groups, whatever it was built with."""
    weight = nn.Parameter(torch.zeros(1))
    adam = Adam(lr=0.1, betas=(0.0, 0.5), final_betas=(0.0, 0.9), schedule=Cosine(kimg=1.0))
    optimiser = adam.build([weight])
    for gradient in (1.0, 3.0):
        weight.grad = torch.tensor([gradient])
        optimiser.param_groups[0].update(adam.at(Clock(0, 10**6, 10**6)))
        optimiser.step()
    assert optimiser.state[weight]["exp_avg_sq"].item() == pytest.approx(0.9 * 0.1 + 0.1 * 9)


@pytest.mark.parametrize("wrong", [{"final": -1.0}, {"start": 1.0}, {"kimg": -1.0}])
def test_absurd_schedules_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError, match=f"^{next(iter(wrong))} must be .*, got "):
        Cosine(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"batch": 0}, {"batch": -3}, {"batch": 10**9}, {"samples": 0}, {"samples": -5}, {"minutes": 0.0}, {"minutes": -1.0},
     {"minutes": float("nan")}, {"accumulate": 0}, {"accumulate": 65},
     {"ema_kimg": -1.0}, {"ema_kimg": float("nan")}, {"snapshots": 0}],
)  # fmt: skip
def test_absurd_settings_are_refused_with_a_remedy(wrong: dict[str, float]) -> None:
    with pytest.raises(SettingError, match=f"^{next(iter(wrong))} must be .*, got "):
        Train(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"lr": 0.0},
        {"lr": -1.0},
        {"lr": float("nan")},
        {"betas": (1.0, 0.9)},
        {"final_betas": (0.0, 1.0), "schedule": Cosine()},
        {"betas": (0.0, -0.1)},
    ],
)
def test_absurd_optimisers_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=f"^{next(iter(wrong))} must be .*, got "):
        Adam(**wrong)


def test_clipped_gradients_have_the_norm_that_they_may_have() -> None:
    parameters = [torch.nn.Parameter(torch.zeros(3)), torch.nn.Parameter(torch.zeros(4))]
    for parameter, value in zip(parameters, (3.0, 4.0), strict=True):
        parameter.grad = torch.full_like(parameter, value)
    before = [p.grad.clone() for p in parameters if p.grad is not None]
    ClipGradients(optimiser=Adam(), max_norm=1.0).prepare_gradients(parameters)
    after = torch.cat([p.grad for p in parameters if p.grad is not None])
    assert float(after.norm()) == pytest.approx(1.0, rel=1e-4)
    assert torch.allclose(after / after[0], torch.cat(before) / before[0][0])  # in the same direction
    ClipGradients(optimiser=Adam(), max_norm=100.0).prepare_gradients(parameters)
    assert torch.equal(torch.cat([p.grad for p in parameters if p.grad is not None]), after)


@pytest.mark.parametrize("max_norm", [0.0, -1.0, float("nan")])
def test_a_norm_to_clip_to_is_positive(max_norm: float) -> None:
    with pytest.raises(GanvasError, match="max_norm must be above 0"):
        ClipGradients(optimiser=Adam(), max_norm=max_norm)
