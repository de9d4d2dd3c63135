"""Clipped gradients of any network, row by row: for convolutions, whose norms have no short cut. Slower than `clipping`."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from ..errors import GanvasError, require
from .clipping import TINY, ClippedGradients, check_rows_apart

ROWS_PER_BLOCK = 16  # gradients held at once: this many copies of the network


def clip_row_gradients(
    network: nn.Module, loss: Callable[..., Tensor], rows: Sequence[Tensor], clip: float, block: int = ROWS_PER_BLOCK
) -> ClippedGradients:
    """Scale each row's gradient down to the norm `clip`, and sum them up.

    Args:
        loss: of (network, *rows) -> one loss for each row, [N]. It draws no random numbers: augment the rows before.
        rows: what belongs to the rows: pictures [N, …], labels [N] …
        clip: the highest norm, above 0.
        block: how many rows' gradients to hold at once.

    Raises:
        GanvasError: no rows, a layer that mixes rows, or a loss of another shape.
    """
    require(clip > 0, "clip", clip, "above 0")
    check_rows_apart(network)
    if not rows:
        raise GanvasError("gradients row by row need rows")
    whole = _NetworkWithLoss(network, loss)
    trained = {name: parameter.detach() for name, parameter in whole.named_parameters() if parameter.requires_grad}
    compute_gradients = vmap(grad(whole.compute_loss), (None, *[0] * len(rows)))
    sums = {name: torch.zeros_like(parameter) for name, parameter in trained.items()}
    norms = [torch.zeros(0, device=rows[0].device)]
    for start in range(0, len(rows[0]), block):
        gradients = compute_gradients(trained, *(part[start : start + block] for part in rows))
        squares = torch.stack([gradient.flatten(1).square().sum(1) for gradient in gradients.values()])
        norms.append(squares.sum(0).sqrt())
        weights = (clip / norms[-1].clamp_min(TINY)).clamp_max(1)
        for name, gradient in gradients.items():
            sums[name] += torch.tensordot(weights, gradient, 1)
    return ClippedGradients({name.removeprefix("network."): total for name, total in sums.items()}, torch.cat(norms))


class _NetworkWithLoss(nn.Module):
    def __init__(self, network: nn.Module, loss: Callable[..., Tensor]) -> None:
        super().__init__()
        self.network, self.loss = network, loss

    def forward(self, *rows: Tensor) -> Tensor:
        return self.loss(self.network, *rows)

    def compute_loss(self, parameters: dict[str, Tensor], *row: Any) -> Tensor:
        """The loss of one row, a number."""
        losses = functional_call(self, parameters, tuple(part[None] for part in row))
        if losses.shape != (1,):
            raise GanvasError(f"private training needs one loss for each row, got {tuple(losses.shape)} for one row")
        return losses[0]
