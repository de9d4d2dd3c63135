"""Rows with gaps, completed by a run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..core import Latents, seeded_generator
from ..data import TableRows, read_frame
from ..data.tables import read_table_rows
from ..errors import GanvasError
from ..media import TableCodec
from ..media.table.cells import CELLS
from ..media.table.writing import write_table_parts
from ..runs.folder import RunFolder
from ..system.arrow import import_arrow
from .rows import RowSampler, show_progress
from .stream import ROWS_PER_BLOCK


def complete(run: str | Path | RunFolder, partial: Any, seed: int = 0, checkpoint: str = "best", device: str = "auto") -> Any:
    """Rows with gaps, filled in by a run: a pyarrow.Table with the same rows and columns. What is known stays as it is.

    Args:
        partial: a path, or a frame as `ganvas.train` takes it: pandas, polars, DuckDB, a cursor. Missing cells are filled,
            and so are columns that it lacks. Columns that the run does not know stay as they are.
        seed: another one fills the gaps otherwise.

    Raises:
        GanvasError: a run that makes no rows, or that has not learnt to complete them.
    """
    sampler, items = _open_completion(run, partial, checkpoint, device)
    return import_arrow().concat_tables(list(_complete_blocks(sampler, items, seed)))


def write_completed_rows(
    run: RunFolder, file: str, out: Path, seed: int = 0, checkpoint: str = "best", device: str = "auto"
) -> Path:
    """Write `complete` of a file to `out`, some thousand rows at a time. Returns the file."""
    sampler, items = _open_completion(run, file, checkpoint, device)
    tables = show_progress(_complete_blocks(sampler, items, seed), len(items))
    note = {"Completed": f"the gaps of {Path(file).name} are filled, known cells are as they were"}
    return write_table_parts(tables, out, sampler.sampler.describe_provenance(seed) | note)[0]


def _open_completion(run: str | Path | RunFolder, partial: Any, checkpoint: str, device: str) -> tuple[RowSampler, TableRows]:
    sampler = RowSampler(run, (), checkpoint, device)
    if CELLS not in sampler.sampler.traits.conditions:
        raise GanvasError(f"{sampler.run.path} has not learnt to complete rows: train again with a known_share above 0")
    is_path = isinstance(partial, (str, Path))
    items = read_table_rows(str(partial), min_rows=1) if is_path else read_frame(partial, min_rows=1)
    names: list[str] = sampler.codec.schema.names
    if not set(names) & set(items.sample.schema.names):
        raise GanvasError(f"{items.title} has no column of the training data: it needs at least one of {', '.join(names[:12])}")
    return sampler, items


def _complete_blocks(sampler: RowSampler, items: TableRows, seed: int) -> Iterator[Any]:
    start = 0
    for batch in items.read_blocks():
        for first in range(0, batch.num_rows, ROWS_PER_BLOCK):
            block = import_arrow().table(batch.slice(first, ROWS_PER_BLOCK))
            yield complete_block(sampler, block, seed, start)
            start += block.num_rows


def complete_block(sampler: RowSampler, block: Any, seed: int, start: int) -> Any:
    """The rows of a pyarrow.Table, of number `start` and following, with their gaps filled."""
    codec, machine = sampler.codec, sampler.sampler
    codes, is_known = read_known_cells(codec, block)
    generator = seeded_generator(seed, "complete", start)
    latents: Latents = machine.method.draw_latents(machine.nets, len(codes), generator, machine.request)
    latents = {**latents, CELLS: codec.load_cells(codes, is_known, generator)}
    stored = torch.cat(list(machine.render_stored({name: value.to(machine.device) for name, value in latents.items()})))
    return fill_gaps(block, codec.decode(stored, seed, start))


def read_known_cells(codec: TableCodec, block: Any) -> tuple[Tensor, Tensor]:
    """Codes int64 [n, C] of a block's rows, and which cells are known, bool [n, C]: learnt ones that are not missing."""
    arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
    for name in codec.schema.names:
        if name not in block.schema.names:
            block = block.append_column(name, arrow.nulls(block.num_rows))
    codes = torch.from_numpy(codec.encode_block(block).astype("int64"))
    for rule in codec.rules:
        block = rule.reduce(block)
    known = [
        torch.from_numpy(compute.is_valid(block.column(column.name)).to_numpy().copy())
        if column.fields
        else torch.zeros(block.num_rows, dtype=torch.bool)
        for column in codec.columns
    ]
    return codes, torch.stack(known, 1)


def fill_gaps(block: Any, generated: Any) -> Any:
    """The block (pyarrow.Table) with generated values where it has none, and with the columns that it lacks at its end."""
    arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
    filled: dict[str, Any] = {}
    for name in (*block.schema.names, *(name for name in generated.schema.names if name not in block.schema.names)):
        if name not in generated.schema.names:
            filled[name] = block.column(name)
        elif name not in block.schema.names:
            filled[name] = generated.column(name)
        else:
            values = generated.column(name)
            own = block.column(name).cast(values.type, safe=False)
            filled[name] = compute.coalesce(own, values)
    schema = arrow.schema([generated.schema.field(n) if n in generated.schema.names else block.schema.field(n) for n in filled])
    return arrow.Table.from_arrays(list(filled.values()), schema=schema)
