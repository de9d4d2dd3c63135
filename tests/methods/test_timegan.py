"""TimeGAN's losses in closed form, its three stages, and when D learns."""

from collections.abc import Mapping
from dataclasses import replace
from math import log, pi, sqrt
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganvas import recipes
from ganvas.core import Batch, Clock, CriticOutput, Field, Nets, Spec
from ganvas.errors import GanvasError, SettingError
from ganvas.methods import TimeGAN
from ganvas.methods.timegan import NETWORKS, ReachedStage, measure_moment_distance
from ganvas.nets import MLP, SeriesGRUs
from ganvas.optim.optimisers import Adam
from ganvas.runs.state import State, build_state
from ganvas.training.loop import Loop
from small_recipes import POINT, noise, small

CPU, METHOD = torch.device("cpu"), TimeGAN()
CLOCKS = [Clock(k, k, 9) for k in (0, 3, 6)]


class Shift(nn.Module):
    """h + shift."""

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.shift = shift

    def forward(self, h: Tensor) -> Tensor:
        return h + self.shift


class Verdict(nn.Module):
    """The sum of each step as its logit."""

    def forward(self, h: Tensor) -> CriticOutput:
        return CriticOutput(h.sum(2), h.flatten(1))


class Constant(nn.Module):
    """The same embedding for all z."""

    z_dim = 1

    def __init__(self, h: Tensor) -> None:
        super().__init__()
        self.h = h

    def forward(self, z: Tensor) -> Tensor:
        return self.h.expand(len(z), -1, -1)


EARLY = torch.tensor([[[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]]])


def build_toy() -> Nets:
    nets = {"embedder": Shift(1.0), "recovery": Shift(-0.5), "supervisor": Shift(2.0), "D": Verdict(), "G": Constant(EARLY)}
    return nn.ModuleDict({**nets, "stage": ReachedStage()})


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Nets:
    """Networks so simple that each loss is a number on paper: x + 1, h - 0.5 and h + 2."""

    def draw_embeddings(method: TimeGAN, nets: Nets, batch: Batch) -> Tensor:
        return nets["G"](torch.zeros(len(batch["x"]), 1))

    monkeypatch.setattr(TimeGAN, "draw_embeddings", draw_embeddings)
    return build_toy()


BATCH = {"x": torch.tensor([[[0.0, 0.0], [1.0, 3.0], [1.0, 0.0]], [[2.0, 0.0], [1.0, 1.0], [1.0, 2.0]]])}
# each step of h + 2 beside the next step of h: (2 - 1)², (2 - 3)², (3 - 1)², (5 - 0)²; (4 - 1)², (2 - 1)², (3 - 1)², (3 - 2)²
STEP_ERROR = (1 + 1 + 4 + 25 + 9 + 1 + 4 + 1) / 8


def means(terms: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: float(term.mean()) for name, term in terms.items()}


def test_losses_of_the_embedding(toy: Nets) -> None:
    terms = means(METHOD.play_autoencoder(toy, BATCH, CLOCKS[0]).terms)
    assert terms == {"embedder/reconstruction": pytest.approx(10 * 0.5)}  # all are off by 1 - 0.5
    terms = means(METHOD.play_embedder(toy, BATCH, CLOCKS[2]).terms)
    assert terms == {"embedder/reconstruction": pytest.approx(5), "embedder/steps": pytest.approx(0.1 * STEP_ERROR)}


def test_loss_of_the_supervisor(toy: Nets) -> None:
    assert means(METHOD.play_supervisor(toy, BATCH, CLOCKS[1]).terms) == {"supervisor/steps": pytest.approx(STEP_ERROR)}


def test_losses_of_the_generator(toy: Nets) -> None:
    early, late = EARLY.sum(2), EARLY.sum(2) + 4
    x, fake = BATCH["x"], (EARLY + 1.5).expand(2, -1, -1)
    moments = (x.var(0, unbiased=False) + 1e-6).sqrt().sub(1e-3).abs().mean() + (fake - x).mean(0).abs().mean()
    for method, early_weight in ((METHOD, 1.0), (TimeGAN(gamma=0.3), 0.3)):
        assert means(method.play_g(toy, BATCH, CLOCKS[2]).terms) == {
            "G/adversarial": pytest.approx(float(softplus(-late).mean())),
            "G/early": pytest.approx(early_weight * float(softplus(-early).mean())),
            "G/steps": pytest.approx(100 * sqrt(STEP_ERROR)),
            "G/moments": pytest.approx(100 * float(moments), rel=1e-5),
        }


def test_loss_of_the_discriminator(toy: Nets) -> None:
    turn = METHOD.judge(toy, BATCH, CLOCKS[2])
    real, early = BATCH["x"].sum(2) + 2, EARLY.sum(2)
    expected = float(softplus(-real).mean() + softplus(early + 4).mean() + softplus(early).mean())
    assert float(turn.statistics["D/loss"]) == pytest.approx(expected)
    assert means(METHOD.play_d(toy, turn.statistics, CLOCKS[2]).terms) == {"D/adversarial": pytest.approx(expected)}
    doubtful = {name: torch.zeros(2, 3, 2) for name in ("real", "early", "late")}
    assert means(METHOD.play_d(toy, doubtful, CLOCKS[2]).terms) == {"D/adversarial": pytest.approx(3 * log(2))}


def test_moments_are_those_over_the_batch() -> None:
    real, fake = torch.tensor([0.0, 2.0]).view(2, 1, 1), torch.tensor([1.0, 7.0]).view(2, 1, 1)
    assert float(measure_moment_distance(fake, real)) == pytest.approx((3 - 1) + (4 - 1))
    assert measure_moment_distance(real, real.flip(0)) == 0


# ------------------------------------------------------------ stages


def build(samples: int = 72, **settings: Any) -> tuple[State, Loop]:
    recipe = small(recipes.find_recipe("timegan"), samples=samples)
    recipe = replace(recipe, method=replace(METHOD, **settings))
    state = build_state(recipe, noise(recipe).spec, 0, CPU)
    return state, Loop(recipe, noise(recipe), state, 0)


def test_three_stages_of_equal_length_train_their_own_networks() -> None:
    state, loop = build()
    stages, moved = list[str](), list[set[str]]()
    copies = {name: p.clone() for name, p in state.nets.named_parameters()}

    def watch(state: State, _: object) -> bool:
        stages.append(state.stage_name)
        moved.append({n.partition(".")[0] for n, p in state.nets.named_parameters() if not torch.equal(p, copies[n])})
        copies.update({name: p.clone() for name, p in state.nets.named_parameters()})
        return False

    loop.train_to_budget(watch)
    assert stages == ["embedding"] * 3 + ["supervision"] * 3 + ["joint"] * 3
    assert moved == [{"embedder", "recovery"}] * 3 + [{"supervisor"}] * 3 + [set(NETWORKS)] * 3


def test_a_longer_budget_does_not_lead_back_to_an_earlier_stage() -> None:
    state, loop = build()
    loop.train_to_budget(lambda *_: False)
    longer = Clock(state.clock.step, state.clock.samples, 10 * state.clock.total)
    assert METHOD.stage(state.nets, longer).name == "joint"
    assert METHOD.stage(build_toy(), longer).name == "embedding"
    assert int(state.nets.state_dict()["stage.number"]) == 2


def test_optimisers_start_afresh_and_the_generator_learns_twice_for_each_d() -> None:
    state, loop = build()
    loop.train_to_budget(lambda *_: state.clock.step == 6)
    assert int(state.optims["supervisor"].state_dict()["state"][0]["step"]) == 3
    loop.train_to_budget(lambda *_: False)
    steps = {name: int(optimiser.state_dict()["state"][0]["step"]) for name, optimiser in state.optims.items()}
    assert steps == {"G": 6, "supervisor": 6, "embedder": 6, "recovery": 6, "D": 3}


def test_d_does_not_learn_while_its_loss_is_low() -> None:
    state, loop = build(least_d_loss=100.0)
    before = [p.clone() for p in state.nets["D"].parameters()]
    loop.train_to_budget(lambda *_: False)
    assert all(torch.equal(a, b) for a, b in zip(before, state.nets["D"].parameters(), strict=True))
    assert not state.optims["D"].state_dict()["state"]
    assert not METHOD.is_d_due({"D/loss": torch.tensor(0.15)})
    assert METHOD.is_d_due({"D/loss": torch.tensor(0.16)})


def test_checkpoints_before_the_game_are_never_the_best() -> None:
    assert [METHOD.stage(build_toy(), clock).is_full_size for clock in CLOCKS] == [False, False, True]


def test_samples_are_recovered_from_supervised_embeddings(toy: Nets) -> None:
    assert torch.equal(METHOD.render(toy, {"z": torch.zeros(2, 1)}), (EARLY + 1.5).expand(2, -1, -1))


class Waves:
    """Two sines of random phase; six steps of 0.6."""

    title = fingerprint = "waves"
    spec = Spec((6, 2), (Field("a", 1), Field("b", 1)), {})

    def batch(self, seed: int, size: int) -> Batch:
        phase = 2 * pi * torch.rand(size, 1, 2, generator=torch.Generator().manual_seed(seed))
        return {"x": 0.5 + 0.4 * (phase + 0.6 * torch.arange(6)[:, None]).sin()}


@pytest.mark.slow
def test_it_learns_waves() -> None:
    recipe, data, steps = recipes.find_recipe("timegan"), Waves(), 240
    train = replace(recipe.train, minutes=None, samples=3 * steps * 64, batch=64)
    optim = dict.fromkeys(recipe.optim, Adam(lr=5e-3, betas=(0.9, 0.999)))
    recipe = replace(recipe, nets=SeriesGRUs(width=12, layers=2), optim=optim, train=train)
    state = build_state(recipe, data.spec, 0, CPU)
    Loop(recipe, data, state, 0).train_to_budget(lambda *_: state.clock.step == 2 * steps + 80)  # type: ignore[arg-type]
    with torch.no_grad():
        x = METHOD.render(state.nets, METHOD.draw_latents(state.nets, 1000, torch.Generator().manual_seed(0)))
    real = data.batch(1, 1000)["x"]
    assert (x.std(0) - real.std(0)).abs().mean() < 0.05
    before, after = (torch.corrcoef(torch.stack([w[:, :-1].flatten(), w[:, 1:].flatten()]))[0, 1] for w in (x, real))
    assert float(before) == pytest.approx(float(after), abs=0.05)


def test_other_networks_and_settings_are_refused() -> None:
    with pytest.raises(GanvasError, match="take SeriesGRUs"):
        METHOD.state(POINT, MLP().build(POINT))
    with pytest.raises(SettingError, match="eta must be 0 or more"):
        TimeGAN(eta=-1.0)
