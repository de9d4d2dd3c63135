"""Save the state of training as a folder: nets.safetensors, optim.safetensors, state.json. Nothing is ever unpickled.

A checkpoint is written under a temporary name, flushed and renamed, so that every checkpoint is complete. Checksums detect
later damage.
"""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialise_tensors
from torch import Tensor, nn

from ..core import Clock
from ..errors import GanvasError
from ..system.files import flush_to_disk, read_json, write_json
from .state import State


def save_checkpoint(folder: Path, state: State) -> None:
    """Write `state` to `folder`. If that raises OSError (disk full, read-only), nothing is left behind."""
    if folder.exists():  # already written
        return
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        _write_tensors(
            temporary / "nets.safetensors", _prefix_tensors(state.nets, "nets") | _prefix_tensors(state.average, "average")
        )
        _write_tensors(temporary / "optim.safetensors", _flatten_moments(state.optims))
        meta = {"step": state.clock.step, "samples": state.clock.samples, "total": state.clock.total}
        checksums = {name: _compute_checksum(temporary / name) for name in ("nets.safetensors", "optim.safetensors")}
        write_json(
            temporary / "state.json",
            {**meta, "stage": state.stage_name, "seconds": state.training_seconds, "sha256": checksums},
        )
        flush_to_disk(temporary)
        os.replace(temporary, folder)
        flush_to_disk(folder.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def load_checkpoint(folder: Path, state: State, *, total_samples: int | None = None) -> None:
    """Read `folder` into `state` exactly; `total_samples` replaces the saved budget.

    Raises:
        GanvasError: a damaged file, or networks that differ from the state's.
    """
    meta = _verify_checksums(folder, ("nets.safetensors", "optim.safetensors"))
    load_nets(folder, state, is_verified=True)
    moments = _read_tensors(folder / "optim.safetensors")
    for name, optimiser in state.optims.items():
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        loaded_moments: dict[int, dict[str, Tensor]] = {}
        for path, value in moments.items():
            owner, index, moment = path.split("/")
            if owner == name:
                parameter = parameters[int(index)]
                # restores the memory layout too (channels_last), because fused steps depend on it
                loaded_moments.setdefault(int(index), {})[moment] = (
                    value if value.dim() == 0 else torch.empty_like(parameter).copy_(value)
                )
        optimiser.load_state_dict({"state": loaded_moments, "param_groups": optimiser.state_dict()["param_groups"]})
    state.clock = Clock(meta["step"], meta["samples"], total_samples if total_samples is not None else meta["total"])
    state.stage_name, state.training_seconds = meta["stage"], meta["seconds"]


def load_nets(folder: Path, state: State, *, is_verified: bool = False) -> None:
    """Read only the networks and their average, which is all that sampling needs."""
    if not is_verified:
        _verify_checksums(folder, ("nets.safetensors",))
    tensors = _read_tensors(folder / "nets.safetensors")
    for prefix, nets in (("nets", state.nets), ("average", state.average)):
        network_tensors = {
            name.removeprefix(prefix + "/"): value for name, value in tensors.items() if name.startswith(prefix + "/")
        }
        try:
            nets.load_state_dict(network_tensors)
        except RuntimeError as error:
            detail = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
            raise GanvasError(f"{folder} does not fit the recipe's networks ({detail}): was recipe.json edited?") from None


def read_nets_checksum(folder: Path) -> str:
    """The checksum of the networks' file, which identifies a checkpoint's networks."""
    return str(read_json(folder / "state.json").get("sha256", {}).get("nets.safetensors"))


def _verify_checksums(folder: Path, names: tuple[str, ...]) -> dict[str, Any]:
    meta = read_json(folder / "state.json")
    for name in names:
        if _compute_checksum(folder / name) != meta.get("sha256", {}).get(name):
            raise GanvasError(
                f"{folder / name} is damaged (its checksum is wrong): delete {folder} to continue from the previous checkpoint"
            )
    return meta


def _prefix_tensors(nets: nn.ModuleDict, prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}/{name}": value.detach() for name, value in nets.state_dict().items()}


def _flatten_moments(optims: dict[str, torch.optim.Optimizer]) -> dict[str, Tensor]:
    return {
        f"{name}/{index}/{moment}": value
        for name, optimiser in optims.items()
        for index, parameter_moments in optimiser.state_dict()["state"].items()
        for moment, value in parameter_moments.items()
    }


def _write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    # safetensors takes neither channels_last nor two names for one memory
    path.write_bytes(serialise_tensors({name: value.cpu().contiguous().clone() for name, value in tensors.items()}))
    flush_to_disk(path)


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise GanvasError(
            f"{path} cannot be read ({error}): delete {path.parent} to continue from the previous checkpoint"
        ) from None


def _compute_checksum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise GanvasError(
            f"{path} cannot be read ({error.strerror}): delete {path.parent} to continue from the previous checkpoint"
        ) from None
