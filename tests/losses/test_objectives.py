"""Losses against the original authors' values."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ganvas.core import Clock
from ganvas.losses.objectives import (
    Hinge,
    LabelSmoothing,
    LeastSquares,
    Minimax,
    NonSaturating,
    RelativisticAverage,
    RelativisticPairing,
    TopK,
    Wasserstein,
)


@pytest.fixture
def golden(goldens: Path) -> dict[str, torch.Tensor]:
    return load_file(goldens / "functional.safetensors")


@pytest.mark.parametrize(
    ("objective", "d", "g"),
    [
        (Minimax(), "ns_D", "minimax_G"),
        (NonSaturating(), "ns_D", "ns_G"),
        (LeastSquares(), "ls01_D_half", "ls01_G_half"),
        (Wasserstein(), "wgan_D", "wgan_G"),
        (Hinge(), "hinge_D", "hinge_G"),
        (RelativisticPairing(), "rpgan_D", "rpgan_G"),
        (LabelSmoothing(), "ns_D_label_smooth0.9", "ns_G"),
    ],
)
def test_goldens(golden: dict[str, torch.Tensor], objective: NonSaturating, d: str, g: str) -> None:
    real, fake = golden["in/logits_real"].squeeze(1), golden["in/logits_fake"].squeeze(1)
    torch.testing.assert_close(objective.d(real, fake).mean(), golden[f"loss/{d}"])
    torch.testing.assert_close(objective.g(fake, lambda: real).mean(), golden[f"loss/{g}"])


def test_relativistic_average_golden(golden: dict[str, torch.Tensor]) -> None:
    """The golden is half of the paper's sum."""
    real, fake = golden["in/logits_real"].squeeze(1), golden["in/logits_fake"].squeeze(1)
    objective = RelativisticAverage()
    torch.testing.assert_close(objective.d(real, fake).mean() / 2, golden["loss/ragan_D_half"])
    torch.testing.assert_close(objective.g(fake, lambda: real).mean() / 2, golden["loss/ragan_G_half"])


def test_smoothed_least_squares_has_the_gradient_of_its_target() -> None:
    real = torch.linspace(-2, 2, 9, requires_grad=True)
    (found,) = torch.autograd.grad(LabelSmoothing(objective=LeastSquares(), target=0.8).d(real, torch.zeros(9)).sum(), real)
    torch.testing.assert_close(found, real.detach() - 0.8)


@pytest.mark.parametrize(("images", "kept"), [(0, 10), (10, 9), (10**6, 5)])
def test_top_k_leaves_the_best_and_the_size_of_the_loss(images: int, kept: int) -> None:
    logits = torch.randn(10, generator=torch.Generator().manual_seed(0))
    weights = TopK(min_share=0.5, decay=0.9, samples=10)(torch.ones(10), logits, Clock(0, images, 10**7))
    assert weights.count_nonzero() == kept
    assert weights.mean().item() == pytest.approx(1.0)
    assert logits[weights > 0].min() >= logits[weights == 0].max() if kept < 10 else True


def test_minimax_is_zero_sum_in_the_fakes() -> None:
    fake = torch.linspace(-5, 5, 11)
    real = torch.zeros(11)
    both = Minimax().d(real, fake) + Minimax().g(fake, lambda: real)
    torch.testing.assert_close(both, torch.full((11,), 2.0).log())  # what D loses on reals at logit 0


def test_only_relativistic_losses_ask_for_reals() -> None:
    def never() -> torch.Tensor:
        raise AssertionError

    for objective in (Minimax(), NonSaturating(), LeastSquares(), Wasserstein(), Hinge(), LabelSmoothing()):
        objective.g(torch.zeros(3), never)
