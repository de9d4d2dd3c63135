"""The training loop: the only place where an optimiser steps.

A method says what a turn of the game is, as a list of phases; the loop plays them. Every random draw comes from a
generator seeded by (seed, step, phase, repeat, part), and every batch is keyed the same way: resuming is right by
construction, and taking samples or scores cannot disturb training. Ranks share out the parts of a batch.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..core import Clock, Dataset, Nets, Phase, Stage, key
from ..optim import moving_average
from ..recipe import Recipe
from ..runs.state import State
from ..system import distributed
from ..system.device import autocast, reseed
from .log import Tally

LOOKED = 100  # moments of a run that are looked at for its stages


def stages(recipe: Recipe, nets: Nets) -> list[tuple[Clock, float]]:
    """A moment of each stage of a run, and the share of its images; one of unknown length is taken to be long."""
    total = recipe.train.images or 10**9
    found: dict[str, tuple[Clock, float]] = {}
    for k in range(LOOKED):
        clock = Clock(0, total * (2 * k + 1) // (2 * LOOKED), total)
        name = recipe.method.stage(nets, clock).name
        first, share = found.get(name, (clock, 0.0))
        found[name] = (first, share + 1 / LOOKED)
    return list(found.values())


class Loop:
    """Plays a recipe's method on a data set, changing `state`."""

    def __init__(self, recipe: Recipe, data: Dataset, state: State, seed: int) -> None:
        self.recipe, self.data, self.state, self.seed = recipe, data, state, seed
        self.tally = Tally()
        self.parameters = {name: list(net.parameters()) for name, net in state.nets.items()}
        self.frozen = {parameter for name, parameter in state.nets.named_parameters() if name in state.frozen}
        if recipe.train.compile:
            for net in state.nets.values():
                net.compile()
        self.device = next(state.nets.parameters()).device
        self.autocast = autocast(recipe.train.precision, self.device)

    def run(self, watch: Callable[[State, Tally], bool]) -> None:
        """Train until the budget is spent, or until `watch`, called after every step, returns True."""
        recipe, state = self.recipe, self.state
        begun = time.perf_counter()
        while state.clock.images < state.clock.total:
            stage = recipe.method.stage(state.nets, state.clock)
            if state.stage != stage.name:
                self.enter(stage)
            batch = stage.batch or recipe.train.batch
            self.step(stage, batch)
            images = state.clock.images + batch
            state.clock = state.clock._replace(step=state.clock.step + 1, images=images)
            moving_average.update(
                state.average, state.nets, batch=batch, images=images, kimg=recipe.train.ema_kimg, ramp=recipe.train.ema_ramp
            )
            begun, last = time.perf_counter(), begun
            state.seconds += begun - last  # with what `watch` took after the step before
            if distributed.agreed(watch(state, self.tally)):
                break

    def enter(self, stage: Stage) -> None:
        """Begin a stage: the optimisers it names start afresh."""
        for name in stage.reset:
            self.state.optims[name] = self.recipe.optim[name].build(self.state.nets[name].parameters())
        self.state.stage = stage.name

    def step(self, stage: Stage, batch: int) -> None:
        """One step: every phase that is due, in order."""
        shares = own(batch, self.recipe.train.parts)
        seen: list[dict[str, Tensor]] = [{} for _ in shares]  # one a part: fakes stay with their part of the batch
        for phase in stage.phases:
            if self.state.clock.step % phase.every or (phase.when and not phase.when(distributed.mean(together(seen)))):
                continue
            for repeat in range(phase.repeat):
                self.play(phase, repeat, shares, batch, seen)

    def learn_only(self, names: Iterable[str]) -> None:
        """Gradients for the named networks alone: the others are scenery, and backward need not visit their weights."""
        for name, parameters in self.parameters.items():
            for parameter in parameters:
                parameter.requires_grad = name in names and parameter not in self.frozen

    def play(self, phase: Phase, repeat: int, shares: list["Share"], batch_size: int, seen: list[dict[str, Tensor]]) -> None:
        """One phase once: loss and gradients part by part, then a step of the networks it trains."""
        nets, clock = self.state.nets, self.state.clock
        self.learn_only(phase.trains)
        for own_seen, (part, size) in zip(seen, shares, strict=True):
            draw = key(self.seed, clock.step, phase.name, repeat, part)
            reseed(draw, self.device)
            # a key of its own for the data: one stream for both would tie each latent to the choice of its reals
            data = self.data.batch(key(draw, "data"), size) if phase.reads else {}
            batch = {name: value.to(self.device, non_blocking=True) for name, value in data.items()} | own_seen
            with self.autocast:
                turn = phase.loss(nets, batch, clock)
            loss = sum(term.mean() for term in turn.terms.values())
            assert isinstance(loss, Tensor)
            if phase.trains:
                (loss * (size / batch_size)).backward()
            own_seen.update(turn.seen)
            self.tally.add(turn)
        for name in phase.trains:
            distributed.total(self.parameters[name])
            self.tally.gradient(name, self.parameters[name])
            apply(self.state.optims[name], self.recipe.optim[name].at(clock), self.recipe.train.lr_scale)
        if phase.after:
            with torch.no_grad():
                phase.after(nets, distributed.mean(together(seen)), clock)


def apply(optimiser: torch.optim.Optimizer, hyperparameters: Mapping[str, Any], lr_scale: float) -> None:
    for group in optimiser.param_groups:
        group.update({**hyperparameters, "lr": hyperparameters["lr"] * lr_scale})
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)


class Share(NamedTuple):
    """One part of a batch: its place among all parts of all ranks, and its size."""

    part: int
    size: int


def own(batch: int, parts: int) -> list[Share]:
    """This rank's `parts` of the batch, all of which differ by one at most."""
    count, mine = parts * distributed.world(), parts * distributed.rank()
    return [Share(part, batch // count + (part < batch % count)) for part in range(mine, mine + parts)]


def together(seen: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """What the parts of a batch saw, as one: scalars averaged, samples joined."""
    if len(seen) == 1:
        return seen[0]
    columns = {name: [part[name] for part in seen] for name in seen[0]}
    return {name: torch.stack(column).mean() if column[0].dim() == 0 else torch.cat(column) for name, column in columns.items()}
