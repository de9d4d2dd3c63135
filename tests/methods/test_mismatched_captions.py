"""Wrong captions: D and further critics learn that a real picture does not go with another's."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from ganvas import recipes
from ganvas.core import Clock, CriticOutput, LossInputs, ShownSamples
from ganvas.errors import GanvasError
from ganvas.losses import LeCam, MismatchedCaptions
from ganvas.losses.objectives import Hinge
from ganvas.methods import Adversarial, SideCritic
from ganvas.runs.state import build_state
from ganvas.training.loop import Loop
from small_recipes import noise, small

X = torch.arange(4.0)
TEXT = torch.tensor([[1.0], [2.0], [2.0], [5.0]])


def judge(x: torch.Tensor, conditions: dict[str, torch.Tensor]) -> CriticOutput:
    """High where the caption is the picture's number."""
    return CriticOutput(1.0 - (x - conditions["text"][:, 0]).abs(), x[:, None])


def ask(loss: MismatchedCaptions) -> torch.Tensor:
    real = ShownSamples(X, judge(X, {"text": TEXT}))
    inputs = LossInputs("D", nn.ModuleDict(), {"x": X, "text": TEXT}, Clock(0, 0, 1), real, lambda: real, judge)
    return loss.term(inputs)


def test_a_wrong_caption_is_as_wrong_as_a_fake_and_an_equal_one_counts_nothing() -> None:
    right, wrong = torch.tensor([0.0, 0.0, 1.0, -1.0]), torch.tensor([-4.0, 1.0, 1.0, 0.0])  # captions of the neighbour before
    expected = softplus(wrong - right) * torch.tensor([1.0, 1.0, 0.0, 1.0])  # the third has its neighbour's caption
    assert torch.allclose(ask(MismatchedCaptions()), expected)
    assert torch.allclose(ask(MismatchedCaptions(weight=0.5)), 0.5 * expected)


def test_with_hinges_it_is_half_of_df_gans_loss() -> None:
    right, wrong = torch.tensor([0.0, 0.0, 1.0, -1.0]), torch.tensor([-4.0, 1.0, 1.0, 0.0])
    expected = (torch.relu(1 - right) + torch.relu(1 + wrong)) * torch.tensor([1.0, 1.0, 0.0, 1.0])
    assert torch.allclose(ask(MismatchedCaptions(objective=Hinge())), expected)


def test_further_critics_are_shown_wrong_captions_too() -> None:
    recipe = small(recipes.find_recipe("text2image"))
    assert isinstance(recipe.method, Adversarial)
    data = noise(recipe)
    playing = Loop(recipe, data, build_state(recipe, data.spec, 0, torch.device("cpu")), 0)
    playing.train_to_budget(lambda *_: False)
    means = playing.running_means.read_and_reset()
    assert {"D/MismatchedCaptions", "F/MismatchedCaptions"} <= means["terms"].keys()
    assert all(torch.isfinite(p).all() for p in playing.state.nets.parameters())


def test_a_further_critics_losses_keep_no_state() -> None:
    recipe = small(recipes.find_recipe("text2image"))
    side = SideCritic(network="F", auxiliary_losses=(LeCam(),))
    with pytest.raises(GanvasError, match="LeCam keeps a state"):
        build_state(replace(recipe, method=Adversarial(side_critics=(side,))), noise(recipe).spec, 0, torch.device("cpu"))
