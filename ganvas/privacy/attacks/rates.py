"""How often an attack succeeds on rows that the generator has learnt from, beside rows that it has not; with intervals.

Success alone proves no leak: good synthetic rows tell about everybody, members or not. What counts is the difference between
the two groups (Giomi et al. 2023, "A unified framework for quantifying privacy risk in synthetic data", section 3).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ...core import PlainTable, check_same_columns
from ...errors import GanvasError
from ...ranks import Z

MIN_TARGETS = 10  # rows on each side


class Rate(NamedTuple):
    """How many of some trials succeeded."""

    hits: int
    trials: int

    @property
    def share(self) -> float:
        return self.hits / self.trials if self.trials else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95% of Wilson 1927; (0, 1) without a trial."""
        if not self.trials:
            return 0.0, 1.0
        scale = 1 + Z**2 / self.trials
        centre = (self.share + Z**2 / (2 * self.trials)) / scale
        half = Z / scale * math.sqrt(self.share * (1 - self.share) / self.trials + (Z / (2 * self.trials)) ** 2)
        return max(0.0, centre - half), min(1.0, centre + half)


class AttackResult(NamedTuple):
    """An attack on rows of the training data (main), and the same on rows that the generator never saw (control)."""

    name: str
    main: Rate
    control: Rate

    @property
    def difference(self) -> float:
        """What is learnt of members alone: 0 without a leak, 1 if only members are hit and all of them."""
        return self.main.share - self.control.share

    @property
    def interval(self) -> tuple[float, float]:
        """95% of the difference, by Newcombe 1998, method 10; (-1, 1) without trials."""
        (main_low, main_high), (control_low, control_high) = self.main.interval, self.control.interval
        if not (self.main.trials and self.control.trials):
            return -1.0, 1.0
        below = math.hypot(self.main.share - main_low, control_high - self.control.share)
        above = math.hypot(main_high - self.main.share, self.control.share - control_low)
        return self.difference - below, self.difference + above

    @property
    def is_leak(self) -> bool:
        """Whether chance does not explain the difference. Without a leak found, there may still be one."""
        return self.interval[0] > 0

    def explain(self) -> str:
        """A sentence."""
        low, high = self.interval
        shares = f"{self.main.share:.1%} of members against {self.control.share:.1%} of others"
        verdict = "members leak" if self.is_leak else "no leak shows here"
        return f"{self.name}: right for {shares}, a difference of {low:.1%} to {high:.1%}: {verdict}"


def balance_targets(
    train: PlainTable, held_out: PlainTable, synthetic: PlainTable, targets: int, rng: np.random.Generator
) -> tuple[PlainTable, PlainTable]:
    """(Members, others): equally many rows of each, at random, at most `targets`.

    Raises:
        GanvasError: other columns, or too few rows.
    """
    check_same_columns(train, held_out, synthetic)
    count = min(len(train), len(held_out), targets)
    if count < MIN_TARGETS:
        raise GanvasError(
            f"an attack needs {MIN_TARGETS} training rows and {MIN_TARGETS} that training never saw, got {len(train)} and "
            f"{len(held_out)}, of which it may take {targets}: hold out more"
        )
    return train.draw(count, rng), held_out.draw(count, rng)


def check_columns(table: PlainTable, columns: Sequence[int], purpose: str) -> None:
    """Raise GanvasError unless these are numbers of columns, at least one and each once."""
    if not columns or len({*columns}) < len(columns) or not all(0 <= c < len(table.names) for c in columns):
        raise GanvasError(f"{purpose} must be some of the columns 0..{len(table.names) - 1}, each once, got {[*columns]}")
