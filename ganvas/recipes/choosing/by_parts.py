"""What `together` chooses: for its pictures the same as `auto`."""

from collections.abc import Callable
from dataclasses import replace

from ...augment import PictureAugment
from ...configuration import config
from ...errors import GanvasError
from ...methods import Adversarial
from ...nets import TogetherNets
from ...nets.together.layout import read_part_layout
from ...recipe import Facts, Recipe, Trial
from .by_budget import ByBudget


@config
class ByParts:
    """Adapts the recipe `together`: widths and penalties of its pictures as `auto` would, but samples are shifted late.

    Shifts cost what words say of pictures, as in `BySize`.
    """

    pictures: ByBudget = ByBudget(shift_from=100)

    def __call__(self, requested: Recipe, facts: Facts, attempt: Callable[[Recipe], Trial]) -> tuple[Recipe, list[str]]:
        nets, method, layout = requested.nets, requested.method, read_part_layout(facts.spec)
        if not (isinstance(nets, TogetherNets) and isinstance(method, Adversarial)):
            raise GanvasError("ByParts adapts only TogetherNets in Adversarial: set choose=None in the recipe")
        requested = drop_idle_critics(requested, bool(layout.picture), bool(layout.words))
        if not layout.picture:
            return requested, [f"data: {facts.samples:,} samples without pictures"]

        def try_pictures(recipe: Recipe) -> Trial:
            return attempt(replace(recipe, nets=replace(nets, picture=recipe.nets)))

        of_pictures = replace(requested, nets=nets.picture)
        adapted, reasons = self.pictures(
            of_pictures, facts._replace(spec=facts.spec._replace(shape=layout.picture)), try_pictures
        )
        assert isinstance(adapted.method, Adversarial)
        augment = adapted.method.augment
        if augment is not None and not isinstance(augment, PictureAugment):
            adapted = replace(adapted, method=replace(adapted.method, augment=PictureAugment(augment=augment)))
        return replace(adapted, nets=replace(nets, picture=adapted.nets)), reasons


def drop_idle_critics(recipe: Recipe, has_picture: bool, has_words: bool) -> Recipe:
    """The recipe without further critics, and their optimisers, that would have nothing to see."""
    assert isinstance(recipe.method, Adversarial)
    is_idle = {"D_features": not has_picture, "D_words": not (has_picture and has_words)}
    sides = tuple(side for side in recipe.method.side_critics if not is_idle.get(side.network))
    optim = {name: optimiser for name, optimiser in recipe.optim.items() if not is_idle.get(name)}
    return replace(recipe, method=replace(recipe.method, side_critics=sides), optim=optim)
