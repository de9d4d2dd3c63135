"""Extras against the original authors' values and closed forms."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ganvas.core import Clock, CriticOutput, GeneratorNetwork, LossInputs, ShownSamples
from ganvas.errors import GanvasError
from ganvas.losses import (
    Classification,
    ContentLoss,
    FeatureMatching,
    HistoricalAveraging,
    LeastSquares,
    LeCam,
    ModeSeeking,
    PairedFeatureMatching,
    PerceptualLoss,
    PixelLoss,
    WeightClipping,
    WeightedObjective,
)
from ganvas.nets import MLP

CLOCK = Clock(5000, 0, 1)


@pytest.fixture
def golden(goldens: Path) -> dict[str, Tensor]:
    return load_file(goldens / "functional.safetensors")


def no_critic(x: Tensor, conditions: object) -> CriticOutput:
    raise AssertionError("no loss here asks about other conditions")


def scene(player: str, real: CriticOutput, fake: CriticOutput, nets: dict[str, nn.Module], **batch: Tensor) -> LossInputs:
    x = torch.zeros(len(fake.logits), 1)
    return LossInputs(
        player, nn.ModuleDict(nets), batch, CLOCK, ShownSamples(x, fake), lambda: ShownSamples(x, real), no_critic
    )


def logits(values: Tensor) -> CriticOutput:
    return CriticOutput(values, torch.zeros(len(values), 1))


def test_lecam_golden(golden: dict[str, Tensor]) -> None:
    auxiliary = LeCam(weight=1.0)
    averages = auxiliary.state(nn.ModuleDict())
    assert averages is not None
    averages.load_state_dict({"real": golden["in/lecam_ema_real"], "fake": golden["in/lecam_ema_fake"]})
    real, fake = (logits(golden[f"in/logits_{which}"].squeeze(1)) for which in ("real", "fake"))
    term = auxiliary.term(scene("D", real, fake, {"LeCam": averages}))
    assert term is not None
    torch.testing.assert_close(term.mean(), golden["loss/lecam"])


def test_lecam_follows_ds_outputs() -> None:
    auxiliary = LeCam(mean_decay=0.9)
    averages = auxiliary.state(nn.ModuleDict())
    assert averages is not None
    for _ in range(200):
        auxiliary.after(
            "D", nn.ModuleDict({"LeCam": averages}), {"D/real": torch.tensor(2.0), "D/fake": torch.tensor(-3.0)}, CLOCK
        )
    assert (averages.real, averages.fake) == (pytest.approx(2.0), pytest.approx(-3.0))


def test_feature_matching_golden(golden: dict[str, Tensor]) -> None:
    real, fake = (CriticOutput(torch.zeros(4), golden[f"in/fm_{which}0"].flatten(1)) for which in ("real", "fake"))
    term = FeatureMatching().term(scene("G", real, fake, {}))
    assert term is not None
    torch.testing.assert_close(term, golden["loss/fm_salimans_layer0"], rtol=1e-5, atol=0)


def test_clipping_bounds_every_parameter() -> None:
    nets = nn.ModuleDict({"D": nn.Linear(5, 5)})
    with torch.no_grad():
        WeightClipping(bound=0.02).after("D", nets, {}, CLOCK)
    assert all(p.abs().max() <= 0.02 for p in nets.parameters())
    assert nets["D"].weight.abs().max().item() == pytest.approx(0.02)  # type: ignore[union-attr]


def test_historical_averaging_is_the_distance_to_the_mean_of_the_past() -> None:
    auxiliary, net = HistoricalAveraging(weight=0.5, trains=("D",)), nn.Linear(1, 1, bias=False)
    nets: Any = nn.ModuleDict({"D": net})
    nn.init.constant_(net.weight, 1.0)
    nets["HistoricalAveraging"] = auxiliary.state(nets)
    for value in (4.0, 7.0):
        nn.init.constant_(net.weight, value)
        with torch.no_grad():
            auxiliary.after("D", nets, {}, CLOCK)
    term = auxiliary.term(
        LossInputs("D", nets, {}, CLOCK, ShownSamples(torch.zeros(1), logits(torch.zeros(1))), lambda: None, no_critic)
    )  # type: ignore
    assert term.item() == pytest.approx(0.5 * (7 - (1 + 4 + 7) / 3) ** 2)


def test_classification_is_the_surprise_at_the_label() -> None:
    class Known(nn.Module):
        def classify(self, features: Tensor) -> Tensor:
            return features

    sure = CriticOutput(torch.zeros(3), torch.eye(3) * 50)
    unsure = CriticOutput(torch.zeros(3), torch.zeros(3, 3))
    label = torch.arange(3)
    for player, expected in (("D", torch.log(torch.tensor(3.0))), ("G", torch.tensor(0.0))):
        term = Classification().term(scene(player, unsure, sure, {"D": Known()}, label=label))
        assert term is not None
        torch.testing.assert_close(term, expected.expand(3), rtol=1e-5, atol=1e-6)
    several = torch.tensor([[0.0, 1.0, 1.0]] * 3)
    term = Classification().term(scene("G", unsure, unsure, {"D": Known()}, label=several))
    assert term is not None
    torch.testing.assert_close(term, torch.full((3,), 2.0).log())


def test_classification_needs_a_d_that_names_classes() -> None:
    from small_recipes import IMAGE8

    with pytest.raises(GanvasError, match="AuxiliaryClassifier"):
        Classification().state(MLP().build(IMAGE8))


def scene_of_pictures(x: Tensor, target: Tensor, **batch: Tensor) -> LossInputs:
    """G made x, and should have made `target`."""
    inputs = scene("G", logits(torch.zeros(len(x))), logits(torch.zeros(len(x))), {}, x=target, **batch)
    return inputs._replace(fake=ShownSamples(x, inputs.fake.output))


@pytest.mark.parametrize(("kind", "expected"), [("l1", 0.5), ("mse", 0.25), ("charbonnier", (0.25 + 1e-6) ** 0.5)])
def test_pixel_loss(kind: Any, expected: float) -> None:
    x = torch.full((2, 3, 4, 4), 0.25)
    term = PixelLoss(weight=10.0, kind=kind).term(scene_of_pictures(x, x - 0.5))
    assert term is not None
    torch.testing.assert_close(term, torch.full((2,), 10 * expected))


def test_pixel_loss_on_a_part_is_the_mean_over_its_pixels() -> None:
    """The hole is wrong by 1, the rest by 0.1; a picture without a hole costs nothing there."""
    mask = torch.zeros(2, 1, 4, 4)
    mask[0, :, 1, 1:3] = 1
    x = (0.1 + 0.9 * mask).expand(2, 3, 4, 4)
    pictures = scene_of_pictures(x, torch.zeros_like(x), mask=mask)
    for on, expected in (("hole", [1.0, 0.0]), ("known", [0.1, 0.1])):
        term = PixelLoss(weight=1.0, on=on).term(pictures)  # type: ignore[arg-type]
        torch.testing.assert_close(term, torch.tensor(expected))
    with pytest.raises(GanvasError, match='set on="all"'):
        PixelLoss(on="hole").term(scene_of_pictures(x, x))


def test_paired_matching_compares_each_sample_with_its_own() -> None:
    """Features in another order have the same mean: Salimans' loss is 0 there, this one is not."""
    features = torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    real, fake = (CriticOutput(torch.zeros(2), value) for value in (features, features.flip(0)))
    inputs = scene("G", real, fake, {})
    torch.testing.assert_close(PairedFeatureMatching(weight=2.0).term(inputs), torch.tensor([8.0, 8.0]))
    torch.testing.assert_close(FeatureMatching().term(inputs), torch.tensor(0.0))


@pytest.mark.parametrize("features", ["pixels", "classifier", "efficientnet"])
def test_perceptual_loss_is_0_for_the_same_picture_and_grows_with_the_change(features: Any) -> None:
    target = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    noise = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    loss = PerceptualLoss(weight=3.0, features=features)
    loss.state(nn.ModuleDict())

    def measure(x: Tensor, of: PerceptualLoss = loss) -> Tensor:
        term = of.term(scene_of_pictures(x, target))
        assert term is not None
        return term

    assert measure(target).tolist() == pytest.approx([0, 0], abs=1e-6)
    slight, strong = measure(target + 0.05 * noise), measure(target + 0.5 * noise)
    assert (slight > 0).all()
    assert (strong > 2 * slight).all()
    torch.testing.assert_close(strong, 3 * measure(target + 0.5 * noise, PerceptualLoss(features=features)))
    x = (target + 0.5 * noise).requires_grad_()
    measure(x).sum().backward()
    assert x.grad is not None
    assert (x.grad.abs().flatten(1).sum(1) > 0).all()


def test_a_loss_of_content_lets_colours_change_and_punishes_another_picture() -> None:
    gray = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    source = gray.expand(2, 3, 32, 32)
    loss = ContentLoss(weight=2.0)
    loss.state(nn.ModuleDict())

    def measure(x: Tensor) -> Tensor:
        term = loss.term(scene_of_pictures(x, x)._replace(batch={"source": source}))
        assert term is not None
        return term

    assert measure(source).tolist() == pytest.approx([0, 0], abs=1e-4)
    tinted = source * torch.tensor([0.5, 0.9, 0.2])[:, None, None] + 0.05  # brightness keeps its pattern
    assert measure(tinted).max() < 0.01
    assert (measure(source.flip(0)) > 0.5).all()
    assert (measure(-source) > measure(tinted) + 0.1).all()
    x = source.flip(3).clone().requires_grad_()
    measure(x).sum().backward()
    assert x.grad is not None
    assert (x.grad.abs().flatten(1).sum(1) > 0).all()
    with pytest.raises(GanvasError, match="compares samples with sources of their size"):
        loss.term(scene_of_pictures(source, source)._replace(batch={}))
    with pytest.raises(GanvasError, match="compares samples with sources of their size"):
        loss.term(scene_of_pictures(source, source)._replace(batch={"source": source[:, :, ::2, ::2]}))


class Scaling(GeneratorNetwork):
    """G(z) = share · z."""

    def __init__(self, share: float, z_dim: int = 3) -> None:
        super().__init__()
        self.share, self.z_dim = share, z_dim

    def forward(self, z: Tensor) -> Tensor:
        return self.share * z


@pytest.mark.parametrize("share", [0.0, 0.5, 2.0])
def test_mode_seeking_asks_how_far_samples_of_different_latents_lie_apart(share: float) -> None:
    output = CriticOutput(torch.zeros(10), torch.zeros(10, 1))
    inputs = scene("G", output, output, {"G": Scaling(share)}, x=torch.zeros(10, 3))
    term = ModeSeeking(weight=0.1, subsample=4).term(inputs)
    torch.testing.assert_close(term, torch.full((3,), 0.1 / (share + 1e-3)))


def test_mode_seeking_needs_a_latent() -> None:
    with pytest.raises(GanvasError, match="starts from z"):
        ModeSeeking().state(nn.ModuleDict({"G": Scaling(1.0, z_dim=0)}))


def test_a_weighted_objective_weighs_each_players_loss() -> None:
    real, fake, objective = torch.tensor([0.5, 2.0]), torch.tensor([-1.0, 0.0]), LeastSquares()
    weighted = WeightedObjective(objective=objective, weight=2.0)
    assert torch.equal(weighted.d(real, fake), objective.d(real, fake))
    assert torch.equal(weighted.g(fake, lambda: real), (fake - 1).square())  # CycleGAN's
    half = WeightedObjective(objective=objective, d_weight=0.5)
    assert torch.equal(half.d(real, fake), objective.d(real, fake) / 2)
    assert torch.equal(half.g(fake, lambda: real), objective.g(fake, lambda: real))
