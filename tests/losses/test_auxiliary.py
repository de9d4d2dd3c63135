"""Extras against the original authors' values and closed forms."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ganvas.core import Clock, CriticOutput, LossInputs, ShownSamples
from ganvas.errors import GanvasError
from ganvas.losses import Classification, FeatureMatching, HistoricalAveraging, LeCam, WeightClipping
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
