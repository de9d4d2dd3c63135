"""What `auto` chooses: networks as wide as the time allows, labels, augmentation and the penalty's weight by the data."""

from collections.abc import Callable
from dataclasses import replace

from ..augment import DiffAugment
from ..configuration import config
from ..core import CriticPenalty, Spec
from ..errors import GanvasError, refuse
from ..losses import FiniteDifferenceR1, FiniteDifferenceR2
from ..methods import Adversarial
from ..nets import Compact
from ..optim.optimisers import Adam, Optimiser
from ..recipe import Facts, Recipe, Trial

USUAL_GAMMA, USUAL_LEARNING_RATE = 0.5, 2e-3  # `auto`'s


@config
class ByBudget:
    """Adapts the recipe `auto` to data, device and time; what the recipe has set otherwise than usual stays.

    widths: of G beside the image, from which the widest is taken that still sees enough samples; D is half as wide.
    enough: samples that networks of the first width want to see; wider ones with the square of their width.
    augment_from: times that each sample will be seen, from which samples are augmented (Zhao et al. 2020). 1,000 pictures seen
        109 times each were better without (docs/log.md).
    least_per_class: samples a class on average, from which labels are used.
    short: samples, below which a run at up to 32 px learns at twice the usual rate: it starts faster, and from some 100,000 on
        brings nothing; at 64 px it did harm (docs/log.md).
    gamma: of penalties whose weight is the usual one, at 32 px; in proportion to the pixels (as in Karras et al. 2020b).
    """

    widths: tuple[int, ...] = (24, 32, 48, 64)
    samples_for_narrowest: int = 50_000
    augment_from: int = 300
    least_per_class: int = 20
    short_run_samples: int = 80_000
    gamma: float = USUAL_GAMMA

    def __post_init__(self) -> None:
        wrong = not self.widths or min(self.widths) < 2 or list(self.widths) != sorted(self.widths)
        refuse(wrong, "choose.widths", self.widths, "rising numbers from 2", "--choose.widths 24 32 48")
        refuse(not 0 < self.gamma < 1e6, "choose.gamma", self.gamma, "positive", "--choose.gamma 0.5")

    def __call__(self, requested: Recipe, facts: Facts, attempt: Callable[[Recipe], Trial]) -> tuple[Recipe, list[str]]:
        if not (isinstance(requested.nets, Compact) and isinstance(requested.method, Adversarial)):
            raise GanvasError("ByBudget chooses for Compact networks in Adversarial: give the recipe choose=None")
        recipe, about_data = self.adapt_to_data(requested, facts)
        recipe, samples_to_see, about_nets = self.adapt_to_time(recipe, facts, attempt)
        recipe, about_repeats = self.adapt_to_repeats(recipe, samples_to_see / facts.distinct_samples)
        if facts.spec.shape[1] <= 32 and 0 < samples_to_see < self.short_run_samples:
            recipe = replace(recipe, optim={name: double_rate(part) for name, part in recipe.optim.items()})
        return recipe, [f"{about_data}; {about_repeats}", *about_nets, describe_training(recipe)]

    def adapt_to_data(self, recipe: Recipe, facts: Facts) -> tuple[Recipe, str]:
        """Labels, and the penalties' weight."""
        assert isinstance(recipe.nets, Compact)
        assert isinstance(recipe.method, Adversarial)
        nets, method, label = recipe.nets, recipe.method, facts.spec.conditions.get("label")
        description = f"{facts.samples:,} samples of {' x '.join(str(n) for n in facts.spec.shape)}"
        if facts.distinct_samples < 0.99 * facts.samples:
            description += f", {facts.distinct_samples:,} of them distinct"
        if label is None or label.kind != "class":
            about_labels = "no classes" if label is None else "labels that are no classes"
        elif not nets.labels or facts.samples / label.size < self.least_per_class:
            nets = replace(nets, labels=False)
            about_labels = f"{label.size} classes, not used ({facts.samples / label.size:.0f} samples a class)"
        else:
            about_labels = f"{label.size} classes, used: they help more than anything else"
        recipe = replace(recipe, nets=nets, method=scale_penalties(method, self.gamma, facts.spec))
        return recipe, f"data: {description}; {about_labels}"

    def adapt_to_repeats(self, recipe: Recipe, repeats: float) -> tuple[Recipe, str]:
        """Augmentation where each sample will be seen `repeats` times and that is often."""
        assert isinstance(recipe.method, Adversarial)
        if recipe.method.augment is not None:
            return recipe, "augmented, as asked"
        if repeats < self.augment_from:
            return recipe, f"each is seen {repeats:,.1f} times: not augmented"
        recipe = replace(recipe, method=replace(recipe.method, augment=DiffAugment()))
        return recipe, f"each is seen {repeats:,.0f} times: augmented, for D would learn them by heart"

    def adapt_to_time(
        self, recipe: Recipe, facts: Facts, attempt: Callable[[Recipe], Trial]
    ) -> tuple[Recipe, float, list[str]]:
        """The widest networks that see enough samples; how many they will see."""
        nets, default_nets = recipe.nets, Compact()
        assert isinstance(nets, Compact)
        width_description = f"networks: G {nets.g_width}, D {nets.d_width} channels beside the image"
        if facts.seconds is None:
            return recipe, recipe.train.samples or 0, [f"{width_description}; with --minutes they fit the time"]
        if (nets.g_width, nets.d_width) != (default_nets.g_width, default_nets.d_width):
            return recipe, attempt(recipe).samples_per_second * facts.seconds, [f"{width_description}, as asked"]
        speeds: dict[int, float] = {}
        affordable_widths: list[int] = []
        for width in self.widths:
            speeds[width] = attempt(replace(recipe, nets=set_width(nets, width))).samples_per_second
            if speeds[width] * facts.seconds < self.samples_for_narrowest * (width / self.widths[0]) ** 2:
                break
            affordable_widths.append(width)
        best_width = affordable_widths[-1] if affordable_widths else self.widths[0]
        measured_speeds = ", ".join(f"{width}: {speed:,.0f}" for width, speed in speeds.items())
        verdict = "the widest that see enough samples" if affordable_widths else "though they want more samples"
        reasons = [
            f"device: {facts.device}; samples/s by G's width: {measured_speeds}",
            f"networks: G {best_width}, D {best_width // 2} channels beside the image, {verdict} in "
            f"{facts.seconds / 60:g} minutes",
        ]
        return replace(recipe, nets=set_width(nets, best_width)), speeds[best_width] * facts.seconds, reasons


def double_rate(optim: Optimiser) -> Optimiser:
    """Twice the rate, where it is the usual one."""
    return replace(optim, lr=2 * USUAL_LEARNING_RATE) if isinstance(optim, Adam) and optim.lr == USUAL_LEARNING_RATE else optim


def set_width(nets: Compact, width: int) -> Compact:
    return replace(nets, g_width=width, d_width=width // 2)


def scale_penalties(method: Adversarial, gamma: float, spec: Spec) -> Adversarial:
    """Penalties whose weight is the usual `gamma`, with that of the samples' size."""
    scaled_gamma = gamma * spec.shape[1] * spec.shape[2] / 32**2  # where it was left as it is in `auto`

    def scale_penalty(penalty: CriticPenalty) -> CriticPenalty:
        if isinstance(penalty, FiniteDifferenceR1 | FiniteDifferenceR2) and penalty.gamma == USUAL_GAMMA:
            return replace(penalty, gamma=scaled_gamma)
        return penalty

    return replace(method, penalties=tuple(scale_penalty(penalty) for penalty in method.penalties))


def describe_training(recipe: Recipe) -> str:
    """How it will be trained, in a line."""
    assert isinstance(recipe.method, Adversarial)
    rates = ", ".join(f"{name} {optim.lr:g}" for name, optim in recipe.optim.items() if isinstance(optim, Adam))
    gammas = ", ".join(f"{type(p).__name__} {getattr(p, 'gamma', 0):g}" for p in recipe.method.penalties)
    return (
        f"training: batch {recipe.train.batch}; learning rates {rates}; {gammas}; "
        f"moving average of G over {1000 * recipe.train.ema_kimg:,.0f} samples at most"
    )
