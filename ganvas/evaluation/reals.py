"""The real samples of scores: a reference from the training set, held-out and unseen samples, without overlap."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..configuration import to_json
from ..core import Dataset, PartwiseCondition, ShapedCondition, seeded_generator
from ..data import EncodedDataset
from ..data.cache import ENTRY_FORMAT
from ..data.columns import load_conditions
from ..data.rows import count_rows, select_rows, take_rows
from ..errors import GanvasError
from ..media import TextCondition
from ..recipe import Evaluation

MIN_REAL_SAMPLES = 2  # on each side: a mean and a variance need two
MAX_REFERENCE_SAMPLES = 5_000  # EfficientNet takes 2 s for them on two cores; more hardly change a score


class RealSet(NamedTuple):
    """Real samples of one role. Their columns stay where they are, in memory or on disk, until `take` copies some rows."""

    columns: Mapping[str, Tensor]
    conditions: Mapping[str, np.ndarray]  # by name, [N, …]
    rows: Tensor  # their rows in the training set; none if they come from a test split

    @property
    def size(self) -> int:
        return count_rows(self.columns)

    def take(self, start: int, stop: int) -> dict[str, Tensor]:
        """Copies of samples `start` to `stop`, or to the last one: every column."""
        return take_rows(self.columns, torch.arange(start, min(stop, self.size)))


class RealSplit(NamedTuple):
    """The real samples to score with."""

    reference: RealSet
    held_out: RealSet
    unseen: RealSet | None  # samples that training never saw, if the held-out ones are training samples
    is_from_training: bool  # the held-out samples are training samples, put aside for scores alone
    training_count: int  # all training samples; the reference may be fewer
    cache_key: tuple[Any, ...]  # everything that decides which samples these are
    description: dict[str, str]  # for the score card

    def count_fewest(self, n: int) -> int:
        """The size of the smallest set if `n` samples are generated."""
        return min(n, self.reference.size, self.held_out.size)


def split_reals(train: Dataset, held_out: Dataset | None, evaluation: Evaluation) -> RealSplit:
    """Choose the reference and the held-out samples. Without a test split, put training samples aside.

    Samples that were held out of training take their place if they are as many. Otherwise they are `unseen`.
    """
    check_sample_counts(train, held_out)
    order = torch.randperm(len(train), generator=seeded_generator(evaluation.seed, "split"))
    count = min(len(train) // 2, evaluation.split_size)
    is_taken = isinstance(held_out, EncodedDataset) and held_out.is_taken_from_training
    unseen = held_out if held_out is not None and is_taken and len(held_out) < count else None
    if held_out is None or unseen is not None:
        test_rows, reference_rows, noun = order[:count], order[count:], "other training samples"
        test_reals = select_real_set(train, test_rows, train)
    else:
        order_of_test = torch.randperm(len(held_out), generator=seeded_generator(evaluation.seed, "held-out"))
        test_rows, reference_rows = order_of_test[: evaluation.split_size], order
        noun = "samples that training never saw" if is_taken else "test samples"
        test_reals = select_real_set(held_out, test_rows, train)._replace(rows=test_rows[:0])
    reference_rows = reference_rows[:MAX_REFERENCE_SAMPLES]
    words = {"reference": f"{len(reference_rows):,} training samples", "held_out": f"{len(test_rows):,} {noun}"}
    words |= {} if unseen is None else {"unseen": f"{len(unseen):,} samples"}
    key = (train.fingerprint, held_out and held_out.fingerprint, len(train), ENTRY_FORMAT)  # samples as they are encoded
    return RealSplit(
        reference=select_real_set(train, reference_rows, train),
        held_out=test_reals,
        unseen=None if unseen is None else select_real_set(unseen, torch.arange(len(unseen)), train)._replace(rows=order[:0]),
        is_from_training=held_out is None or unseen is not None,
        training_count=len(train),
        cache_key=(*key, str(to_json(train.codec)), evaluation.seed, evaluation.split_size),
        description=words,
    )


def select_real_set(data: Dataset, rows: Tensor, train: Dataset) -> RealSet:
    """Some rows of a data set, with the conditions of the training set that are no samples or texts, such as labels."""
    columns = select_rows(data.columns, rows)
    bulky = ShapedCondition, PartwiseCondition, TextCondition
    names = [name for name, condition in train.spec.conditions.items() if not isinstance(condition, bulky)]
    conditions = load_conditions(train.codec, columns, names)
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
