"""Layers whose largest singular value is 1. Miyato et al. 2018, algorithm 1."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from torch.nn.utils.parametrize import is_parametrized, register_parametrization

from .labels import get_learned_weight, is_zero_weight

Net = TypeVar("Net", bound=nn.Module)
NORMALISED_LAYER_TYPES = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.Embedding)


class SpectralNorm(nn.Module):
    """W / σ(W) of W as [out, rest]. Each use is one power iteration, from where the last one in training ended.

    In evaluation it iterates, too, but does not store the result, like BigGAN-PyTorch.

    iterates_in_evaluation: False stores v besides u, and keeps to both in evaluation, like `torch.nn.utils.spectral_norm`.
    """

    u: Tensor
    v: Tensor | None
    cached_weight: Tensor | None = None  # W / σ(W) while W's network runs

    def __init__(self, weight: Tensor, axis: int = 0, eps: float = 1e-12, iterates_in_evaluation: bool = True) -> None:
        super().__init__()
        self.axis, self.eps = axis, eps
        self.register_buffer("u", normalize(torch.randn(weight.shape[axis]), dim=0))
        self.register_buffer("v", None)
        if not iterates_in_evaluation:
            self.v = normalize(self.u @ flatten_rows(weight.detach(), axis), dim=0)

    def forward(self, weight: Tensor) -> Tensor:
        return normalise_weights([self], [weight])[0] if self.cached_weight is None else self.cached_weight


def flatten_rows(weight: Tensor, axis: int) -> Tensor:
    """A weight whose outputs are on `axis` as [out, rest]; `rest` is in the order of channels_last."""
    return weight.transpose(0, axis).movedim(1, -1).flatten(1)


def normalise_weights(norms: Sequence[SpectralNorm], weights: Sequence[Tensor]) -> list[Tensor]:
    """W / σ(W) of K weights of one shape at once: for small weights, the calls would take longer than the arithmetic."""
    if weights[0].is_meta:
        return [weight.view_as(weight) for weight in weights]  # meta tensors have no σ; torch expects new tensors
    axis, eps = norms[0].axis, norms[0].eps
    outputs_first = torch.stack(
        [weight.transpose(0, axis).movedim(1, -1) for weight in weights]
    )  # weights are stored in channels_last
    rows = outputs_first.flatten(2)  # [K, out, rest]
    with torch.autocast(rows.device.type, enabled=False):
        with torch.no_grad():
            u, v = iterate_power(norms, rows, eps)
        normalised_weights = (rows / (u @ rows @ v.mT)).view_as(outputs_first)
    return [weight.movedim(-1, 1).transpose(0, axis) for weight in normalised_weights.unbind()]


def iterate_power(norms: Sequence[SpectralNorm], rows: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """u [K, 1, out] and v [K, 1, rest] after one iteration, which training stores; or the stored ones, if the norms say so."""
    u = torch.stack([norm.u for norm in norms])[:, None]
    stored = [norm.v for norm in norms if norm.v is not None and not norm.training]
    if len(stored) == len(norms):
        return u, torch.stack(stored)[:, None]
    v = normalize(u @ rows, dim=2, eps=eps)
    u = normalize(v @ rows.mT, dim=2, eps=eps)
    for norm, new_u, new_v in zip(norms, u, v, strict=True):
        if norm.training:
            norm.u.copy_(new_u[0])
            if norm.v is not None:
                norm.v.copy_(new_v[0])
    return u, v


class SpectralNormHook:
    """Normalises the layers of a network before it runs, all of one shape at once."""

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        def describe_weight(layer: nn.Module) -> tuple[int, ...]:
            return get_spectral_norm(layer).axis, *get_learned_weight(layer).shape

        self.groups = [list(group) for _, group in groupby(sorted(layers, key=describe_weight), describe_weight)]

    def cache_weights(self, *_: Any) -> None:
        for group in self.list_parametrized_groups():
            norms = [get_spectral_norm(layer) for layer in group]
            for norm, weight in zip(
                norms, normalise_weights(norms, [get_learned_weight(layer) for layer in group]), strict=True
            ):
                norm.cached_weight = weight

    def drop_weights(self, *_: Any) -> None:
        for group in self.list_parametrized_groups():
            for layer in group:
                get_spectral_norm(layer).cached_weight = None

    def list_parametrized_groups(self) -> list[list[nn.Module]]:
        """All groups, until an export turns them into plain weights."""
        groups = ([layer for layer in group if is_parametrized(layer, "weight")] for group in self.groups)
        return [group for group in groups if group]


def get_spectral_norm(layer: nn.Module) -> SpectralNorm:
    return layer.parametrizations.weight[0]  # type: ignore[union-attr, index, return-value]


def add_spectral_norm(
    net: Net, eps: float = 1e-12, excluded_layers: Iterable[nn.Module | None] = (), iterates_in_evaluation: bool = True
) -> Net:
    """Apply spectral norm to every weight of one or several networks, except `excluded_layers` and weights that start at 0."""
    excluded_set = set(excluded_layers)
    for player in net.values() if isinstance(net, nn.ModuleDict) else [net]:
        layers = [
            module for module in player.modules() if isinstance(module, NORMALISED_LAYER_TYPES) and module not in excluded_set
        ]
        layers = [layer for layer in layers if not is_zero_weight(layer.weight)]  # they have no direction
        for layer in layers:
            axis = 1 if isinstance(layer, nn.ConvTranspose2d) else 0
            register_parametrization(layer, "weight", SpectralNorm(layer.weight, axis, eps, iterates_in_evaluation))
        hook = SpectralNormHook(layers)
        player.register_forward_pre_hook(hook.cache_weights)
        player.register_forward_hook(hook.drop_weights, always_call=True)
    return net
