"""Attacks on runs: a generator that copies is found, an independent one is not, and what cannot be attacked is refused."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.csv
import pytest
import torch
from torch import Tensor, nn

import ganvas
from ganvas import cli, recipes
from ganvas.configuration import to_json
from ganvas.core import CriticOutput
from ganvas.data import Files, HeldOut, Rows
from ganvas.data.dataset import open_data
from ganvas.data.held_out import HELD_OUT_KEY
from ganvas.errors import GanvasError
from ganvas.evaluation.leaks import samples as nearest_samples
from ganvas.evaluation.leaks.card import format_attack_card
from ganvas.evaluation.leaks.critic import explain_unusable_critic, measure_logits
from ganvas.evaluation.leaks.rows import RowTables, list_overlaps
from ganvas.evaluation.leaks.targets import Targets, open_targets
from ganvas.recipe import Recipe
from ganvas.report.attack_table import render_attacks
from ganvas.runs.folder import RunFolder, write_run_atomically
from ganvas.runs.state import build_state
from ganvas.sampling.generator import Sampler
from ganvas.sampling.stream import SampleBlock
from plain_tables import draw_table
from small_recipes import noise, small

CLOTHES = Path(__file__).parents[1] / "data" / "fashion_test_200.npz"
CPU = torch.device("cpu")


def write_rows(path: Path, n: int, seed: int) -> Path:
    table = draw_table(n, seed)
    columns = [
        [f"c{value}" for value in values] if kind == "category" else ["" if np.isnan(v) else f"{v:.4f}" for v in values]
        for kind, values in zip(table.kinds, table.values, strict=True)
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([table.names, *zip(*columns, strict=True)])
    return path


def write_untrained(recipe: Recipe, folder: Path) -> RunFolder:
    """A run whose networks have learnt nothing yet: its samples tell of nobody."""
    codec, training, _ = open_data(recipe.data, recipe.medium, held_out=recipe.held_out, is_quiet=True)
    state = build_state(recipe, training.spec, 0, CPU)
    facts = {"title": training.title, "fingerprint": training.fingerprint, "held_out_key": HELD_OUT_KEY}
    facts |= {"count": len(training), "conditions": to_json(training.conditions)}
    return write_run_atomically(folder, codec, state, recipe, recipe, 0, (facts, {}))


@pytest.fixture(scope="module")
def rows_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """400 rows in training, 200 held out."""
    folder = tmp_path_factory.mktemp("rows")
    recipe = replace(small(recipes.find_recipe("table")), data=Rows(path=str(write_rows(folder / "people.csv", 600, 0))))
    return write_untrained(replace(recipe, held_out=HeldOut(share=1 / 3)), folder / "run")


@pytest.fixture(scope="module")
def picture_run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """140 clothes in training, 60 held out."""
    recipe = replace(small(recipes.find_recipe("dcgan_small")), data=Files(path=str(CLOTHES)), held_out=HeldOut(share=0.3))
    return write_untrained(recipe, tmp_path_factory.mktemp("clothes") / "run")


@pytest.fixture
def sampling(monkeypatch: pytest.MonkeyPatch) -> Callable[[Tensor], None]:
    """Let every generator make these samples."""

    def give(stored: Tensor) -> None:
        def draw(sampler: Sampler, n: int, seed: int = 0) -> Tensor:
            return stored[:n]

        def stream(*_: Any) -> Iterator[SampleBlock]:
            yield SampleBlock(stored, {})

        monkeypatch.setattr(Sampler, "__call__", draw)
        monkeypatch.setattr(nearest_samples, "stream_blocks", stream)

    return give


def find(card: dict[str, Any], name: str) -> dict[str, Any]:
    return next(finding for finding in card["attacks"] if finding["name"].startswith(name))


def stored_rows(run: RunFolder, path: Path) -> Tensor:
    return torch.from_numpy(run.read_codec().encode_block(pyarrow.csv.read_csv(path)))  # type: ignore[attr-defined]


# ---------------------------------------------------------------- rows


def test_a_generator_that_copies_its_training_rows_is_found(rows_run: RunFolder, sampling: Callable[[Tensor], None]) -> None:
    members = open_targets(rows_run, None, 20_000, 0).members["x"]
    assert len(members) == 400
    sampling(members[torch.randperm(400)])
    card = ganvas.attack(rows_run)
    for name in ("membership by distance", "membership by density", "singling out by 4", "linkability", "inference of"):
        assert find(card, name)["is_leak"], name
    assert find(card, "membership by distance")["auc"] > 0.95
    assert find(card, "membership by distance")["surest"] == {"guesses": 20, "right": 20, "is_leak": True}
    assert "of 200 guesses" in find(card, "membership by distance")["sentence"]
    assert find(card, "singling out by 4")["sentence"].endswith("a sign of a leak")
    assert card["copies"]["training_rows"] == 1
    assert card["copies"]["is_copying"]
    assert "the generator copies" in card["copies"]["sentence"]


def test_fresh_rows_of_the_same_world_are_no_leak(
    rows_run: RunFolder, sampling: Callable[[Tensor], None], tmp_path: Path
) -> None:
    sampling(stored_rows(rows_run, write_rows(tmp_path / "fresh.csv", 400, 7)))
    card = ganvas.attack(rows_run)
    black_box = [finding for finding in card["attacks"] if "logit" not in finding["name"]]
    assert not find(card, "membership by distance")["is_leak"]
    assert not find(card, "singling out by 4")["is_leak"]
    assert sum(finding["is_leak"] for finding in black_box) <= 1  # chance: 0.3
    assert not card["copies"]["is_copying"]
    assert "proves no privacy" in card["copies"]["sentence"]


def test_a_card_is_kept_and_shown(rows_run: RunFolder, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["attack", str(rows_run.path), "--n", "300", "--targets", "100"]
    assert cli.main([*words, "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert cli.main([*words, "--seed", "0"]) == 0
    text = capsys.readouterr().out
    assert rows_run.read_lines("attacks.jsonl")[-2:] == [card, card]  # the same seed gives the same card
    assert {finding["name"].partition(" of ")[0] for finding in card["attacks"]} == {
        "membership by distance", "membership by density", "membership by D's logit", "singling out by one column",
        "singling out by 4 columns", "linkability", "inference",
    }  # fmt: skip
    assert find(card, "inference")["name"] == "inference of answer"  # the target comes first
    assert card["protocol"]["members"] == 100
    assert card["protocol"]["synthetic"] == 300
    for finding in card["attacks"]:
        assert finding["sentence"] in text
        assert finding["interval"][0] <= finding["difference"] <= finding["interval"][1]
    assert "proves no privacy" in text
    page = (rows_run.path / "report.html").read_text(encoding="utf-8")
    assert "<h2>Attacks</h2>" in page
    assert "linkability" in page


def test_other_held_out_rows(rows_run: RunFolder, tmp_path: Path) -> None:
    """A file, or a frame, takes the place of the run's own held-out rows."""
    other = write_rows(tmp_path / "other.csv", 80, 3)
    targets = open_targets(rows_run, other, 1000, 0)
    assert targets.counts == (400, 80)
    assert torch.equal(targets.others["x"], stored_rows(rows_run, other))
    assert torch.equal(open_targets(rows_run, pyarrow.csv.read_csv(other), 1000, 0).others["x"], targets.others["x"])
    assert targets.balance(50, 0).counts == (50, 50)


def test_middle_rows_are_equal_where_codes_are(rows_run: RunFolder) -> None:
    codec: Any = rows_run.read_codec()
    stored = open_targets(rows_run, None, 50, 0).members["x"]
    table, turned = codec.read_middle_table(stored), codec.read_middle_table(stored.flip(0))
    for values, back in zip(table.values, turned.values, strict=True):
        np.testing.assert_array_equal(values, back[::-1])
    assert table.names == tuple(codec.list_plain_columns())


def test_the_same_people_on_both_sides_are_named() -> None:
    train, fresh = draw_table(300, 0), draw_table(300, 1)
    assert list_overlaps(RowTables(train, fresh, fresh)) == []
    (caution,) = list_overlaps(RowTables(train, train.take(slice(100)), fresh))
    assert caution.startswith("100% of the held-out rows stand in the training data")
    twins = train.select([0, 5])  # eight different rows: everybody has twins
    assert list_overlaps(RowTables(twins, fresh.select([0, 5]), twins)) == []


# ---------------------------------------------------------------- other samples


def test_copied_pictures_are_found_and_others_are_not(picture_run: RunFolder, sampling: Callable[[Tensor], None]) -> None:
    targets = open_targets(picture_run, None, 1000, 0)
    assert targets.counts == (140, 60)
    sampling(targets.members["x"])
    card = ganvas.attack(picture_run, n=140)
    nearest = find(card, "membership by nearest sample")
    assert nearest["is_leak"]
    assert nearest["auc"] > 0.95
    assert "efficientnet" in nearest["question"]
    assert find(card, "membership by D's logit")["trials"] == [60, 60]
    assert "copies" not in card
    assert "pictures" in format_attack_card(card)
    sampling(torch.randint(0, 256, targets.members["x"].shape, dtype=torch.uint8))
    assert not find(ganvas.attack(picture_run, n=140), "membership by nearest sample")["is_leak"]


def test_other_held_out_samples(picture_run: RunFolder, tmp_path: Path) -> None:
    """A file of pictures; and points, beside a source that reads no path."""
    pictures = np.random.default_rng(0).integers(0, 256, (30, 28, 28, 1), dtype=np.uint8)
    np.save(tmp_path / "other.npy", pictures)
    targets = open_targets(picture_run, tmp_path / "other.npy", 1000, 0)
    assert targets.counts == (140, 30)
    assert ganvas.attack(picture_run, tmp_path / "other.npy", n=50)["protocol"]["members"] == 30
    points = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    np.save(tmp_path / "points.npy", points)
    ring = write_untrained(small(recipes.find_recipe("ring")), tmp_path / "ring")
    np.testing.assert_array_equal(open_targets(ring, str(tmp_path / "points.npy"), 1000, 0).others["x"].numpy(), points)


def test_logits_are_those_of_each_sample(picture_run: RunFolder) -> None:
    """In the order of the samples, without flips, though batches mix both sides; and one that knows members is seen."""

    class Brightness(nn.Module):
        def forward(self, x: Tensor) -> CriticOutput:
            return CriticOutput(x.mean(1), x.flatten(1))  # one logit a place

    sampler, targets = Sampler(picture_run), open_targets(picture_run, None, 1000, 0)
    sampler.nets["D"] = Brightness()
    for logits, side in zip(measure_logits(sampler, targets, 0), (targets.members, targets.others), strict=True):
        expected = sampler.codec.load(side["x"], None).flatten(1).mean(1)
        np.testing.assert_allclose(logits, expected.numpy(), atol=1e-6)


def test_points_and_runs_without_d_are_attacked(tmp_path: Path) -> None:
    for name in ("ring", "vae"):
        recipe = small(recipes.find_recipe(name))
        if name == "vae":
            recipe = replace(recipe, data=Files(path=str(CLOTHES)), held_out=HeldOut(share=0.3))
        card = ganvas.attack(write_untrained(recipe, tmp_path / name), n=100, targets=50)
        names = {finding["name"] for finding in card["attacks"]}
        assert ("membership by D's logit" in names) == (name == "ring")
        assert any("no D" in note for note in card["notes"]) == (name == "vae")
        assert "membership by nearest sample" in names


# ---------------------------------------------------------------- what is wrong


def refused(match: str, call: Callable[[], object]) -> None:
    with pytest.raises(GanvasError, match=match):
        call()


def test_without_held_out_rows_it_says_how_to_get_some(rows_run: RunFolder) -> None:
    blind = RunFolder(rows_run.path)
    blind.recipe = replace(blind.recipe, held_out=HeldOut(share=0.0))
    refused(r"training saw all 600 rows of people\.csv.*--held-out other\.csv", lambda: ganvas.attack(blind))


def test_unfit_held_out_rows_are_refused(rows_run: RunFolder, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("age,income\n" + "30,2\n" * 30)
    refused("lacks the column 'group'", lambda: ganvas.attack(rows_run, other))
    refused("does not exist|cannot be read", lambda: ganvas.attack(rows_run, tmp_path / "no.csv"))
    refused("3 rows are too few", lambda: ganvas.attack(rows_run, write_rows(tmp_path / "few.csv", 3, 0)))
    people = Path(rows_run.recipe.data.path)  # type: ignore[attr-defined]
    refused("is what the run was trained on", lambda: ganvas.attack(rows_run, people))
    refused("targets must be 10", lambda: ganvas.attack(rows_run, targets=3))
    refused("n must be from 1", lambda: ganvas.attack(rows_run, n=0))


def test_pictures_in_place_of_labelled_ones_are_refused() -> None:
    sampler: Any = SimpleNamespace(traits=SimpleNamespace(conditions=("label",), critics=("D",)))
    picture = torch.zeros(12, 8, 8, 1)
    targets = Targets({"x": picture, "label": torch.zeros(12)}, {"x": picture}, "clothes", "others/")
    refused("others/ has no label", lambda: measure_logits(sampler, targets, 0))
    assert "others/ has no label, and D takes one: no attack by its logit" in explain_unusable_critic(sampler, targets)


def test_a_frame_is_no_pictures(picture_run: RunFolder) -> None:
    refused("held-out pictures come from a path", lambda: ganvas.attack(picture_run, np.zeros((3, 3))))


def test_translators_are_refused(tmp_path: Path) -> None:
    recipe = small(recipes.find_recipe("srresnet_small"))
    data: Any = noise(recipe)
    state = build_state(recipe, data.spec, 0, CPU)
    facts = {"title": "noise", "fingerprint": "noise", "count": 96, "conditions": to_json(data.conditions)}
    run = write_run_atomically(tmp_path / "run", data.codec, state, recipe, recipe, 0, (facts, {}))
    refused("translates pictures", lambda: ganvas.attack(run))


# ---------------------------------------------------------------- the page


def test_the_table_of_attacks_is_safe_and_skips_what_is_no_card(tmp_path: Path) -> None:
    assert render_attacks(tmp_path) == ""
    finding = {"name": "<b>x</b>", "question": "<i>", "members": 0.5, "control": 0.4, "interval": [0.01, 0.2], "is_leak": True}
    protocol = {"members": 10, "synthetic": 20, "training": "<s>"}
    card = {"noun": "rows", "held_out": "h", "samples": 64, "protocol": protocol, "attacks": [finding], "notes": ["<u>"]}
    lines = [json.dumps(card | {"summary": "<em>"}), '{"attacks": [1]}', "[]", "{cut"]
    (tmp_path / "attacks.jsonl").write_text("\n".join(lines), encoding="utf-8")
    page = render_attacks(tmp_path)
    assert "&lt;b&gt;x" in page
    assert "+1.0% to +20.0%" in page
    assert "a sign of a leak" in page
    assert not any(tag in page for tag in ("<i>", "<s>", "<u>", "<em>"))
