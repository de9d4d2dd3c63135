"""What `text2image` chooses: penalties and batch by the size of pictures, augmentation by how often each is seen."""

from collections.abc import Callable
from dataclasses import replace

from ...configuration import config
from ...core import format_shape
from ...errors import GanvasError, require
from ...methods import Adversarial
from ...recipe import Facts, Recipe, Trial
from .adaptations import adapt_batch, augment_by_repeats, describe_training, scale_penalties


@config
class BySize:
    """Adapts a recipe for pictures to their size and number. Settings that differ from the usual ones stay.

    shift_from, augment_from: as in `ByBudget`, but late: shifts cost a sixth of the attributes named (docs/log.md).
    gamma: weight of D's penalties at 32 px, if they have the usual one; in proportion to the pixels (Karras et al. 2020b).
    """

    shift_from: int = 100
    augment_from: int = 300
    gamma: float = 0.5

    def __post_init__(self) -> None:
        require(0 < self.gamma < 1e6, "gamma", self.gamma, "above 0, below 1e6")

    def __call__(self, requested: Recipe, facts: Facts, attempt: Callable[[Recipe], Trial]) -> tuple[Recipe, list[str]]:
        if not isinstance(requested.method, Adversarial) or len(facts.spec.shape) != 3:
            raise GanvasError("BySize adapts only games on pictures: set choose=None in the recipe")
        recipe = replace(requested, method=scale_penalties(requested.method, self.gamma, facts.spec))
        recipe = adapt_batch(recipe, facts.spec)
        samples = float(recipe.train.samples or 0)
        if facts.seconds is not None:
            samples = attempt(recipe).samples_per_second * facts.seconds
        recipe, about_repeats = augment_by_repeats(recipe, samples / facts.distinct_samples, self.shift_from, self.augment_from)
        return recipe, [
            f"data: {facts.samples:,} pictures of {format_shape(facts.spec.shape)}; {about_repeats}",
            describe_training(recipe),
        ]
