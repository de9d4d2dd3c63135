"""Memory before the first step: what the estimate counts, and what happens where it does not fit."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small import noise, small

from ganvas import GanvasError, recipes, settle
from ganvas.core import Clock
from ganvas.footprint import Footprint, footprint, granted
from ganvas.penalties import R1

CPU = torch.device("cpu")


def test_a_linear_network_by_hand() -> None:
    """The estimate grows by what a sample's activations are; the fixed share is five times the weights."""
    recipe = small(recipes.find("grid"))
    found = footprint(recipe, noise(recipe), 0, CPU)
    nets = recipe.nets.build(noise(recipe).spec)
    weights = sum(p.numel() * 4 for p in nets.parameters())
    assert weights * 5 <= found.fixed < weights * 5 + 2000
    wide = replace(recipe, nets=replace(recipe.nets, d_hidden=(40,)))  # type: ignore[call-arg]
    more = footprint(wide, noise(wide), 0, CPU).sample - found.sample
    # 36 more hidden values of 4 bytes; D judges four batches, and LeakyReLU and the layer behind keep one each
    assert 36 * 4 * 4 <= more <= 36 * 4 * 4 * 4


def test_the_hungriest_stage_counts() -> None:
    """A growing network needs at its full size what it does not need at 4 px."""
    recipe = small(recipes.find("progan_small"))
    data = noise(recipe)
    whole = footprint(recipe, data, 0, CPU).sample
    first = footprint(replace(recipe, method=replace(recipe.method, kimg=1e6)), data, 0, CPU).sample  # type: ignore[call-arg]
    assert whole > 4 * first


def test_speed_is_that_of_all_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the images at 100 a second and half at 300 are 150 a second."""
    recipe = small(recipes.find("progan_small"))
    monkeypatch.setattr(settle.loop, "stages", lambda *_: [(Clock(0, 0, 9), 0.5), (Clock(0, 5, 9), 0.5)])
    monkeypatch.setattr(settle, "pace", lambda playing, *_: 0.01 if playing.state.clock.images == 0 else 0.01 / 3)
    assert settle.measure(recipe, noise(recipe), 0, CPU, 1.0).speed == pytest.approx(150)


def test_what_does_not_fit_is_cut_into_parts_and_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = small(recipes.find("grid"), batch=64)
    monkeypatch.setattr(settle, "footprint", lambda *_: Footprint(fixed=2**20, sample=2**20))
    monkeypatch.setattr(settle, "free", lambda _: 34 * 2**20)
    cut = settle.fitted(recipe, noise(recipe), 0, CPU, quiet=False)
    assert cut.train.parts == 3  # 22 samples and the fixed share are within 85% of 34 MB
    assert "worked through in 3 parts" in capsys.readouterr().err
    monkeypatch.setattr(settle, "free", lambda _: 2**30)
    assert settle.fitted(recipe, noise(recipe), 0, CPU, quiet=False) == recipe
    monkeypatch.setattr(settle, "free", lambda _: 2**20)
    with pytest.raises(GanvasError, match="even with 2 samples at a time"):
        settle.fitted(recipe, noise(recipe), 0, CPU, quiet=False)


def test_more_parts_than_the_batch_has_pairs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small(recipes.find("grid"), batch=8)
    monkeypatch.setattr(settle.dist, "world", lambda: 8)
    with pytest.raises(GanvasError, match=r"fewer than 2 samples for each of 8 parts: --train.batch 16"):
        settle.fitted(recipe, noise(recipe), 0, CPU, quiet=True)


@pytest.mark.filterwarnings("ignore")  # of the compiler's own making
def test_an_exact_penalty_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    real = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: real(self, backend="aot_eager"))
    recipe = small(recipes.find("grid"), compile=True)
    recipe = replace(recipe, method=replace(recipe.method, penalties=(R1(),)))  # type: ignore[call-arg]
    with pytest.raises(GanvasError, match="FiniteDifferenceR1"):
        settle.measure(recipe, noise(recipe), 0, CPU, 0.1)


@pytest.mark.parametrize(("most", "taken", "left"), [("1000", "400", [650]), ("max", "400", []), ("", "400", [])])
def test_a_container_bounds_memory(tmp_path: Path, most: str, taken: str, left: list[int]) -> None:
    assert granted(tmp_path) == []
    (tmp_path / "memory.max").write_text(f"{most}\n")
    (tmp_path / "memory.current").write_text(f"{taken}\n")
    (tmp_path / "memory.stat").write_text("anon 350\ninactive_file 50\n")
    assert granted(tmp_path) == left
