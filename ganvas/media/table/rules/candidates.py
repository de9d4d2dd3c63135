"""The columns of a table in which rules are looked for, in forms that are quick to compare."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from ....core import ColumnKind
from ....system.arrow import import_arrow
from .fitting import UNLEARNT_KINDS
from .numbers import is_date_type, is_number_type, read_counts

UNLEARNT_SHARE = 0.5  # of its rows: a column with more different texts is a key or free text


class CandidateColumns:
    """A table (pyarrow.Table) and some of its rows. Numbers and codes are those of these rows alone."""

    def __init__(self, table: Any, rows: np.ndarray, k: int, kinds: Mapping[str, ColumnKind]) -> None:
        self.table, self.k = _drop_dictionary_types(table), k
        self.part = self.table.take(import_arrow().array(rows)) if len(rows) < len(table) else self.table
        self._kinds = kinds

    @cached_property
    def names(self) -> list[str]:
        """Columns that can follow rules: with two values or more, and neither keys nor free texts."""
        return [name for name in self.table.schema.names if self._is_candidate(name)]

    def _is_candidate(self, name: str) -> bool:
        types, kind = import_arrow("pyarrow.types"), self.table.schema.field(name).type
        if types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind) or types.is_null(kind):
            return False
        if name in self._kinds:
            return self._kinds[name] not in UNLEARNT_KINDS and self._kinds[name] != "constant"
        values = self.part.column(name).drop_null()
        distinct_count = len(values.unique())
        if types.is_floating(kind) or types.is_temporal(kind):
            return distinct_count > 1
        is_key = distinct_count == len(values) if is_number_type(kind) else distinct_count > UNLEARNT_SHARE * len(values)
        return distinct_count > 1 and not is_key

    @cached_property
    def numbers(self) -> dict[str, np.ndarray]:
        """The columns of numbers: float64 [n], NaN where missing."""
        names = [name for name in self.names if is_number_type(self.table.schema.field(name).type)]
        return {name: read_counts(self.part.column(name).combine_chunks(), None) for name in names}

    @cached_property
    def dates(self) -> dict[str, np.ndarray]:
        """The columns of dates, in microseconds: float64 [n], NaN where missing."""
        names = [name for name in self.names if is_date_type(self.table.schema.field(name).type)]
        return {name: read_counts(self.part.column(name).combine_chunks(), "microseconds") for name in names}

    @cached_property
    def codes(self) -> dict[str, np.ndarray]:
        """For each column a number for each of its values, from 0 on, in order of appearance: int64 [n]."""
        return {name: self._encode(name) for name in self.names}

    def _encode(self, name: str) -> np.ndarray:
        dictionary = self.part.column(name).combine_chunks().dictionary_encode(null_encoding="encode")
        return dictionary.indices.to_numpy(zero_copy_only=False).astype(np.int64)

    def is_text(self, name: str) -> bool:
        """Whether the values are neither numbers nor dates."""
        return not (is_number_type(kind := self.table.schema.field(name).type) or is_date_type(kind))

    def count_missing(self, name: str) -> int:
        """In how many rows of the whole table the column is missing."""
        compute = import_arrow("pyarrow.compute")
        return int(compute.sum(compute.is_null(self.table.column(name), nan_is_null=True)).as_py() or 0)

    def are_ordered(self, low: str, high: str) -> bool:
        """Whether one column of numbers or dates is no greater than another in all rows of the whole table."""
        return not bool((self._read_all(low) > self._read_all(high)).any())

    def _read_all(self, name: str) -> np.ndarray:
        if name not in self._whole_columns:
            values = self.table.column(name).combine_chunks()
            self._whole_columns[name] = read_counts(values, "microseconds" if is_date_type(values.type) else None)
        return self._whole_columns[name]

    @cached_property
    def _whole_columns(self) -> dict[str, np.ndarray]:
        return {}


def _drop_dictionary_types(table: Any) -> Any:
    """The table with plain values in place of dictionaries (pandas' categories)."""
    types = import_arrow("pyarrow.types")
    for place, field in enumerate(table.schema):
        if types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(field.type.value_type))
    return table
