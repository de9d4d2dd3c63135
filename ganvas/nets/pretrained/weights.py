"""Weights of published networks: files with a known checksum, and batch norm folded into convolutions."""

import io
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ...system.published import read_published_file


def read_published_weights(path: Path, sha256: str) -> dict[str, Tensor]:
    """The tensors of a torch file by name. Its SHA-256 is checked first: no other file is unpacked.

    Raises:
        GanvasError: the file is missing, or another one.
    """
    return torch.load(io.BytesIO(read_published_file(path, sha256)), map_location="cpu", weights_only=True)


def fold_batch_norm(weights: Mapping[str, Tensor], conv: str, norm: str, eps: float) -> tuple[Tensor, Tensor]:
    """Weight and bias of the convolution that equals `conv` (without bias) followed by batch norm `norm` in evaluation."""
    weight, gain, shift, mean, var = (
        weights[name].double()
        for name in (f"{conv}.weight", *(f"{norm}.{part}" for part in ("weight", "bias", "running_mean", "running_var")))
    )
    scale = gain / (var + eps).sqrt()
    folded_weight = (weight * scale[:, None, None, None]).float().contiguous(memory_format=torch.channels_last)
    return folded_weight, (shift - mean * scale).float()
