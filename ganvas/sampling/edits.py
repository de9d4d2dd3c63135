"""Directions kept with a run, and samples moved along them."""

import re
from collections.abc import Mapping
from math import isfinite
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as packed
from torch import Tensor

from ..errors import GanvasError
from ..system.files import explained, write_whole

NAME = "directions.safetensors"


# ---------------------------------------------------------------- keeping and following them


def kept(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """A run's directions, and what they are of: {"checkpoint": …}."""
    if not path.exists():
        return {}, {}
    try:
        with safe_open(path, "pt") as file:  # type: ignore[no-untyped-call]
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise GanvasError(f"{path} cannot be read ({error}): delete it and find the directions anew") from None


def keep(run: Path, checkpoint: str, found: Mapping[str, Tensor]) -> Path:
    """Add directions to those of the run; those of another checkpoint are let go."""
    path = run / NAME
    before, about = kept(path)
    if about.get("checkpoint") != checkpoint:
        before = {}
    tensors = before | {name: vector.detach().cpu().float().contiguous() for name, vector in found.items()}
    with explained("writing directions", path):
        write_whole(path, lambda temporary: temporary.write_bytes(packed(tensors, {"checkpoint": checkpoint})))
    return path


def shift(run: Path, checkpoint: str, edit: Mapping[str, float], device: torch.device) -> Tensor:
    """The sum of directions [C] by strength. Raises GanvasError for one that the run does not have."""
    found, about = kept(run / NAME)
    if found and about.get("checkpoint") != checkpoint:
        raise GanvasError(
            f"the run's directions are of checkpoint {about.get('checkpoint')}, this is {checkpoint}: "
            f"--checkpoint {about.get('checkpoint')}, or find them anew (ganvas directions)"
        )
    for name, strength in edit.items():
        if name not in found:
            have = ", ".join(sorted(found)) or "none yet: ganvas directions RUN finds some"
            raise GanvasError(f"the run has no direction {name!r} (it has: {have})")
        if not (isfinite(strength) and abs(strength) <= 100):
            raise GanvasError(f"a direction is followed by -100 to 100 standard deviations, got {strength}: --edit {name}=1.5")
    return torch.stack([strength * found[name] for name, strength in edit.items()]).sum(0).to(device)


def asked(text: str) -> dict[str, float]:
    """ "sefa0=1.5,Sandal=-2" as a mapping; a name may hold commas."""
    found = re.findall(r"([^=]+)=\s*([-+.\deE]+)\s*(?:,|$)", text)
    try:
        edits = {name.strip(): float(strength) for name, strength in found}
    except ValueError:
        edits = {}
    if not edits or re.sub(r"[^=]+=\s*[-+.\deE]+\s*(?:,|$)", "", text).strip() or "" in edits:
        raise GanvasError(f"an edit is NAME=1.5, several with commas, got {text!r}")
    return edits
