"""The training loop: the only place where an optimiser steps.

A method lists the phases of a step, and the loop runs them. Every random draw comes from a generator seeded by
(seed, step, phase, repeat, micro-batch), and so does every batch. Therefore a resumed run continues exactly, and taking
samples or scores cannot change training. Each rank takes some micro-batches of a batch.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..core import Batch, Clock, Dataset, Nets, NoisyLoss, Phase, Stage, seed_from
from ..optim import moving_average
from ..optim.optimisers import PreparesGradients
from ..privacy import add_gradient_noise
from ..recipe import Recipe
from ..runs.state import State
from ..system import distributed
from ..system.device import make_autocast, seed_global_generators
from .account import PrivacyAccount
from .log import RunningMeans
from .noisy_sums import split_batch, sum_clipped_gradients

STAGE_PROBE_COUNT = 100  # points in training at which we look up the stage


def locate_stages(recipe: Recipe, nets: Nets) -> list[tuple[Clock, float]]:
    """For each stage of a run a clock within it and its share of the samples. Assumes 10⁹ samples without a budget."""
    total = recipe.train.samples or 10**9
    moments: dict[str, tuple[Clock, float]] = {}
    for k in range(STAGE_PROBE_COUNT):
        clock = Clock(0, total * (2 * k + 1) // (2 * STAGE_PROBE_COUNT), total)
        name = recipe.method.stage(nets, clock).name
        first_clock, share = moments.get(name, (clock, 0.0))
        moments[name] = (first_clock, share + 1 / STAGE_PROBE_COUNT)
    return list(moments.values())


class Loop:
    """Trains `state` by a recipe's method on a data set.

    account: where a private run books its steps, and gets secret randomness. None: a trial, whose networks nobody sees.
    """

    def __init__(self, recipe: Recipe, data: Dataset, state: State, seed: int, account: PrivacyAccount | None = None) -> None:
        self.recipe, self.data, self.state, self.seed, self.account = recipe, data, state, seed, account
        self.running_means = RunningMeans()
        self.parameters = {name: list(net.parameters()) for name, net in state.nets.items()}
        self.frozen_parameters = {
            parameter for name, parameter in state.nets.named_parameters() if name in state.frozen_parameters
        }
        if recipe.train.compile:
            for net in state.nets.values():
                net.compile()
        self.device = next(state.nets.parameters()).device
        self.autocast = make_autocast(recipe.train.precision, self.device)

    def train_to_budget(self, monitor: Callable[[State, RunningMeans], bool]) -> None:
        """Train until the budget is spent, or until `monitor`, called after every step, returns True."""
        recipe, state = self.recipe, self.state
        step_started = time.perf_counter()
        while state.clock.samples < state.clock.total:
            stage = recipe.method.stage(state.nets, state.clock)
            if state.stage_name != stage.name:
                self.enter_stage(stage)
            batch = stage.batch or recipe.train.batch
            self.train_step(stage, batch)
            samples = state.clock.samples + batch
            state.clock = state.clock._replace(step=state.clock.step + 1, samples=samples)
            moving_average.update_average(
                state.average, state.nets, batch=batch, samples=samples, kimg=recipe.train.ema_kimg, ramp=recipe.train.ema_ramp
            )
            step_started, previous_step_started = time.perf_counter(), step_started
            state.training_seconds += step_started - previous_step_started  # includes `monitor` after the previous step
            if distributed.broadcast_flag(monitor(state, self.running_means)):
                break

    def enter_stage(self, stage: Stage) -> None:
        """Begin a stage: the optimisers that it names start afresh."""
        for name in stage.optimisers_to_reset:
            self.state.optims[name] = self.recipe.optim[name].build(self.state.nets[name].parameters())
        self.state.stage_name = stage.name

    def train_step(self, stage: Stage, batch: int) -> None:
        """One step: every phase that is due, in order."""
        micro_batches = local_micro_batches(batch, self.recipe.train.accumulate)
        statistics: list[dict[str, Tensor]] = [{} for _ in micro_batches]  # one each, because fakes belong to a micro-batch
        for phase in stage.phases:
            if self.state.clock.step % phase.every or (
                phase.gate and not phase.gate(distributed.average_over_ranks(merge_outputs(statistics)))
            ):
                continue
            for repeat in range(phase.repeat):
                self.play_phase(phase, repeat, micro_batches, batch, statistics)

    def enable_gradients_for(self, names: Iterable[str]) -> None:
        """Enable gradients for the named networks only. Other networks are frozen, so backward skips their weights."""
        for name, parameters in self.parameters.items():
            for parameter in parameters:
                parameter.requires_grad = name in names and parameter not in self.frozen_parameters

    def play_phase(
        self, phase: Phase, repeat: int, micro_batches: list["MicroBatch"], batch_size: int, statistics: list[dict[str, Tensor]]
    ) -> None:
        """Run a phase once: loss and gradients for each micro-batch, then a step of the networks that it trains."""
        if phase.noisy is not None:
            self.play_noisy_phase(phase, phase.noisy, repeat, micro_batches, batch_size)
            return
        nets, clock = self.state.nets, self.state.clock
        self.enable_gradients_for(phase.trains)
        for own_statistics, (position, size) in zip(statistics, micro_batches, strict=True):
            phase_seed = seed_from(self.seed, clock.step, phase.name, repeat, position)
            seed_global_generators(phase_seed, self.device)
            # a separate seed for the data: with one stream for both, a latent would depend on the choice of reals
            data = self.data.batch(seed_from(phase_seed, "data"), size) if phase.needs_data else {}
            batch = {name: value.to(self.device, non_blocking=True) for name, value in data.items()} | own_statistics
            with self.autocast:
                turn = phase.loss(nets, batch, clock)
            loss = sum(term.mean() for term in turn.terms.values())
            assert isinstance(loss, Tensor)
            if phase.trains:
                (loss * (size / batch_size)).backward()
            own_statistics.update(turn.statistics)
            self.running_means.add_turn(turn)
        for name in phase.trains:
            distributed.all_reduce_gradients(self.parameters[name])
            self.running_means.add_gradient_norm(name, self.parameters[name])
            self.prepare_gradients(name, phase, repeat)
            step_optimiser(self.state.optims[name], self.recipe.optim[name].at(clock), self.recipe.train.lr_scale)
        if phase.after:
            with torch.no_grad():
                phase.after(nets, distributed.average_over_ranks(merge_outputs(statistics)), clock)

    def play_noisy_phase(
        self, phase: Phase, noisy: NoisyLoss, repeat: int, micro_batches: list["MicroBatch"], batch_size: int
    ) -> None:
        """Run a phase on data that it may learn little of: clipped gradients with noise, and the gradient of its own loss.

        The batch is drawn as a whole, because two that are drawn apart may hold the same sample. Nothing of it is logged.
        """
        nets, clock, (name,) = self.state.nets, self.state.clock, phase.trains
        phase_seed = seed_from(self.seed, clock.step, phase.name, repeat)
        random = np.random.default_rng(phase_seed) if self.account is None else self.account.book_step()
        self.enable_gradients_for(phase.trains)
        seed_global_generators(phase_seed, self.device)
        with self.autocast:
            turn = phase.loss(nets, {}, clock)
        torch.stack([term.mean() for term in turn.terms.values()]).sum().backward()
        self.running_means.add_turn(turn)

        def compute_losses(batch: Batch) -> Tensor:
            return noisy.losses(nets, {key: value.to(self.device) for key, value in batch.items()}, clock)

        samples = self.data.batch(int(random.integers(2**62)), batch_size)
        parts = split_batch(samples, max(size for _, size in micro_batches))
        sums = sum_clipped_gradients(nets[name], compute_losses, parts, noisy.clip)
        gradients = add_gradient_noise(sums, noisy.clip, noisy.sigma, batch_size, random)
        for key, parameter in nets[name].named_parameters():
            if parameter.requires_grad:
                parameter.grad = gradients[key] if parameter.grad is None else parameter.grad + gradients[key]
        self.running_means.add_gradient_norm(name, self.parameters[name])
        self.prepare_gradients(name, phase, repeat)
        step_optimiser(self.state.optims[name], self.recipe.optim[name].at(clock), self.recipe.train.lr_scale)

    def prepare_gradients(self, name: str, phase: Phase, repeat: int) -> None:
        """Let the optimiser change gradients before its step, with the same random draws on every rank."""
        optimiser = self.recipe.optim[name]
        if isinstance(optimiser, PreparesGradients):
            step = self.state.clock.step
            seed_global_generators(seed_from(self.seed, step, phase.name, repeat, "gradients", name), self.device)
            optimiser.prepare_gradients(self.parameters[name])


def step_optimiser(optimiser: torch.optim.Optimizer, hyperparameters: Mapping[str, Any], lr_scale: float) -> None:
    for group in optimiser.param_groups:
        group.update({**hyperparameters, "lr": hyperparameters["lr"] * lr_scale})
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)


class MicroBatch(NamedTuple):
    """One part of a batch: its position among the parts of all ranks, and its size."""

    position: int
    size: int


def local_micro_batches(batch: int, micro_batches_per_rank: int) -> list[MicroBatch]:
    """This rank's micro-batches. Over all ranks, sizes differ by at most one sample."""
    count, first_position = micro_batches_per_rank * distributed.count_ranks(), micro_batches_per_rank * distributed.get_rank()
    return [
        MicroBatch(position, batch // count + (position < batch % count))
        for position in range(first_position, first_position + micro_batches_per_rank)
    ]


def merge_outputs(statistics: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Merge the statistics of micro-batches: average scalars, concatenate the rest."""
    if len(statistics) == 1:
        return statistics[0]
    columns = {name: [part[name] for part in statistics] for name in statistics[0]}
    return {name: torch.stack(column).mean() if column[0].dim() == 0 else torch.cat(column) for name, column in columns.items()}
