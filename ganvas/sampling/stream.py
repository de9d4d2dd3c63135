"""From a trained generator to samples.

Samples come from the moving average of the weights, if the recipe keeps one. Networks run in full precision and evaluation
mode, where batch norm uses its running statistics. Everything in ganvas samples this way.
"""

import collections.abc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from math import prod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..core import NO_REQUEST, Codec, Latents, Method, Nets, PartwiseCondition, Request, Spec, seeded_generator
from ..system.device import get_device

RECALIBRATION_BLOCKS = 16  # recompute batch norm's statistics on this many blocks of truncated latents
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
SAMPLES_PER_BLOCK = 64  # latents are drawn in blocks of this size, so that sample i does not depend on the number of samples
ROWS_PER_BLOCK = 4096  # of samples that are a few numbers each
PIXELS_PER_RENDER = SAMPLES_PER_BLOCK * 128**2  # most pixels to render at once, so that memory does not grow with the image


@contextmanager
def use_evaluation_mode(nets: Nets) -> collections.abc.Generator[None]:
    """Evaluation mode within the context; afterwards each network returns to its previous mode."""
    was_training = {name: net.training for name, net in nets.items()}
    for net in nets.values():
        net.eval()
    try:
        yield
    finally:
        for name, net in nets.items():
            net.train(was_training[name])


class SampleBlock(NamedTuple):
    """Some samples and their conditions."""

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
    """Like `stream_samples`, with the conditions of each sample."""
    device, conditions_of_codec = get_device(nets), codec.spec.conditions
    names = [n for n in method.traits(nets).conditions if not isinstance(conditions_of_codec.get(n), PartwiseCondition)]
    size = count_block_samples(codec.spec)
    with use_evaluation_mode(nets):
        for block in range(start // size, -(-(start + n) // size)):
            first, last = max(0, start - block * size), min(size, start + n - block * size)
            with torch.inference_mode():
                latents = method.draw_latents(nets, size, seeded_generator(seed, "sample", block), request)
                latents = edit_latents({name: value.to(device) for name, value in latents.items()})
                stored = [
                    codec.store(method.render(nets, part))[max(0, first - k) : last - k]
                    for k, part in split_for_rendering(latents, codec.spec)
                    if first < k + len(next(iter(part.values()))) and k < last
                ]
            conditions = {name: latents[name][first:last].cpu() for name in names if name in latents}
            yield SampleBlock(torch.cat(stored), conditions)


def count_block_samples(spec: Spec) -> int:
    """How many such samples are drawn at once. A row that holds a picture is not a few numbers."""
    has_tensors = any(len(field.shape) > 1 for field in spec.fields)
    return ROWS_PER_BLOCK if len(spec.shape) == 1 and not has_tensors else SAMPLES_PER_BLOCK


def split_for_rendering(latents: Latents, spec: Spec) -> Iterator[tuple[int, Latents]]:
    """(start, latents) of the parts to render at once. The samples' spec alone decides the size of the parts."""
    size = max(1, min(count_block_samples(spec), PIXELS_PER_RENDER // prod(spec.shape[1:])))
    for k in range(0, len(next(iter(latents.values()))), size):
        yield k, {name: value[k : k + size] for name, value in latents.items()}


def draw_samples(method: Method, nets: Nets, codec: Codec, n: int, seed: int) -> Tensor:
    """`n` samples of a seed in stored form, [n, …]."""
    return torch.cat(list(stream_samples(method, nets, codec, n, seed)))


def recalibrate_batch_norm(method: Method, nets: Nets, truncation: float) -> Nets:
    """Recompute batch-norm statistics on truncated samples ("standing statistics"). Brock et al. 2019, appendix D.

    The running statistics belong to full latents, and truncated latents have others. Labels are drawn as in training, even
    for a request of one class, because normalising by one class's statistics would remove that class's features.
    Networks without batch norm are returned as they are.
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
