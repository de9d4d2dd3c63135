"""Names of files that are no UTF-8: what is written of them is, paths come back as they were, and no command dies of one."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image as Pillow

from ganvas import cli
from ganvas.data import Files
from ganvas.errors import GanvasError
from ganvas.runs.folder import RunFolder
from ganvas.system.files import encode_json, read_json, repair_text, write_json
from trained_runs import SHORT

CAFE = os.fsdecode(b"caf\xe9")  # in Latin-1, as old systems wrote it


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder of such a name with a class of such a name."""
    try:
        (tmp_path / f"set {CAFE}" / CAFE).mkdir(parents=True)
    except OSError:
        pytest.skip("this file system has UTF-8 names only")
    (tmp_path / f"set {CAFE}" / "thé").mkdir()
    for i in range(40):
        Pillow.new("L", (8, 8), 3 * i).save(tmp_path / f"set {CAFE}" / (CAFE if i % 2 else "thé") / f"{i}.png")
    return tmp_path / f"set {CAFE}"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("café – 猫", "café – 猫"),
        (CAFE, "café"),
        (os.fsdecode(b"\x93a\x94\x81"), "“a”\ufffd"),
        ("\ud800x", "\ufffdx"),
        ("", ""),
    ],
)
def test_text_is_repaired(text, wanted):
    assert repair_text(text) == wanted
    wanted.encode()


def test_json_is_utf8_and_gives_back_every_string(tmp_path):
    data = {"path": CAFE, "é": ["猫", "\\ud800", '"', "\ud800"]}
    write_json(tmp_path / "a.json", data)
    assert read_json(tmp_path / "a.json") == data
    assert "é" in (tmp_path / "a.json").read_bytes().decode("utf-8")
    assert json.loads(encode_json(data)) == data


def test_classes_and_titles_are_text_and_files_are_found(place):
    found = Files(path=str(place)).items((".png",))
    assert (found.title, found.classes) == ("set café/ (40 files)", ("café", "thé"))
    assert found.labels.tolist() == [0] * 20 + [1] * 20
    assert found[0] == (place / CAFE / "1.png").read_bytes()
    assert found.names[0] == "café/1.png"


def test_a_table_in_utf8_finds_them(place):
    rows = [f"{'café' if i % 2 else 'thé'}/{i}.png,{i % 4}" for i in range(40)]
    (place / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    found = Files(path=str(place)).items((".png",))
    assert [int(found.classes[k]) for k in found.labels] == [int(Path(name).stem) % 4 for name in found.names]


def test_a_zip_with_names_that_are_not_what_they_say_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("café.png", b"")
    data = (tmp_path / "a.zip").read_bytes().replace("é".encode(), b"\xe9\xe9")
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(GanvasError, match="is not a zip archive"):
        Files(path=str(tmp_path / "a.zip")).items((".png",))


def test_a_run_on_such_data_from_its_start_to_its_samples(place, tmp_path, capsys):
    words = ["train", "projection", "--data", str(place), "--out", str(tmp_path / "run"), *SHORT, "--nets.nets.width", "4"]
    assert cli.main(words) == 0
    run = RunFolder(tmp_path / "run")
    assert run.recipe.data == Files(path=str(place))
    assert run.meta["data"]["title"] == "set café/ (40 files)"
    assert run.read_spec().conditions["label"].names == ("café", "thé")
    for name in ("recipe.json", "scores.jsonl", "log.jsonl", "report.html"):
        (tmp_path / "run" / name).read_text(encoding="utf-8")
    assert cli.main(words) == 0  # the same command is the same run
    for label in (CAFE, "café"):
        assert cli.main(["generate", str(run.path), "--n", "1", "--label", label, "--out", str(tmp_path / "out")]) == 0
        with Pillow.open(tmp_path / "out" / "000000.png") as picture:
            assert picture.text["Source"].endswith("label café")
        (tmp_path / "out" / "000000.png").unlink()
    assert cli.main(["generate", str(run.path), "--n", "1", "--out", str(tmp_path / CAFE)]) == 0
    assert capsys.readouterr().err.count("Traceback") == 0


def test_a_run_where_weights_cannot_be_opened_is_refused_at_once(place, tmp_path, capsys):
    assert cli.main(["train", "--data", "fashion-embedded", "--out", str(tmp_path / CAFE), "--samples", "64"]) == 1
    assert "café or a folder above it has a name that is no UTF-8" in capsys.readouterr().err
    assert not (tmp_path / CAFE).exists()


def test_what_a_terminal_cannot_show_is_no_reason_to_fail(tmp_path, child_environment):
    code = f"from ganvas import cli; cli.main([]); print({CAFE!r}, '猫')"
    environment = child_environment | {"PYTHONIOENCODING": "latin-1"}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment)
    assert found.stdout.splitlines()[-1] == b"caf\\udce9 \\u732b"
