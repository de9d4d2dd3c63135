"""The command line as a user meets it, above all when something is wrong: one or two lines, what, where, how to fix."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from ganvas import cli, recipes
from ganvas.configuration import to_json
from ganvas.errors import GanvasError
from ganvas.runs.folder import RunFolder

DATA = str(Path(__file__).parents[1] / "data" / "fashion_test_200.npz")
SMALL = [
    *("--nets.g-width", "2", "--nets.d-width", "2", "--nets.cap", "4", "--medium.size", "8", "--train.batch", "16"),
    *("--samples", "64", "--evaluation.samples", "60", "--evaluation.snapshot-samples", "20", "--train.snapshots", "2"),
]
Ganvas = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ganvas(capsys: pytest.CaptureFixture[str]) -> Ganvas:
    def call(*words: str | Path) -> tuple[int, str, str]:
        code = cli.main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "run"
    assert cli.main(["train", "--data", DATA, "--out", str(path), *SMALL]) == 0
    return path


# ---------------------------------------------------------------- what works


def test_train_prints_scores_and_where_to_look(ganvas: Ganvas, tmp_path: Path) -> None:
    code, out, err = ganvas("train", "--data", DATA, "--out", tmp_path / "run", *SMALL)
    assert code == 0
    assert "frechet" in out
    assert "coverage" in out
    assert str(tmp_path / "run" / "report.html") in out
    assert str(tmp_path / "run" / "samples" / "000000064.png") in out
    assert "200 pictures of 1 x 8 x 8" in err


def test_every_field_of_a_recipe_can_be_set(ganvas: Ganvas, tmp_path: Path) -> None:
    words = ["--method.penalties.1.gamma", "0.25", "--optim.D.lr", "1e-3", "--optim.G.betas", "0.5", "0.9", "--seed", "3"]
    assert ganvas("train", "auto", "--data", DATA, "--out", tmp_path / "run", *SMALL, *words)[0] == 0
    run = RunFolder(tmp_path / "run")
    assert run.seed == 3
    assert run.recipe.method.penalties[1].gamma == 0.25  # type: ignore[attr-defined]
    assert run.recipe.optim["D"].lr == 1e-3  # type: ignore[attr-defined]
    assert run.recipe.optim["G"].betas == (0.5, 0.9)  # type: ignore[attr-defined]


def test_generate_and_evaluate(ganvas: Ganvas, run: Path, tmp_path: Path) -> None:
    assert ganvas("generate", run, "--n", "3", "--out", tmp_path)[0] == 0
    assert sorted(p.name for p in tmp_path.glob("*.png")) == ["000000.png", "000001.png", "000002.png"]
    with Pillow.open(tmp_path / "000000.png") as picture:
        assert picture.size == (8, 8)
    code, out, _ = ganvas("evaluate", run, "--n", "40", "--json")
    assert code == 0
    assert json.loads(out)["protocol"]["samples"] == 40


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("pixels", "pixels"),
        ("classifier", "fashion-classifier-v1"),
        ("efficientnet", "efficientnet-lite0-64px-bilinear"),  # the run's own, at the size that suits its pictures
        ("appearance", "appearance-v1"),
    ],
)
def test_evaluate_by_another_extractor(ganvas: Ganvas, run: Path, name: str, called: str) -> None:
    code, out, _ = ganvas("evaluate", run, "--n", "40", "--extractor", name, "--json")
    assert code == 0
    assert json.loads(out)["protocol"]["extractor"] == called


def test_recipes_are_listed(ganvas: Ganvas) -> None:
    code, out, _ = ganvas("recipes")
    assert code == 0
    assert all(name in out for name in recipes.list_recipes())
    assert {row["name"] for row in json.loads(ganvas("recipes", "--json")[1])} == set(recipes.list_recipes())


def test_help_teaches(ganvas: Ganvas) -> None:
    assert "ganvas train --data photos/" in ganvas("--help")[1]
    code, out, _ = ganvas("train", "dcgan", "--help")
    assert code == 0
    assert "--medium.size" in out
    assert "half-life of the moving average" in " ".join(out.replace("│", " ").split())
    assert "--checkpoint" in ganvas("generate", "--help")[1]


# ---------------------------------------------------------------- what is wrong


def test_misuse_exits_with_2(ganvas: Ganvas, run: Path) -> None:
    assert ganvas("trian")[0] == 2
    assert "did you mean train" in ganvas("trian")[2]
    assert ganvas("generate")[0] == 2
    assert ganvas("generate", run, "--nn", "3")[0] == 2
    assert ganvas("train", "--train.btach", "3")[0] == 2
    assert ganvas("train", "--samples", "many")[0] == 2


def photos(folder: Path, count: int = 30, size: tuple[int, int] = (20, 20)) -> Path:
    folder.mkdir()
    generator = np.random.default_rng(0)
    for i in range(count):
        Pillow.fromarray(generator.integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)).save(folder / f"{i:03}.png")
    return folder


def failing(tmp_path: Path) -> dict[str, tuple[list[str], str]]:
    """Name: (what is asked, what the answer has to say)."""
    photos(tmp_path / "photos")
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    for i in range(30):
        (tmp_path / "text" / f"{i}.png").write_text("no picture")
    photos(tmp_path / "one", 1)
    photos(tmp_path / "dots", 30, (1, 1))
    (tmp_path / "file").write_text("hello")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("years of work")
    new, data = ["--out", str(tmp_path / "run"), *SMALL], ["--data", str(tmp_path / "photos")]

    def given(name: str) -> list[str]:
        return ["train", "--data", str(tmp_path / name), *new]

    def having(*words: str) -> list[str]:
        return ["train", *data, *new, *words]

    return {
        "missing folder": (given("fotos"), "photos"),
        "empty folder": (given("empty"), "empty"),
        "text named png": (given("text"), "no image|cannot be read|unreadable"),
        "a single image": (given("one"), "1 image|one"),
        "one pixel": (given("dots"), "1 x 1"),
        "a text file": (given("file"), "file"),
        "unknown recipe": (["train", "dcgam", *data, *new], "did you mean dcgan"),
        "negative batch": (having("--train.batch", "-4"), "--train.batch: batch must be from 1 to 65536, got -4$"),
        "no minutes": (["train", *data, *new[:2], "--minutes", "0"], "--minutes: minutes must be above 0, below 1e6, got 0"),
        "both budgets": (["train", *data, *new, "--minutes", "1"], "give only one of them"),
        "odd size": (["train", *data, *new, "--medium.size", "100x96"], "`size` to 96x96 or 104x96$"),
        "half a size": (
            ["train", *data, *new, "--medium.size", "96x"],
            "^ganvas: --medium.size: size must be a number such as 64, or .*, got 96x$",
        ),
        "a size for other networks": (
            ["train", "dcgan", *data, *new[:2], "--medium.size", "96x64"],
            r"square images whose size is a power of two from 8 to 2048, got 96x64 \(width x height\): .*`size` to 64$",
        ),
        "absurd rate": (having("--optim.G.lr", "-1"), "--optim.G.lr: lr must be above 0, below 10, got -1"),
        "infinite setting": (["train", *data, *new, "--method.penalties.0.gamma", "inf"], "finite"),
        "file for a folder": (["train", *data, *SMALL, "--out", str(tmp_path / "file")], "not a directory|file exists"),
        "a folder of other things": (
            ["train", *data, *SMALL, "--out", str(tmp_path / "other")],
            "holds files that are not a run",
        ),
        "no run": (["generate", str(tmp_path / "photos")], r"recipe\.json does not exist"),
        "resume nothing": (["train", "--resume", str(tmp_path / "empty")], r"recipe\.json does not exist"),
        "no channels": (having("--nets.g-width", "0"), "--nets.g-width: g_width must be from 1 to 65536, got 0$"),
        "a penalty never played": (having("--method.penalties.0.every", "0"), "penalties.0.every: every must be 1 or more"),
        "a critic that never learns": (having("--method.critic-steps", "0"), "critic-steps: critic_steps must be from 1 to"),
        "too small a size": (having("--medium.size", "2"), "--medium.size: size must be from 4 to 2048 px, got 2$"),
        "a limit of one": (having("--data.limit=1"), "--data.limit: limit must be 2 or more, got 1$"),
        "the second penalty": (
            having("--method.penalties.0.gamma", "2", "--method.penalties.1.gamma", "-1"),
            "--method.penalties.1.gamma: gamma must be 0 or more, got -1",
        ),
        "a field of two flags": (
            having("--evaluation.samples", "1"),
            "ganvas: --evaluation.samples: samples must be from 2 to .*, got 1$",
        ),
        "too many micro-batches": (
            having("--train.accumulate=9"),
            "--train.accumulate: accumulate must be from 1 to half the batch, got 9$",
        ),
        "unknown device": (["train", *data, *new, "--device", "gpu"], "--device cpu"),
    }


@pytest.mark.parametrize("name", [
    "missing folder", "empty folder", "text named png", "a single image", "one pixel", "a text file", "unknown recipe",
    "negative batch", "no minutes", "both budgets", "odd size", "absurd rate", "infinite setting", "file for a folder",
    "a folder of other things", "no run", "resume nothing", "unknown device", "no channels", "a penalty never played",
    "a critic that never learns", "too small a size", "a limit of one", "the second penalty", "a field of two flags",
    "too many micro-batches", "half a size", "a size for other networks",
])  # fmt: skip
def test_bad_input_is_explained(ganvas: Ganvas, tmp_path: Path, name: str) -> None:
    words, answer = failing(tmp_path)[name]
    code, _, err = ganvas(*words)
    said = err.strip().splitlines()
    assert code == 1
    assert re.search(answer, err), err
    assert said[-1].startswith("ganvas: ") or len(said) > 1
    assert "Traceback" not in err
    assert not (tmp_path / "run").exists(), "a refused command leaves nothing behind"
    assert (tmp_path / "other" / "thesis.txt").exists()


def test_extractors_that_are_not_there(ganvas: Ganvas, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GANVAS_INCEPTION", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    code, _, err = ganvas("evaluate", run, "--extractor", "incepshun")
    assert (code, err) == (
        1,
        "ganvas: --extractor: extractor must be one of appearance, classifier, columns, coordinates, efficientnet, inception, "
        "ngrams, pixels, windows, got incepshun\n",
    )
    code, _, err = ganvas("evaluate", run, "--extractor", "inception")
    assert code == 1
    assert re.search(r"`download`.*GANVAS_INCEPTION.*extractor `efficientnet`", err)


def test_a_truncated_jpeg_is_named_skipped_and_counted(ganvas: Ganvas, tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos")
    Pillow.new("RGB", (40, 40), (200, 30, 30)).save(folder / "cut.jpg")
    content = (folder / "cut.jpg").read_bytes()
    (folder / "cut.jpg").write_bytes(content[: len(content) // 2])
    code, _, err = ganvas("train", "--data", folder, "--out", tmp_path / "run", *SMALL)
    assert code == 0
    assert "cut.jpg" in err
    assert json.loads((tmp_path / "run" / "recipe.json").read_text())["data"]["skipped"] == 1


@pytest.fixture
def edited(run: Path) -> object:
    before = (run / "recipe.json").read_text()

    def edit(change: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
        meta = json.loads(before)
        change(meta)
        (run / "recipe.json").write_text(json.dumps(meta))

    yield edit
    (run / "recipe.json").write_text(before)


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (lambda meta: meta.update(format=99, ganvas="9.9"), "made by ganvas 9.9 .* update ganvas"),
        (lambda meta: meta.update(format=1, ganvas="0.0"), "made by ganvas 0.0 .* use that version, or train a new run"),
        (lambda meta: meta["recipe"]["nets"].update({"is": "os:system"}), "not a ganvas component"),
        (lambda meta: meta["recipe"]["nets"].update({"is": "subprocess:Popen", "args": "id"}), "not a ganvas component"),
        (lambda meta: meta["recipe"]["nets"].update(g_width="wide"), r"nets\.g_width: 'wide'"),
        (lambda meta: meta["recipe"]["nets"].update(g_width=64), "does not fit"),
        (lambda meta: meta.update(recipe=3), "holds no recipe"),
    ],
)
def test_an_edited_recipe_is_refused(ganvas: Ganvas, run: Path, edited: Callable, change: Callable, answer: str) -> None:  # type: ignore[type-arg]
    edited(change)
    code, _, err = ganvas("generate", run, "--n", "1")
    assert code == 1
    assert re.search(answer, err), err


def test_a_damaged_checkpoint_is_refused(ganvas: Ganvas, tmp_path: Path) -> None:
    assert ganvas("train", "--data", DATA, "--out", tmp_path / "run", *SMALL)[0] == 0
    file = RunFolder(tmp_path / "run").find_checkpoint("best") / "nets.safetensors"
    file.write_bytes(file.read_bytes()[:-8])
    code, _, err = ganvas("generate", tmp_path / "run")
    assert code == 1
    assert "damaged" in err


@pytest.mark.skipif(os.name == "nt", reason="folders without write permission are a Unix matter")
def test_a_place_that_cannot_be_written(tmp_path: Path, child_environment: dict[str, str]) -> None:
    """/proc refuses even root, in whose hands permission bits say nothing."""
    words = [sys.executable, "-m", "ganvas", "train", "--data", DATA, "--out", "/proc/run", *SMALL]
    done = subprocess.run(words, env=child_environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "/proc/run" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_full_disk_is_a_sentence(ganvas: Ganvas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ganvas.system.files.flush_to_disk", full)
    code, _, err = ganvas("train", "--data", DATA, "--out", tmp_path / "run", *SMALL)
    assert code == 1
    assert "no space left on device" in err


def test_configurations_hold_no_code() -> None:
    with pytest.raises(TypeError):
        to_json({"a": os.system})
    with pytest.raises(GanvasError):
        recipes.find_recipe("os.system")
