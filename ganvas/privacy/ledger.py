"""What a run has spent of its privacy: a list of releases, which adds up and is kept as JSON."""

import json
import math
from typing import Any, NamedTuple

import numpy as np

from ..errors import GanvasError, require
from .renyi import ORDERS, check_mechanism, compute_divergences, convert_divergences


class NoisyRelease(NamedTuple):
    """`steps` sums over batches that each row joins with probability q, each with Gaussian noise."""

    q: float  # in (0, 1]; 1: all rows, every time
    sigma: float  # the noise's standard deviation / the most that one row can change a sum
    steps: int  # 1 or more
    purpose: str = ""  # for people: "pair tables", "gradients of D"


class Ledger(NamedTuple):
    """All releases from one data set, in order. Their Rényi divergences add up.

    A run that continues must add to its ledger: to start a new one would hide what was spent before.
    """

    delta: float  # the probability with which the promise may fail; well below 1 / rows
    releases: tuple[NoisyRelease, ...] = ()

    @property
    def epsilon(self) -> float:
        """What all releases cost together; 0 without any."""
        if not self.releases:
            return 0.0
        total = np.zeros(len(ORDERS))
        for q, sigma, steps, _ in self.releases:
            total += steps * compute_divergences(q, sigma)
        return convert_divergences(total, self.delta)

    def add(self, release: NoisyRelease) -> "Ledger":
        """The ledger with one more release. Steps of the same kind as the last one are counted with it.

        Raises:
            SettingError: a number out of range.
        """
        check_mechanism(release.q, release.sigma)
        require(release.steps >= 1, "steps", release.steps, "1 or more")
        last = self.releases[-1] if self.releases else None
        if last is not None and last._replace(steps=release.steps) == release:
            return self._replace(releases=(*self.releases[:-1], last._replace(steps=last.steps + release.steps)))
        return self._replace(releases=(*self.releases, release))

    def count_affordable_steps(self, release: NoisyRelease, epsilon: float) -> int:
        """How many more steps of this kind keep the ledger at or below `epsilon`."""
        low, high = 0, 1
        while self.add(release._replace(steps=high)).epsilon <= epsilon:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.add(release._replace(steps=middle)).epsilon <= epsilon else (low, middle)
        return low

    def to_json(self) -> str:
        """A JSON object: delta, epsilon (for people), releases."""
        releases = [release._asdict() for release in self.releases]
        return json.dumps({"delta": self.delta, "epsilon": self.epsilon, "releases": releases}, indent=1)


def parse_ledger(text: str) -> Ledger:
    """A ledger from its JSON.

    Raises:
        GanvasError: no JSON, or numbers that no ledger has.
    """
    try:
        data: dict[str, Any] = json.loads(text)
        ledger = Ledger(float(data["delta"]))
        for item in data["releases"]:
            steps = int(item["steps"])
            if steps != item["steps"]:
                raise ValueError(f"{item['steps']} steps")
            ledger = ledger.add(NoisyRelease(float(item["q"]), float(item["sigma"]), steps, str(item.get("purpose", ""))))
        require(0 < ledger.delta < 1, "delta", ledger.delta, "between 0 and 1")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, GanvasError) as error:
        raise GanvasError(
            f"the privacy ledger cannot be read ({error}): restore it from a copy, since nobody knows what was spent without it"
        ) from error
    return ledger


def bound_guess(epsilon: float, delta: float = 0.0) -> float:
    """The most often that a guess can be right whether a row was in the data, if both were as likely before.

    (e^ε + δ) / (1 + e^ε), from Kairouz, Oh, Viswanath 2015 ("The composition theorem for differential privacy").
    """
    require(epsilon >= 0, "epsilon", epsilon, "0 or more")
    odds = math.exp(-epsilon)
    return min(1.0, (1 + delta * odds) / (1 + odds))


def explain_epsilon(epsilon: float, delta: float) -> str:
    """A sentence for someone who does not know epsilon."""
    share = math.floor(1000 * bound_guess(epsilon, delta) + 1 - 1e-9) / 10  # rounded up: "at most" must hold
    if share >= 99.5:
        return f"epsilon {epsilon:.3g}: an attacker may be nearly certain whether you were in the data; this protects nobody"
    return f"epsilon {epsilon:.3g}: an attacker's guess whether you were in the data is right in at most {share:g}% of cases"
