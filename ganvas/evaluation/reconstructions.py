"""What an autoencoder makes of held-out samples. Where the data has no test part, training has seen them."""

from math import log10

import torch
from torch import Tensor

from ..core import Nets, Reconstructs
from ..sampling.stream import evaluating
from .evaluator import Judge
from .nearest import COUNT, alternating


@torch.inference_mode()
def reconstructed(judge: Judge, method: Reconstructs, nets: Nets) -> tuple[Tensor, float]:
    """(64 in stored form, a row of samples and below it what is made of them; PSNR over all that the judge kept, dB)."""
    device = next(nets["G"].parameters()).device
    batch = {name: value.to(device) for name, value in judge.shown.items() if name != "stored"}
    stored = judge.shown["stored"].to(device)
    x = judge.codec.load(stored, None)
    with evaluating(nets):
        made = method.reconstruct(nets, {"x": x, **batch})
    error = (made.clamp(-1, 1) - x).square().mean()
    found = judge.codec.store(made)
    return alternating(stored[:COUNT].cpu(), found[:COUNT].cpu()), 10 * log10(4 / max(1e-12, float(error)))
