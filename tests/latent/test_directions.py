"""Directions: against closed forms, kept with a run, followed by generate."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import ganvas
from ganvas import cli
from ganvas.core import Latents
from ganvas.errors import GanvasError
from ganvas.evaluation.evaluator import Evaluator, build_run_evaluator
from ganvas.latent import directions
from ganvas.runs.folder import RunFolder
from ganvas.sampling.edits import DIRECTIONS_FILE, load_directions, parse_edit, save_directions, sum_directions
from ganvas.sampling.generator import Sampler
from small_recipes import class_condition, vector_condition
from trained_runs import trained

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunFolder]:
    names = ["stylegan2_small", "stylegan_small", "dcgan_small", "biggan_small", "progan_small", "vae"]
    return {name: trained(name, tmp_path_factory.mktemp("edit")) for name in names}


def test_sefa_of_a_network_read_once_is_the_singular_vectors_of_its_first_layer(runs: dict[str, RunFolder]) -> None:
    made = Sampler(runs["dcgan_small"])
    weight = made.nets["G"].layers[0].weight.detach().flatten(1).double()  # [z_dim, outputs]
    vectors = torch.linalg.svd(weight)[0]
    found = directions.find_sefa_directions(made, 3)
    for k in range(3):
        direction = found[f"sefa{k}"].double()
        assert abs(float(direction @ vectors[:, k] / direction.norm())) == pytest.approx(1, abs=1e-4)


def test_sefa_reads_every_style_layer(runs: dict[str, RunFolder]) -> None:
    made = Sampler(runs["stylegan2_small"])
    G = made.nets["G"]
    layers = [module.style for module in G.modules() if hasattr(module, "style")]
    wanted = torch.cat([layer.weight.detach() * layer.scale for layer in layers])
    codes, _ = directions.draw_codes(made, 2)
    found = directions.measure_affine_weights(made, codes[:1], {})
    assert found.shape == wanted.shape
    assert torch.allclose(found.T @ found, wanted.T @ wanted, atol=1e-4)


def test_sefa_finds_what_reads_a_part_of_z(runs: dict[str, RunFolder]) -> None:
    """BigGAN's first layer reads the first part, each block's norms their own beside the class."""
    made = Sampler(runs["biggan_small"])
    codes, latents = directions.draw_codes(made, 2)
    found = directions.measure_affine_weights(made, codes[:1], {"label": latents["label"][0]})
    assert found.shape[1] == made.nets["G"].z_dim
    assert (found.norm(dim=0) > 0).all()


def test_sefa_takes_the_first_layer_where_z_is_normalised_before_it(runs: dict[str, RunFolder]) -> None:
    made = Sampler(runs["progan_small"])
    first = made.nets["G"].first
    codes, _ = directions.draw_codes(made, 2)
    assert torch.allclose(
        directions.measure_affine_weights(made, codes[:1], {}), first.weight.detach() * first.scale, atol=1e-5
    )


def test_principal_components_of_styles(runs: dict[str, RunFolder]) -> None:
    made = Sampler(runs["stylegan2_small"])
    codes, _ = directions.draw_codes(made, directions.CODES_PER_ANALYSIS)
    values, vectors = torch.linalg.eigh(torch.cov(codes.double().T, correction=0))
    direction = directions.find_pca_directions(made, 1)["pca0"].double()
    assert float(direction.norm()) == pytest.approx(float(values[-1]) ** 0.5, rel=1e-2)
    assert abs(float(direction @ vectors[:, -1] / direction.norm())) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("name", ["dcgan_small", "biggan_small", "progan_small", "vae"])
def test_components_of_features_come_back_to_z(runs: dict[str, RunFolder], name: str) -> None:
    found = directions.find_pca_directions(Sampler(runs[name]), 2)
    assert [tuple(vector.shape) for vector in found.values()] == [(6,), (6,)]
    deviation = 3**-0.5 if name == "dcgan_small" else 1  # z's own: uniform, or normal
    assert all(float(vector.norm()) == pytest.approx(deviation, rel=0.1) for vector in found.values())


def test_components_are_of_what_is_no_function_of_the_class(runs: dict[str, RunFolder]) -> None:
    """BigGAN's norms read the class's embedding beside z: that is no feature."""
    made = Sampler(runs["biggan_small"])
    codes, latents = directions.draw_codes(made, 64)
    seen = directions.probe_layers(made, codes[:1], {"label": latents["label"][0]})
    found = directions.collect_first_features(made, latents)
    deep = next(
        given
        for given, _ in seen.values()
        if directions.measure_probe_distance(given) and not directions.is_affine_in_code(given)
    )
    assert found.shape == (64, deep[0].numel())


def test_edits_by_name() -> None:
    assert parse_edit("sefa0=1.5, Sandal=-2") == {"sefa0": 1.5, "Sandal": -2.0}
    assert parse_edit("a,b=1,c = 2e1") == {"a,b": 1.0, "c": 20.0}
    for text in ("", "x", "x=", "=1", "x=1=2", "x=1;y=2", "x=--1"):
        with pytest.raises(GanvasError, match="an edit must be"):
            parse_edit(text)


def test_a_separator_parts_what_can_be_parted() -> None:
    generator = torch.Generator().manual_seed(0)
    codes, normal = torch.randn(4000, 5, generator=generator), torch.tensor([0.6, 0.0, 0.8, 0.0, 0.0])
    found, right = directions.fit_separating_plane(codes, codes @ normal > 0.5)
    assert float(found @ normal) > 0.99
    assert right > 0.93
    _, chance = directions.fit_separating_plane(codes, torch.rand(4000, generator=generator) > 0.5)
    assert 0.45 < chance < 0.55


def test_found_drawn_and_followed(runs: dict[str, RunFolder], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = runs["stylegan2_small"]
    assert cli.main(["directions", str(run.path), "--by", "pca", "--count", "2", "--out", str(tmp_path / "d.png")]) == 0
    assert "pca0, pca1" in capsys.readouterr().out
    with Image.open(tmp_path / "d.png") as picture:
        assert "synthetic" in picture.info["Comment"]
        assert picture.width > 5 * 96
        assert picture.height > 4 * 96
    found = ganvas.directions(run, "sefa", count=1)  # added to the others
    assert set(load_directions(run.path / DIRECTIONS_FILE)[0]) == {"pca0", "pca1", "sefa0"}
    plain, same = Sampler(run), Sampler(run, edit={"sefa0": 0.0})
    assert torch.equal(plain(5), same(5))
    moved = Sampler(run, edit={"sefa0": 2.0, "pca1": -1.0})
    latents = moved.latents_of_seeds([0])
    wanted = (
        plain.map_to_code_space(plain.latents_of_seeds([0]))["ws"]
        + 2 * found["sefa0"]
        - load_directions(run.path / DIRECTIONS_FILE)[0]["pca1"]
    )
    assert torch.allclose(latents["ws"], wanted, atol=1e-6)
    out = tmp_path / "out"
    assert cli.main(["generate", str(run.path), "--n", "2", "--edit", "sefa0=2,pca1=-1", "--out", str(out)]) == 0
    with Image.open(out / "000000.png") as picture:
        assert "edit sefa0 2.0, edit pca1 -1.0" in picture.info["Source"]
        assert np.array_equal(np.asarray(picture), moved(1)[0, ..., 0])


def test_directions_by_labels(runs: dict[str, RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a sample's class told by its first number, the two classes lie along that axis, on either side."""
    run = runs["dcgan_small"]
    rows = [int((build_run_evaluator(run).train.columns["label"] == k).nonzero()[0]) for k in (0, 3)]

    def places(judge: Evaluator, made: Sampler, latents: Latents) -> torch.Tensor:
        return torch.tensor(rows)[(latents["z"][:, 0] > 0).long().cpu()]

    monkeypatch.setattr(directions, "find_training_indices", places)
    found = ganvas.directions(run, "labels", out=tmp_path / "labels.png")
    names = run.read_spec().conditions["label"].names
    assert list(found) == [names[0], names[3]]
    for name, sign in ((names[0], -1), (names[3], 1)):
        assert float(found[name][0] / found[name].norm()) * sign > 0.99
    assert (tmp_path / "labels.png").exists()


def test_numbers_are_parted_at_the_middle_of_their_range() -> None:
    labels = torch.tensor([[0.0, 5.0], [1.0, 9.0], [0.0, 8.0]])
    assert directions.mark_members(labels, vector_condition(2)).tolist() == [[False, True, False], [False, True, True]]
    assert directions.mark_members(torch.tensor([1, 0]), class_condition(2)).tolist() == [[False, True], [True, False]]


def test_classes_of_nothing_are_refused(runs: dict[str, RunFolder]) -> None:
    """Samples that are all alike are all of one class."""
    with pytest.raises(GanvasError, match="no label has 20 samples on each side"):
        ganvas.directions(runs["dcgan_small"], "labels")


def test_what_is_told_the_class_has_no_direction_for_it(runs: dict[str, RunFolder]) -> None:
    with pytest.raises(GanvasError, match="takes the label next to z"):
        ganvas.directions(runs["biggan_small"], "labels")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["directions", "--by", "magic"], "unknown method 'magic'"),
        (["directions", "--count", "0"], "from 1 to 512"),
        (["directions", "--by", "sefa", "--data", "nowhere"], "are for --by labels"),
        (["directions", "--extractor", "pixels"], "are for --by labels"),
        (["generate", "--grid", "--format", "npy"], "it goes without --format"),
        (["generate", "--edit", "pca9=1"], "no direction 'pca9' (it has: none yet"),
        (["generate", "--edit", "pca0=x"], "an edit must be NAME=1.5"),
    ],
)
def test_what_cannot_be_is_said(
    runs: dict[str, RunFolder], words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([words[0], str(runs["stylegan_small"].path), *words[1:]]) == 1
    assert message in capsys.readouterr().err


def test_directions_of_another_checkpoint_are_not_followed(runs: dict[str, RunFolder], tmp_path: Path) -> None:
    made = Sampler(runs["vae"])
    save_directions(made.run.path, made.checkpoint_folder.name, directions.find_sefa_directions(made, 1))
    with pytest.raises(GanvasError, match="--checkpoint 000000064"):
        sum_directions(made.run.path, "000000001", {"sefa0": 1.0}, CPU)
    (made.run.path / DIRECTIONS_FILE).write_bytes(b"broken")
    with pytest.raises(GanvasError, match="find the directions again"):
        sum_directions(made.run.path, "000000001", {"sefa0": 1.0}, CPU)
