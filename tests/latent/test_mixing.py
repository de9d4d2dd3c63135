"""Mixing styles: the picture's parts are the samples that seeds make, and what is wrong is said."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas import cli
from ganvas.errors import GanvasError
from ganvas.runs.folder import RunFolder
from ganvas.sampling.generator import Sampler
from ganvas.sampling.seeds import parse_number_list
from ganvas.sampling.writing import format_seeds

DATA = str(Path(__file__).parents[1] / "data" / "fashion_test_200.npz")
SMALL = [
    *("--medium.size", "8", "--train.batch", "16", "--samples", "64", "--train.snapshots", "1"),
    *("--evaluation.samples", "60", "--evaluation.snapshot-samples", "20"),
]
NETS = ["--nets.width", "4", "--nets.base", "64", "--nets.w-dim", "4", "--nets.z-dim", "4", "--nets.mapping", "1"]


@pytest.fixture(scope="module", params=["stylegan2_small", "stylegan_small"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    path = tmp_path_factory.mktemp("latent") / request.param
    assert cli.main(["train", request.param, "--data", DATA, "--out", str(path), *SMALL, *NETS]) == 0
    return RunFolder(path)


@pytest.mark.parametrize(("text", "wanted"), [("3", [3]), ("0-3,7", [0, 1, 2, 3, 7]), (" 5 - 6 , 1 ", [5, 6, 1])])
def test_seeds(text: str, wanted: list[int]) -> None:
    assert parse_number_list(text) == wanted


@pytest.mark.parametrize("text", ["", "a", "3-1", "1,,2", "-1", "1.5", "0-64", "0-99999999999"])
def test_seeds_that_are_none(text: str) -> None:
    with pytest.raises(GanvasError, match="seeds"):
        parse_number_list(text)


def cell(picture: Image.Image, row: int, column: int) -> np.ndarray:
    """A tile of a table."""
    return np.asarray(picture)[2 + 98 * row : 98 + 98 * row, 2 + 98 * column : 98 + 98 * column]


def test_a_seed_is_the_sample_that_generate_makes(run: RunFolder) -> None:
    made = Sampler(run)
    (found,) = made.stream_seeds([0, 5])
    for k, seed in enumerate((0, 5)):
        assert np.abs(found[k].numpy().astype(int) - ganvas.generate(run, 1, seed=seed)[0]).max() <= 1


def test_generate_seeds(run: RunFolder, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert cli.main(["generate", str(run.path), "--seeds", "0-69,5", "--out", str(out), "--format", "npy"]) == 0
    found = np.load(out / "samples.npy")
    assert found.shape == (71, 8, 8, 1)
    assert np.array_equal(found[5], found[70])
    assert len(np.unique(found[:70], axis=0)) > 60
    assert 'seed 0-69, 5"' in (out / "PROVENANCE.json").read_text()
    assert format_seeds([3]) == "3"
    assert format_seeds(range(10**6)) == "0-999999"
    assert len(format_seeds(range(0, 10**6, 2))) < 600


def test_the_table_has_the_sources_at_its_sides(run: RunFolder, tmp_path: Path) -> None:
    """With no difference between row and column everything is the same sample; with all layers taken it is the column's."""
    picture = ganvas.mix(run, "3", "3,4", out=tmp_path / "mix.png")
    assert np.array_equal(cell(picture, 1, 0), cell(picture, 1, 1))
    assert not np.array_equal(cell(picture, 1, 1), cell(picture, 1, 2))
    with Image.open(tmp_path / "mix.png") as written:
        assert "synthetic" in written.text["Comment"]  # type: ignore[attr-defined]
        assert "seed 3 with 3,4" in written.text["Source"]  # type: ignore[attr-defined]
    count = Sampler(run).nets["G"].layer_count
    picture = ganvas.mix(run, "3", "4", f"0-{count - 1}")
    assert np.array_equal(cell(picture, 0, 1), cell(picture, 1, 1))


def test_layers_that_there_are_not(run: RunFolder) -> None:
    with pytest.raises(GanvasError, match=r"layers 0 to \d+, got \[40\]"):
        ganvas.mix(run, layers="40")


def test_a_generator_without_styles_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["train", "gan", "--data", DATA, "--out", str(tmp_path / "run"), *SMALL, "--nets.z-dim", "2"]) == 0
    capsys.readouterr()
    assert cli.main(["mix", str(tmp_path / "run")]) == 1
    assert "no styles to mix" in capsys.readouterr().err
