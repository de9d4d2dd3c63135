"""Checkpoints are whole or not there, and a damaged one is never loaded."""

import errno
import json
from pathlib import Path

import pytest
import torch

from ganvas import recipes
from ganvas.errors import GanvasError
from ganvas.runs import checkpoint
from ganvas.runs.state import State, build_state
from small_recipes import noise, small


@pytest.fixture
def state() -> State:
    recipe = small(recipes.find_recipe("auto"))
    return build_state(recipe, noise(recipe).spec, 0, torch.device("cpu"))


def test_nothing_is_left_of_a_write_that_fails(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint.save_checkpoint(tmp_path / "000000000", state)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_json", full)
    with pytest.raises(OSError, match="No space"):
        checkpoint.save_checkpoint(tmp_path / "000000064", state)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["000000000"]


@pytest.mark.parametrize("name", ["nets.safetensors", "optim.safetensors"])
@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_damage_is_noticed(state: State, tmp_path: Path, name: str, damage: str) -> None:
    folder = tmp_path / "000000064"
    checkpoint.save_checkpoint(folder, state)
    file = folder / name
    if damage == "remove":
        file.unlink()
    else:
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content if damage == "flip" else content[: len(content) // 2])
    with pytest.raises(GanvasError, match=r"delete .*000000064"):
        checkpoint.load_checkpoint(folder, state)


def test_state_json_that_is_no_json(state: State, tmp_path: Path) -> None:
    checkpoint.save_checkpoint(tmp_path / "000000064", state)
    (tmp_path / "000000064" / "state.json").write_text('{"step": ')
    with pytest.raises(GanvasError, match=r"state\.json cannot be read"):
        checkpoint.load_checkpoint(tmp_path / "000000064", state)


def test_networks_of_another_recipe_are_refused(state: State, tmp_path: Path) -> None:
    checkpoint.save_checkpoint(tmp_path / "000000064", state)
    other = small(recipes.find_recipe("dcgan"))
    with pytest.raises(GanvasError, match="does not fit"):
        checkpoint.load_checkpoint(tmp_path / "000000064", build_state(other, noise(other).spec, 0, torch.device("cpu")))


def test_holds_tensors_and_json_alone(state: State, tmp_path: Path) -> None:
    checkpoint.save_checkpoint(tmp_path / "000000064", state)
    assert sorted(p.name for p in (tmp_path / "000000064").iterdir()) == ["nets.safetensors", "optim.safetensors", "state.json"]
    meta = json.loads((tmp_path / "000000064" / "state.json").read_text())
    assert meta["samples"] == 0
