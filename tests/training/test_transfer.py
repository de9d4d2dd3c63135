"""Beginning with another run's networks: what matches is taken over, what does not is named, D's first layers may stay."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ganvas import api, cli
from ganvas.augment import DiffAugment
from ganvas.errors import GanvasError
from ganvas.runs import checkpoint
from ganvas.runs.folder import RunFolder
from ganvas.runs.state import build_state
from ganvas.training.session import resolve_recipe
from ganvas.training.start import initial_state
from ganvas.training.transfer import find_first_layers, start_recipe_from_run
from small_recipes import class_condition
from trained_runs import DATA, trained

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunFolder]:
    return {
        name: trained(name, tmp_path_factory.mktemp("from"))
        for name in ("stylegan2_small", "dcgan_small", "biggan_small", "progan_small")
    }


def learned(run: RunFolder, name: str) -> dict[str, torch.Tensor]:
    state = build_state(run.recipe, run.read_spec(), run.seed, CPU)
    checkpoint.load_nets(run.find_checkpoint("best"), state)
    return state.select_sampling_networks()[name].state_dict()


@pytest.mark.parametrize("name", ["stylegan2_small", "dcgan_small", "biggan_small", "progan_small"])
def test_all_of_it_where_all_fits(sources: dict[str, RunFolder], name: str) -> None:
    source, said = sources[name], list[str]()
    state = initial_state(start_recipe_from_run(source), source.read_spec(), 5, CPU, said.append)
    for player in "GD":
        wanted = learned(source, player)
        assert all(torch.equal(value, wanted[key]) for key, value in state.nets[player].state_dict().items())
    assert all(torch.equal(a, b) for a, b in zip(state.average["G"].parameters(), state.nets["G"].parameters(), strict=True))
    assert "fresh" not in " ".join(said)


def test_another_number_of_classes(sources: dict[str, RunFolder]) -> None:
    source, said = sources["biggan_small"], list[str]()
    spec = source.read_spec()._replace(conditions={"label": class_condition(4, (), (0.25,) * 4)})
    state = initial_state(start_recipe_from_run(source), spec, 5, CPU, said.append)
    assert state.nets["G"].shared.weight.shape[0] == 4
    assert "fresh: shared.weight (1)" in said[0]
    wanted = learned(source, "G")
    for key, value in state.nets["G"].state_dict().items():
        assert key == "shared.weight" or torch.equal(value, wanted[key])


def test_another_size(sources: dict[str, RunFolder]) -> None:
    source, said = sources["stylegan2_small"], list[str]()
    spec = source.read_spec()._replace(shape=(1, 16, 16))
    state = initial_state(start_recipe_from_run(source), spec, 5, CPU, said.append)
    assert torch.equal(state.nets["G"].start, learned(source, "G")["start"])
    assert "fresh: " in said[0]
    assert "ups.1" in said[0]


def test_layers_that_are_counted_from_the_other_end_of_the_image(sources: dict[str, RunFolder]) -> None:
    source, said = sources["dcgan_small"], list[str]()
    state = initial_state(start_recipe_from_run(source), source.read_spec()._replace(shape=(1, 16, 16)), 5, CPU, said.append)
    found, wanted = state.nets["G"].state_dict(), learned(source, "G")
    for own, theirs in {"layers.4.weight": "layers.1.weight", "layers.6.weight": "layers.3.weight"}.items():
        assert torch.equal(found[own], wanted[theirs])
    assert "layers.0.weight" in said[0]


def test_layers_that_begin_anew_cannot_stay_as_they_are(sources: dict[str, RunFolder]) -> None:
    source = sources["dcgan_small"]
    colour = source.read_spec()._replace(shape=(3, 8, 8))
    with pytest.raises(GanvasError, match="D has layers to freeze that do not fit"):
        initial_state(start_recipe_from_run(source, freeze=1), colour, 5, CPU)
    assert initial_state(start_recipe_from_run(source), colour, 5, CPU).frozen_parameters == ()


def test_what_the_source_was_scored_on_is_its_own(sources: dict[str, RunFolder], monkeypatch: pytest.MonkeyPatch) -> None:
    source = sources["dcgan_small"]
    tested = replace(source.recipe, data=replace(source.recipe.data, test="elsewhere", limit=9))
    assert start_recipe_from_run(source, tested).data == tested.data  # of a recipe of one's own
    monkeypatch.setattr(source, "recipe", tested)
    assert start_recipe_from_run(source).data == replace(tested.data, test=None, limit=None)


def test_networks_of_another_kind_are_refused(sources: dict[str, RunFolder]) -> None:
    recipe = start_recipe_from_run(sources["dcgan_small"], "gan")
    with pytest.raises(GanvasError, match=r"no tensor of .*G fits"):
        initial_state(recipe, sources["dcgan_small"].read_spec(), 0, CPU)


def test_it_is_augmented_unless_it_was(sources: dict[str, RunFolder]) -> None:
    assert isinstance(start_recipe_from_run(sources["dcgan_small"]).method.augment, DiffAugment)
    assert isinstance(start_recipe_from_run(sources["progan_small"]).method.game.augment, DiffAugment)


@pytest.mark.parametrize(
    ("name", "layers"), [("dcgan_small", ["layers.0"]), ("stylegan2_small", ["from_image", "blocks.0.first"])]
)
def test_the_first_layers_are_those_beside_the_image(sources: dict[str, RunFolder], name: str, layers: list[str]) -> None:
    source = sources[name]
    nets = initial_state(source.recipe, source.read_spec(), 0, CPU).nets
    frozen = find_first_layers(source.recipe.method, nets, source.read_spec(), len(layers))
    assert {key.rpartition(".")[0] for key in frozen} == {f"D.{layer}" for layer in layers}
    assert find_first_layers(source.recipe.method, nets, source.read_spec(), 0) == ()
    with pytest.raises(GanvasError, match="at least one must learn"):
        find_first_layers(source.recipe.method, nets, source.read_spec(), 999)


def test_normalised_layers_are_kept_whole(sources: dict[str, RunFolder]) -> None:
    source = sources["biggan_small"]
    nets = initial_state(source.recipe, source.read_spec(), 0, CPU).nets
    frozen = find_first_layers(source.recipe.method, nets, source.read_spec(), 1)
    assert set(frozen) == {"D.blocks.0.first.bias", "D.blocks.0.first.parametrizations.weight.original"}


def test_grown_networks_carried_to_a_smaller_size(tmp_path: Path) -> None:
    source = trained("progan_small", tmp_path, "--medium.size", "16", "--samples", "256")
    assert initial_state(start_recipe_from_run(source), source.read_spec(), 0, CPU).nets["growth"].depth == 2
    state = initial_state(start_recipe_from_run(source), source.read_spec()._replace(shape=(1, 8, 8)), 0, CPU)
    assert state.nets["growth"].depth == 1
    assert source.recipe.method.render(state.nets, {"z": torch.zeros(2, 6)}).shape == (2, 1, 8, 8)


def test_points_are_not_augmented(tmp_path: Path) -> None:
    words = ["--samples", "512", "--train.snapshots", "1", "--evaluation.samples", "100", "--evaluation.snapshot-samples", "20"]
    assert cli.main(["train", "ring", "--out", str(tmp_path / "ring"), *words]) == 0
    assert start_recipe_from_run(RunFolder(tmp_path / "ring")).method.augment is None


def test_a_recipe_of_ones_own_begins_with_a_source(sources: dict[str, RunFolder]) -> None:
    source = sources["dcgan_small"]
    recipe = resolve_recipe(replace(source.recipe, name="own"), source, 1)
    assert recipe.name == "own"
    assert recipe.start is not None
    assert recipe.start.checkpoint == source.find_checkpoint("best").name


def test_frozen_layers_stay_and_the_others_learn(sources: dict[str, RunFolder], tmp_path: Path) -> None:
    source = sources["stylegan2_small"]
    out = tmp_path / "out"
    words = ["train", "--from", str(source.path), "--freeze-d", "2", "--data", DATA, "--out", str(out), "--samples", "64"]
    assert cli.main(words) == 0
    run = RunFolder(out)
    assert run.recipe.nets == source.recipe.nets
    before, after = learned(source, "D"), learned(run, "D")
    still = {key for key in before if torch.equal(before[key], after[key])}
    assert still == {"from_image.weight", "from_image.bias", "blocks.0.first.weight", "blocks.0.first.bias"}
    assert cli.main(words) == 0  # the same command finds a finished run


def test_a_run_goes_on_without_its_source(sources: dict[str, RunFolder], tmp_path: Path) -> None:
    """Bit for bit as one that was not interrupted, also where what it came from is gone."""
    import shutil

    source = tmp_path / "source"
    shutil.copytree(sources["dcgan_small"].path, source)
    recipe = replace(start_recipe_from_run(RunFolder(source), freeze=1), name="x")
    recipe = replace(recipe, train=replace(recipe.train, samples=128, snapshots=2))
    whole = api.train(recipe, data=DATA, out=tmp_path / "whole", quiet=True)
    half = replace(recipe, train=replace(recipe.train, samples=64))
    api.train(half, data=DATA, out=tmp_path / "half", quiet=True)
    shutil.rmtree(source)
    resumed = api.resume(tmp_path / "half", samples=128, quiet=True)
    a, b = (learned(RunFolder(run.path), "G") for run in (whole, resumed))
    assert np.all([torch.equal(a[key], b[key]) for key in a])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--from", "nowhere"], "does not exist"),
        (["--freeze-d", "2"], "give the run with --from"),
        (["--freeze_d", "2"], "give the run with --from"),
        (["--from", "RUN", "--freeze-d", "-1"], "is a number of layers"),
        (["--from", "RUN", "--freeze-d", "99"], "at least one must learn"),
        (["vae", "--from", "RUN", "--freeze-d", "1"], "has no D"),
        (["dcgan_small", "--from", "RUN", "--medium.size", "8", "--nets.width", "5"], "RUN's G fits (it makes"),
    ],
)
def test_what_cannot_be_is_said(
    sources: dict[str, RunFolder], words: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(sources["biggan_small"].path)
    words = [word.replace("RUN", path) for word in words]
    assert cli.main(["train", *words, "--data", DATA, "--out", str(tmp_path / "run")]) == 1
    assert message.replace("RUN", path) in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "run" / "recipe.json").exists()
