"""Every recipe, found by itself: complete, kept in JSON, and resumed bit for bit."""

from math import isfinite
from pathlib import Path
from typing import Any

import pytest
import torch

from ganvas import recipes
from ganvas.commands.recipes import parse_recipe_docstring
from ganvas.configuration import from_json, to_json
from ganvas.methods import PixelsFirst, PolicyGradient, TimeGAN
from ganvas.runs import checkpoint
from ganvas.runs.state import State, build_state
from ganvas.training.loop import Loop
from small_recipes import noise, small

ALL = recipes.list_recipes()
CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ALL)
def test_described_and_kept_in_json(name: str) -> None:
    recipe = ALL[name]()
    assert recipe.name == name
    assert from_json(to_json(recipe)) == recipe
    words = parse_recipe_docstring(ALL[name])
    assert words["about"]
    assert words["paper"]
    assert words["expected"], "a recipe counts as working when its measured score is known"
    assert recipe.train.samples or recipe.train.minutes


@pytest.mark.parametrize("name", ALL)
def test_resumed_equals_uninterrupted_bit_for_bit(name: str, tmp_path: Path) -> None:
    """Train, save, rebuild everything, train: networks, average, optimisers and losses equal those of training straight."""
    recipe = small(ALL[name](), samples=80, ema_kimg=0.02 if ALL[name]().train.ema_kimg else 0.0)
    data, spec = noise(recipe), noise(recipe).spec

    straight = build_state(recipe, spec, 0, CPU)
    playing = Loop(recipe, data, straight, 0)
    playing.train_to_budget(lambda state, tally: False)

    first = build_state(recipe, spec, 0, CPU)
    Loop(recipe, data, first, 0).train_to_budget(lambda state, tally: state.clock.samples >= 40)
    checkpoint.save_checkpoint(tmp_path / "000000040", first)
    second = build_state(recipe, spec, 1, CPU)  # another seed: everything has to come from the checkpoint
    checkpoint.load_checkpoint(tmp_path / "000000040", second)
    Loop(recipe, data, second, 0).train_to_budget(lambda state, tally: False)

    assert second.clock == straight.clock
    for a, b in zip(tensors(second), tensors(straight), strict=True):
        assert torch.equal(a, b)
        assert a.stride() == b.stride()


def tensors(state: State) -> list[torch.Tensor]:
    """All there are, also constants that no checkpoint holds: averaging must leave them as they are."""
    held = [tensor for nets in (state.nets, state.average) for tensor in (*nets.parameters(), *nets.buffers())]
    for optimiser in state.optims.values():
        for _, moments in sorted(optimiser.state_dict()["state"].items()):
            held += [moments[name] for name in sorted(moments)]
    return held


@pytest.mark.parametrize("train", [{}, {"precision": "bf16"}, {"accumulate": 2}], ids=["fp32", "bf16", "parts"])
@pytest.mark.parametrize("name", ALL)
def test_every_step_learns(name: str, train: dict[str, Any]) -> None:
    """Each network that has an optimiser is moved by a step, and nothing is left without a finite gradient norm."""
    recipe = small(ALL[name](), samples=8, **train)
    state = build_state(recipe, noise(recipe).spec, 0, CPU)
    if isinstance(recipe.method, (PixelsFirst, PolicyGradient, TimeGAN)):  # D learns in the last stage
        recipe = small(ALL[name](), samples=80, **train)
        state.clock = state.clock._replace(total=80)
    before = {n: [p.clone() for p in state.nets[n].parameters()] for n in recipe.optim}
    playing = Loop(recipe, noise(recipe), state, 0)
    playing.train_to_budget(lambda state, tally: False)
    means = playing.running_means.read_and_reset()
    assert all(isfinite(value) for group in means.values() for value in group.values())
    for net in recipe.optim:
        assert means["gradient_norm"][net] > 0
        assert any(not torch.equal(a, b) for a, b in zip(before[net], state.nets[net].parameters(), strict=True))
