"""Combinations of the values of several columns, as texts: count them, and find those that are known."""

from typing import Any

import numpy as np

from ....errors import GanvasError
from ....system.arrow import import_arrow, parse_arrow_type
from ..columns.column import drop_not_numbers
from .rule import ColumnForm, take_column

Combination = tuple[str | None, ...]
MAX_MATCHES = 1 << 24  # comparisons at once


def read_texts(table: Any, form: ColumnForm) -> Any:
    """A table's column as texts (pyarrow array), null where missing. Numbers have the form of the column's type."""
    arrow, kind = import_arrow(), parse_arrow_type(form.type)
    values = take_column(table, form)
    return drop_not_numbers(values if values.type == kind else values.cast(kind, safe=False)).cast(arrow.string())


def parse_values(texts: Any, form: ColumnForm) -> Any:
    """The inverse of `read_texts`, for texts (pyarrow array, or a list)."""
    arrow = import_arrow()
    return arrow.array(texts, arrow.string()).cast(parse_arrow_type(form.type))


def check_discrete(form: ColumnForm) -> None:
    """Raise GanvasError for a column whose values are no texts, numbers, dates or truth values."""
    types, kind = import_arrow("pyarrow.types"), parse_arrow_type(form.type)
    is_time = types.is_temporal(kind) and not (types.is_timestamp(kind) or types.is_date(kind))
    if is_time or types.is_nested(kind) or types.is_binary(kind) or types.is_null(kind):
        raise GanvasError(f"column {form.name!r} has type {form.type}, whose values no rule can compare: leave it out")


def count_combinations(texts: list[Any]) -> list[tuple[Combination, int]]:
    """The combinations of columns of texts (pyarrow arrays), and how many rows hold each: the commonest first."""
    arrow = import_arrow()
    names = [f"c{k}" for k in range(len(texts))]
    groups = arrow.table(texts, names=names).group_by(names, use_threads=False).aggregate([([], "count_all")])
    combinations = list(zip(*(groups.column(name).to_pylist() for name in names), strict=True))
    pairs = list(zip(combinations, groups.column("count_all").to_pylist(), strict=True))
    return sorted(pairs, key=lambda pair: (-pair[1], [(text is None, text or "") for text in pair[0]]))


def find_combinations(texts: list[Any], keys: tuple[Combination, ...]) -> np.ndarray:
    """The index in `keys` of each row's combination: int64 [n], -1 where there is none."""
    codes, key_codes = np.zeros(len(texts[0]), np.int64), np.zeros(len(keys), np.int64)
    for column, column_keys in zip(texts, zip(*keys, strict=True), strict=True):
        own_codes, own_key_codes, count = _number_texts(column, column_keys)
        distinct, key_codes = np.unique(key_codes * count + own_key_codes, return_inverse=True)
        codes = _find_sorted(distinct, np.where((codes < 0) | (own_codes < 0), -1, codes * count + own_codes))
    index_of_code = np.full(len(keys) + 1, -1)  # the last is of -1
    index_of_code[key_codes] = np.arange(len(keys))
    return index_of_code[codes]


def match_combinations(texts: list[Any], keys: tuple[Combination, ...]) -> np.ndarray:
    """The index of the combination that shares most values with each row; of several, the first: int64 [n]."""
    parts = [_number_texts(column, column_keys) for column, column_keys in zip(texts, zip(*keys, strict=True), strict=True)]
    rows, row_numbers = np.unique(np.stack([own for own, _, _ in parts], 1), axis=0, return_inverse=True)
    key_codes = np.stack([codes for _, codes, _ in parts], 1)
    size = max(1, MAX_MATCHES // max(1, key_codes.size))
    chunks = [rows[start : start + size] for start in range(0, len(rows), size)]
    matches = [(chunk[:, None] == key_codes[None]).sum(2).argmax(1) for chunk in chunks]
    return np.concatenate([*matches, np.zeros(0, np.int64)])[row_numbers.reshape(-1)]


def _number_texts(texts: Any, keys: Combination) -> tuple[np.ndarray, np.ndarray, int]:
    """The number of each row's text and of each key's, and how many there are. -1: a text that no key is."""
    arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
    distinct = arrow.array(list(dict.fromkeys(keys)), arrow.string())
    indices = [compute.index_in(column, value_set=distinct) for column in (texts, arrow.array(keys, arrow.string()))]
    row_codes, key_codes = (compute.fill_null(i, -1).to_numpy(zero_copy_only=False).astype(np.int64) for i in indices)
    return row_codes, key_codes, len(distinct)


def _find_sorted(distinct: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The place of each code among rising distinct ones; -1 where it is none of them."""
    places = np.minimum(np.searchsorted(distinct, codes), len(distinct) - 1)
    return np.where(distinct[places] == codes, places, -1)
