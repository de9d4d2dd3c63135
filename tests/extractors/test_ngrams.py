"""Counts of letters in a row."""

import numpy as np
import pytest
import torch

from ganvas.errors import GanvasError
from ganvas.extractors import NGrams
from ganvas.extractors.ngrams import SCALE


def count(rows: list[list[int]], most: int = 4) -> np.ndarray:
    return NGrams(most=most)(torch.tensor(rows, dtype=torch.uint8)).features / SCALE


def test_each_text_has_as_many_as_it_has_letters_and_marks() -> None:
    counts = count([[1, 2, 3, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]])
    assert counts.sum(1).tolist() == [5 + 4 + 3 + 2, 2 + 1, 7 + 6 + 5 + 4]


def test_what_follows_the_end_and_the_room_for_it_do_not_count() -> None:
    assert (count([[1, 2, 0, 0]]) == count([[1, 2, 0, 0, 0, 0]])).all()


def test_the_order_of_letters_counts_but_for_single_ones() -> None:
    assert (count([[1, 2, 3]], most=1) == count([[3, 1, 2]], most=1)).all()
    assert (count([[1, 2, 3]], most=2) != count([[3, 1, 2]], most=2)).any()


def test_other_samples_are_refused() -> None:
    with pytest.raises(GanvasError, match="codes of letters"):
        NGrams()(torch.zeros(2, 3, 4))
