"""An autoencoder's reconstructions of held-out samples. Without a test split, training has seen these samples."""

from math import log10

import torch
from torch import Tensor

from ..core import Method, Nets, Reconstructor
from ..data.columns import load_batch
from ..sampling.stream import use_evaluation_mode
from ..system.device import get_device
from .evaluator import Evaluator
from .nearest import PAIR_COUNT, alternate_rows


def can_reconstruct(evaluator: Evaluator, method: Method, nets: Nets) -> bool:
    """Whether the held-out samples have all the conditions that the networks take."""
    return set(method.traits(nets).conditions) <= set(evaluator.preview_batch)


@torch.inference_mode()
def reconstruct_held_out(evaluator: Evaluator, method: Reconstructor, nets: Nets) -> tuple[Tensor, float]:
    """(stored samples [64, …], rows of samples above rows of their reconstructions; the PSNR of the preview batch, dB)."""
    device = get_device(nets)
    columns = {name: rows.to(device) for name, rows in evaluator.preview_batch.items()}
    stored, batch = columns["x"], load_batch(evaluator.codec, columns, None)
    x = batch["x"]
    with use_evaluation_mode(nets):
        reconstruction = method.reconstruct(nets, batch)
    error = (reconstruction.clamp(-1, 1) - x).square().mean()
    stored_reconstruction = evaluator.codec.store(reconstruction)
    return alternate_rows(stored[:PAIR_COUNT].cpu(), stored_reconstruction[:PAIR_COUNT].cpu()), 10 * log10(
        4 / max(1e-12, float(error))
    )
