"""The two-player game where labels, shared fakes and augmentation meet."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganvas import recipes
from ganvas.core import Clock, CriticOutput, GeneratorNetwork, Nets
from ganvas.errors import GanvasError
from ganvas.losses import R1
from ganvas.losses.objectives import NonSaturating, RelativisticAverage, TopK
from ganvas.methods import Adversarial
from ganvas.runs.state import build_state
from ganvas.training.loop import Loop
from small_recipes import noise, small

CPU = torch.device("cpu")


class Spy(nn.Module):
    """D that remembers the labels it was told, beside a mark of which samples they came with."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.calls: list[tuple[Tensor, Tensor | None]] = []

    def forward(self, x: Tensor, label: Tensor | None = None) -> CriticOutput:
        self.calls.append((x.detach(), label))
        return CriticOutput(x.flatten(1).mean(1) * self.weight, x.flatten(1))


class Labelled(GeneratorNetwork):
    """G whose samples show their label."""

    z_dim, conditions = 2, ("label",)

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return self.weight * label[:, None, None, None].float().expand(-1, 1, 8, 8)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"share_fakes": True, "critic_steps": 2}, "share_fakes has one batch"),
        ({"top_k": TopK(), "objective": RelativisticAverage()}, "top_k chooses fakes"),
    ],
)
def test_parts_that_contradict_each_other_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(GanvasError, match=words):
        Adversarial(**settings)


def test_shared_fakes_are_refused_to_a_g_that_measures_itself() -> None:
    recipe = small(recipes.find_recipe("stylegan3_small"))
    recipe = replace(recipe, method=replace(recipe.method, share_fakes=True))  # type: ignore[call-arg]
    with pytest.raises(GanvasError, match="measures its features"):
        build_state(recipe, noise(recipe).spec, 0, CPU)


@pytest.mark.parametrize("share", [False, True])
def test_d_judges_fakes_by_the_labels_they_were_made_of(share: bool) -> None:
    recipe = small(recipes.find_recipe("auto"), samples=16)
    method = Adversarial(objective=NonSaturating(), penalties=(R1(every=2),), share_fakes=share)
    recipe = replace(recipe, method=method)
    state = build_state(recipe, noise(recipe).spec, 0, CPU)
    spy = Spy()
    state.nets["G"], state.nets["D"] = Labelled(), spy
    state.optims = {name: recipe.optim[name].build(state.nets[name].parameters()) for name in "GD"}
    state.average = nn.ModuleDict()
    Loop(recipe, noise(recipe), state, 0).train_to_budget(lambda *_: False)
    fakes = [(x[:, 0, 0, 0], label) for x, label in spy.calls if (x == x[:, :, :1, :1]).all()]
    assert len(fakes) == 4  # in the turns of both players, two steps
    for shown, label in fakes:
        assert label is not None
        torch.testing.assert_close(shown, label.float(), rtol=0.1, atol=0.1)  # G's weight has moved a little


def test_samples_nobody_asked_a_label_of_follow_the_data() -> None:
    recipe = small(recipes.find_recipe("auto"))
    spec: Any = noise(recipe).spec
    label = replace(spec.conditions["label"], shares=(0.1, 0.0, 0.9))
    nets = build_state(recipe, spec._replace(conditions={"label": label}), 0, CPU).nets
    drawn = recipe.method.draw_latents(nets, 20_000, torch.Generator().manual_seed(0))["label"]
    shares = torch.bincount(drawn, minlength=3) / 20_000
    torch.testing.assert_close(shares, torch.tensor([0.1, 0.0, 0.9]), rtol=0, atol=0.01)


@pytest.mark.parametrize("every", [1, 2])
def test_penalties_go_through_the_augmentation_with_its_one_draw(every: int) -> None:
    """They are handed plain samples, and a critic that augments them as those were that D judged."""
    seen: list[Tensor] = []

    def noisy(x: Tensor, clock: Clock, nets: Nets) -> Tensor:
        seen.append(2 * x + torch.rand(len(x), 1, 1, 1))
        return seen[-1]

    class Watch:
        on = "real"

        def __init__(self) -> None:
            self.every = every

        def __call__(self, critic: Any, x: Tensor, logits: Tensor | None, clock: Clock) -> Tensor:
            assert torch.equal(x, batch["x"])
            before = torch.get_rng_state()
            again, once_more = critic(x), critic(x)
            assert torch.equal(again, once_more if logits is None else logits)
            if logits is not None:  # what others draw is not disturbed
                assert torch.equal(torch.get_rng_state(), before)
            return again * 0

    recipe = small(recipes.find_recipe("auto"))
    method = Adversarial(objective=NonSaturating(), penalties=(Watch(),), augment=noisy)  # type: ignore[arg-type]
    data = noise(recipe)
    nets = build_state(recipe, data.spec, 0, CPU).nets
    batch = data.batch(0, 4)
    if every == 1:
        method.play_d(nets, batch, Clock(0, 0, 1))
        assert not torch.equal(seen[0] - 2 * batch["x"], seen[1])  # fakes have a draw of their own
    else:
        method.play_penalty(method.penalties[0], nets, batch, Clock(0, 0, 1))
    assert torch.equal(seen[-1], seen[-2])
    assert not torch.equal(seen[-1], 2 * batch["x"])
