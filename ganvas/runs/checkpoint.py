"""A state of training as a folder: nets.safetensors, optim.safetensors, state.json. Nothing in it is ever unpickled.

A checkpoint is written under a temporary name, flushed and renamed, so that one that is there is whole; checksums tell
one that was damaged later.
"""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as packed
from torch import Tensor, nn

from ..core import Clock
from ..errors import GanvasError
from ..system.files import flush, read_json, write_json
from .state import State


def save(folder: Path, state: State) -> None:
    """Write `state` as `folder`. Raises OSError (disk full, read-only) and then leaves nothing behind."""
    if folder.exists():  # the same moment once more: the same content
        return
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        _write(temporary / "nets.safetensors", _named(state.nets, "nets") | _named(state.average, "average"))
        _write(temporary / "optim.safetensors", _moments(state.optims))
        meta = {"step": state.clock.step, "images": state.clock.images, "total": state.clock.total}
        sums = {name: _checksum(temporary / name) for name in ("nets.safetensors", "optim.safetensors")}
        write_json(temporary / "state.json", {**meta, "stage": state.stage, "seconds": state.seconds, "sha256": sums})
        flush(temporary)
        os.replace(temporary, folder)
        flush(folder.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def load(folder: Path, state: State, *, total: int | None = None) -> None:
    """Read `folder` into `state`, exactly; `total` replaces the budget it was made with.

    Raises:
        GanvasError: a damaged file, or networks other than the state's.
    """
    meta = _checked(folder, ("nets.safetensors", "optim.safetensors"))
    load_nets(folder, state, checked=True)
    moments = _read(folder / "optim.safetensors")
    for name, optimiser in state.optims.items():
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        held: dict[int, dict[str, Tensor]] = {}
        for path, value in moments.items():
            owner, index, moment = path.split("/")
            if owner == name:
                like = parameters[int(index)]
                # the layout too (channels_last), for fused steps walk through memory
                held.setdefault(int(index), {})[moment] = value if value.dim() == 0 else torch.empty_like(like).copy_(value)
        optimiser.load_state_dict({"state": held, "param_groups": optimiser.state_dict()["param_groups"]})
    state.clock = Clock(meta["step"], meta["images"], total if total is not None else meta["total"])
    state.stage, state.seconds = meta["stage"], meta["seconds"]


def load_nets(folder: Path, state: State, *, checked: bool = False) -> None:
    """Read the networks and their average alone: all that sampling needs."""
    if not checked:
        _checked(folder, ("nets.safetensors",))
    tensors = _read(folder / "nets.safetensors")
    for prefix, nets in (("nets", state.nets), ("average", state.average)):
        own = {name.removeprefix(prefix + "/"): value for name, value in tensors.items() if name.startswith(prefix + "/")}
        try:
            nets.load_state_dict(own)
        except RuntimeError as error:
            detail = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
            raise GanvasError(f"{folder} does not fit the recipe's networks ({detail}): was recipe.json edited?") from None


def identity(folder: Path) -> str:
    """What tells a checkpoint's networks from all others: their file's checksum."""
    return str(read_json(folder / "state.json").get("sha256", {}).get("nets.safetensors"))


def _checked(folder: Path, names: tuple[str, ...]) -> dict[str, Any]:
    meta = read_json(folder / "state.json")
    for name in names:
        if _checksum(folder / name) != meta.get("sha256", {}).get(name):
            raise GanvasError(
                f"{folder / name} is damaged (its checksum is wrong): delete {folder} to go on from the one before"
            )
    return meta


def _named(nets: nn.ModuleDict, prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}/{name}": value.detach() for name, value in nets.state_dict().items()}


def _moments(optims: dict[str, torch.optim.Optimizer]) -> dict[str, Tensor]:
    return {
        f"{name}/{index}/{moment}": value
        for name, optimiser in optims.items()
        for index, held in optimiser.state_dict()["state"].items()
        for moment, value in held.items()
    }


def _write(path: Path, tensors: dict[str, Tensor]) -> None:
    # safetensors takes neither channels_last nor two names for one memory
    path.write_bytes(packed({name: value.cpu().contiguous().clone() for name, value in tensors.items()}))
    flush(path)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise GanvasError(
            f"{path} cannot be read ({error}): delete {path.parent} to go on from the checkpoint before"
        ) from None


def _checksum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise GanvasError(
            f"{path} cannot be read ({error.strerror}): delete {path.parent} to go on from the one before"
        ) from None
