"""Losses against the original authors' values."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ganvas.objectives import Minimax, NonSaturating, RelativisticPairing


@pytest.fixture
def golden(goldens: Path) -> dict[str, torch.Tensor]:
    return load_file(goldens / "functional.safetensors")


@pytest.mark.parametrize(
    ("objective", "d", "g"),
    [(Minimax(), "ns_D", "minimax_G"), (NonSaturating(), "ns_D", "ns_G"), (RelativisticPairing(), "rpgan_D", "rpgan_G")],
)
def test_goldens(golden: dict[str, torch.Tensor], objective: NonSaturating, d: str, g: str) -> None:
    real, fake = golden["in/logits_real"].squeeze(1), golden["in/logits_fake"].squeeze(1)
    torch.testing.assert_close(objective.d(real, fake).mean(), golden[f"loss/{d}"])
    torch.testing.assert_close(objective.g(fake, lambda: real).mean(), golden[f"loss/{g}"])


def test_minimax_is_zero_sum_in_the_fakes() -> None:
    fake = torch.linspace(-5, 5, 11)
    real = torch.zeros(11)
    both = Minimax().d(real, fake) + Minimax().g(fake, lambda: real)
    torch.testing.assert_close(both, torch.full((11,), 2.0).log())  # what D loses on reals at logit 0


def test_only_relativistic_losses_ask_for_reals() -> None:
    def never() -> torch.Tensor:
        raise AssertionError

    for objective in (Minimax(), NonSaturating()):
        objective.g(torch.zeros(3), never)
