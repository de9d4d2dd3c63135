"""VAE, autoencoder and VAE-GAN: their terms in closed form, whose weights each phase moves, what they make of clothes."""

from dataclasses import replace
from math import log, pi
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn
from torch.distributions import Normal, kl_divergence

from ganvas import recipes
from ganvas.core import Clock
from ganvas.errors import GanvasError
from ganvas.losses import R1
from ganvas.methods import VAEGAN, Autoencoding
from ganvas.methods.autoencoding import CodeStatistics, measure_gaussian_nll, measure_kl_from_prior
from ganvas.nets.wrappers.encoded import sample_posterior
from ganvas.runs.state import build_state
from ganvas.training.loop import Loop
from small_recipes import noise, small
from trained_runs import trained

CLOCK, CPU = Clock(0, 0, 1), torch.device("cpu")


def test_divergence_is_that_of_normals() -> None:
    mean, log_variance = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    wanted = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(measure_kl_from_prior(mean, log_variance), wanted)
    assert torch.equal(measure_kl_from_prior(torch.zeros(2, 3), torch.zeros(2, 3)), torch.zeros(2))


def test_surprise_is_a_normal_density() -> None:
    x, made = torch.randn(2, 4, 6, generator=torch.Generator().manual_seed(1))
    error = (x - made).square()
    torch.testing.assert_close(measure_gaussian_nll(error, 0.3), -Normal(made, 0.3).log_prob(x).sum(1))
    best = error.mean().sqrt()
    torch.testing.assert_close(measure_gaussian_nll(error, None).mean(), measure_gaussian_nll(error, float(best)).mean())
    assert measure_gaussian_nll(error, None).mean() < min(
        measure_gaussian_nll(error, float(best) * k).mean() for k in (0.9, 1.1)
    )
    assert measure_gaussian_nll(error, None)[0] == pytest.approx(3 * (log(float(best) ** 2) + 1 + log(2 * pi)), rel=1e-5)


def test_codes_have_their_moments() -> None:
    torch.manual_seed(0)
    mean = torch.linspace(-1, 1, 8)
    passed, mixing = Normal(0.0, 1.0).sample((8, 4)), CodeStatistics(8)
    for _ in range(400):
        mixing.move_towards(torch.randn(256, 4) @ passed.T + mean, 0.02)
    drawn = mixing(torch.randn(50_000, 8))
    assert (drawn.mean(0) - mean).abs().max() < 0.2
    covariance = passed @ passed.T
    assert (torch.cov(drawn.T) - covariance).abs().max() < 0.1 * covariance.abs().max()


def test_samples_have_the_posteriors_moments() -> None:
    torch.manual_seed(0)
    found = sample_posterior(torch.full((20_000, 1), 2.0), torch.full((20_000, 1), log(0.25)))
    assert found.mean() == pytest.approx(2, abs=0.02)
    assert found.std() == pytest.approx(0.5, abs=0.02)


def test_each_phase_of_the_hybrid_moves_its_own_player() -> None:
    recipe = small(recipes.find_recipe("vae_gan"), samples=8)
    state = build_state(recipe, noise(recipe).spec, 0, CPU)
    playing = Loop(recipe, noise(recipe), state, 0)
    for phase in recipe.method.stage(state.nets, CLOCK).phases:
        before = {key: p.clone() for key, p in state.nets.named_parameters()}
        playing.train_step(recipe.method.stage(state.nets, CLOCK)._replace(phases=(phase,)), 8)
        moved = {key.partition(".")[0] for key, p in state.nets.named_parameters() if not torch.equal(p, before[key])}
        assert moved == set(phase.trains)


def test_the_autoencoders_codes_are_the_means() -> None:
    recipe = small(replace(recipes.find_recipe("autoencoder"), name="x"), samples=8)
    state = build_state(recipe, noise(recipe).spec, 0, CPU)
    batch = noise(recipe).batch(0, 8)
    for net in state.nets.values():
        net.eval()
    turn = recipe.method.play_autoencoder(state.nets, batch, CLOCK)
    assert set(turn.terms) == {"G/reconstruction"}
    assert torch.equal(turn.statistics["code"], state.nets["E"](batch["x"], batch["label"])[0])
    with torch.no_grad():
        made = recipe.method.reconstruct(state.nets, batch)
    assert made.shape == batch["x"].shape
    assert float((made - batch["x"]).square().mean()) == pytest.approx(float(turn.statistics["G/error"]), rel=1e-4)


@pytest.mark.parametrize("method", [Autoencoding(), VAEGAN()])
def test_networks_without_an_encoder_are_refused(method: Autoencoding | VAEGAN) -> None:
    recipe = small(recipes.find_recipe("dcgan_small"))
    with pytest.raises(GanvasError, match="an encoder"):
        method.state(noise(recipe).spec, nn.ModuleDict({"G": nn.Linear(1, 1)}))


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (Autoencoding, {"beta": -1.0}),
        (Autoencoding, {"sigma": 0.0}),
        (VAEGAN, {"beta": 0.0}),
        (VAEGAN, {"penalties": (R1(every=16),)}),
    ],
)
def test_settings_that_make_no_sense(kind: type, settings: dict[str, object]) -> None:
    with pytest.raises(GanvasError, match="method"):
        kind(**settings)


def test_a_run_draws_its_reconstructions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained("vae", tmp_path)
    with Image.open(run.path / "exhibits" / "reconstructions.png") as picture:
        assert picture.width == picture.height
    assert "PSNR" in capsys.readouterr().out
    cards = [card for card in run.score_cards if card["kind"] == "final"]
    assert all(0 < card["reconstruction_psnr"] < 40 for card in cards)
    assert "data:image/png" in (run.path / "report.html").read_text()
