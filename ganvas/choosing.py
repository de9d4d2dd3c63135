"""What `auto` chooses: networks as wide as the time allows, labels, augmentation and the penalty's weight by the data."""

from collections.abc import Callable
from dataclasses import replace

from .augment import DiffAugment
from .config import config
from .core import CriticPenalty, Spec
from .methods import Adversarial
from .nets import Compact
from .optim import Adam
from .penalties import FiniteDifferenceR1, FiniteDifferenceR2
from .recipe import Facts, Recipe, Trial


@config
class ByBudget:
    """Adapts the recipe `auto` to data, device and time; what the recipe has set otherwise than usual stays.

    widths: of G beside the image, from which the widest is taken that still sees enough images; D is half as wide.
    enough: images that networks of the first width want to see; wider ones with the square of their width.
    augment_below: samples; sets with fewer are augmented (Zhao et al. 2020).
    least_per_class: samples a class on average, from which labels are used.
    gamma: of the penalties at 32 px; in proportion to the pixels (the heuristic of Karras et al. 2020b).
    """

    widths: tuple[int, ...] = (24, 32, 48, 64)
    enough: int = 50_000
    augment_below: int = 3_000
    least_per_class: int = 20
    gamma: float = 0.5

    def __call__(self, asked: Recipe, facts: Facts, attempt: Callable[[Recipe], Trial]) -> tuple[Recipe, list[str]]:
        recipe, about_data = self.for_data(asked, facts)
        recipe, about_nets = self.for_time(recipe, facts, attempt)
        return recipe, [*about_data, *about_nets, words(recipe)]

    def for_data(self, recipe: Recipe, facts: Facts) -> tuple[Recipe, list[str]]:
        """Labels, augmentation, and the penalties' weight."""
        assert isinstance(recipe.nets, Compact)
        assert isinstance(recipe.method, Adversarial)
        nets, method, label = recipe.nets, recipe.method, facts.spec.conditions.get("label")
        described = f"{facts.samples:,} samples of {' x '.join(str(n) for n in facts.spec.shape)}"
        if label is None or label.kind != "class":
            about_labels = "no classes"
        elif not nets.labels or facts.samples / label.size < self.least_per_class:
            nets = replace(nets, labels=False)
            about_labels = f"{label.size} classes, not used ({facts.samples / label.size:.0f} samples a class)"
        else:
            about_labels = f"{label.size} classes, used: they help more than anything else"
        if method.augment is None and facts.samples < self.augment_below:
            method = replace(method, augment=DiffAugment())
        augmented = "augmented, for D would learn them by heart" if method.augment else "not augmented"
        recipe = replace(recipe, nets=nets, method=scaled(method, self.gamma, facts.spec))
        return recipe, [f"data: {described}; {about_labels}; {augmented}"]

    def for_time(self, recipe: Recipe, facts: Facts, attempt: Callable[[Recipe], Trial]) -> tuple[Recipe, list[str]]:
        """The widest networks that see enough images."""
        nets, usual = recipe.nets, Compact()
        assert isinstance(nets, Compact)
        if (nets.g_width, nets.d_width) != (usual.g_width, usual.d_width):
            return recipe, [f"networks: G {nets.g_width}, D {nets.d_width} channels beside the image, as asked"]
        if facts.seconds is None:
            return recipe, [
                f"networks: G {nets.g_width}, D {nets.d_width} channels beside the image; with --minutes they fit the time"
            ]
        tried: list[str] = []
        best = self.widths[0]
        for width in self.widths:
            speed = attempt(replace(recipe, nets=of_width(nets, width))).speed
            tried.append(f"{width}: {speed:,.0f}/s")
            if speed * facts.seconds < self.enough * (width / self.widths[0]) ** 2:
                break
            best = width
        recipe = replace(recipe, nets=of_width(nets, best))
        return recipe, [
            f"device: {facts.device}; images/s by width: {', '.join(tried)}",
            f"networks: G {best}, D {best // 2} channels beside the image, the widest that see enough in "
            f"{facts.seconds / 60:g} minutes",
        ]


def of_width(nets: Compact, width: int) -> Compact:
    return replace(nets, g_width=width, d_width=width // 2)


def scaled(method: Adversarial, gamma: float, spec: Spec) -> Adversarial:
    """Penalties whose weight is the usual `gamma`, with that of the samples' size."""
    fitting = gamma * spec.shape[1] * spec.shape[2] / 32**2

    def fit(penalty: CriticPenalty) -> CriticPenalty:
        if isinstance(penalty, FiniteDifferenceR1 | FiniteDifferenceR2) and penalty.gamma == gamma:
            return replace(penalty, gamma=fitting)
        return penalty

    return replace(method, penalties=tuple(fit(penalty) for penalty in method.penalties))


def words(recipe: Recipe) -> str:
    """How it will be trained, in a line."""
    assert isinstance(recipe.method, Adversarial)
    rates = ", ".join(f"{name} {optim.lr:g}" for name, optim in recipe.optim.items() if isinstance(optim, Adam))
    gammas = ", ".join(f"{type(p).__name__} {getattr(p, 'gamma', 0):g}" for p in recipe.method.penalties)
    return (
        f"training: batch {recipe.train.batch}; learning rates {rates}; {gammas}; "
        f"moving average of G over {1000 * recipe.train.ema_kimg:,.0f} images at most"
    )
