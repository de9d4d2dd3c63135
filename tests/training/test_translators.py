"""Translators from the command line: what is said first, what the card and the pictures show, resuming, refusals."""

import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from safetensors.torch import load_file

import ganvas
from ganvas import cli
from ganvas.data import Columns
from ganvas.errors import GanvasError
from ganvas.evaluation.evaluator import Evaluator, build_run_evaluator
from ganvas.media import Image, LabelMap
from ganvas.pictures.table import draw_tiles
from ganvas.recipes import find_recipe
from ganvas.runs.folder import RunFolder
from ganvas.training import monitor

SHORT = [
    *("--train.batch", "8", "--train.precision", "fp32"),
    *("--evaluation.samples", "8", "--evaluation.snapshot-samples", "8"),
]
NARROW = {
    "translator": [
        *("--nets.nets.generator.generator.width", "2", "--nets.nets.critic.width", "2", "--nets.width", "2"),
        *("--nets.nets.critic.layers", "1"),
    ],
    "cyclegan_small": [
        *("--nets.generator.width", "2", "--nets.generator.blocks", "1", "--method.pool", "20"),
        *("--nets.critic.width", "2", "--nets.critic.layers", "1"),
    ],
    "inpaint_small": ["--nets.generator.generator.generator.width", "2", "--nets.critic.width", "2"],
}


def draw_square(generator: np.random.Generator, side: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """(a black square on gray, the same one in a colour that follows from its place)."""
    top, left = generator.integers(1, side // 2, 2)
    outline = np.full((side, side, 3), 200, np.uint8)  # not the white of pages, so that tiles are found in one place
    colours = outline.copy()
    place = slice(top, top + side // 3), slice(left, left + side // 3)
    outline[place], colours[place] = 0, (30 * top, 30 * left, 128)
    return outline, colours


def write_pictures(folder: Path, count: int, name: str = "{}.png", size: tuple[int, int] = (16, 16), kind: int = 0) -> Path:
    """`count` pictures of width x height; of one kind (0: black squares, 1: coloured ones), always the same squares."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    for k in range(count):
        picture = Pillow.fromarray(draw_square(generator)[kind])
        picture.resize(size, Pillow.Resampling.NEAREST).save(folder / name.format(k))
    return folder


def write_sides(folder: Path, count: int = 24, names: tuple[str, str] = ("{}.png", "{}.png")) -> Path:
    """A/ and B/, each with `count` pictures."""
    for kind, side in enumerate("AB"):
        write_pictures(folder / side, count, names[kind], kind=kind)
    return folder


class Trained(NamedTuple):
    """A run, and what training said on stderr."""

    run: RunFolder
    lines: list[str]
    evaluator: Evaluator


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_sides(tmp_path_factory.mktemp("data") / "pairs")
    write_pictures(folder / "A", 1, "lone.png")
    return folder


@pytest.fixture(scope="module")
def trained(pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """No recipe is named: the pairs decide. Steps that are far too large make the last checkpoint the worst."""
    out, capture = tmp_path_factory.mktemp("runs") / "run", pytest.MonkeyPatch()
    lines: list[str] = []
    capture.setattr(sys, "stderr", Listener(lines))
    words = [*SHORT, *NARROW["translator"], "--samples", "64", "--train.snapshots", "4", "--optim.G.lr", "0.05"]
    code = cli.main(["train", "--data", str(pairs), "--out", str(out), *words])
    capture.undo()
    assert code == 0, "".join(lines)[-600:]
    run = RunFolder(out)
    return Trained(run, "".join(lines).splitlines(), build_run_evaluator(run, None, None, "cpu"))


class Listener(list[str]):
    """A file that keeps what is written."""

    def __init__(self, parts: list[str]) -> None:
        super().__init__()
        self.parts = parts

    def write(self, text: str) -> int:
        self.parts.append(text)
        return len(text)

    def flush(self) -> None: ...

    def isatty(self) -> bool:
        return False


# ------------------------------------------------------------ what is said and shown


def test_the_task_is_said_before_anything_else(trained: Trained) -> None:
    assert trained.lines[0] == "translation: 24 pairs by name, 1 file without a partner, 16 x 16 RGB"
    assert trained.run.recipe.name == "translator"


def test_every_preview_shows_source_result_and_truth(trained: Trained) -> None:
    evaluator, pictures = trained.evaluator, sorted((trained.run.path / "samples").glob("*.png"))
    steps = [int(path.stem) for path in pictures]
    assert (steps[0], steps[-1], len(steps)) == (0, 64, 5)
    assert evaluator.sources is not None
    count = min(3, evaluator.sources.reals.size)
    sources = evaluator.sources.draw_sources(count)
    truths = draw_tiles(evaluator.codec, evaluator.sources.reals.take(0, count)["x"])
    for path in (pictures[0], pictures[-1]):
        with Pillow.open(path) as picture:
            page = np.asarray(picture.convert("RGB"))
        for k in range(count):
            (top, left), (truth_top, truth_left) = (find_tile(page, tile) for tile in (sources[k], truths[k]))
            assert top == truth_top
            assert truth_left > left + sources[k].width  # the result stands between them


def find_tile(page: np.ndarray, tile: Pillow.Image) -> tuple[int, int]:
    """Where the tile stands on the page: row, column. It is gray around a square."""
    pixels = np.asarray(tile.convert("RGB"))
    height, width = pixels.shape[:2]
    y, x = np.argwhere((pixels != pixels[0, 0]).any(2))[0]  # the square's corner
    for top, left in np.argwhere((page[y:, x:] == pixels[y, x]).all(2)):
        if np.array_equal(page[top : top + height, left : left + width], pixels):
            return int(top), int(left)
    raise AssertionError("the page does not show the picture")


def test_the_page_has_a_slider_from_sources_to_results(trained: Trained) -> None:
    page = (trained.run.path / "report.html").read_text(encoding="utf-8")
    assert "Held-out sources, and what became of them" in page
    assert '<div class="compare"' in page
    assert '<input class="share" type="range"' in page


def test_baselines_stand_on_the_card_and_are_named_where_they_win(trained: Trained) -> None:
    card = next(card for card in trained.run.score_cards if "last" in card.get("which", ""))
    assert {"identity", "nearest"} <= set(card["baselines"])
    assert list(card["scores"])[:3] == ["perceptual", "psnr", "ssim"]
    worst_note = [note for note in card["cautions"] if note.startswith("psnr: the baseline ")]
    assert worst_note, "far too large steps cannot beat every baseline"


def test_the_best_checkpoint_is_the_nearest_to_the_truth(trained: Trained) -> None:
    cards = [card for card in trained.run.score_cards if card["kind"] == "snapshot"]
    scores = {card["checkpoint"]: card["scores"]["perceptual"] for card in cards}
    assert len(scores) == 4
    assert trained.run.find_checkpoint("best").name == min(scores, key=lambda name: scores[name])


# ------------------------------------------------------------ other commands


Ganvas = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Ganvas:
    def run_command(*words: str | Path) -> tuple[int, str, str]:
        code = cli.main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return run_command


@pytest.mark.parametrize(
    "words", [["interpolate"], ["project", "PICTURE"], ["directions"], ["mix"], ["augment"], ["generate", "--edit", "pca0=1"]]
)
def test_commands_for_codes_and_classes_name_translate(words: list[str], trained: Trained, pairs: Path, call: Ganvas) -> None:
    path = trained.run.path
    paths = [str(pairs / "A" / "0.png") if word == "PICTURE" else word for word in words[1:]]
    code, _, err = call(words[0], path, *paths)
    assert code == 1
    assert err.rstrip().endswith(f"ganvas translate {path} PICTURE")


def test_generate_says_whose_sources_it_takes(trained: Trained, pairs: Path, tmp_path: Path, call: Ganvas) -> None:
    code, _, err = call("generate", trained.run.path, "--n", "2", "--out", tmp_path / "drawn")
    assert (code, len(list((tmp_path / "drawn").glob("*.png")))) == (0, 2)
    assert "sources are examples of the training data" in err
    file = pairs / "A" / "3.png"
    code, _, err = call("generate", trained.run.path, "--n", "1", "--conditions", f"source={file}", "--out", tmp_path / "own")
    assert (code, err) == (0, "")
    with Pillow.open(tmp_path / "own" / "000000.png") as picture:
        difference = np.asarray(picture).astype(int) - ganvas.load(trained.run.path).translate(file)
    assert np.abs(difference).max() <= 1  # of a batch and of one picture


def test_scores_nearest_and_comparison(trained: Trained, pairs: Path, tmp_path: Path, call: Ganvas) -> None:
    path = trained.run.path
    code, out, err = call("evaluate", path, "--json")
    assert code == 0, err
    assert {"perceptual", "psnr", "ssim"} <= set(json.loads(out)["scores"])
    assert call("nearest", path, "--seeds", "0-3", "--out", tmp_path / "nearest.png")[0] == 0
    words = [*SHORT, "--train.snapshots", "1", "--samples", "8"]
    code, _, err = call("train", "--from", path, "--data", pairs, "--out", tmp_path / "more", *words)
    assert code == 0, err
    assert f"G from {path}" in err
    code, out, err = call("compare", path, tmp_path / "more", "--out", tmp_path / "compare.png")
    assert code == 0, err
    assert "perceptual" in out


@pytest.mark.parametrize(
    ("degrade", "recipe", "size"),
    [("x4", "srresnet_small", (64, 48)), ("gray", "colourise", (16, 12)), ("jpeg+noise+blur", "restore", (16, 12))],
)
def test_degraded_pictures(degrade: str, recipe: str, size: tuple[int, int], tmp_path: Path, call: Ganvas) -> None:
    photos = write_pictures(tmp_path / "photos", 24, size=(32, 32), kind=1)
    width = "--nets.generator.width" if recipe == "srresnet_small" else "--nets.generator.generator.width"
    words = [*SHORT, "--samples", "8", "--train.snapshots", "1", width, "2", "--out", str(tmp_path / "run")]
    code, _, err = call("train", "--data", photos, "--degrade", degrade, *words)
    assert code == 0
    assert err.splitlines()[0] == f"restoration by {recipe}: sources are the pictures after {degrade}"
    pixels = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    height, width_of_result = ganvas.load(tmp_path / "run").translate(pixels).shape[:2]
    assert (width_of_result, height) == size


def test_holes_are_filled_and_the_rest_stays(tmp_path: Path, call: Ganvas) -> None:
    photos = write_pictures(tmp_path / "photos", 24, size=(32, 32), kind=1)
    words = [*SHORT, *NARROW["inpaint_small"], "--samples", "16", "--train.snapshots", "1", "--out", str(tmp_path / "run")]
    code, _, err = call("train", "--data", photos, "--degrade", "mask", *words)
    assert (code, err.splitlines()[0]) == (0, "restoration by inpaint_small: sources are the pictures after mask")
    hole = np.zeros((32, 32), np.uint8)
    hole[8:20, 4:16] = 255
    Pillow.fromarray(hole).save(tmp_path / "hole.png")
    translate = ["translate", str(tmp_path / "run"), str(photos / "0.png"), "--out", str(tmp_path / "out")]
    assert call(*translate, "--mask", tmp_path / "hole.png")[0] == 0
    with Pillow.open(tmp_path / "out" / "0.png") as result, Pillow.open(photos / "0.png") as picture:
        assert np.array_equal(np.asarray(result)[hole == 0], np.asarray(picture)[hole == 0])
    code, _, err = call(*translate)
    assert code == 1
    assert "has no hole to fill: give a mask, with --mask" in err


# ------------------------------------------------------------ resuming


KILLED = """
import sys
from ganvas import cli
from ganvas.training import monitor
monitor.CHECKPOINT_SECONDS = 0.05
cli.main(sys.argv[1:])
"""


def final_tensors(run: RunFolder) -> dict[str, torch.Tensor]:
    folder = run.find_checkpoint("last")
    return load_file(folder / "nets.safetensors") | load_file(folder / "optim.safetensors")


@pytest.mark.parametrize("recipe", ["translator", "cyclegan_small"])
def test_killed_at_a_random_step_and_continued_equals_straight(
    recipe: str, pairs: Path, tmp_path: Path, child_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL, which no program can answer; then the same command. CycleGAN's pools hold 20 fakes, and fill in three steps."""
    monkeypatch.setattr(monitor, "CHECKPOINT_SECONDS", 0.05)
    data = pairs if recipe == "translator" else write_sides(tmp_path / "sides", names=("a{}.png", "b{}.png"))
    samples = ["--samples", "480", "--train.snapshots", "1", "--train.threads", "1"]
    words = ["train", recipe, "--data", str(data), *SHORT, *NARROW[recipe], *samples]
    killed = tmp_path / "killed"
    command = [sys.executable, "-W", "ignore", "-c", KILLED, *words, "--out", str(killed)]
    process = subprocess.Popen(command, env=child_environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not any((killed / "checkpoints").glob("0*")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(random.uniform(0, 0.3))
    process.kill()
    said = process.communicate()[1].decode()
    assert any((killed / "checkpoints").glob("0*")), said
    for out in (killed, tmp_path / "straight"):
        assert cli.main([*words, "--out", str(out)]) == 0
    ours, theirs = (final_tensors(RunFolder(out)) for out in (killed, tmp_path / "straight"))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    pools = [value for name, value in ours.items() if name.endswith("saved_count")]
    assert [int(count) for count in pools] == ([20, 20] if recipe == "cyclegan_small" else [])


# ------------------------------------------------------------ what is wrong


def write_wrong_data(folder: Path) -> None:
    """Each kind of wrong data, in a folder of its own."""
    write_sides(folder / "sizes")
    write_pictures(folder / "sizes" / "B", 1, "5.png", (16, 12))
    write_pictures(folder / "empty" / "A", 24)
    (folder / "empty" / "B").mkdir()
    write_pictures(folder / "one" / "A", 24)
    write_sides(folder / "names", names=("{}.png", "{}.png"))
    write_pictures(folder / "names" / "B", 24, "other{}.png")
    write_pictures(folder / "scale" / "A", 24)
    write_pictures(folder / "scale" / "B", 24, size=(24, 24))
    write_pictures(folder / "twice" / "A", 24)
    write_pictures(folder / "twice" / "B", 24, size=(32, 32))
    write_sides(folder / "unpaired", names=("a{}.png", "b{}.png"))
    write_pictures(folder / "plain", 24)


WRONG: dict[str, tuple[list[str], str]] = {
    "a pair of two sizes": (["--data", "sizes"], r"A/5\.png is 16 x 16 px, but B/5\.png is 16 x 12: .* crop both alike"),
    "an empty side": (["--data", "empty"], "24 files in A"),
    "a missing side": (["--data", "one"], "24 files in A, and no folder B: put what the sources become into B"),
    "names that agree in part": (["--data", "names"], "24 pairs by name, with 24 files without a partner, or as two kinds"),
    "the same, for pairs": (["translator", "--data", "names"], "24 files of .*names/ have no partner of the same name"),
    "a scale between": (["--data", "scale"], r"is 16 x 16 px, but B/0\.png is 24 x 24, .*: give both one size, or 2, 3, 4"),
    "a scale that the network has not": (
        ["translator", "--data", "twice", "--medium.media.x.size", "32", "--medium.media.source.size", "16"],
        "Residual makes images of 1 times the source's size, and the data pairs 16x16 with 32x32",
    ),
    "pairs wanted, two kinds given": (["translator", "--data", "unpaired"], "no partner of the same name.*, such as cut_small"),
    "pairs wanted, one folder given": (["translator", "--data", "plain"], "neither the folders A and B nor pictures"),
    "two kinds wanted, one folder given": (["cyclegan_small", "--data", "plain"], "lie neither in A nor in B .*: move them"),
    "two kinds wanted, one side given": (
        ["cyclegan_small", "--data", "one"],
        "24 files in A and 0 files in B: put the sources",
    ),
    "too small a source": (["--data", "plain", "--degrade", "x8"], "sources would be 2x2 px"),
    "an unknown degradation": (["--data", "plain", "--degrade", "rust"], "rust"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_data_is_refused_before_step_one(
    name: str, tmp_path: Path, call: Ganvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, answer = WRONG[name]
    write_wrong_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    code, _, err = call("train", *words, *SHORT, "--samples", "8", "--out", "run")
    assert code == 1
    assert re.search(answer, err), err
    assert "Traceback" not in err
    assert not (tmp_path / "run").exists()


def test_a_label_out_of_range_is_refused(tmp_path: Path) -> None:
    """Maps of labels are sources of pairs; one pixel holds a class that does not exist."""
    write_pictures(tmp_path / "maps" / "B", 24)
    (tmp_path / "maps" / "A").mkdir()
    for k in range(24):
        label = np.zeros((16, 16), np.uint8)
        label[4:8, 4:8] = 7 if k == 9 else 2
        Pillow.fromarray(label).save(tmp_path / "maps" / "A" / f"{k}.png")
    medium = Columns(media={"x": Image(), "source": LabelMap(classes=3)})
    recipe = replace(find_recipe("translator"), medium=medium)
    with pytest.raises(GanvasError, match=r"9\.png has the label 7, which is not among 0 to 2: correct the map"):
        ganvas.train(recipe, data=tmp_path / "maps", out=tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()
