"""What choosers change: the penalties' weight, the batch, and augmentation."""

from dataclasses import replace
from math import prod

from ...augment import DiffAugment
from ...core import CriticPenalty, Spec
from ...losses import FiniteDifferenceR1, FiniteDifferenceR2
from ...methods import Adversarial
from ...optim.optimisers import Adam
from ...recipe import Recipe

USUAL_GAMMA, USUAL_BATCH, USUAL_RATE = 0.5, 64, 2e-3  # as in `auto`
MAX_PIXELS_FOR_USUAL_BATCH = 48**2  # a step of half the batch takes about half the time for larger pictures


def augment_by_repeats(recipe: Recipe, repeats: float, shift_from: float, augment_from: float) -> tuple[Recipe, str]:
    """Augment what D sees if `repeats`, the times that each sample will be seen, are many."""
    assert isinstance(recipe.method, Adversarial)
    if recipe.method.augment is not None:
        return recipe, "augmented, as requested"
    if repeats < min(shift_from, augment_from):
        return recipe, f"each is seen {repeats:,.1f} times: not augmented"
    if repeats < augment_from:
        augment, description = DiffAugment(colour=False, cut=0.0), "shifted"
    else:
        augment, description = DiffAugment(), "augmented"
    recipe = replace(recipe, method=replace(recipe.method, augment=augment))
    return recipe, f"each is seen {repeats:,.0f} times: {description} for D, which would memorise them"


def scale_penalties(method: Adversarial, gamma: float, spec: Spec) -> Adversarial:
    """Give penalties of the usual weight the `gamma` for the samples' size."""
    scaled_gamma = gamma * spec.shape[1] * spec.shape[2] / 32**2  # in proportion to the pixels

    def scale_penalty(penalty: CriticPenalty) -> CriticPenalty:
        if isinstance(penalty, FiniteDifferenceR1 | FiniteDifferenceR2) and penalty.gamma == USUAL_GAMMA:
            return replace(penalty, gamma=scaled_gamma)
        return penalty

    return replace(method, penalties=tuple(scale_penalty(penalty) for penalty in method.penalties))


def adapt_batch(recipe: Recipe, spec: Spec) -> Recipe:
    """Take twice as many steps of half the batch and half the learning rate for larger pictures, which cost no more time."""
    if recipe.train.batch != USUAL_BATCH or prod(spec.shape[1:]) <= MAX_PIXELS_FOR_USUAL_BATCH:
        return recipe
    optim = {
        name: replace(adam, lr=USUAL_RATE / 2) if isinstance(adam, Adam) and adam.lr == USUAL_RATE else adam
        for name, adam in recipe.optim.items()
    }
    return replace(recipe, optim=optim, train=replace(recipe.train, batch=USUAL_BATCH // 2))


def describe_training(recipe: Recipe) -> str:
    """How the networks will be trained, in a line."""
    assert isinstance(recipe.method, Adversarial)
    rates = ", ".join(f"{name} {optim.lr:g}" for name, optim in recipe.optim.items() if isinstance(optim, Adam))
    gammas = ", ".join(f"{type(p).__name__} {getattr(p, 'gamma', 0):g}" for p in recipe.method.penalties)
    return (
        f"training: batch {recipe.train.batch}; learning rates {rates}; {gammas}; "
        f"moving average of G over {1000 * recipe.train.ema_kimg:,.0f} samples at most"
    )
