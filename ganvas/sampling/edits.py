"""Directions saved with a run, and edits of samples along them."""

import re
from collections.abc import Mapping
from math import isfinite
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise_tensors
from torch import Tensor

from ..errors import GanvasError
from ..system.files import explain_os_errors, write_atomically

DIRECTIONS_FILE = "directions.safetensors"


# ---------------------------------------------------------------- saving and applying directions


def load_directions(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """A run's directions by name, and their metadata {"checkpoint": …}; both empty if there is no file."""
    if not path.exists():
        return {}, {}
    try:
        with safe_open(path, "pt") as file:  # type: ignore[no-untyped-call]
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise GanvasError(f"{path} cannot be read ({error}): delete it and find the directions again") from None


def save_directions(run: Path, checkpoint: str, directions: Mapping[str, Tensor]) -> Path:
    """Add directions to the run's file. Directions of another checkpoint are deleted."""
    path = run / DIRECTIONS_FILE
    previous_directions, metadata = load_directions(path)
    if metadata.get("checkpoint") != checkpoint:
        previous_directions = {}
    tensors = previous_directions | {name: vector.detach().cpu().float().contiguous() for name, vector in directions.items()}
    with explain_os_errors("writing directions", path):
        write_atomically(path, lambda temporary: temporary.write_bytes(serialise_tensors(tensors, {"checkpoint": checkpoint})))
    return path


def sum_directions(run: Path, checkpoint: str, edit: Mapping[str, float], device: torch.device) -> Tensor:
    """The sum of directions [C], each times its strength. Raises GanvasError for a direction that the run lacks."""
    directions, metadata = load_directions(run / DIRECTIONS_FILE)
    if directions and metadata.get("checkpoint") != checkpoint:
        raise GanvasError(
            f"the run's directions belong to checkpoint {metadata.get('checkpoint')}, this is {checkpoint}: "
            f"--checkpoint {metadata.get('checkpoint')}, or find them again (ganvas directions)"
        )
    for name, strength in edit.items():
        if name not in directions:
            available_names = ", ".join(sorted(directions)) or "none yet: ganvas directions RUN finds some"
            raise GanvasError(f"the run has no direction {name!r} (it has: {available_names})")
        if not (isfinite(strength) and abs(strength) <= 100):
            raise GanvasError(f"an edit takes -100 to 100 standard deviations, got {strength}: --edit {name}=1.5")
    return torch.stack([strength * directions[name] for name, strength in edit.items()]).sum(0).to(device)


def parse_edit(text: str) -> dict[str, float]:
    """ "sefa0=1.5,Sandal=-2" as a mapping; a name may contain commas."""
    pairs = re.findall(r"([^=]+)=\s*([-+.\deE]+)\s*(?:,|$)", text)
    try:
        edits = {name.strip(): float(strength) for name, strength in pairs}
    except ValueError:
        edits = {}
    if not edits or re.sub(r"[^=]+=\s*[-+.\deE]+\s*(?:,|$)", "", text).strip() or "" in edits:
        raise GanvasError(f"an edit must be NAME=1.5, several separated by commas, got {text!r}")
    return edits
