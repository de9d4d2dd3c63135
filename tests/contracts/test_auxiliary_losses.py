"""Every auxiliary loss, found automatically."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from ganvas import losses, recipes
from ganvas.configuration import from_json, to_json
from ganvas.methods import Adversarial
from ganvas.nets import MLP, AuxiliaryClassifier
from ganvas.recipe import Recipe
from ganvas.runs.state import State, build_state
from ganvas.training.loop import Loop
from small_recipes import components, noise, small

ALL = components(losses, "trains", "term", "after")
CPU = torch.device("cpu")


def with_auxiliary(auxiliary: Any) -> Recipe:
    """A small run of it: networks that name classes, or a translator for losses that compare with sources; few steps."""
    if isinstance(auxiliary, (losses.MismatchedCaptions, losses.MatchingAwarePenalty)):
        return small(replace(recipes.find_recipe("text2image"), method=Adversarial(auxiliary_losses=(auxiliary,))), samples=24)
    if isinstance(auxiliary, losses.ProperScores):
        return small(replace(recipes.find_recipe("together"), method=Adversarial(auxiliary_losses=(auxiliary,))), samples=24)
    needs_sources = isinstance(auxiliary, losses.ContentLoss)
    recipe = recipes.find_recipe("pix2pix" if needs_sources else "gan")
    nets = recipe.nets if needs_sources else AuxiliaryClassifier(nets=MLP())
    return small(replace(recipe, nets=nets, method=Adversarial(auxiliary_losses=(auxiliary,))), samples=24)


def trained(recipe: Recipe) -> tuple[State, dict[str, Any]]:
    data = noise(recipe)
    state = build_state(recipe, data.spec, 0, CPU)
    playing = Loop(recipe, data, state, 0)
    playing.train_to_budget(lambda *_: False)
    return state, playing.running_means.read_and_reset()


@pytest.mark.parametrize("name", ALL)
def test_contract(name: str) -> None:
    auxiliary = ALL[name]
    assert from_json(to_json(auxiliary)) == auxiliary
    assert set(auxiliary.trains) <= {"D", "G"}
    auxiliary = replace(auxiliary, after_steps=0) if hasattr(auxiliary, "after_steps") else auxiliary
    auxiliary = replace(auxiliary, condition="label") if hasattr(auxiliary, "condition") else auxiliary
    state, _ = trained(with_auxiliary(auxiliary))
    plain, _ = trained(replace(with_auxiliary(auxiliary), method=Adversarial()))
    for player in auxiliary.trains:  # it makes a difference
        pairs = zip(state.nets[player].parameters(), plain.nets[player].parameters(), strict=True)
        assert any(not torch.equal(a, b) for a, b in pairs)
    assert all(torch.isfinite(p).all() for p in state.nets.parameters())
