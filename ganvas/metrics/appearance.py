"""What networks overlook: fine patterns, blur, brightness, colour, variety. For the features of extractors/appearance.py.

Power at high frequencies: Durall et al. 2020 show that upsampling layers miss it. Colourfulness: Hasler & Süsstrunk 2003.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from ..configuration import config
from ..core import Features, RealFeatures
from ..errors import GanvasError
from .check import check_feature_pair

MEASURES = ("fine_power", "middle_power", "brightness", "colourfulness", "saturated")  # the first columns; then pixels
LEAST_POWER = 1e-9  # of values in [0, 1]; rounding to 8 bits has 1.3e-6. A ratio of pictures without any power is 1
LEAST_SPREAD = 0.01  # of brightness, colourfulness and saturated share: all pictures of a set may have the same
BLUR_RATIO, PATTERN_RATIO = 0.5, 1.5  # less, and more, fine detail than these is worth a word


@config
class AppearanceGap:
    """How measures of pictures differ from real ones; of each but "gap", the value of real pictures is the best one.

    gap: the mean distance of the measures from the reference's, 0 or more. The distance is the logarithm of the ratio for both
        details and the diversity, and else the difference of means over the standard deviation of real pictures.
    fine_detail, middle_detail: power at high and at middle frequencies over the reference's: 1 is as real.
    brightness, brightness_spread, colourfulness, colourfulness_spread: mean and standard deviation over pictures, in [0, 1].
    diversity: root mean squared difference between the pixels of two random pictures, in [0, 1].
    saturated: the share of values that are black or white, in [0, 1].

    Raises GanvasError for features of another extractor.
    """

    samples: int | None = None

    @property
    def against(self) -> Literal["train"]:
        return "train"

    @property
    def lower_is_better(self) -> Mapping[str, bool | None]:
        names = ("fine_detail", "middle_detail", "brightness", "brightness_spread")
        return {"gap": True} | dict.fromkeys((*names, "colourfulness", "colourfulness_spread", "diversity", "saturated"))

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        x, y = check_feature_pair(real.reference.features, fake.features)
        if x.shape[1] <= len(MEASURES):
            raise GanvasError("appearance gap: these features are of another extractor: use it with Appearance")
        means, real_means = (dict(zip(MEASURES, values.mean(0), strict=False)) for values in (y, x))
        spreads, real_spreads = (dict(zip(MEASURES, values.std(0), strict=False)) for values in (y, x))
        diversity, real_diversity = measure_diversity(y[:, len(MEASURES) :]), measure_diversity(x[:, len(MEASURES) :])
        fine, middle = (divide_powers(means[name], real_means[name]) for name in ("fine_power", "middle_power"))
        distances = [abs(np.log(ratio)) for ratio in (fine, middle, divide_powers(diversity**2, real_diversity**2) ** 0.5)]
        plain = ("brightness", "colourfulness", "saturated")
        distances += [abs(means[name] - real_means[name]) / (real_spreads[name] + LEAST_SPREAD) for name in plain]
        scores = {
            "gap": np.mean(distances),
            "fine_detail": fine,
            "middle_detail": middle,
            "brightness": means["brightness"],
            "brightness_spread": spreads["brightness"],
            "colourfulness": means["colourfulness"],
            "colourfulness_spread": spreads["colourfulness"],
            "diversity": diversity,
            "saturated": means["saturated"],
        }
        return {name: float(value) for name, value in scores.items()}

    def explain(self, scores: Mapping[str, float]) -> str:
        """What the fine detail of these scores means, in a sentence."""
        ratio = scores["fine_detail"]
        if ratio > PATTERN_RATIO:
            return f"{ratio:.2g} times the fine detail of real pictures: a checkerboard or noise"
        if ratio < BLUR_RATIO:
            return f"{ratio:.2g} times the fine detail of real pictures: blur"
        return f"{ratio:.2g} times the fine detail of real pictures: about as sharp as they are"


def divide_powers(fake: float, real: float) -> float:
    """The ratio of two mean powers, above 0; 1 if there is none in either."""
    return (max(0.0, fake) + LEAST_POWER) / (max(0.0, real) + LEAST_POWER)


def measure_diversity(pixels: np.ndarray) -> float:
    """The root mean squared difference per value between two different rows of [N, D], over all pairs: 2 · variance."""
    return float(np.sqrt(2 * pixels.var(0, ddof=1).mean()))
