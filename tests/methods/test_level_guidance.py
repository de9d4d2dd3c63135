"""Levels: their noise, what D is shown, and samples of one level alone."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from ganvas import recipes
from ganvas.augment import ADA, DiffAugment
from ganvas.core import Clock
from ganvas.errors import GanvasError
from ganvas.methods import Adversarial, LastLevel, LevelGuidance, LevelNoise
from ganvas.runs.state import State, build_state
from ganvas.training.loop import Loop
from small_recipes import noise, small

CLOCK, CPU, NO_NETS = Clock(0, 0, 100), torch.device("cpu"), torch.nn.ModuleDict()


def test_shares_of_noise_are_the_papers() -> None:
    assert LevelNoise().compute_shares() == pytest.approx([0.885, 0.76, 0.51, 0.01])
    assert LevelNoise(levels=1).compute_shares() == pytest.approx([0.01])


def test_noise_grows_from_level_to_level() -> None:
    torch.manual_seed(0)
    part = LevelNoise()
    first, second, third, last = part(torch.zeros(64, 4, 32, 32), CLOCK, NO_NETS).unbind(1)
    for level, t in zip((first, second, third, last), part.compute_shares(), strict=True):
        assert level.std().item() == pytest.approx(t, rel=0.01)
    kept = (1 - 0.885) / (1 - 0.76)  # the first level is the second, scaled, with noise of its own
    assert ((first - kept * second) * second).mean().abs() < 3e-3
    ones = part(torch.ones(64, 4, 32, 32), CLOCK, NO_NETS).mean((0, 2, 3))
    assert ones.tolist() == pytest.approx([1 - t for t in part.compute_shares()], abs=0.02)


def test_all_levels_are_augmented_alike() -> None:
    torch.manual_seed(0)
    still = LevelNoise(base=1.0, floor=0.0, augment=DiffAugment())  # no noise
    image = torch.rand(4, 3, 16, 16)
    levels = still(image.repeat(1, 4, 1, 1), CLOCK, NO_NETS).unflatten(1, (4, 3))
    assert torch.equal(levels[:, 0], levels[:, 3])
    assert not torch.equal(levels[:, 0], image)


def build(method: LevelGuidance) -> tuple[State, Loop]:
    recipe = small(replace(recipes.find_recipe("gat_small"), method=method), samples=16)
    state = build_state(recipe, noise(recipe).spec, 0, CPU)
    return state, Loop(recipe, noise(recipe), state, 0)


@pytest.mark.parametrize("share_fakes", [False, True])
def test_d_sees_every_level_and_samples_have_one(share_fakes: bool) -> None:
    state, playing = build(LevelGuidance(game=Adversarial(share_fakes=share_fakes), base=1.0, floor=0.0))  # no noise
    G: Any = state.nets["G"]
    for head in G.heads:  # which start at 0
        torch.nn.init.xavier_uniform_(head.last.weight)
    shown = list[torch.Tensor]()
    state.nets["D"].register_forward_pre_hook(lambda _, inputs: shown.append(inputs[0].detach()))
    playing.train_to_budget(lambda state, tally: True)
    assert {x.shape[1] for x in shown} == {4}  # of gray images
    fakes, reals = (shown[0], shown[1]) if share_fakes else (shown[1], shown[0])
    assert all(torch.equal(reals[:, 0], reals[:, level]) for level in range(4))
    assert not torch.allclose(fakes[:, 0], fakes[:, 3], atol=1e-3)
    method = playing.recipe.method
    latents = method.draw_latents(state.nets, 4, torch.Generator().manual_seed(0))
    assert method.render(state.nets, latents).shape == (4, 1, 16, 16)


def test_g_shows_one_level_again_after_an_error() -> None:
    state, playing = build(LevelGuidance())

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    state.nets["D"].register_forward_pre_hook(stop)
    with pytest.raises(KeyboardInterrupt):
        playing.train_to_budget(lambda state, tally: True)
    assert state.nets["G"].shows_levels is False


def test_a_further_critic_sees_the_last_level() -> None:
    x = torch.arange(2 * 12 * 4.0).view(2, 12, 2, 2)
    assert torch.equal(LastLevel()(x), x[:, 9:])
    assert torch.equal(LastLevel(levels=2, view=lambda image: -image)(x), -x[:, 6:])  # type: ignore[arg-type]


def test_what_does_not_fit_is_refused() -> None:
    recipe = small(replace(recipes.find_recipe("dcgan_small"), method=LevelGuidance()))
    with pytest.raises(GanvasError, match="needs a G that makes several levels"):
        build_state(recipe, noise(recipe).spec, 0, CPU)
    with pytest.raises(GanvasError, match="cannot have ADA"):
        LevelGuidance(game=Adversarial(augment=ADA()))
    with pytest.raises(GanvasError, match="base"):
        LevelGuidance(base=1.5)
