"""Four packages that a stranger could have written: each trains, resumes, samples, is scored, shown and exported, and nothing
in ganvas knows of them."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from safetensors.torch import load_file

import ganvas
from ganvas import cli
from ganvas.configuration import from_json, to_json
from ganvas.core import Features, RealFeatures
from ganvas.recipe import Recipe
from ganvas.runs import checkpoint
from ganvas.runs.state import build_state

EXHIBITS = {
    "pair_translator": "translations.png",
    "mixed_rows": "samples.csv",
    "captioned_pictures": "sentences.txt",
    "plucked_strings": "samples.wav",
}
SHOWN = {"translations.png": "<img ", "samples.csv": "<table>", "sentences.txt": "<pre>", "samples.wav": "<audio "}
WISHES = {"mixed_rows": ["--label", "shoe"], "captioned_pictures": ["--conditions", "text=a dark coat"]}
KINDS = list(EXHIBITS)


def load_recipe(kind: str) -> Recipe:
    return importlib.import_module(kind).recipe()


def train(kind: str, out: Path, *more: str) -> None:
    assert cli.main(["train", f"{kind}:recipe", "--out", str(out), "--seed", "1", "--train.precision", "fp32", *more]) == 0


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each, 30 steps."""
    folder = tmp_path_factory.mktemp("kinds")
    for kind in KINDS:
        train(kind, folder / kind, "--samples", "240")
    return {kind: folder / kind for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_resumed_equals_uninterrupted_bit_for_bit(runs: dict[str, Path], kind: str, tmp_path: Path) -> None:
    train(kind, tmp_path / "run", "--samples", "120")
    assert cli.main(["train", "--resume", str(tmp_path / "run"), "--samples", "240"]) == 0
    straight, resumed = (
        load_file(run / "checkpoints" / "000000240" / "nets.safetensors") for run in (runs[kind], tmp_path / "run")
    )
    assert straight.keys() == resumed.keys()
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)


@pytest.mark.parametrize("kind", KINDS)
def test_every_network_learns(runs: dict[str, Path], kind: str) -> None:
    run = ganvas.load(runs[kind])
    start, trained = (build_state(run.recipe, run.read_spec(), run.seed, torch.device("cpu")) for _ in range(2))
    checkpoint.load_nets(run.find_checkpoint("last"), trained)
    for network in run.recipe.optim:
        pairs = zip(start.nets[network].parameters(), trained.nets[network].parameters(), strict=True)
        assert not all(torch.equal(before, after) for before, after in pairs)
    terms = [line["terms"] for line in run.read_lines("log.jsonl")]
    assert all(np.isfinite(value) for line in terms for value in line.values())


@pytest.mark.parametrize("kind", KINDS)
def test_samples_with_a_request(runs: dict[str, Path], kind: str, tmp_path: Path) -> None:
    wishes = WISHES.get(kind, [])
    if kind == "pair_translator":
        Pillow.fromarray(np.full((8, 8), 200, np.uint8)).save(tmp_path / "source.png")
        wishes = ["--conditions", f"source={tmp_path / 'source.png'}"]
    assert cli.main(["generate", str(runs[kind]), "--n", "3", "--out", str(tmp_path / "out"), *wishes]) == 0
    files = sorted(p.name for p in (tmp_path / "out").iterdir())
    assert files[0] in ("000000.png", "000000.wav", "PROVENANCE.txt")
    assert cli.main(["generate", str(runs[kind]), "--n", "3", "--out", str(tmp_path / "npy"), "--format", "npy", *wishes]) == 0
    samples = np.load(tmp_path / "npy" / "samples.npy")
    assert len(samples) == 3
    if kind == "pair_translator":
        assert np.array_equal(samples[0], samples[1])  # of one source, and without a z


def test_a_request_that_means_nothing_is_refused(runs: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["generate", str(runs["captioned_pictures"]), "--n", "1", "--conditions", "text= "]) == 1
    assert "text: a sentence has words" in capsys.readouterr().err
    assert cli.main(["generate", str(runs["pair_translator"]), "--n", "1", "--label", "x"]) == 1
    assert "without label; it takes source (a picture of 8 px)" in capsys.readouterr().err


@pytest.mark.parametrize("kind", KINDS)
def test_scored_by_its_own_metric(runs: dict[str, Path], kind: str) -> None:
    (metric,) = load_recipe(kind).evaluation.judges[0].metrics
    card = ganvas.evaluate(runs[kind], n=40)
    assert set(card["scores"]) == set(metric.lower_is_better) == set(card["floor"])
    assert all(np.isfinite(value) for value in (*card["scores"].values(), *card["floor"].values()))


@pytest.mark.parametrize("kind", KINDS)
def test_the_report_shows_what_it_has(runs: dict[str, Path], kind: str) -> None:
    assert (runs[kind] / "exhibits" / EXHIBITS[kind]).exists()
    page = (runs[kind] / "report.html").read_text(encoding="utf-8")
    section = page[page.index(f'aria-label="{EXHIBITS[kind].split(".")[0].capitalize()}"') :]
    assert SHOWN[EXHIBITS[kind]] in section[: section.index("</section>")]


@pytest.mark.parametrize("kind", KINDS)
def test_exported(runs: dict[str, Path], kind: str, tmp_path: Path) -> None:
    ganvas.export(runs[kind], tmp_path)  # which compares what it wrote
    spec = importlib.util.spec_from_file_location("exported", tmp_path / "load.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    generator = module.Generator(tmp_path)
    given = {
        name: torch.zeros(2, *how["shape"]) for name, how in generator.description["inputs"].items() if how["drawn"] == "given"
    }
    assert len(generator(**generator.draw_latents(2, **given))) == 2
    for name in given:
        with pytest.raises(ValueError, match=f"give {name}"):
            generator.draw_latents(2)


@pytest.mark.parametrize("kind", KINDS)
def test_another_process_wants_to_be_told(
    runs: dict[str, Path], kind: str, tmp_path: Path, child_environment: dict[str, str]
) -> None:
    environment = child_environment | {"PYTHONPATH": os.pathsep.join(sys.path)}

    def generate(*more: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "ganvas", "generate", str(runs[kind]), "--n", "1", "--out", str(tmp_path / "out"), *more]
        return subprocess.run(words, env=environment, capture_output=True, text=True)

    refused = generate()
    assert refused.returncode == 1
    assert f"--components {kind}" in refused.stderr
    assert "Traceback" not in refused.stderr
    allowed = generate("--components", kind)
    assert allowed.returncode == 0, allowed.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_components_keep_the_contracts(kind: str) -> None:
    recipe = load_recipe(kind)
    assert from_json(json.loads(json.dumps(to_json(recipe)))) == recipe
    smallest = recipe.nets.smallest()
    assert smallest.smallest() == smallest
    assert from_json(to_json(smallest)) == smallest


@pytest.mark.parametrize("kind", KINDS)
def test_metrics_do_not_depend_on_the_order_of_samples(kind: str, runs: dict[str, Path]) -> None:
    from ganvas.evaluation.evaluator import build_run_evaluator
    from ganvas.evaluation.features import select_features

    evaluator = build_run_evaluator(ganvas.load(runs[kind]))
    (metric,) = load_recipe(kind).evaluation.judges[0].metrics
    real: RealFeatures = evaluator.real_features
    fake: Features = real.held_out
    turned = select_features(fake, np.random.default_rng(0).permutation(len(fake.features)))
    assert metric(real, turned) == pytest.approx(metric(real, fake), rel=1e-9)
