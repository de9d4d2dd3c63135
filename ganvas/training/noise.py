"""Before a private run's first step: how much noise its promise needs, and whether its networks can keep it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import nn

from ..core import Batch, NoisyMethod, Phase, seed_from
from ..data import Poisson
from ..errors import GanvasError
from ..methods.pair_matching import ROW_SENTENCE, SUM_SENTENCE
from ..privacy import Ledger, NoisyRelease, explain_epsilon
from ..recipe import Recipe
from ..runs.state import State
from ..system import distributed
from ..system.device import seed_global_generators
from .noisy_sums import sum_clipped_gradients
from .release import FOLDER_SENTENCE

SEED_SENTENCE = "batches and noise come from the operating system and not from the seed, so no run repeats another one"
PUBLIC_SENTENCE = (
    "public are the size and channels of pictures, the categories and bounds of a table, and how many samples there are"
)
HUGE_NORM = 1e30  # a clip that clips nothing


def fix_noise(recipe: Recipe, rows: int, state: State, announce: Callable[[str], None]) -> Recipe:
    """The recipe with the noise that its promise needs for its budget; announces what the promise means.

    Args:
        rows: of the training set. Their number counts as public.
        state: throw-away networks.

    Raises:
        GanvasError: a setting or a network with which the promise would not hold.
    """
    method, train = recipe.method, recipe.train
    if not isinstance(method, NoisyMethod):
        return recipe
    if not isinstance(recipe.batches, Poisson):
        raise GanvasError("private training counts on batches that each sample joins by itself: set batches to Poisson")
    if distributed.count_ranks() > 1 or train.compile:
        raise GanvasError("private training runs in one process, and is not compiled: leave torchrun and --train.compile out")
    if train.batch > rows:
        raise GanvasError(f"a batch of {train.batch} is more than all {rows:,} samples: choose a smaller --train.batch")
    if method.delta * rows >= 1:
        raise GanvasError(
            f"a delta of {method.delta:g} allows one of {rows:,} samples to be given away: choose a much smaller --method.delta"
        )
    assert train.samples is not None  # resolved by the plan
    steps, q = -(-train.samples // train.batch), train.batch / rows
    noisy_method = method.fix_noise(q, steps)
    assert noisy_method.sigma is not None
    recipe = replace(recipe, method=noisy_method)
    check_gradients(recipe, state)
    cost = Ledger(method.delta).add(NoisyRelease(q, noisy_method.sigma, steps))
    if recipe.start is not None:
        announce(f"  the promise does not cover the data that {recipe.start.run} has learned from")
    for sentence in (
        f"private: {explain_epsilon(cost.epsilon, method.delta)}",
        f"{steps:,} steps on {train.batch} of {rows:,} samples on average, with noise of {noisy_method.sigma:.3g} times what "
        f"one can change; {SEED_SENTENCE}",
        PUBLIC_SENTENCE,
        ROW_SENTENCE,
        SUM_SENTENCE,
        FOLDER_SENTENCE,
    ):
        announce(f"  {sentence}")
    return recipe


def check_gradients(recipe: Recipe, state: State) -> None:
    """Try on fakes whether rows' gradients add up to the gradient. Raises GanvasError if they do not.

    A layer whose weight is used in another way, or in the gradient of a gradient, has norms that are not known.
    """
    for phase in recipe.method.stage(state.nets, state.clock).phases:
        if phase.noisy is not None:
            compare_gradients(state.nets[phase.trains[0]], partial(compute_fake_losses, state, phase))


def compute_fake_losses(state: State, phase: Phase, batch: Batch) -> torch.Tensor:
    """The losses of a phase on fakes [N], the same each time."""
    seed_global_generators(seed_from("gradients"), next(state.nets.parameters()).device)
    return torch.stack([*phase.loss(state.nets, batch, state.clock).terms.values()]).sum(0)


def compare_gradients(network: nn.Module, losses: Callable[[Batch], torch.Tensor]) -> None:
    """Raise GanvasError unless the gradients of single samples add up to the gradient of the sum of losses."""
    parameters = dict(network.named_parameters())
    for parameter in parameters.values():
        parameter.requires_grad_(True)
    sums = sum_clipped_gradients(network, losses, [{}], HUGE_NORM)
    gradients = torch.autograd.grad(losses({}).sum(), list(parameters.values()), materialize_grads=True)
    for name, gradient in zip(parameters, gradients, strict=True):
        if not torch.allclose(sums[name], gradient, rtol=1e-3, atol=1e-3 * float(gradient.abs().max()) + 1e-6):
            raise GanvasError(
                f"the gradients of single samples do not add up to that of {name}: private training needs a network that uses "
                "each layer as it is"
            )
