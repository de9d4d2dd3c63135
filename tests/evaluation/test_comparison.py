"""Runs side by side: ranked by one protocol, never across two; in numbers, in a picture, and from the command line."""

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import ganvas
from ganvas import cli, recipes
from ganvas.errors import GanvasError
from ganvas.evaluation.comparison import compare_runs, format_comparison
from ganvas.report.contact_sheet import MIN_COLUMN_PIXELS, draw_sheet, open_latest_samples, shorten_to_width, write_sheet
from ganvas.runs.folder import RunFolder
from small_recipes import noise, small

DATA = str(Path(__file__).parents[1] / "data" / "fashion_test_200.npz")
SMALL = [
    *("--nets.g-width", "2", "--nets.d-width", "2", "--nets.cap", "4", "--medium.size", "8", "--train.batch", "16"),
    *("--samples", "64", "--evaluation.samples", "60", "--evaluation.snapshot-samples", "20", "--train.snapshots", "1"),
]
PROTOCOL = {
    "extractor": "fashion-classifier-v1", "samples": 60, "reference": "140 training samples",
    "held_out": "60 other training samples", "data": "clothes", "fingerprint": "f1", "seed": 0, "resize": "lanczos",
}  # fmt: skip


def card(frechet: float, coverage: float = 0.5, seen: int = 64, kind: str = "final", **protocol: Any) -> dict[str, Any]:
    which = {"which": "last, best"} if kind == "final" else {}
    lower = {"frechet": True, "coverage": False}
    head = {"samples": seen, "checkpoint": f"{seen:09d}", "kind": kind, **which}
    scores = {"scores": {"frechet": frechet, "coverage": coverage}, "floor": {"frechet": 0.1, "coverage": 0.9}}
    return head | scores | {"lower_is_better": lower, "protocol": PROTOCOL | protocol}


Make = Callable[..., RunFolder]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("compare") / "run"
    assert cli.main(["train", "--data", DATA, "--out", str(path), *SMALL]) == 0
    return path


@pytest.fixture
def make(trained: Path, tmp_path: Path) -> Make:
    """Make a copy of the trained run, called so, with the score cards given."""

    def made(name: str, *cards: Any) -> RunFolder:
        shutil.copytree(trained, tmp_path / name, symlinks=True)
        (tmp_path / name / "scores.jsonl").write_text("".join(json.dumps(c) + "\n" for c in cards))
        return RunFolder(tmp_path / name)

    return made


def ranking(group: dict[str, Any]) -> list[str]:
    return [entry["run"] for entry in group["entries"] if entry["rank"]]


# ---------------------------------------------------------------- one protocol


def test_best_first(make: Make) -> None:
    result = compare_runs([make("a", card(3.0)), make("b", card(1.0)), make("c", card(2.0))])
    (group,) = result["groups"]
    assert ranking(group) == ["b", "c", "a"]
    assert [entry["rank"] for entry in group["entries"]] == [1, 2, 3]
    assert (group["ranked_by"], group["protocol"], result["problems"]) == ("frechet", PROTOCOL, [])


def test_what_a_run_is_and_cost(make: Make) -> None:
    run = make("a", card(3.0))
    (run.path / "log.jsonl").write_text('{"samples": 10, "seconds": 1.0}\n{"samples": 600, "seconds": 120.0}\n{"samples": 7')
    (fact, bare) = compare_runs([run, make("b", card(1.0))])["runs"]
    assert (fact["recipe"], fact["sample"], fact["samples"]) == ("auto", "1 x 8 x 8", 600)
    assert (fact["minutes"], fact["samples_per_second"]) == (2.0, 5.0)
    nets = run.recipe.nets.build(run.read_spec())
    assert fact["parameters"] == {name: sum(p.numel() for p in net.parameters()) for name, net in nets.items()}
    assert bare["samples"] == 64


@pytest.mark.parametrize("name", recipes.list_recipes())
def test_parameters_of_every_recipe_are_counted_without_drawing_any(name: str) -> None:
    recipe = small(recipes.find_recipe(name))
    spec, before = noise(recipe).spec, torch.get_rng_state()
    with torch.device("meta"):
        shapes = recipe.nets.build(spec)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(p.is_meta for p in shapes.parameters())


def test_the_best_checkpoint_ranks_and_the_last_stands_beside_it(make: Make) -> None:
    best, last = card(2.0, seen=32) | {"which": "best"}, card(1.0, seen=64) | {"which": "last"}
    result = compare_runs([make("a", last, best), make("b", card(1.5))])
    assert [(e["run"], e["rank"], e["which"]) for e in result["groups"][0]["entries"]] == [
        ("b", 1, "best, last"), ("a", 2, "best"), ("a", None, "last"),
    ]  # fmt: skip


def test_the_newest_card_of_a_checkpoint_counts(make: Make) -> None:
    result = compare_runs([make("a", card(3.0), card(1.0, kind="evaluate")), make("b", card(2.0))])
    assert ranking(result["groups"][0]) == ["a", "b"]


def test_snapshots_and_broken_lines_do_not_count(make: Make) -> None:
    snapshot = card(0.1) | {"kind": "snapshot"}
    broken = [card(0.1) | {"scores": 3}, card(0.1) | {"protocol": {}}, card("nothing"), {"kind": "final", "samples": 4}]  # type: ignore[arg-type]
    result = compare_runs([make("a", snapshot, *broken, card(2.0)), make("b", card(1.0))])
    assert [e["scores"]["frechet"] for e in result["groups"][0]["entries"]] == [1.0, 2.0]
    with pytest.raises(GanvasError, match=r"no score cards to compare.*ganvas evaluate .*[cd]"):
        compare_runs([make("c", snapshot), make("d")])


def test_a_score_that_is_not_finite_comes_last(make: Make) -> None:
    result = compare_runs([make("a", card(float("nan"))), make("b", card(9.0))])
    assert ranking(result["groups"][0]) == ["b", "a"]


def test_higher_is_better_where_it_is(make: Make) -> None:
    def turned(coverage: float) -> dict[str, Any]:
        return card(1.0, coverage) | {"lower_is_better": {"coverage": False, "frechet": True}}

    group = compare_runs([make("a", turned(0.2)), make("b", turned(0.7))])["groups"][0]
    assert (ranking(group), group["ranked_by"]) == (["b", "a"], "coverage")


def test_a_score_that_was_taken_otherwise_ranks_nothing(make: Make) -> None:
    """The protocol does not hold a metric's own settings; the recipe does."""
    run = make("a", card(1.0, 0.1))
    meta = json.loads((run.path / "recipe.json").read_text())
    meta["recipe"]["evaluation"]["judges"][1]["metrics"][0]["samples"] = 30  # the classifier, as on the card
    (run.path / "recipe.json").write_text(json.dumps(meta))
    group = compare_runs([RunFolder(run.path), make("b", card(2.0, 0.2))])["groups"][0]
    assert (group["ranked_by"], ranking(group)) == ("coverage", ["b", "a"])
    assert group["notes"] == ["frechet was computed in different ways: not comparable"]


def test_what_to_keep_in_mind_of_scores_is_noted(make: Make) -> None:
    (group,) = compare_runs([make("one", card(1.0) | {"cautions": ["k is 1"]}), make("two", card(2.0))])["groups"]
    assert group["notes"] == ["one: k is 1"]


def test_data_under_another_name_are_the_same_data(make: Make) -> None:
    result = compare_runs([make("a", card(3.0, data="here")), make("b", card(1.0, data="there"))])
    assert ranking(result["groups"][0]) == ["b", "a"]


# ---------------------------------------------------------------- several protocols


@pytest.mark.parametrize(
    ("other", "answer"),
    [
        ({"samples": 40, "held_out": "40"}, r"\(samples: 60 \(a\) \| 40 \(b\)\)\. .*: ganvas evaluate \S*a --n 40$"),
        ({"extractor": "pixels"}, r"fashion-classifier-v1 \(a\) \| pixels \(b\).*evaluate \S*b --extractor classifier$"),
        ({"fingerprint": "f2"}, r"f1 \(a\) \| f2 \(b\).*evaluate \S*a --data PATH; ganvas evaluate \S*b --data PATH$"),
        ({"fingerprint": "f2", "data": "bags"}, r"\(data: clothes \(a\) \| bags \(b\)\)\. .*--data PATH$"),
        ({"held_out": "test"}, r"held_out: .* --data PATH$"),
        ({"seed": 1}, r"seed: 0 \(a\) \| 1 \(b\)\)\. New scores cannot change a run's seed"),
    ],
)  # fmt: skip
def test_different_protocols_are_not_ranked(make: Make, other: dict[str, Any], answer: str) -> None:
    result = compare_runs([make("a", card(3.0)), make("b", card(1.0, **other))])
    assert [ranking(group) for group in result["groups"]] == [[], []]
    assert all(group["ranked_by"] is None for group in result["groups"])
    with pytest.raises(AssertionError, match=answer):
        raise AssertionError(*result["problems"])


def test_runs_of_one_protocol_are_ranked_among_themselves(make: Make) -> None:
    result = compare_runs([make("a", card(3.0)), make("b", card(1.0)), make("c", card(0.5, samples=30))])
    assert [ranking(group) for group in result["groups"]] == [["b", "a"], []]
    (problem,) = result["problems"]
    assert "samples: 60 (b, a) | 30 (c)" in problem
    assert problem.endswith("c --n 60")  # as most are


def test_a_protocol_that_all_share_is_found_among_others(make: Make) -> None:
    """What the advice leads to: the odd cards stay in the files and no longer matter."""
    a = make("a", card(3.0), card(4.0, kind="evaluate", samples=40))
    b = make("b", card(1.0, samples=40), card(9.0, kind="evaluate", extractor="pixels"))
    result = compare_runs([a, b])
    assert [ranking(group) for group in result["groups"]] == [["b", "a"]]
    assert (result["groups"][0]["protocol"]["samples"], result["problems"]) == (40, [])
    b.append_line("scores.jsonl", card(5.0, kind="evaluate"))
    both = compare_runs([a, b])["groups"]
    assert [(g["protocol"]["samples"], ranking(g)) for g in both] == [(40, ["b", "a"]), (60, ["a", "b"])]


def test_a_run_without_a_card_is_named(make: Make) -> None:
    result = compare_runs([make("a", card(3.0)), make("b"), make("c", card(1.0))])
    assert ranking(result["groups"][0]) == ["c", "a"]
    assert len(result["problems"]) == 1
    assert "b has no score card" in result["problems"][0]


def test_which_runs(make: Make, tmp_path: Path) -> None:
    a = make("a", card(3.0))
    with pytest.raises(GanvasError, match="2 to 64 runs, got 1"):
        compare_runs([a])
    with pytest.raises(GanvasError, match="given twice"):
        compare_runs([a, RunFolder(tmp_path / "a" / ".." / "a")])
    make("x", card(1.0))
    (tmp_path / "deep").mkdir()
    shutil.move(tmp_path / "x", tmp_path / "deep" / "a")
    names = [fact["run"] for fact in compare_runs([a, RunFolder(tmp_path / "deep" / "a")])["runs"]]
    assert names == [str(tmp_path / "a"), str(tmp_path / "deep" / "a")]


# ---------------------------------------------------------------- in words


def test_table(make: Make) -> None:
    text = format_comparison(compare_runs([make("first", card(3.25)), make("second", card(1.5))]))
    lines = text.splitlines()
    assert lines[0].split() == ["run", "recipe", "sample", "samples", "minutes", "samples/s", "parameters"]
    assert [line.split()[:2] for line in lines if ", 64 " in line] == [["1.", "second"], ["2.", "first"]]
    assert "60 samples, seed 0, features fashion-classifier-v1; reference 140 training samples" in text
    assert [line.split()[1:] for line in lines if line.split()[:1] == ["real"]] == [["0.1", "0.9"]]
    assert "ranked by frechet" in text


def test_a_distance_is_called_fid_with_inception_alone(make: Make) -> None:
    runs = [
        make("a", card(3.0, extractor="inception-v3-2015-12-05")),
        make("b", card(1.0, extractor="inception-v3-2015-12-05")),
    ]
    text = format_comparison(compare_runs(runs))
    assert "ranked by FID" in text
    assert "frechet" not in text
    assert "FID" not in format_comparison(compare_runs([make("c", card(1.0)), make("d", card(1.0))]))


# ---------------------------------------------------------------- the picture


def test_picture_has_a_column_for_each_run(make: Make) -> None:
    runs = [make("a", card(3.0)), make("b", card(1.0)), make("c")]
    colours = {"a": (200, 0, 0), "b": (0, 200, 0), "c": (0, 0, 200)}
    for run in runs:
        shutil.rmtree(run.path / "samples")
        (run.path / "samples").mkdir()
        Image.new("RGB", (200, 180), colours[run.path.name]).save(run.path / "samples" / "000000064.png")
        Image.new("RGB", (200, 180), "black").save(run.path / "samples" / "000000032.png")
    picture = np.asarray(draw_sheet(compare_runs(runs)))
    found = {name: np.argwhere((picture == colour).all(2)) for name, colour in colours.items()}
    assert {name: len(pixels) for name, pixels in found.items()} == dict.fromkeys("abc", 200 * 180)
    left = {name: pixels[:, 1].min() for name, pixels in found.items()}
    assert left["b"] < left["a"] < left["c"]  # as ranked, the one without a score last


def test_pictures_that_cannot_be_read_are_passed_over(make: Make) -> None:
    run = make("a", card(3.0))
    shutil.rmtree(run.path / "samples")
    assert open_latest_samples(run.path, 100) == (0, None)
    (run.path / "samples").mkdir()
    Image.new("RGB", (400, 300), "red").save(run.path / "samples" / "000000010.png")
    (run.path / "samples" / "000000020.png").write_bytes(b"half a pict")
    (run.path / "samples" / "notes.png").write_bytes(b"")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        Image.new("1", (20_000, 20_000)).save(run.path / "samples" / "000000030.png")  # a bomb
    images, picture = open_latest_samples(run.path, 100)
    assert images == 10
    assert picture is not None
    assert picture.size == (100, 75)
    shutil.rmtree(run.path / "samples")
    assert draw_sheet(compare_runs([run, make("b", card(1.0))])).width > 2 * MIN_COLUMN_PIXELS


def test_labels_are_cut_to_fit(make: Make) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(16)
    assert shorten_to_width("short", 200, font) == "short"
    cut = shorten_to_width("a name that goes on and on and on", 80, font)
    assert cut.endswith("...")
    assert font.getlength(cut) <= 80


def test_picture_says_what_it_is_and_where_it_cannot_go(make: Make, tmp_path: Path) -> None:
    result = compare_runs([make("a", card(3.0)), make("b", card(1.0))])
    path = write_sheet(result, tmp_path / "new" / "both.png")
    with Image.open(path) as picture:
        assert "synthetic" in picture.info["Comment"]
    with pytest.raises(GanvasError, match="writing the picture failed"):
        write_sheet(result, tmp_path)


# ---------------------------------------------------------------- the command


def test_from_python(make: Make, tmp_path: Path) -> None:
    a, b = make("a", card(3.0)), make("b", card(1.0))
    result = ganvas.compare([a, str(b.path)], out=tmp_path / "c.png")
    assert result["picture"] == str(tmp_path / "c.png")
    assert ranking(result["groups"][0]) == ["b", "a"]
    assert "picture" not in ganvas.compare([a, b])


def test_command(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    make("a", card(3.0)), make("b", card(1.0)), make("c", card(0.5, samples=30))
    assert cli.main(["compare", "a", "b"]) == 0
    assert "picture  compare.png" in capsys.readouterr().out
    assert (tmp_path / "compare.png").exists()
    assert cli.main(["compare", "a", "b", "--json", "--out", "x.png"]) == 0
    assert ranking(json.loads(capsys.readouterr().out)["groups"][0]) == ["b", "a"]
    assert cli.main(["compare", "a", "c"]) == 1
    out, err = capsys.readouterr()
    assert "not ranked" in out
    assert err.startswith("ganvas: scores of different protocols cannot be ranked")
    assert err.rstrip().endswith("ganvas evaluate a --n 30")


@pytest.mark.parametrize(
    ("words", "code", "answer"),
    [([], 2, "which runs"), (["a"], 2, "which runs"), (["a", "nothing"], 1, "nothing"), (["a", "a"], 1, "twice")],
)
def test_wrong_commands(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: list[str], code: int, answer: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    make("a", card(3.0))
    assert cli.main(["compare", *words]) == code
    assert answer in capsys.readouterr().err


def test_help_of_compare(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", "--help"]) == 0
    assert "--out" in capsys.readouterr().out
    assert cli.main(["--help"]) == 0
    assert "compare " in capsys.readouterr().out
