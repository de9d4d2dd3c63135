"""A random part of a table's rows, drawn while they pass, so that memory is bounded. Always the same for the same table."""

from typing import Any

import numpy as np

from ...system.arrow import import_arrow

MAX_SAMPLED_ROWS, MAX_SAMPLED_BYTES = 524_288, 512 * 2**20  # with so many rows, shares err by a thousandth at most


class RowSample:
    """Each row has a pseudo-random place in [0, 1). Those below `share` are kept; it is halved whenever they are too many."""

    def __init__(self, schema: Any, max_rows: int = MAX_SAMPLED_ROWS, max_bytes: int = MAX_SAMPLED_BYTES) -> None:
        self.schema, self.max_rows, self.max_bytes = schema, max_rows, max_bytes
        self.share, self.row_count = 1.0, 0
        self.blocks, self.places = list[Any](), list[np.ndarray]()

    def add(self, block: Any) -> None:
        """Look at the next rows (pyarrow.RecordBatch)."""
        places = place_rows(self.row_count, block.num_rows)
        self.row_count += block.num_rows
        self._append(block, places)
        while sum(map(len, self.places)) > self.max_rows or sum(b.nbytes for b in self.blocks) > self.max_bytes:
            self.share /= 2
            pairs, self.blocks, self.places = list(zip(self.blocks, self.places, strict=True)), [], []
            for old_block, old_places in pairs:
                self._append(old_block, old_places)

    def _append(self, block: Any, places: np.ndarray) -> None:
        is_kept = places < self.share
        if not is_kept.all():
            block, places = block.filter(import_arrow().array(is_kept)), places[is_kept]
        if len(places):
            self.blocks.append(block)
            self.places.append(places)

    @property
    def is_whole(self) -> bool:
        """Whether it holds all rows."""
        return self.share == 1.0

    def build_table(self) -> Any:
        """The rows (pyarrow.Table), in their order."""
        return import_arrow().Table.from_batches(self.blocks, self.schema)


def place_rows(start: int, count: int) -> np.ndarray:
    """A pseudo-random number in [0, 1) for each of the rows from `start` on: float64 [count]. Steele et al. 2014: SplitMix."""
    z = np.arange(start + 1, start + count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2**53
