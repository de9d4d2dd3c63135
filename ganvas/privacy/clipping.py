"""Private gradients: each row's gradient is clipped and noise is added to their sum (Abadi et al. 2016, algorithm 1).

The norm of one row's gradient needs no gradient for each row. A linear layer's weight has the gradient b aᵀ, with the layer's
input a and the loss's gradient b at its output, so the norm is ‖a‖·‖b‖, and that of the bias ‖b‖ (Goodfellow 2015,
"Efficient per-example gradient computations"). Where a layer is applied at several places of a row, the products of all pairs
of places add up (Li et al. 2022, "Large language models can be strong differentially private learners", section 4). A
convolution is a linear layer that is applied to all patches of a picture (Rochette et al. 2019).
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import unfold

from ..errors import GanvasError, require

TINY = 1e-12  # norms below are 0: nothing to clip
RecordedLayer = nn.Linear | nn.Conv2d


class LinearUses(NamedTuple):
    """What a network's linear layers and convolutions have computed: for each use of a layer its input and output, [N, …]."""

    layers: list[RecordedLayer]
    inputs: list[Tensor]
    outputs: list[Tensor]


class ClippedGradients(NamedTuple):
    """The sum of clipped gradients of N rows, by parameter name, and the norms before clipping [N]."""

    sums: Mapping[str, Tensor]
    norms: Tensor


@contextmanager
def record_linear_layers(network: nn.Module) -> Generator[LinearUses]:
    """Within, each use of the network's linear layers is recorded; the rows are the first axis of every input.

    Raises:
        GanvasError: a parameter that trains and belongs to no such layer, or a layer that mixes rows.
    """
    check_network(network)
    uses = LinearUses([], [], [])

    def record(layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
        assert isinstance(layer, RecordedLayer)
        if not output.requires_grad:  # the first layers do not train
            return output
        uses.layers.append(layer)
        uses.inputs.append(inputs[0].detach().clone())  # an activation may overwrite it later
        uses.outputs.append(output)
        return output.clone()  # and this one at once

    handles = [layer.register_forward_hook(record) for layer in network.modules() if is_recorded(layer)]
    try:
        yield uses
    finally:
        for handle in handles:
            handle.remove()


def is_recorded(layer: nn.Module) -> bool:
    """Whether the norms of a layer are known. One that only derives from these may compute something else."""
    if type(layer) is nn.Conv2d:
        return layer.groups == 1 and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    return type(layer) is nn.Linear


def check_network(network: nn.Module) -> None:
    """Raise GanvasError unless per-row norms can be computed: linear layers, and others without parameters."""
    check_rows_apart(network)
    layers = [layer for layer in network.modules() if isinstance(layer, RecordedLayer) and is_recorded(layer)]
    known = {id(parameter) for layer in layers for parameter in (layer.weight, layer.bias)}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad and id(parameter) not in known:
            raise GanvasError(
                f"private training knows linear layers and plain convolutions alone, and {name} is of another one: take a D of "
                "these, such as the perceptron's or DCGAN's without normalisation"
            )


def check_rows_apart(network: nn.Module) -> None:
    """Raise GanvasError if a layer mixes the rows of a batch."""
    for name, layer in network.named_modules():
        if isinstance(layer, nn.modules.batchnorm._NormBase) and (layer.training or not layer.track_running_stats):
            raise GanvasError(f"{name} normalises over a batch, which mixes rows: private training needs a D without it")


def clip_gradients(network: nn.Module, uses: LinearUses, losses: Tensor, clip: float) -> ClippedGradients:
    """Scale each row's gradient down to the norm `clip`, and sum them up.

    Args:
        uses: what `record_linear_layers` recorded while the losses were computed.
        losses: of each row, [N]. Row i must depend on no other row.
        clip: the highest norm, above 0.

    Raises:
        GanvasError: losses of another shape.
    """
    require(clip > 0, "clip", clip, "above 0")
    if losses.ndim != 1 or any(len(use) != len(losses) for use in uses.outputs):
        raise GanvasError(f"private training needs one loss for each row, got {tuple(losses.shape)}: do not average them")
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    if not len(losses):  # Poisson sampling draws no row at all now and then
        return ClippedGradients({name: torch.zeros_like(p) for name, p in network.named_parameters()}, losses.detach())
    slopes = torch.autograd.grad(losses.sum(), uses.outputs, materialize_grads=True)
    layers = _group_by_layer(uses, slopes)
    norms = sum((_square_norms(layer, a, b) for layer, a, b in layers), torch.zeros_like(losses)).clamp_min(0).sqrt().detach()
    weights = (clip / norms.clamp_min(TINY)).clamp_max(1)
    sums = {name: torch.zeros_like(parameter) for name, parameter in network.named_parameters()}
    for layer, a, b in layers:
        weighted = (b * weights[:, None, None]).flatten(0, 1)
        if _is_trained(layer, "weight"):
            sums[names[id(layer.weight)]] += (weighted.T @ a.flatten(0, 1)).view_as(layer.weight)
        if _is_trained(layer, "bias"):
            sums[names[id(layer.bias)]] += weighted.sum(0)
    return ClippedGradients(sums, norms)


def add_gradient_noise(
    sums: Mapping[str, Tensor], clip: float, sigma: float, expected_rows: float, generator: np.random.Generator
) -> dict[str, Tensor]:
    """The private gradient by parameter name: (sum + noise of the deviation sigma·clip) / expected rows.

    Args:
        sums: of clipped gradients.
        expected_rows: the batch size on average. The size of this very batch is a secret too.
        generator: its seed is a secret. Whoever knows it can subtract the noise.
    """
    require(expected_rows > 0, "expected_rows", expected_rows, "above 0")
    return {name: (total + sigma * clip * _draw_normal(total, generator)) / expected_rows for name, total in sums.items()}


def _draw_normal(like: Tensor, generator: np.random.Generator) -> Tensor:
    return torch.from_numpy(generator.standard_normal(like.shape, np.float32)).to(like)


def _group_by_layer(uses: LinearUses, slopes: tuple[Tensor, ...]) -> list[tuple[RecordedLayer, Tensor, Tensor]]:
    """(Layer, inputs [N, places, in], slopes [N, places, out]); uses of one layer are places of one row."""
    groups: dict[int, tuple[RecordedLayer, list[Tensor], list[Tensor]]] = {}
    for layer, a, b in zip(uses.layers, uses.inputs, slopes, strict=True):
        _, all_a, all_b = groups.setdefault(id(layer), (layer, [], []))
        a, b = _list_places(layer, a, b)
        all_a.append(a)
        all_b.append(b)
    return [(layer, torch.cat(a, 1), torch.cat(b, 1)) for layer, a, b in groups.values()]


def _list_places(layer: RecordedLayer, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """A use's (inputs [N, places, in], slopes [N, places, out]); the places of a convolution are its patches."""
    if isinstance(layer, nn.Linear):
        return a.reshape(len(a), -1, a.shape[-1]), b.reshape(len(b), -1, b.shape[-1])
    assert not isinstance(layer.padding, str)
    patches = unfold(a, layer.kernel_size, layer.dilation, layer.padding, layer.stride)
    return patches.mT, b.flatten(2).mT


def _is_trained(layer: RecordedLayer, name: str) -> bool:
    """Whether a layer has this parameter, and it trains."""
    parameter = dict(layer.named_parameters(recurse=False)).get(name)
    return parameter is not None and parameter.requires_grad


def _square_norms(layer: RecordedLayer, a: Tensor, b: Tensor) -> Tensor:
    """The squared norm of each row's gradient of a layer, [N], from inputs [N, places, in] and slopes [N, places, out]."""
    total = torch.zeros(len(a), dtype=a.dtype, device=a.device)
    (_, places, inputs), outputs = a.shape, b.shape[2]
    if _is_trained(layer, "weight"):
        if places == 1:
            total = total + a.square().sum((1, 2)) * b.square().sum((1, 2))
        elif places * (inputs + outputs) < inputs * outputs:
            total = total + ((a @ a.mT) * (b @ b.mT)).sum((1, 2))
        else:  # the gradients themselves are cheaper
            total = total + (b.mT @ a).square().sum((1, 2))
    if _is_trained(layer, "bias"):
        total = total + b.sum(1).square().sum(1)
    return total
