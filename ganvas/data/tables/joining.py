"""Two tables that belong together by a key: parents with the number of their children, children with their parent's columns."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import numpy as np

from ...errors import GanvasError
from ...system.arrow import import_arrow
from ..items import fingerprint_parts
from ..names import list_examples
from .opened import OpenTable

MAX_PARENT_BYTES = 2**30  # of parents, which lie in memory


def name_parent_column(parent_path: str, column: str) -> str:
    """A parent's column in the table of its children: "customers.age"."""
    return f"{read_table_stem(parent_path)}.{column}"


def name_count_column(child_path: str) -> str:
    """The column of a parent that counts its children: "count of orders"."""
    return f"count of {read_table_stem(child_path)}"


def read_table_stem(path: str) -> str:
    return PurePath(path.rpartition("table=")[2] or path).name.partition(".")[0]


def join_parent(child: OpenTable, parent: OpenTable, parent_path: str, key: str) -> OpenTable:
    """The child's rows with the columns of their parents. The key itself is left out: it says nothing by itself.

    Raises:
        GanvasError: a table without the key, two parents of one key, or a child whose parent is missing.
    """
    arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
    parents = _read_whole(parent)
    keys = _read_keys(parents, parent.title, key)
    _check_unique(keys, parent.title, key)
    names = [name for name in parents.schema.names if name != key]
    kinds = [arrow.string() if child.is_text else parents.schema.field(name).type for name in names]
    own_fields = [field for field in child.schema if field.name != key]
    schema = arrow.schema(
        [*own_fields, *(arrow.field(name_parent_column(parent_path, n), t) for n, t in zip(names, kinds, strict=True))]
    )

    def join_block(block: Any) -> Any:
        places = compute.index_in(_read_keys(block, child.title, key), value_set=keys)
        if places.null_count:
            orphans = _read_keys(block, child.title, key).filter(compute.is_null(places)).unique().to_pylist()
            raise GanvasError(
                f"{child.title} has rows whose {key} is not in {parent.title} ({list_examples([str(o) for o in orphans])}): "
                "add these parents, or remove the rows"
            )
        added = [parents.column(name).take(places).cast(t).combine_chunks() for name, t in zip(names, kinds, strict=True)]
        own = [block.column(field.name) for field in own_fields]
        return arrow.record_batch([*own, *added], schema=schema)

    return _map_blocks(child, parent, join_block, schema, "with parents")


def count_children(parent: OpenTable, child: OpenTable, child_path: str, key: str) -> OpenTable:
    """The parent's rows with one more column: how many children each has.

    Raises:
        GanvasError: a table without the key, or two parents of one key.
    """
    arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
    name, counts = name_count_column(child_path), dict[str, int]()
    for block in child.read_blocks():
        for value in _read_keys(block, child.title, key).value_counts().to_pylist():
            counts[value["values"]] = counts.get(value["values"], 0) + value["counts"]
    known_keys, numbers = arrow.array(list(counts), arrow.string()), np.array([*counts.values(), 0])
    seen = set[str]()
    schema = parent.schema.append(arrow.field(name, arrow.string() if parent.is_text else arrow.int64()))

    def add_counts(block: Any) -> Any:
        keys = _read_keys(block, parent.title, key)
        places = compute.fill_null(compute.index_in(keys, value_set=known_keys), len(numbers) - 1)
        column = arrow.array(numbers[places.to_numpy(zero_copy_only=False)]).cast(schema.field(name).type)
        return arrow.record_batch([*block.columns, column], schema=schema)

    for block in parent.read_blocks():
        for value in _read_keys(block, parent.title, key).to_pylist():
            _refuse_double(value, seen, parent.title, key)
    return _map_blocks(parent, child, add_counts, schema, "with counts")


def _refuse_double(value: str, seen: set[str], title: str, key: str) -> None:
    if value in seen:
        raise GanvasError(f"{title} has several rows with {key} = {value!r}: a parent's key is there once")
    seen.add(value)


def _check_unique(keys: Any, title: str, key: str) -> None:
    seen = set[str]()
    for value in keys.to_pylist():
        _refuse_double(value, seen, title, key)


def _read_keys(block: Any, title: str, key: str) -> Any:
    """The keys of a block or a table as texts (pyarrow array)."""
    if key not in block.schema.names:
        raise GanvasError(f"{title} has no column {key!r} to join by; it has {list_examples(list(block.schema.names))}")
    arrow, compute, values = import_arrow(), import_arrow("pyarrow.compute"), block.column(key)
    texts = (values.combine_chunks() if isinstance(values, arrow.ChunkedArray) else values).cast(arrow.string())
    if missing := compute.sum(compute.fill_null(compute.equal(texts, ""), True)).as_py():
        raise GanvasError(f"{title} has {missing:,} rows without a {key}: add it, or remove them")
    return texts


def _read_whole(table: OpenTable) -> Any:
    blocks, size = list[Any](), 0
    for block in table.read_blocks():
        blocks.append(block)
        size += block.nbytes
        if size > MAX_PARENT_BYTES:
            raise GanvasError(f"{table.title} is too large for a table of parents: at most {MAX_PARENT_BYTES >> 30} GB")
    return import_arrow().Table.from_batches(blocks, table.schema)


def _map_blocks(table: OpenTable, other: OpenTable, convert: Callable[[Any], Any], schema: Any, word: str) -> OpenTable:
    def read_blocks() -> Iterator[Any]:
        return map(convert, table.read_blocks())

    fingerprint = fingerprint_parts(table.fingerprint, word, other.fingerprint)
    return replace(table, read_blocks=read_blocks, schema=schema, fingerprint=fingerprint)
