"""The penalty on pictures and captions in closed form, and DF-GAN's whole loss of D."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import relu

from ganvas import recipes
from ganvas.core import Clock, CriticOutput, LossInputs, ShownSamples
from ganvas.errors import GanvasError
from ganvas.losses import MatchingAwarePenalty
from ganvas.runs.state import build_state
from small_recipes import noise, small

CLOCK = Clock(0, 0, 1)


def ask(loss: MatchingAwarePenalty, critic: Any, x: Tensor, text: Tensor) -> Tensor:
    def run(samples: Tensor, conditions: Mapping[str, Tensor]) -> CriticOutput:
        return CriticOutput(critic(samples, conditions["text"]), samples)

    real = ShownSamples(x, CriticOutput(critic(x, text), x))
    return loss.term(LossInputs("D", torch.nn.ModuleDict(), {"x": x, "text": text}, CLOCK, real, lambda: real, run))


def test_the_slopes_along_picture_and_caption_add_up() -> None:
    x, text = torch.randn(3, 2), torch.randn(3, 2, 4)
    a, b = torch.tensor([1.0, -2.0]), torch.tensor([2.0, 0.0, 1.0, 0.0])  # squares 5 and 5

    def critic(x: Tensor, text: Tensor) -> Tensor:
        return x @ a + text[:, 0] @ b

    assert torch.allclose(ask(MatchingAwarePenalty(), critic, x, text), torch.full((3,), 2.0 * 10**3))
    assert torch.allclose(ask(MatchingAwarePenalty(weight=1.0, power=2.0), critic, x, text), torch.full((3,), 10.0))


def test_it_teaches_d_through_its_slope() -> None:
    """D = s·|x|² has the slope 2s|x|: the derivative of 2·(4s²|x|²)³ with respect to s is 768·s⁵|x|⁶."""
    scale, x, text = torch.tensor(0.5, requires_grad=True), torch.tensor([[1.0, 1.0]]), torch.zeros(1, 1, 2)
    value = ask(MatchingAwarePenalty(), lambda x, text: scale * x.square().sum(1) + 0 * text.sum((1, 2)), x, text)
    (gradient,) = torch.autograd.grad(value.sum(), scale)
    assert value.item() == pytest.approx(2 * (4 * 0.25 * 2) ** 3)
    assert gradient.item() == pytest.approx(768 * 0.5**5 * 2**3)


def test_it_is_measured_in_full_precision() -> None:
    weight = torch.full((64, 1), 0.01)
    x, text = torch.randn(4, 64), torch.zeros(4, 1, 2)

    def critic(x: Tensor, text: Tensor) -> Tensor:
        return (x @ weight).flatten() + 0 * text.sum((1, 2))

    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = ask(MatchingAwarePenalty(power=2.0), critic, x, text)
    assert torch.allclose(value, torch.full((4,), 2 * 64 * 1e-4), rtol=1e-5)


def test_its_settings_have_ranges() -> None:
    with pytest.raises(GanvasError, match="weight must be 0 or more"):
        MatchingAwarePenalty(weight=-1.0)
    with pytest.raises(GanvasError, match="power must be above 0"):
        MatchingAwarePenalty(power=0.0)


def test_ds_loss_in_dfgan_is_that_of_the_paper() -> None:
    """Tao et al. 2022, eq. 1: a hinge on real pictures, half of one on fakes, half on wrong captions, and the penalty."""
    recipe = small(recipes.find_recipe("dfgan"))
    data = noise(recipe)
    nets = build_state(recipe, data.spec, 0, torch.device("cpu")).nets
    torch.nn.init.normal_(nets["D"].last.weight)
    batch = data.batch(0, 8)
    batch["text"] = batch["text"] + torch.linspace(0, 1, 8)[:, None, None]  # eight captions, each another one
    torch.manual_seed(5)
    terms = recipe.method.play_d(nets, batch, CLOCK).terms
    torch.manual_seed(5)
    with torch.no_grad():
        fake_x = recipe.method.generate_fakes(nets, batch)
        real, fake = (nets["D"](x, batch["text"]).logits for x in (batch["x"], fake_x))
        wrong = nets["D"](batch["x"], batch["text"].roll(1, 0)).logits
    adversarial = sum(term for name, term in terms.items() if name != "D/MatchingAwarePenalty")
    expected = relu(1 - real) + relu(1 + fake) / 2 + relu(1 + wrong) / 2
    assert expected.std() > 0.01
    torch.testing.assert_close(adversarial, expected)
    assert (terms["D/MatchingAwarePenalty"] > 0).all()
    g = recipe.method.play_g(nets, batch, CLOCK).terms
    assert list(g) == ["G/adversarial"]
