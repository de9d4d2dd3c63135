"""Poisson batches: each row by itself, with the probability that the accountant reckons with."""

from typing import Any

import pytest
import torch

from ganvas.data import Poisson
from ganvas.errors import GanvasError


class Rows:
    title = "some rows"

    def __len__(self) -> int:
        return 2000


def test_batches_have_the_right_size_and_spread() -> None:
    data: Any = Rows()
    generator = torch.Generator().manual_seed(0)
    batches = [Poisson().draw_rows(data, 100, generator) for _ in range(400)]
    sizes = torch.tensor([len(rows) for rows in batches], dtype=torch.float64)
    assert sizes.mean().item() == pytest.approx(100, abs=2)  # 0.5 is its error
    assert sizes.std().item() == pytest.approx((2000 * 0.05 * 0.95) ** 0.5, rel=0.15)
    assert all(len(rows.unique()) == len(rows) for rows in batches)  # no row twice
    assert torch.bincount(torch.cat(batches), minlength=2000).min() > 0
    assert Poisson().draw_rows(data, 2000, generator).tolist() == list(range(2000))


def test_more_than_all_rows_are_refused() -> None:
    data: Any = Rows()
    with pytest.raises(GanvasError, match="batch must be at most 2,000"):
        Poisson().draw_rows(data, 2001, torch.Generator())
