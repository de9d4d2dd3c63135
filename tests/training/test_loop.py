"""The loop against a few lines of plain torch, and the promises it makes to methods."""

from collections.abc import Callable
from dataclasses import replace
from math import isfinite

import pytest
import torch
from torch import nn

from ganvas import recipes
from ganvas.configuration import config
from ganvas.core import Batch, Clock, CriticPenalty, Nets, Phase, Spec, Stage, Turn
from ganvas.losses import R1, GradientPenalty
from ganvas.methods import Adversarial
from ganvas.optim.optimisers import Adam
from ganvas.recipe import Recipe
from ganvas.runs.state import State, build_state
from ganvas.sampling.stream import draw_samples
from ganvas.training import loop
from ganvas.training.log import RunningMeans
from ganvas.training.loop import Loop
from small_recipes import POINT, codec_for, noise, small

CPU = torch.device("cpu")


def never(state: State, tally: RunningMeans) -> bool:
    return False


def trained(recipe: Recipe, watch: Callable[[State, RunningMeans], bool] = never, seed: int = 0) -> State:
    state = build_state(recipe, noise(recipe).spec, seed, CPU)
    Loop(recipe, noise(recipe), state, seed).train_to_budget(watch)
    return state


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_one_step_of_the_classic_game_equals_plain_torch() -> None:
    """The reference is written out; only the draws are made the loop's way."""
    recipe = small(recipes.find_recipe("gan"), samples=8)
    # an eps of the gradients' size: Adam's first step would be their signs, and noise would show
    recipe = replace(recipe, optim={name: Adam(lr=2e-4, betas=(0.5, 0.999), eps=0.1) for name in recipe.optim})
    data = noise(recipe)
    got = trained(recipe)

    nets = build_state(recipe, noise(recipe).spec, 0, CPU).nets
    G, D = nets["G"], nets["D"]
    d_step = torch.optim.Adam(D.parameters(), 2e-4, (0.5, 0.999), 0.1)
    g_step = torch.optim.Adam(G.parameters(), 2e-4, (0.5, 0.999), 0.1)
    torch.manual_seed(draw := loop.seed_from(0, 0, "D", 0, 0))
    real = data.batch(loop.seed_from(draw, "data"), 8)["x"]
    fake = G(torch.randn(8, 2)).detach()
    bce = nn.functional.binary_cross_entropy_with_logits
    (bce(D(real).logits, torch.ones(8)) + bce(D(fake).logits, torch.zeros(8))).backward()
    d_step.step()
    torch.manual_seed(loop.seed_from(0, 0, "G", 0, 0))
    bce(D(G(torch.randn(8, 2))).logits, torch.ones(8)).backward()
    g_step.step()
    for ours, plain in zip(got.nets.parameters(), nets.parameters(), strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-6)


def test_parts_of_a_batch_add_up_to_its_gradient() -> None:
    """A loss of the batch's samples alone, in one part and in three of unequal size."""
    recipe = replace(small(recipes.find_recipe("ring"), samples=10, batch=10), method=Regression(), optim={"D": Adam(lr=1e-2)})
    whole, parts = trained(recipe), trained(replace(recipe, train=replace(recipe.train, accumulate=3)))
    for a, b in zip(whole.nets.parameters(), parts.nets.parameters(), strict=True):
        torch.testing.assert_close(a, b)


@config
class Regression:
    """D learns a function of fixed samples; each part takes its own rows of them."""

    averaged_networks: tuple[str, ...] = ()

    def state(self, spec: Spec, nets) -> nn.ModuleDict:
        return nn.ModuleDict({"rows": Counter()})

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return Stage("only", (Phase("fit", ("D",), fit),))


class Counter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.seen = 0


def fit(nets: Nets, batch: Batch, clock: Clock) -> Turn:
    size, rows = len(batch["x"]), nets["rows"]
    x = torch.linspace(-1, 1, 20).view(10, 2)[rows.seen : rows.seen + size]
    rows.seen += size
    return Turn({"fit": (nets["D"](x).logits - x.sum(1)) ** 2})


def test_other_networks_get_no_gradients() -> None:
    seen: list[tuple[str, bool]] = []

    def turn(name: str) -> Callable[[Nets, Batch, Clock], Turn]:
        def loss(nets: Nets, batch: Batch, clock: Clock) -> Turn:
            seen.extend((name + net, next(nets[net].parameters()).requires_grad) for net in "GD")
            return Turn({name: nets["D"](nets["G"](torch.zeros(4, 2))).logits})

        return loss

    play(Phase("D", ("D",), turn("D")), Phase("G", ("G",), turn("G")))
    assert seen == [("DG", False), ("DD", True), ("GG", True), ("GD", False)]


def test_every_repeat_when_seen_and_after() -> None:
    """The whole grammar of phases on three steps: what ran, in which order, and what it could see."""
    ran: list[str] = []

    def turn(name: str, value: float) -> Callable[[Nets, Batch, Clock], Turn]:
        def loss(nets: Nets, batch: Batch, clock: Clock) -> Turn:
            ran.append(f"{name}{clock.step}{'+' if 'mark' in batch else ''}{'x' if 'x' in batch else ''}")
            return Turn({name: nets["D"](torch.zeros(1, 2)).logits}, {"mark": torch.tensor(value)})

        return loss

    def after(nets: Nets, seen: dict[str, torch.Tensor], clock: Clock) -> None:
        assert not torch.is_grad_enabled()
        ran.append(f"after {seen['mark'].item():g}")

    play(
        Phase("a", ("D",), turn("a", 1.0), repeat=2),
        Phase("b", ("D",), turn("b", 2.0), every=2, needs_data=False, after=after),
        Phase("c", (), turn("c", 3.0), gate=lambda seen: seen["mark"] > 1.5),  # looks, and trains nothing
        steps=3,
    )
    assert ran == ["a0x", "a0+x", "b0+", "after 2", "c0+x", "a1x", "a1+x", "a2x", "a2+x", "b2+", "after 2", "c2+x"]


def test_a_new_stage_changes_batch_and_starts_named_optimisers_afresh() -> None:
    sizes: list[int] = []

    def loss(nets: Nets, batch: Batch, clock: Clock) -> Turn:
        sizes.append(len(batch["x"]))
        return Turn({"D": nets["D"](batch["x"]).logits})

    phases = (Phase("D", ("D",), loss),)
    recipe = small(recipes.find_recipe("ring"), samples=24, batch=8)
    state = build_state(recipe, POINT, 0, CPU)
    playing = Loop(recipe, noise(recipe), state, 0)
    stages = (Stage("first", phases), Stage("second", phases, batch=4, optimisers_to_reset=("D",)))
    object.__setattr__(recipe, "method", Stages(lambda nets, clock: stages[clock.samples >= 16]))
    before = state.optims["D"]
    playing.train_to_budget(never)
    assert sizes == [8, 8, 4, 4]
    assert state.clock == Clock(4, 24, 24)
    assert state.optims["D"] is not before


class Stages:
    def __init__(self, stage: Callable[[Nets, Clock], Stage]) -> None:
        self.stage = stage


def play(*phases: Phase, steps: int = 1) -> None:
    recipe = small(recipes.find_recipe("ring"), samples=8 * steps)
    state = build_state(recipe, POINT, 0, CPU)
    object.__setattr__(recipe, "method", Stages(lambda nets, clock: Stage("only", phases)))
    Loop(recipe, noise(recipe), state, 0).train_to_budget(never)


def test_sampling_does_not_disturb_training() -> None:
    recipe = small(recipes.find_recipe("dcgan"))  # batch norm and a random prior: much that could be disturbed

    def sampling(state: State, tally: RunningMeans) -> bool:
        draw_samples(recipe.method, state.select_sampling_networks(), codec_for(recipe), 70, seed=1)
        torch.rand(5)
        return False

    assert same(trained(recipe).nets, trained(recipe, sampling).nets)


def test_seeds_matter_and_repeat() -> None:
    recipe = small(recipes.find_recipe("auto"))
    assert same(trained(recipe).nets, trained(recipe).nets)
    assert not same(trained(recipe).nets, trained(recipe, seed=1).nets)


def test_non_finite_losses_are_seen_in_their_means() -> None:
    tally = RunningMeans()
    tally.add_turn(Turn({"a": torch.tensor([1.0, 2.0])}))
    assert tally.read_and_reset() == {"terms": {"a": 1.5}, "seen": {}, "gradient_norm": {}}
    tally.add_turn(Turn({"a": torch.tensor(float("nan"))}))
    tally.add_turn(Turn({"a": torch.tensor(1.0)}))
    assert not isfinite(tally.read_and_reset()["terms"]["a"])
    tally.add_turn(Turn({"a": torch.tensor(1.0)}))
    assert tally.read_and_reset()["terms"]["a"] == 1.0  # read starts again


@pytest.mark.parametrize(("batch", "parts", "sizes"), [(8, 1, [8]), (10, 3, [4, 3, 3]), (3, 3, [1, 1, 1])])
def test_shares(batch: int, parts: int, sizes: list[int]) -> None:
    assert loop.local_micro_batches(batch, parts) == list(enumerate(sizes))


def test_training_keeps_no_trace_of_its_seeds() -> None:
    """torch.manual_seed would: a formatted stack for every call, as long as CUDA is not in use."""
    before = len(torch.cuda._queued_calls)  # type: ignore[attr-defined]
    trained(small(recipes.find_recipe("ring")))
    assert len(torch.cuda._queued_calls) == before  # type: ignore[attr-defined]


@pytest.mark.filterwarnings("ignore")  # of the compiler's own making
def test_compiled_networks_learn_what_eager_ones_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the compiler's front half, where gradients are traced; the whole of it is tried in test_slow.py."""
    real = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda self: real(self, backend="aot_eager"))
    assert_compiled_equals_eager(small(recipes.find_recipe("auto"), samples=16))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("penalty", [R1(), R1(every=2), GradientPenalty()])
def test_exact_penalties_beside_compiled_networks(penalty: CriticPenalty, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are taken eagerly, for compiled networks cannot be differentiated twice."""
    real = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda self: real(self, backend="aot_eager"))
    recipe = small(recipes.find_recipe("grid"), samples=32)
    assert isinstance(recipe.method, Adversarial)
    assert_compiled_equals_eager(replace(recipe, method=replace(recipe.method, penalties=(penalty,))))


def assert_compiled_equals_eager(recipe: Recipe) -> None:
    # an eps of the gradients' size, as above
    recipe = replace(recipe, optim={name: Adam(lr=1e-2, betas=(0.0, 0.99), eps=0.1) for name in recipe.optim})
    eager = trained(recipe)
    compiled = trained(replace(recipe, train=replace(recipe.train, compile=True)))
    for a, b in zip(compiled.nets.parameters(), eager.nets.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
