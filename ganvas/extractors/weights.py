"""Weights of published networks: files that are known by their checksum, and batch norm folded into convolutions."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..errors import GanvasError


def read_published_weights(path: Path, sha256: str) -> dict[str, Tensor]:
    """The tensors by name in a file of torch's, one whose SHA-256 is known: no other file is opened up at all.

    Raises:
        GanvasError: a file that is missing or another.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise GanvasError(f"the weights {path} cannot be read: {(error.strerror or str(error)).lower()}") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise GanvasError(
            f"{path} is not the weights file that was published, or damaged: its SHA-256 begins with {digest[:8]} and not "
            f"with {sha256[:8]}. Fetch it anew"
        )
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def fold_batch_norm(weights: Mapping[str, Tensor], conv: str, norm: str, eps: float) -> tuple[Tensor, Tensor]:
    """Weight and bias of the convolution that equals `conv` (without bias) and then the batch norm `norm`, evaluating."""
    weight, gain, shift, mean, var = (
        weights[name].double()
        for name in (f"{conv}.weight", *(f"{norm}.{part}" for part in ("weight", "bias", "running_mean", "running_var")))
    )
    scale = gain / (var + eps).sqrt()
    folded_weight = (weight * scale[:, None, None, None]).float().contiguous(memory_format=torch.channels_last)
    return folded_weight, (shift - mean * scale).float()
