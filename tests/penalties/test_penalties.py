"""Gradient penalties against the original authors' values and closed forms."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from ganvas.core import Clock
from ganvas.penalties import R1, R2, FiniteDifferenceR1, FiniteDifferenceR2

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
