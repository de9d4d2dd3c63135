"""Gradient penalties against the original authors' values and closed forms."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from ganvas.core import Clock
from ganvas.errors import GanvasError
from ganvas.losses import R1, R2, Dragan, Drift, FiniteDifferenceR1, FiniteDifferenceR2, GradientPenalty

CLOCK = Clock(0, 0, 1)


@pytest.fixture
def golden(goldens: Path) -> dict[str, torch.Tensor]:
    return load_file(goldens / "functional.safetensors")


@pytest.fixture
def critic(golden: dict[str, torch.Tensor]) -> nn.Module:
    net = nn.Sequential(nn.Linear(6, 16), nn.LeakyReLU(0.2), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1), nn.Flatten(0))
    net.load_state_dict({k.removeprefix("w/mlp."): v for k, v in golden.items() if k.startswith("w/mlp.")})
    return net


def test_r1_and_r2_goldens(golden: dict[str, torch.Tensor], critic: nn.Module) -> None:
    torch.testing.assert_close(
        R1(gamma=2.0)(critic, golden["in/gp_real"], None, CLOCK), golden["loss/r1"], rtol=1e-3, atol=1e-5
    )
    torch.testing.assert_close(
        R2(gamma=2.0)(critic, golden["in/gp_fake"], None, CLOCK), golden["loss/r2"], rtol=1e-3, atol=1e-5
    )


@pytest.mark.parametrize("kind", [FiniteDifferenceR1, FiniteDifferenceR2])
def test_finite_difference_is_exact_on_average(golden: dict[str, torch.Tensor], critic: nn.Module, kind: type) -> None:
    """E over directions of the squared slope is the squared gradient, to first order in sigma."""
    torch.manual_seed(0)
    x = golden["in/gp_real"].double().repeat(4000, 1)
    estimate = kind(gamma=2.0, sigma=1e-6)(critic.double(), x, None, CLOCK).view(4000, -1).mean(0)
    torch.testing.assert_close(estimate, golden["loss/r1"].double(), rtol=0.12, atol=0)


def test_finite_difference_on_a_plane_has_the_closed_form() -> None:
    w, x = torch.tensor([3.0, 4.0]), torch.zeros(20_000, 2)
    torch.manual_seed(0)
    values = FiniteDifferenceR1(gamma=1.0, sigma=0.1)(lambda s: s @ w, x, torch.zeros(20_000), CLOCK)
    assert values.mean().item() == pytest.approx(25 / 2, rel=0.05)


def test_exact_penalty_is_computed_in_full_precision_under_autocast() -> None:
    layer = nn.Linear(4, 1)
    x = torch.randn(5, 4)
    exact = R1(gamma=2.0)(lambda s: layer(s).flatten(), x, None, CLOCK)
    with torch.autocast("cpu", torch.bfloat16):
        inside = R1(gamma=2.0)(lambda s: layer(s).flatten(), x, None, CLOCK)
    assert torch.equal(exact, inside)


def test_a_small_step_is_taken_in_full_precision_under_autocast() -> None:
    torch.manual_seed(0)
    net, x = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1), nn.Flatten(0)), torch.randn(50, 4)
    small, large = FiniteDifferenceR1(sigma=0.01), FiniteDifferenceR1(sigma=0.5)
    found: dict[bool, list[torch.Tensor]] = {}
    for bf16 in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = net(x)
            torch.manual_seed(1)
            found[bf16] = [penalty(net, x, logits, CLOCK) for penalty in (small, large)]
    torch.testing.assert_close(found[True][0], found[False][0])
    assert not torch.equal(found[True][1], found[False][1])  # there bf16 is as good, and quicker


WRONG = [({"reach": 0.0}, "reach must be above 0"), ({"gamma": -1.0}, "gamma must be 0 or more")]


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_a_wrong_setting_is_called_by_its_name(wrong: dict[str, float], words: str) -> None:
    with pytest.raises(GanvasError, match=words):
        Dragan(**wrong)  # type: ignore[arg-type]


def test_gradient_penalty_goldens(golden: dict[str, torch.Tensor], critic: nn.Module) -> None:
    real, fake, eps = golden["in/gp_real"], golden["in/gp_fake"], golden["in/gp_eps"]
    between = eps * real + (1 - eps) * fake
    two_sided = GradientPenalty()(critic, between, None, CLOCK).mean()
    torch.testing.assert_close(two_sided / 10, golden["loss/gp_mean"], rtol=1e-3, atol=1e-6)
    one_sided = GradientPenalty(gamma=1.0, one_sided=True)(critic, between, None, CLOCK).mean()
    torch.testing.assert_close(one_sided, golden["loss/gp_one_sided"], rtol=1e-3, atol=1e-6)
    (found,) = torch.autograd.grad(two_sided, critic[0].weight)  # type: ignore[index]
    torch.testing.assert_close(found, golden["loss/gp_param_grad_lambda10/mlp.0.weight"], rtol=1e-3, atol=1e-5)


def test_a_critic_of_slope_1_pays_nothing() -> None:
    w, x = torch.tensor([0.6, 0.8]), torch.randn(50, 2)
    for penalty in (GradientPenalty(), Dragan()):
        torch.testing.assert_close(penalty(lambda s: s @ w, x, None, CLOCK), torch.zeros(50), rtol=0, atol=1e-9)
        torch.testing.assert_close(penalty(lambda s: 3 * s @ w, x, None, CLOCK), torch.full((50,), 40.0))
    assert GradientPenalty(one_sided=True)(lambda s: 0.5 * s @ w, x, None, CLOCK).eq(0).all()


def test_dragan_looks_around_reals() -> None:
    seen: list[torch.Tensor] = []
    x = torch.randn(400, 3)

    def critic(samples: torch.Tensor) -> torch.Tensor:
        seen.append(samples.detach())
        return samples.sum(1)

    Dragan(reach=0.5)(critic, x, None, CLOCK)
    moved = seen[0] - x
    assert moved.min() >= 0
    assert 0.45 * x.std() < moved.max() <= 0.5 * x.std()


def test_drift_golden(golden: dict[str, torch.Tensor]) -> None:
    logits = golden["in/logits_real"].squeeze(1)
    found = Drift()(lambda s: s, logits, logits, CLOCK).mean()
    torch.testing.assert_close(found, 1e-3 * logits.square().mean())
