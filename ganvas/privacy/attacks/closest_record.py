"""The distance to the closest record: it detects copies. Rows that pass it can leak all the same, so it proves no privacy.

Yao et al. 2025 ("The DCR delusion") break synthetic rows by attacks on membership which had passed it.
"""

import math
from typing import NamedTuple

import numpy as np

from ...core import PlainTable
from ...ranks import Z
from .membership_by_distance import TARGETS
from .rates import AttackResult, Rate, balance_targets
from .row_distances import find_nearest_rows

MAX_REAL = 20_000  # of each side


class ClosestRecords(NamedTuple):
    """Synthetic rows' distances to the closest real rows: of the training data, and as many that training never saw."""

    copies: AttackResult  # which real rows stand in the synthetic table as they are; tables with few columns have twins
    nearer_to_training: float  # the share of synthetic rows that are; 0.5 without copying
    nearer_interval: tuple[float, float]  # 95%, over the choice of real rows
    training_quantiles: tuple[float, float]  # 5% and 50% of distances; each column adds at most 1
    held_out_quantiles: tuple[float, float]

    def explain(self) -> str:
        """A sentence."""
        low, high = self.nearer_interval
        copies = f"{self.copies.main.share:.1%} of training rows and {self.copies.control.share:.1%} of others"
        nearer = f"{self.nearer_to_training:.1%} ({low:.1%} to {high:.1%}) of its rows are nearer to training rows"
        is_sign = self.copies.is_leak or low > 0.5
        verdict = "a sign that the generator copies" if is_sign else "no copying shows; this proves no privacy"
        return f"the synthetic table holds {copies} exactly; {nearer}: {verdict}"


def measure_closest_records(
    train: PlainTable, held_out: PlainTable, synthetic: PlainTable, rows: int = TARGETS, seed: int = 0
) -> ClosestRecords:
    """Compare `rows` synthetic rows with equally many real rows of each side.

    Raises:
        GanvasError: other columns, or too few rows.
    """
    rng = np.random.default_rng(seed)
    members, others = balance_targets(train, held_out, synthetic, MAX_REAL, rng)
    is_copy = find_equal_rows(members, synthetic), find_equal_rows(others, synthetic)
    copies = AttackResult("exact copies", *(Rate(int(found.sum()), len(found)) for found in is_copy))
    some = synthetic.draw(rows, rng)
    (to_members, member), (to_others, other) = (find_nearest_rows(some, side, synthetic) for side in (members, others))
    wins = np.where(to_members == to_others, 0.5, to_members < to_others)
    hits = np.bincount(member, wins, len(members)), np.bincount(other, 1 - wins, len(others))
    share, error = wins.mean(), _measure_error(*hits) / len(some)
    quantiles = [tuple(np.quantile(distances, (0.05, 0.5)).tolist()) for distances in (to_members, to_others)]
    interval = max(0.0, share - Z * error), min(1.0, share + Z * error)
    return ClosestRecords(copies, float(share), interval, *quantiles)


def find_equal_rows(table: PlainTable, others: PlainTable) -> np.ndarray:
    """Which rows of a table stand in another one, cell by cell, bool [N]."""
    keys = {*_make_keys(others)}
    return np.array([key in keys for key in _make_keys(table)], bool)


def _make_keys(table: PlainTable) -> list[bytes]:
    cells = np.stack([values.astype(np.float64) + 0.0 for values in table.values], 1)  # -0.0 is 0.0
    cells[np.isnan(cells)] = np.nan  # one of many NaN
    return [row.tobytes() for row in cells]


def _measure_error(a: np.ndarray, b: np.ndarray) -> float:
    """The standard error of the sum of a [N], if a and b [N] are a random half of all each (Schilling 1986)."""
    return math.sqrt(len(a) / 2 * np.concatenate([a, b]).var(ddof=1))
