"""The real samples of scores: a reference from the training set, and held-out samples, without overlap."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..configuration import to_json
from ..core import Dataset, seeded_generator
from ..data.cache import ENTRY_FORMAT
from ..data.columns import load_conditions
from ..errors import GanvasError
from ..recipe import Evaluation

MIN_REAL_SAMPLES = 2  # on each side: a mean and a variance need two
MAX_REFERENCE_SAMPLES = 5_000  # EfficientNet takes 2 s for them on two cores; more hardly change a score


class RealSet(NamedTuple):
    """Real samples of one role."""

    columns: Mapping[str, Tensor]
    conditions: Mapping[str, np.ndarray]  # by name, [N, …]
    rows: Tensor  # their rows in the training set; none if they come from a test split


class RealSplit(NamedTuple):
    """The real samples to score with."""

    reference: RealSet
    held_out: RealSet
    cache_key: tuple[Any, ...]  # everything that decides which samples these are
    description: dict[str, str]  # for the score card

    def count_fewest(self, n: int) -> int:
        """The size of the smallest set if `n` samples are generated."""
        return min(n, len(self.reference.columns["x"]), len(self.held_out.columns["x"]))


def split_reals(train: Dataset, held_out: Dataset | None, evaluation: Evaluation) -> RealSplit:
    """Choose the reference and the held-out samples. Without a test split, put training samples aside."""
    check_sample_counts(train, held_out)
    order = torch.randperm(len(train), generator=seeded_generator(evaluation.seed, "split"))
    if held_out is None:
        count = min(len(train) // 2, evaluation.split_size)
        test_set, test_rows, reference_rows, noun = train, order[:count], order[count:], "other training samples"
    else:
        test_rows = torch.randperm(len(held_out), generator=seeded_generator(evaluation.seed, "held-out"))
        test_set, test_rows, reference_rows, noun = held_out, test_rows[: evaluation.split_size], order, "test samples"
    reference_rows = reference_rows[:MAX_REFERENCE_SAMPLES]
    words = {"reference": f"{len(reference_rows):,} training samples", "held_out": f"{len(test_rows):,} {noun}"}
    key = (train.fingerprint, held_out and held_out.fingerprint, len(train), ENTRY_FORMAT)  # samples as they are encoded
    key = (*key, str(to_json(train.codec)), evaluation.seed, evaluation.split_size)
    reals = select_real_set(train, reference_rows, train), select_real_set(test_set, test_rows, train)
    return RealSplit(reals[0], reals[1] if held_out is None else reals[1]._replace(rows=test_rows[:0]), key, words)


def select_real_set(data: Dataset, rows: Tensor, train: Dataset) -> RealSet:
    """Some rows of a data set, with the conditions of the training set."""
    columns = {name: column[rows.to(column.device)] for name, column in data.columns.items()}
    conditions = load_conditions(train.codec, columns, train.spec.conditions)
    return RealSet(columns, {name: values.cpu().numpy() for name, values in conditions.items()}, rows)


def check_sample_counts(train: Dataset, held_out: Dataset | None) -> None:
    """Raises GanvasError if there are too few real samples for any score."""
    if held_out is None and len(train) < 2 * MIN_REAL_SAMPLES:
        raise GanvasError(
            f"{train.title}: {len(train)} samples are too few, for half of them are put aside to score against: add more, "
            f"at least {2 * MIN_REAL_SAMPLES}"
        )
    for data in filter(None, (train, held_out)):
        if len(data) < MIN_REAL_SAMPLES:
            raise GanvasError(f"{data.title}: {len(data)} sample to score against is too few: give at least {MIN_REAL_SAMPLES}")
