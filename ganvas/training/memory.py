"""Estimate before the first step how much memory training needs, from the tensors that tiny batches save for backward."""

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from ..core import Dataset
from ..recipe import Recipe
from ..runs.state import State
from ..system.memory import measure_free_bytes
from .loop import Loop
from .trial import TrialNetworks

WEIGHT_COPIES = 5  # weights, gradients, Adam's two moments, the moving average
WORKSPACE_FACTOR = 1.6  # total memory per byte saved for backward; convolutions and backward need more (measured, docs/log.md)
SMALL_PROBE_SAMPLES, LARGE_PROBE_SAMPLES = 2, 4  # few, because eight samples of a full-size network fill a machine


class MemoryFootprint(NamedTuple):
    """Bytes that training needs: fixed, and per sample of a micro-batch. `batch` is the whole batch."""

    fixed_bytes: int
    bytes_per_sample: int
    batch: int

    def estimate_bytes(self, samples: int) -> int:
        """Bytes for this many samples at a time."""
        return self.fixed_bytes + self.bytes_per_sample * samples

    def estimate_split_bytes(self, micro_batches: int) -> int:
        """Bytes with the batch split into this many micro-batches."""
        return self.estimate_bytes(-(-self.batch // micro_batches))


def estimate_memory_needs(recipe: Recipe, data: Dataset, networks: TrialNetworks, seed: int) -> list[MemoryFootprint]:
    """The needs of each stage's largest phase, on networks as at the start of the run."""
    recipe, state = replace(recipe, train=replace(recipe.train, compile=False)), networks.state  # compiling would take longer
    probe_loop = Loop(recipe, data, state, seed)
    weight_bytes, needs = sum(p.numel() * p.element_size() for p in state.nets.parameters()), list[MemoryFootprint]()
    for clock, stage, _ in networks.locate_stages(recipe):
        state.clock, batch = clock, stage.batch or recipe.train.batch
        small_bytes = measure_kept_bytes(probe_loop, data, state, SMALL_PROBE_SAMPLES)
        bytes_per_sample = small_bytes / SMALL_PROBE_SAMPLES  # an upper bound, used if memory is short for a second probe
        if WORKSPACE_FACTOR * small_bytes * LARGE_PROBE_SAMPLES / SMALL_PROBE_SAMPLES < measure_free_bytes(probe_loop.device):
            bytes_per_sample = max(0, measure_kept_bytes(probe_loop, data, state, LARGE_PROBE_SAMPLES) - small_bytes) / (
                LARGE_PROBE_SAMPLES - SMALL_PROBE_SAMPLES
            )
        needs.append(
            MemoryFootprint(
                round(WEIGHT_COPIES * weight_bytes + max(0.0, small_bytes - bytes_per_sample * SMALL_PROBE_SAMPLES)),
                round(WORKSPACE_FACTOR * bytes_per_sample),
                batch,
            )
        )
    return needs


def measure_kept_bytes(probe_loop: Loop, data: Dataset, state: State, batch_size: int) -> int:
    """Bytes that the largest phase saves for backward on a batch of `batch_size`."""
    weight_pointers = {p.untyped_storage().data_ptr() for p in state.nets.parameters()}
    max_bytes = 0
    statistics: dict[str, Tensor] = {}
    for phase in probe_loop.recipe.method.stage(state.nets, state.clock).phases:
        probe_loop.enable_gradients_for(phase.trains)
        storage_bytes: dict[int, int] = {}

        def record_storage(tensor: Tensor, storage_bytes: dict[int, int] = storage_bytes) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in weight_pointers:
                storage_bytes[storage.data_ptr()] = storage.nbytes()
            return tensor

        batch = {name: value.to(probe_loop.device) for name, value in data.batch(0, batch_size).items()} | statistics
        with torch.autograd.graph.saved_tensors_hooks(record_storage, lambda tensor: tensor), probe_loop.autocast:
            turn = phase.loss(state.nets, batch, state.clock)
        statistics |= turn.statistics
        max_bytes = max(max_bytes, sum(storage_bytes.values()))
    return max_bytes
