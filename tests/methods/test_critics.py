"""Further critics: each has its own loss and penalties on its own view, and patches are averaged, not mixed up."""

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from ganvas.core import Clock, CriticOutput, GeneratorNetwork, LossInputs, Nets
from ganvas.errors import GanvasError
from ganvas.losses import R1, FiniteDifferenceR1, NonSaturating, TopK
from ganvas.losses.patches import average_patches
from ganvas.methods import Adversarial, SideCritic

CLOCK = Clock(0, 0, 100)


class Scale(GeneratorNetwork):
    z_dim = 3

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))

    def forward(self, z: Tensor) -> Tensor:
        return self.weight * z


class Linear(nn.Module):
    """logits [N] of x [N, C]: its sum, weighed."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, x: Tensor) -> CriticOutput:
        return CriticOutput(self.weight * x.sum(1), x)


class Half:
    """The first coordinate alone."""

    every = 1

    def __call__(self, x: Tensor) -> Tensor:
        return x[:, :1]


def nets() -> Nets:
    return nn.ModuleDict({"G": Scale(), "D": Linear(1.0), "S": Linear(3.0)})


def test_each_critic_is_judged_by_its_own_view_and_penalties() -> None:
    """R1 of a linear critic is γ/2·weight²·inputs, closed form: D sees three of them, S one."""
    side = SideCritic(network="S", view=Half(), penalties=(R1(gamma=1.0),), weight=0.5)
    method, networks = Adversarial(penalties=(R1(gamma=2.0),), side_critics=(side,)), nets()
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    turn = method.play_d(networks, {"x": x}, CLOCK)
    assert set(turn.terms) == {"D/adversarial", "D/R1", "S/adversarial", "S/R1"}
    torch.testing.assert_close(turn.terms["D/R1"], torch.full((4,), 1.0 * 1.0**2 * 3))
    torch.testing.assert_close(turn.terms["S/R1"], torch.full((4,), 0.5 * 3.0**2 * 1))
    torch.manual_seed(0)
    g = method.play_g(networks, {"x": x}, CLOCK)
    torch.manual_seed(0)
    fake = 2.0 * torch.randn(4, 3)
    expected = 0.5 * NonSaturating().g(3.0 * fake[:, 0], lambda: fake)
    torch.testing.assert_close(g.terms["G/S"], expected)


def test_all_critics_step_together() -> None:
    method = Adversarial(side_critics=(SideCritic(network="S"),))
    phases = {phase.name: phase.trains for phase in method.stage(nets(), CLOCK).phases}
    assert phases == {"D": ("D", "S"), "G": ("G",)}
    assert method.traits(nets()).critics == ("D", "S")


def test_a_lazy_penalty_of_a_side_critic_is_refused() -> None:
    with pytest.raises(GanvasError, match="every=1"):
        SideCritic(network="S", penalties=(R1(every=16),))


def test_auxiliary_losses_ask_about_other_conditions() -> None:
    """D under conditions of one's own: the batch's are replaced by name, the others stay."""
    asked: list[dict[str, Tensor]] = []

    class Conditional(Scale):
        conditions = ("a", "b")

        def forward(self, z: Tensor, **given: Tensor) -> Tensor:
            return self.weight * z

    class Spy(Linear):
        def forward(self, x: Tensor, **given: Tensor) -> CriticOutput:
            asked.append(given)
            return super().forward(x)

    class Mismatched:
        trains = ("D",)

        def state(self, networks: Nets) -> None:
            return None

        def term(self, inputs: LossInputs) -> Tensor:
            return inputs.critic(inputs.real().x, {"a": inputs.batch["a"].roll(1, 0)}).logits

        def after(self, player: str, networks: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
            pass

    batch = {"x": torch.zeros(2, 3), "a": torch.tensor([1.0, 2.0]), "b": torch.tensor([5.0, 6.0])}
    Adversarial(auxiliary_losses=(Mismatched(),)).play_d(nn.ModuleDict({"G": Conditional(), "D": Spy(1.0)}), batch, CLOCK)
    assert [given["a"].tolist() for given in asked] == [[1.0, 2.0], [1.0, 2.0], [2.0, 1.0]]
    assert all(given["b"].tolist() == [5.0, 6.0] for given in asked)


def test_networks_that_do_not_say_what_they_take_are_refused() -> None:
    with pytest.raises(GanvasError, match=r"derive it from ganvas\.core\.GeneratorNetwork"):
        Adversarial().traits(nn.ModuleDict({"G": nn.Linear(2, 2), "D": Linear(1.0)}))


def test_patches() -> None:
    values = torch.arange(12.0).view(2, 1, 2, 3)
    assert average_patches(values).tolist() == [2.5, 8.5]
    assert torch.equal(average_patches(values[:, 0, 0, 0]), values[:, 0, 0, 0])


def test_a_penalty_of_patches_is_that_of_their_mean() -> None:
    """D(x) = [x·w₁, x·w₂] as patches: the slope is that of their mean, exactly and by finite differences."""
    w = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    x = torch.randn(20_000, 2, generator=torch.Generator().manual_seed(0))

    def critic(v: Tensor) -> Tensor:
        return (v @ w).view(len(v), 1, 2)

    exact = R1(gamma=2.0)(critic, x, None, CLOCK)
    torch.testing.assert_close(exact, torch.full((20_000,), float(w.mean(1).square().sum())))
    torch.manual_seed(0)
    estimate = FiniteDifferenceR1(gamma=2.0)(critic, x, None, CLOCK)
    assert estimate.shape == (20_000,)
    assert float(estimate.mean()) == pytest.approx(float(exact[0]), rel=0.05)


def test_the_best_fakes_are_chosen_by_the_mean_of_their_patches() -> None:
    logits = torch.tensor([[0.0, 0.0], [5.0, 1.0], [1.0, 1.0], [9.0, -9.0]])
    loss = TopK(min_share=0.5, decay=0.5, samples=1)(logits, logits, Clock(0, 100, 100))
    assert loss.tolist() == [0.0, 6.0, 2.0, 0.0]


class Tenfold:
    def __call__(self, x: Tensor) -> Tensor:
        return 10 * x[:, :1]


class Shift:
    """An augmentation that adds 1."""

    def __call__(self, x: Tensor, clock: Clock, nets: Nets) -> Tensor:
        return x + 1


def test_penalties_act_on_what_a_side_critic_sees() -> None:
    """R1 of its linear critic is γ/2·weight², whatever the view makes of the samples."""
    side = SideCritic(network="S", view=Tenfold(), penalties=(R1(gamma=1.0),))
    turn = Adversarial(side_critics=(side,)).play_d(nets(), {"x": torch.randn(4, 3)}, CLOCK)
    torch.testing.assert_close(turn.terms["S/R1"], torch.full((4,), 0.5 * 3.0**2))


def test_samples_are_augmented_before_the_view() -> None:
    method = Adversarial(augment=Shift(), side_critics=(SideCritic(network="S", view=Tenfold()),))
    x = torch.randn(4, 3)
    view = method.view_samples(method.side_critics[0], nets(), x, CLOCK)
    torch.testing.assert_close(view, 10 * (x[:, :1] + 1))


def test_shared_fakes_are_seen_once() -> None:
    """With share_fakes D's turn takes the views of G's turn, without gradients."""
    side = SideCritic(network="S", view=Tenfold())
    method, networks, x = Adversarial(share_fakes=True, side_critics=(side,)), nets(), torch.randn(4, 3)
    shared = dict(method.play_g(networks, {"x": x}, CLOCK).statistics)
    torch.testing.assert_close(shared["S/real"], 10 * x[:, :1])
    torch.testing.assert_close(shared["S/fake"], 10 * shared["fake"][:, :1])
    assert not shared["S/fake"].requires_grad
    shared["S/fake"] = torch.zeros(4, 1)  # D takes these
    turn = method.play_d(networks, shared, CLOCK)
    expected = NonSaturating().d(3.0 * shared["S/real"][:, 0], torch.zeros(4))
    torch.testing.assert_close(turn.terms["S/adversarial"], expected)
