"""A game that prefers: its terms in closed form, what it moves, what it leaves alone, and exact memory."""

from dataclasses import replace
from math import log
from pathlib import Path

import pytest
import torch

from ganvas import recipes
from ganvas.configuration import config, from_json, to_json
from ganvas.core import Clock, Nets, seeded_generator
from ganvas.errors import GanvasError, SettingError
from ganvas.methods import Adversarial, Preferred, Progressive
from ganvas.methods.progressive import get_growth
from ganvas.nets.reward import COARSE_CELLS, Reward
from ganvas.recipe import Recipe
from ganvas.runs import checkpoint
from ganvas.runs.state import State, build_state
from ganvas.training.loop import Loop
from small_recipes import noise, small

CPU = torch.device("cpu")
MEAN_PLACE = 3 * COARSE_CELLS**2  # of the pictures' mean among the features


def like_bright(steepness: float = 20.0) -> Reward:
    """r = steepness·(the mean of the picture)."""
    reward = Reward()
    reward.weight[MEAN_PLACE] = steepness
    return reward


def preferring(samples: int = 160, **changes: object) -> Recipe:
    recipe = small(recipes.find_recipe("dcgan_small"), samples=samples)
    return replace(recipe, method=Preferred(game=recipe.method, **changes))  # type: ignore[arg-type]


def start(recipe: Recipe) -> State:
    state = build_state(recipe, noise(recipe).spec, 0, CPU)
    if isinstance(recipe.method, Preferred):
        recipe.method.anchor(state.nets, like_bright())
    return state


def play(recipe: Recipe, state: State, until: int | None = None) -> State:
    Loop(recipe, noise(recipe), state, 0).train_to_budget(lambda now, _: until is not None and now.clock.samples >= until)
    return state


def brightness(recipe: Recipe, nets: Nets, name: str = "G") -> float:
    latents = recipe.method.draw_latents(nets, 64, seeded_generator("test"))
    with torch.no_grad():
        return float(recipe.method.render(torch.nn.ModuleDict({**nets, "G": nets[name]}), latents).mean())


def test_a_reward_of_brightness() -> None:
    x = torch.linspace(-1, 1, 5)[:, None, None, None].expand(-1, 1, 8, 8)
    torch.testing.assert_close(like_bright()(x), 20 * torch.linspace(-1, 1, 5), atol=1e-4, rtol=1e-4)
    assert torch.equal(like_bright()(2 * x), like_bright()((2 * x).clamp(-1, 1)))  # what no file holds is no better


def test_the_reward_has_a_gradient_and_nothing_to_train() -> None:
    x = torch.zeros(2, 3, 8, 8, requires_grad=True)
    like_bright()(x).sum().backward()
    assert x.grad is not None
    assert (x.grad[:, 0] > 0).all()
    assert not list(Reward().parameters())


def test_the_terms_at_the_start() -> None:
    """G is G₀ there: a gain of 0, so −log σ(0) = log 2, and no distance."""
    recipe = preferring(weight=3.0, margin=0.5, stay=2.0)
    state = start(recipe)
    phase = next(p for p in recipe.method.stage(state.nets, state.clock).phases if "G" in p.trains)
    turn = phase.loss(state.nets, noise(recipe).batch(0, 8), state.clock)
    torch.testing.assert_close(turn.terms["G/preference"], torch.full((2,), 3 * 0.5 * log(2)))
    assert torch.equal(turn.terms["G/stay"], torch.zeros(2))
    assert "G/adversarial" in turn.terms


@config
class Fade:
    """Each sample times a random number from 0 to `most`."""

    most: float

    def __call__(self, x: torch.Tensor, clock: Clock, nets: Nets) -> torch.Tensor:
        return x * self.most * torch.rand(len(x), 1, 1, 1)


def measure_gain(recipe: Recipe, state: State) -> float:
    phase = next(p for p in recipe.method.stage(state.nets, state.clock).phases if "G" in p.trains)
    return float(phase.loss(state.nets, noise(recipe).batch(0, 8), state.clock).statistics["preference/gain"])


def test_the_reward_sees_both_samples_in_the_same_view() -> None:
    recipe = preferring(view=Fade(most=1.0))
    state = start(recipe)
    assert measure_gain(recipe, state) == 0  # G is G₀, and other draws would tell them apart
    for parameter in state.nets["start"].parameters():
        parameter.data.zero_()
    assert measure_gain(recipe, state) != 0
    assert measure_gain(preferring(view=Fade(most=0.0)), state) == 0


def test_it_makes_what_is_preferred() -> None:
    recipe, plain = preferring(margin=20.0), preferring(weight=0.0, stay=0.0)
    liked, indifferent = (play(one, start(one)) for one in (recipe, plain))
    before = brightness(recipe, liked.nets, "start")
    assert brightness(recipe, liked.nets) > before + 0.05
    assert brightness(recipe, liked.nets) > brightness(plain, indifferent.nets) + 0.05


def test_without_weights_it_is_the_game() -> None:
    """D and G learn as they do without it, but for the random numbers that it draws after the game's."""
    recipe = preferring(weight=0.0, stay=0.0, samples=16)
    game = replace(recipe, method=Adversarial() if recipe.method == Preferred() else recipe.method.game)  # type: ignore[union-attr]
    wrapped, plain = play(recipe, start(recipe)), play(game, start(game))
    for name in "GD":
        for a, b in zip(wrapped.nets[name].parameters(), plain.nets[name].parameters(), strict=True):
            assert torch.equal(a, b)


def test_the_distance_holds_it() -> None:
    free, held = preferring(margin=20.0, stay=0.0), preferring(margin=20.0, stay=10_000.0)
    gains = [abs(brightness(r, s.nets) - brightness(r, s.nets, "start")) for r in (free, held) for s in [play(r, start(r))]]
    assert gains[1] < 0.5 * gains[0]


def test_it_lets_go_of_samples_that_win_by_the_margin() -> None:
    """The pull on the gain is weight·σ(−gain / margin): half the weight at 0, nearly nothing at five margins."""
    recipe = preferring(weight=2.0, margin=0.1)
    state = start(recipe)
    for parameter in state.nets["start"].parameters():
        parameter.data.zero_()  # a gray start, whose reward is 0
    phase = next(p for p in recipe.method.stage(state.nets, state.clock).phases if "G" in p.trains)
    turn = phase.loss(state.nets, noise(recipe).batch(0, 8), state.clock)
    gain = turn.statistics["preference/gain"]
    term = turn.terms["G/preference"].mean()
    assert term >= 2 * 0.1 * torch.nn.functional.softplus(-gain / 0.1) - 1e-6  # Jensen: softplus is convex


def test_the_start_and_the_reward_stay_as_they_are() -> None:
    recipe = preferring(weight=5.0)
    state = start(recipe)
    before = {name: value.clone() for name, value in state.nets["start"].named_parameters()}
    play(recipe, state)
    assert all(torch.equal(value, before[name]) for name, value in state.nets["start"].named_parameters())
    assert all(torch.equal(a, b) for a, b in zip(state.nets["reward"].buffers(), like_bright().buffers(), strict=True))


def test_exact_memory(tmp_path: Path) -> None:
    """Stopped and continued, without the run that it started from, it is the uninterrupted run."""
    recipe = preferring(samples=64)
    straight = play(recipe, start(recipe))
    stopped = play(recipe, start(recipe), until=32)
    checkpoint.save_checkpoint(tmp_path / "000000032", stopped)
    resumed = build_state(recipe, noise(recipe).spec, 1, CPU)
    checkpoint.load_checkpoint(tmp_path / "000000032", resumed)
    play(recipe, resumed)
    for (name, a), b in zip(straight.nets.state_dict().items(), resumed.nets.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_growing_networks_prefer_too() -> None:
    recipe = small(recipes.find_recipe("progan_small"), samples=96)
    assert isinstance(recipe.method, Progressive)
    recipe = replace(recipe, method=Preferred(game=recipe.method))
    state = play(recipe, start(recipe))
    assert get_growth(state.nets).depth > 0
    assert all(torch.isfinite(p).all() for p in state.nets.parameters())


def test_round_trip() -> None:
    method = Preferred(game=Adversarial(critic_steps=2), weight=2.0, choices="ab")
    assert from_json(to_json(method)) == method


@pytest.mark.parametrize("wrong", [{"weight": -1.0}, {"stay": float("nan")}, {"subsample": 0}])
def test_bad_settings_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        Preferred(**wrong)  # type: ignore[arg-type]


def test_a_game_that_never_trains_the_generator_is_refused() -> None:
    recipe = preferring()
    state = start(recipe)
    lazy = recipe.method.stage(state.nets, state.clock)
    phases = tuple(phase._replace(every=2) for phase in lazy.phases)
    from ganvas.methods.preferred import _add_preference

    with pytest.raises(GanvasError, match="trains the generator in every step"):
        _add_preference(Preferred(), lazy._replace(phases=phases), "G")
