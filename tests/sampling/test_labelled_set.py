"""Labelled synthetic sets: a folder a class, the same whenever they are made, marked as what they are."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas import cli
from ganvas.core import seed_from
from ganvas.runs.folder import RunFolder
from ganvas.sampling.labelled_set import name_class_folders
from trained_runs import trained


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return trained("biggan_small", tmp_path_factory.mktemp("set"))


def test_a_folder_a_class(run: RunFolder, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert cli.main(["augment", str(run.path), "--per-class", "3", "--out", str(out)]) == 0
    names = run.read_spec().conditions["label"].names
    assert {path.name for path in out.iterdir() if path.is_dir()} == set(name_class_folders(names))
    assert all(len(list((out / name).glob("*.png"))) == 3 for name in name_class_folders(names))
    assert "synthetic" in json.loads((out / "PROVENANCE.json").read_text())["Comment"]
    first = out / name_class_folders(names)[2] / "000001.png"
    with Image.open(first) as picture:
        assert picture.info["Label"] == names[2]
        assert np.array_equal(
            np.asarray(picture)[..., None],
            ganvas.generate(run, 2, seed=seed_from(0, "class", 2), conditions={"label": names[2]})[1],
        )
    small = ["--samples", "64", "--medium.size", "8", "--train.batch", "8"]
    small += ["--evaluation.samples", "10", "--evaluation.snapshot-samples", "10"]
    assert cli.main(["train", "auto", "--data", str(out), "--out", str(tmp_path / "next"), *small]) == 0  # it is data again


def test_names_that_folders_cannot_have() -> None:
    found = name_class_folders(("a/b", "a:b", "a_b_1", "A_B", "..", "", "T-shirt/top"))
    assert len({name.casefold() for name in found}) == 7
    assert not any("/" in name or name in ("", ".", "..") for name in found)
    assert found[-1] == "T-shirt_top"


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--per-class", "0"], "from 1 to 10,000,000"), (["--out", "HERE"], "is not empty: choose a new folder with --out")],
)
def test_what_cannot_be_is_said(
    run: RunFolder, words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").write_text("")
    assert cli.main(["augment", str(run.path), *(word.replace("HERE", str(tmp_path)) for word in words)]) == 1
    assert message in capsys.readouterr().err


def test_from_python(run: RunFolder, tmp_path: Path) -> None:
    assert len(list(ganvas.synthesise(run, per_class=2, out=tmp_path / "set").glob("*/*.png"))) == 20


def test_a_generator_without_classes_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = trained("dcgan_small", tmp_path)
    assert cli.main(["augment", str(plain.path), "--out", str(tmp_path / "out")]) == 1
    assert "a labelled set needs them" in capsys.readouterr().err
