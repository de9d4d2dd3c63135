"""Samples of several columns, the conditions that columns make, and the rows that make a batch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ganvas.configuration import from_json, to_json
from ganvas.data import Balanced, ClassCondition, Columns, ItemList, Uniform, VectorCondition, prepare_dataset
from ganvas.data.conditions import find_changed_conditions
from ganvas.errors import GanvasError
from ganvas.media import Image


def pairs(count: int = 60, broken: tuple[tuple[int, str], ...] = ()) -> ItemList:
    """Gray pictures k and 255 - k; a broken part is text."""

    def read(k: int) -> dict[str, Any]:
        parts = {"x": np.full((8, 8), k, np.uint8), "source": np.full((8, 8), 255 - k, np.uint8)}
        return {name: b"no picture" if (k, name) in broken else part for name, part in parts.items()}

    return ItemList(
        [str(k) for k in range(count)], read, f"pairs {count} {broken}", "pairs", np.arange(count) % 3, ("a", "b", "c")
    )


MEDIUM = Columns(media={"x": Image(size=8), "source": Image(size=8)})


@pytest.mark.parametrize("cached", [True, False])
def test_columns_stay_row_by_row_together_where_one_part_cannot_be_read(tmp_path: Path, cached: bool) -> None:
    items = pairs(broken=((5, "x"), (17, "source")))
    for _ in range(2):
        data = prepare_dataset(items, MEDIUM.fit(pairs()), tmp_path if cached else None, quiet=True)
        kept = [k for k in range(60) if k not in (5, 17)]
        assert data.skipped_count == 2
        assert data.columns["x"][:, 0, 0, 0].tolist() == kept
        assert data.columns["source"][:, 0, 0, 0].tolist() == [255 - k for k in kept]
        assert data.columns["label"].tolist() == [k % 3 for k in kept]


def test_a_batch_is_a_pure_function_of_its_seed_and_holds_pairs() -> None:
    data = prepare_dataset(pairs(), MEDIUM.fit(pairs()), None, quiet=True)
    batch, again = data.batch(7, 32), data.batch(7, 32)
    assert set(batch) == {"x", "source", "label"}
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    torch.testing.assert_close(batch["x"], -batch["source"], atol=1e-6, rtol=0)


def test_the_codec_is_kept_as_json() -> None:
    codec = MEDIUM.fit(pairs())
    assert from_json(to_json(codec)) == codec


def test_uniform_rows_are_those_of_before() -> None:
    data = prepare_dataset(pairs(), MEDIUM.fit(pairs()), None, quiet=True)
    rows = Uniform().draw_rows(data, 8, torch.Generator().manual_seed(3))
    assert rows.tolist() == torch.randint(60, (8,), generator=torch.Generator().manual_seed(3)).tolist()


@given(counts=st.lists(st.integers(0, 40), min_size=2, max_size=5).filter(lambda counts: sum(c > 0 for c in counts) >= 2))
def test_balanced_batches_hold_every_class_as_often(counts: list[int]) -> None:
    labels = torch.tensor([k for k, count in enumerate(counts) for _ in range(count)])
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))]

    class Data:
        columns, title = {"label": labels}, "some"

        def __len__(self) -> int:
            return len(labels)

    data: Any = Data()
    rows = Balanced().draw_rows(data, 6000, torch.Generator().manual_seed(1))
    drawn = torch.bincount(labels[rows], minlength=len(counts)) / 6000
    present = [c > 0 for c in counts]
    expected = torch.tensor([p / sum(present) for p in present])
    assert torch.allclose(drawn, expected, atol=0.05)
    assert set(rows.tolist()) == set(range(len(labels)))  # every row of every class


def test_balanced_batches_need_classes() -> None:
    data = prepare_dataset(pairs(), MEDIUM.fit(pairs()), None, quiet=True)
    with pytest.raises(GanvasError, match="classes named 'kind', but pairs has none: take Uniform batches"):
        Balanced(condition="kind").draw_rows(data, 4, torch.Generator())


def test_conditions_draw_as_the_data_has_them() -> None:
    drawn = ClassCondition(shares=(0.1, 0.0, 0.9)).draw(20_000, torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn, minlength=3) / 20_000
    torch.testing.assert_close(shares, torch.tensor([0.1, 0.0, 0.9]), atol=0.01, rtol=0)
    rows = VectorCondition(examples=((1.0, 2.0), (3.0, 4.0))).draw(100, torch.Generator().manual_seed(0))
    assert {tuple(row) for row in rows.tolist()} == {(1.0, 2.0), (3.0, 4.0)}


def test_changed_conditions_are_found() -> None:
    old = {"label": ClassCondition(names=("a", "b"), shares=(0.5, 0.5))}
    assert find_changed_conditions(old, {"label": ClassCondition(names=("a", "b"), shares=(0.9, 0.1))}) == []
    assert find_changed_conditions(old, {"label": ClassCondition(names=("a", "c"), shares=(0.5, 0.5))}) == ["label"]
    assert find_changed_conditions(old, {}) == ["label"]
