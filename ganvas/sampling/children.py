"""Rows for given parents: each parent gets as many children as its count says, and each child names its parent."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..data import Rows
from ..data.tables import open_table
from ..data.tables.joining import name_count_column, name_parent_column
from ..data.tables.opening import read_open_table
from ..errors import GanvasError
from ..media.table.writing import write_table_parts
from ..runs.folder import RunFolder
from ..system.arrow import import_arrow
from .completion import complete_block
from .rows import RowSampler, show_progress
from .stream import ROWS_PER_BLOCK


def write_children(
    run: RunFolder, parents: str, out: Path, seed: int = 0, checkpoint: str = "best", device: str = "auto"
) -> Path:
    """Write children for the rows of a table of parents, generated or real, to the file `out`. Returns it.

    Raises:
        GanvasError: a run that was trained without parents, or a table without the key or the count of children.
    """
    source = run.recipe.data
    if not isinstance(source, Rows) or source.parent is None:
        raise GanvasError(f"{run.path} was trained without parents, so it makes rows for none: leave out the table of parents")
    table = read_open_table(open_table(parents), min_rows=1)
    count_name = name_count_column(source.path)
    missing = [name for name in (source.key, count_name) if name not in table.sample.schema.names]
    if missing:
        raise GanvasError(
            f"{parents} has no column {missing[0]!r}: generate it by a run that was trained with children = {source.path}"
        )
    sampler = RowSampler(run, (), checkpoint, device)
    blocks = list(table.read_blocks())
    total = sum(_read_counts(block, count_name).sum() for block in blocks)
    tables = show_progress(_stream_children(sampler, source, blocks, seed), int(total))
    return write_table_parts(tables, out, sampler.sampler.describe_provenance(seed) | {"Parents": Path(parents).name})[0]


def _stream_children(sampler: RowSampler, source: Rows, blocks: list[Any], seed: int) -> Iterator[Any]:
    arrow, start = import_arrow(), 0
    assert source.parent is not None
    count_name = name_count_column(source.path)
    own_names = [n for n in sampler.codec.schema.names if not n.startswith(name_parent_column(source.parent, ""))]
    for block in blocks:
        rows = np.repeat(np.arange(block.num_rows), _read_counts(block, count_name))
        repeated = arrow.table(block).take(arrow.array(rows))
        known = repeated.drop_columns([source.key, count_name])
        known = known.rename_columns([name_parent_column(source.parent, name) for name in known.schema.names])
        for first in range(0, len(rows), ROWS_PER_BLOCK):
            part = complete_block(sampler, known.slice(first, ROWS_PER_BLOCK), seed, start)
            keys = repeated.column(source.key).slice(first, ROWS_PER_BLOCK)
            yield part.select(own_names).add_column(0, source.key, keys)
            start += part.num_rows


def _read_counts(block: Any, name: str) -> np.ndarray:
    """How many children each row has: int64 [n], none where it is missing."""
    compute = import_arrow("pyarrow.compute")
    return np.maximum(compute.fill_null(block.column(name), 0).to_numpy(zero_copy_only=False).astype(np.int64), 0)
