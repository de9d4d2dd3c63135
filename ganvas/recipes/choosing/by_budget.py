"""What `auto` chooses: the width of networks by the time; labels, augmentation, batch and the penalties' weight by the data."""

from collections.abc import Callable
from dataclasses import replace
from math import prod

from ...configuration import config
from ...core import format_shape
from ...errors import GanvasError, require
from ...media import Image
from ...methods import Adversarial
from ...nets import Projected
from ...recipe import Facts, Recipe, Trial
from .adaptations import USUAL_GAMMA, adapt_batch, augment_by_repeats, describe_training, scale_penalties

ENLARGEMENTS = (2, 4, 8, 16)  # possible sides, in multiples of the usual ones


@config
class ByBudget:
    """Adapts the recipe `auto` to data, device and time. Settings that differ from the usual ones stay.

    widths: G's possible channels at the image's size. The widest that still sees enough samples is taken; D is as wide next to
        the image.
    samples_for_narrowest: samples that networks of the first width need; wider ones need more, by the square of their width.
    shift_from, augment_from: D sees samples shifted if each is seen at least `shift_from` times, and with all of DiffAugment
        (Zhao et al. 2020) from `augment_from` times on (docs/log.md).
    samples_for_usual_size: samples that pictures of 64 px need; larger ones need more, by the cube of their sides.
    least_per_class: labels are used if classes have at least so many samples on average.
    gamma: weight of D's penalties at 32 px, if they have the usual one; in proportion to the pixels (Karras et al. 2020b).
    """

    widths: tuple[int, ...] = (16, 24, 32, 48, 64)
    samples_for_narrowest: int = 40_000
    shift_from: int = 7
    augment_from: int = 300
    samples_for_usual_size: int = 60_000
    least_per_class: int = 20
    gamma: float = USUAL_GAMMA

    def __post_init__(self) -> None:
        is_rising = bool(self.widths) and min(self.widths) >= 2 and list(self.widths) == sorted(self.widths)
        require(is_rising, "widths", self.widths, "rising numbers from 2")
        require(0 < self.gamma < 1e6, "gamma", self.gamma, "above 0, below 1e6")

    def __call__(self, requested: Recipe, facts: Facts, attempt: Callable[[Recipe], Trial]) -> tuple[Recipe, list[str]]:
        if not (isinstance(requested.nets, Projected) and isinstance(requested.method, Adversarial)):
            raise GanvasError("ByBudget adapts only Projected networks in Adversarial: set choose=None in the recipe")
        recipe, about_data = self.adapt_to_data(requested, facts)
        recipe, samples_to_see, most_samples, about_nets = self.adapt_to_time(recipe, facts, attempt)
        repeats = samples_to_see / facts.distinct_samples
        recipe, about_repeats = augment_by_repeats(recipe, repeats, self.shift_from, self.augment_from)
        recipe, about_size = self.adapt_size(recipe, facts, most_samples)
        return recipe, [f"{about_data}; {about_repeats}", *about_nets, *about_size, describe_training(recipe)]

    def adapt_to_data(self, recipe: Recipe, facts: Facts) -> tuple[Recipe, str]:
        """Choose whether labels are used, the weight of the penalties and the size of batches."""
        assert isinstance(recipe.nets, Projected)
        assert isinstance(recipe.method, Adversarial)
        nets, method, label = recipe.nets, recipe.method, facts.spec.conditions.get("label")
        description = f"{facts.samples:,} samples of {format_shape(facts.spec.shape)}"
        if facts.distinct_samples < 0.99 * facts.samples:
            description += f", {facts.distinct_samples:,} of them distinct"
        if label is None or label.kind != "class":
            about_labels = "no classes" if label is None else "labels that are not classes"
        elif not nets.labels or facts.samples / label.size < self.least_per_class:
            nets = replace(nets, labels=False)
            about_labels = f"{label.size} classes, not used ({facts.samples / label.size:.0f} samples per class)"
        else:
            about_labels = f"{label.size} classes, used: they help more than anything else"
        recipe = replace(recipe, nets=nets, method=scale_penalties(method, self.gamma, facts.spec))
        recipe = adapt_batch(recipe, facts.spec)
        return recipe, f"data: {description}; {about_labels}"

    def adapt_size(self, recipe: Recipe, facts: Facts, most_samples: float) -> tuple[Recipe, list[str]]:
        """Raise the medium's limit of pixels if the time is enough for larger pictures; the run then reads its data again.

        Sides of f times as many pixels make each sample f² times as costly, and need f³ times as many samples.

        most_samples: how many the narrowest networks would see.
        """
        medium, pixels = recipe.medium, prod(facts.spec.shape[1:])
        if not facts.seconds or not isinstance(medium, Image) or medium.size is not None:
            return recipe, []
        if pixels < medium.pixels or medium.pixels != Image().pixels:  # the pictures are smaller, or the limit is raised
            return recipe, []
        affordable = [f for f in ENLARGEMENTS if most_samples >= self.samples_for_usual_size * f**5]
        if affordable:
            return replace(recipe, medium=replace(medium, pixels=affordable[-1] ** 2 * medium.pixels)), []
        hours = self.samples_for_usual_size * ENLARGEMENTS[0] ** 5 / most_samples * facts.seconds / 3600
        return recipe, [
            f"size: larger pictures than these {pixels:,} pixels want about {max(1, round(hours)):,} hours at this speed"
        ]

    def adapt_to_time(
        self, recipe: Recipe, facts: Facts, attempt: Callable[[Recipe], Trial]
    ) -> tuple[Recipe, float, float, list[str]]:
        """Choose the widest networks that see enough samples; also how many they, and the narrowest ones, would see."""
        nets, default_nets = recipe.nets, Projected()
        assert isinstance(nets, Projected)
        width_description = f"networks: G {nets.g_width}, D {nets.d_width} channels next to the image"
        if facts.seconds is None:
            samples = recipe.train.samples or 0
            return recipe, samples, samples, [f"{width_description}; with a budget in minutes they fit the time"]
        if (nets.g_width, nets.d_width) != (default_nets.g_width, default_nets.d_width):
            samples = attempt(recipe).samples_per_second * facts.seconds
            return recipe, samples, samples, [f"{width_description}, as requested"]
        speeds: dict[int, float] = {}
        affordable_widths: list[int] = []
        for width in self.widths:
            speeds[width] = attempt(replace(recipe, nets=set_width(nets, width))).samples_per_second
            if speeds[width] * facts.seconds < self.samples_for_narrowest * (width / self.widths[0]) ** 2:
                break
            affordable_widths.append(width)
        best_width = affordable_widths[-1] if affordable_widths else self.widths[0]
        measured_speeds = ", ".join(f"{width}: {speed:,.0f}" for width, speed in speeds.items())
        verdict = "the widest that see enough samples" if affordable_widths else "though they need more samples"
        reasons = [
            f"device: {facts.device}; samples/s by G's width: {measured_speeds}",
            f"networks: G and D {best_width} channels next to the image, {verdict} in {facts.seconds / 60:g} minutes",
        ]
        best_recipe, narrowest = replace(recipe, nets=set_width(nets, best_width)), self.widths[0]
        return best_recipe, speeds[best_width] * facts.seconds, speeds[narrowest] * facts.seconds, reasons


def set_width(nets: Projected, width: int) -> Projected:
    return replace(nets, g_width=width, d_width=width, cap=16 * width)
