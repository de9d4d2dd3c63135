"""Choose the samples that training never sees, so that scores can tell copies from new samples."""

import numpy as np
import torch
from torch import Tensor

from ..configuration import config
from ..core import Dataset, seeded_generator
from ..errors import require
from .copies import find_equal_captions, find_first_copies, join_groups
from .rows import get_storage

HELD_OUT_KEY = "ganvas 1"  # the split of all new runs: the same on every machine, whatever the files' names and times
MIN_HELD_OUT = 2  # a mean and a variance need two
MIN_CLASS_SAMPLES = 20  # of smaller classes together, so many are held out as of one class


@config
class HeldOut:
    """How many samples training never sees, if the data has no test part. They are always the same for the same data.

    share: this share of the samples; 0 holds none out. If it is less than two samples, none are held out: 5% of 40 samples.
    most: at most this many samples.
    """

    share: float = 0.05
    most: int = 1_000

    def __post_init__(self) -> None:
        require(0 <= self.share <= 0.9, "share", self.share, "from 0 to 0.9")
        require(0 <= self.most <= 10_000_000, "most", self.most, "from 0 to 10,000,000")

    def count_samples(self, total: int) -> int:
        """How many of `total` samples to hold out; 0 if that would be fewer than MIN_HELD_OUT."""
        count = min(round(self.share * total), self.most) if self.share * total >= MIN_HELD_OUT else 0
        return count if count >= MIN_HELD_OUT else 0

    def choose_rows(self, data: Dataset, key: str) -> Tensor:
        """The rows to hold out, int64 [K], rising. They follow from `key`, and there may be none.

        Each class gives its share. All copies of a sample go with it, and all samples that share a caption with it. A sample
        stays if it has more of them than its class may give.
        """
        count = self.count_samples(len(data))
        if not count:
            return torch.empty(0, dtype=torch.int64)
        order = torch.randperm(len(data), generator=seeded_generator("held out of training", key)).numpy()
        groups = _group_rows(data)
        chosen_groups = _choose_groups(order, groups, _number_strata(data), count)
        chosen_rows = np.flatnonzero(np.isin(groups, chosen_groups))
        return torch.from_numpy(chosen_rows if len(chosen_rows) >= MIN_HELD_OUT else chosen_rows[:0])


def _group_rows(data: Dataset) -> np.ndarray:
    """The group of each sample, int64 [N]: copies are in one group, and so are samples that share a caption."""
    stored, rows = get_storage(data.columns, "x")
    _, groups = np.unique(find_first_copies(stored.cpu().numpy(), rows.numpy()), return_inverse=True)
    if "text" not in data.columns:
        return groups
    texts, rows = get_storage(data.columns, "text")
    if texts.dtype != torch.uint8 or texts.dim() != 3:  # a column of another package's, not bytes of captions [N, K, B]
        return groups
    return join_groups(groups, find_equal_captions(texts.cpu().numpy(), rows.numpy()))


def _number_strata(data: Dataset) -> np.ndarray:
    """A number for each sample, int64 [N]: that of its class, or 0 for small classes and without classes."""
    labels = data.columns.get("label")
    if labels is None or labels.dim() != 1:
        return np.zeros(len(data), np.int64)
    classes, class_indices, counts = np.unique(labels.cpu().numpy(), return_inverse=True, return_counts=True)
    numbers = np.where(counts >= MIN_CLASS_SAMPLES, 1 + np.arange(len(classes)), 0)
    return numbers[class_indices]


def _choose_groups(order: np.ndarray, groups: np.ndarray, strata: np.ndarray, count: int) -> list[int]:
    """Groups of copies with about `count` samples: in random order, and from each stratum in proportion to its size."""
    group_sizes, quotas = np.bincount(groups), _share_out(count, np.bincount(strata))
    chosen_groups, seen_groups = list[int](), set[int]()
    for row in order:
        group, stratum = int(groups[row]), strata[row]
        if group in seen_groups:
            continue
        seen_groups.add(group)
        if group_sizes[group] <= quotas[stratum]:
            quotas[stratum] -= group_sizes[group]
            chosen_groups.append(group)
        if not quotas.any():
            break
    return chosen_groups


def _share_out(count: int, sizes: np.ndarray) -> np.ndarray:
    """Whole numbers with the sum `count`, in proportion to `sizes`, by largest remainders."""
    exact_shares = count * sizes / sizes.sum()
    quotas = exact_shares.astype(np.int64)
    largest_remainders = np.argsort(quotas - exact_shares, kind="stable")[: count - quotas.sum()]
    quotas[largest_remainders] += 1
    return quotas


def describe_held_out(total: int, held_out_count: int, noun: str) -> str:
    """A line for the user: how many of all samples were held out of training."""
    if held_out_count:
        return f"{held_out_count:,} of {total:,} {noun} are held out of training, so that copying can be seen"
    return f"training sees all {total:,} {noun}: none are held out, so copying cannot be measured"
