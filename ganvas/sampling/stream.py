"""From a trained generator to samples.

Samples come from the moving average of the weights where the recipe keeps one, in evaluation mode (batch norm uses its
running statistics) and full precision. That is the one way in which ganvas samples.
"""

import collections.abc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..core import NO_REQUEST, Codec, Latents, Method, Nets, Request, seeded_generator
from ..system.device import get_device

RECALIBRATION_BLOCKS = 16  # blocks that batch norm's statistics are taken of anew, where latents are truncated
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
SAMPLES_PER_BLOCK = 64  # latents are drawn in blocks of this size, so that sample i does not depend on how many are asked for
PIXELS_PER_RENDER = SAMPLES_PER_BLOCK * 128**2  # rendered at once at most, so that memory does not grow with the image


@contextmanager
def use_evaluation_mode(nets: Nets) -> collections.abc.Generator[None]:
    """Evaluation mode for a while; training mode is put back as it was."""
    was_training = {name: net.training for name, net in nets.items()}
    for net in nets.values():
        net.eval()
    try:
        yield
    finally:
        for name, net in nets.items():
            net.train(was_training[name])


class SampleBlock(NamedTuple):
    """Some samples, and what each was asked to be."""

    stored: Tensor  # [N, …]
    conditions: Mapping[str, Tensor]  # by name, [N, …]


def stream_samples(
    method: Method,
    nets: Nets,
    codec: Codec,
    n: int,
    seed: int,
    start: int = 0,
    request: Request = NO_REQUEST,
    edit_latents: Callable[[Latents], Latents] = lambda latents: latents,
) -> Iterator[Tensor]:
    """Samples `start` to `start + n` of a seed in stored form, a block at a time."""
    for block in stream_blocks(method, nets, codec, n, seed, start, request, edit_latents):
        yield block.stored


def stream_blocks(
    method: Method,
    nets: Nets,
    codec: Codec,
    n: int,
    seed: int,
    start: int = 0,
    request: Request = NO_REQUEST,
    edit_latents: Callable[[Latents], Latents] = lambda latents: latents,
) -> Iterator[SampleBlock]:
    """The same, with the conditions that samples were made under."""
    device, names = get_device(nets), method.traits(nets).conditions
    with use_evaluation_mode(nets):
        for block in range(start // SAMPLES_PER_BLOCK, -(-(start + n) // SAMPLES_PER_BLOCK)):
            first, last = (
                max(0, start - block * SAMPLES_PER_BLOCK),
                min(SAMPLES_PER_BLOCK, start + n - block * SAMPLES_PER_BLOCK),
            )
            with torch.inference_mode():
                latents = method.draw_latents(nets, SAMPLES_PER_BLOCK, seeded_generator(seed, "sample", block), request)
                latents = edit_latents({name: value.to(device) for name, value in latents.items()})
                stored = [
                    codec.store(method.render(nets, part))[max(0, first - k) : last - k]
                    for k, part in split_for_rendering(latents, codec.spec.shape)
                    if first < k + len(next(iter(part.values()))) and k < last
                ]
            conditions = {name: latents[name][first:last].cpu() for name in names if name in latents}
            yield SampleBlock(torch.cat(stored), conditions)


def split_for_rendering(latents: Latents, shape: tuple[int, ...]) -> Iterator[tuple[int, Latents]]:
    """Latents in parts that are rendered at once, and where each begins: of samples of this shape always parts of one size."""
    size = max(1, min(SAMPLES_PER_BLOCK, PIXELS_PER_RENDER // prod(shape[1:])))
    for k in range(0, len(next(iter(latents.values()))), size):
        yield k, {name: value[k : k + size] for name, value in latents.items()}


def draw_samples(method: Method, nets: Nets, codec: Codec, n: int, seed: int) -> Tensor:
    """`n` samples of a seed in stored form, [n, …]."""
    return torch.cat(list(stream_samples(method, nets, codec, n, seed)))


def recalibrate_batch_norm(method: Method, nets: Nets, truncation: float) -> Nets:
    """The networks with batch norm's statistics taken anew, of truncated samples.

    Running statistics are those of whole latents; truncated ones have others (Brock et al. 2019, appendix D). Labels come as
    in training, whatever will be asked for: statistics of one class alone would take that class out again. Networks without
    batch norm come back as they are.
    """
    name = method.traits(nets).generator
    if not any(isinstance(module, BATCH_NORMS) for module in nets[name].modules()):
        return nets
    nets = deepcopy(nets)
    norms = [module for module in nets[name].modules() if isinstance(module, BATCH_NORMS)]
    device = get_device(nets)
    with use_evaluation_mode(nets):
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean of all batches
            norm.train()
        for block in range(RECALIBRATION_BLOCKS):
            with torch.inference_mode():
                latents = method.draw_latents(
                    nets, SAMPLES_PER_BLOCK, seeded_generator("standing", block), Request(truncation=truncation)
                )
                method.render(nets, {name: value.to(device) for name, value in latents.items()})
    return nets
