"""Words from the command line: recognised, trained, scored beside trigrams, written, exported."""

from pathlib import Path

import pytest
import torch

import ganvas
from ganvas import cli
from ganvas.api import Run
from ganvas.interop import plain

WORDS = [f"{a}{b}{c}" for a in "bdfglmnprst" for b in ("a", "ee", "o", "ü") for c in ("t", "nk", "ll", "p")]
SMALL = ["--nets.width", "8", "--nets.d-width", "8", "--nets.embedding", "4", "--evaluation.samples", "60"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words")
    (folder / "words.txt").write_text("\n".join([*WORDS, "a word that is much too long to be learnt"]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    words = ["train", "--data", str(folder / "words.txt"), "--out", str(folder / "run"), "--threads", "1"]
    assert cli.main([*words, "--samples", "640", "--train.batch", "32", "--train.snapshots", "1", *SMALL]) == 0
    return ganvas.load(folder / "run")


def test_words_are_scored_beside_other_words_and_what_no_network_made(run: Run) -> None:
    assert run.recipe.name == "letters"
    card = run.score_cards[-1]
    assert card["protocol"]["extractor"] == "ngrams"
    assert set(card["baselines"]) == {"shuffled letters", "trigrams"}
    assert card["floor"]["frechet"] < card["baselines"]["shuffled letters"]["frechet"] < card["scores"]["frechet"]
    assert len((run.path / "exhibits" / "samples.txt").read_text(encoding="utf-8").splitlines()) == 128


def test_samples_are_lines_and_follow_from_the_seed(run: Run, tmp_path: Path) -> None:
    for name, count in (("few", 3), ("many", 80)):
        assert cli.main(["generate", str(run.path), "--n", str(count), "--seed", "7", "--out", str(tmp_path / name)]) == 0
    few, many = ((tmp_path / name / "samples.txt").read_text(encoding="utf-8").splitlines() for name in ("few", "many"))
    assert len(many) == 80
    assert few == many[:3]
    assert max(map(len, many)) <= 5


def test_the_exported_generator_draws_the_same(run: Run, tmp_path: Path) -> None:
    exported = plain.Generator(ganvas.export(run, tmp_path / "out"))
    latents = exported.draw_latents(5, 0)
    assert 0 <= latents["u"].min() <= latents["u"].max() < 1
    x = exported(**latents)
    assert (x.sum(2) == 1).all()
    assert torch.equal(x, exported(**latents))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["interpolate", "RUN"], "draws, value by value"),
        (["train", "letters", "--data", "fashion-embedded", "--out", "none"], "does not exist: give a text file"),
    ],
)
def test_what_does_not_fit_letters_is_refused(
    run: Run,
    words: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main([str(run.path) if word == "RUN" else word for word in words]) == 1
    assert message in " ".join(capsys.readouterr().err.split())
