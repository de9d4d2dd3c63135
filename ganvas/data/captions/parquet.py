"""Captions in Parquet files: a column of pictures, and one of texts or lists of texts."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ...errors import GanvasError
from ..formats.parquet import ParquetRows, Shard, open_shards, read_column
from ..items import fingerprint_files, read_file_stamp
from ..listing import FileListing, ListedFile
from .reading import CaptionReading
from .tables import build_row, choose_text_columns

SPLITS = ("train", "test")
PLAIN_TYPES = ("string", "large_string", "string_view", "bool", "int", "uint", "dictionary<values=string")


class ParquetCaptions(NamedTuple):
    """The rows of files as pictures, and their captions."""

    listing: FileListing
    reading: CaptionReading


def read_parquet_captions(path: Path) -> ParquetCaptions | None:
    """The pictures and captions of a file or a folder of shards; None if they have no column of captions.

    Raises:
        GanvasError: pyarrow is missing, a broken file, no column of pictures, or files with other columns than the first one.
    """
    shards = {split: open_shards(path, split) for split in SPLITS}
    columns = _list_plain_columns(shards["train"][0][0])
    cells = {split: _read_cells(shards[split][0], columns) for split in SPLITS}
    text_columns = choose_text_columns(columns, cells["train"])
    if not text_columns:
        return None
    files = {split: _list_rows_as_files(shards[split][0], split) for split in SPLITS}
    pairs = [(file.name, row) for split in SPLITS for file, row in zip(files[split], cells[split], strict=True)]
    rows = [build_row(name, name, row, text_columns) for name, row in pairs]
    parts = {split: [file.name for file in files[split]] for split in SPLITS if files[split]}
    paths = [shard.path for split in SPLITS for shard in shards[split][0]]

    def take_fingerprint(_samples: Sequence[ListedFile], _others: Sequence[ListedFile]) -> str:
        return fingerprint_files(paths, map(read_file_stamp, paths))

    listing = FileListing(str(path), path.name, [*files["train"], *files["test"]], take_fingerprint)
    notes = tuple(dict.fromkeys(note for split in SPLITS for note in shards[split][1]))
    return ParquetCaptions(listing, CaptionReading(f"the column {' and '.join(text_columns)}", rows, parts, notes))


def _list_plain_columns(shard: Shard) -> list[str]:
    """The columns of texts, lists of texts, whole numbers and truth values."""
    fields = [(field.name, str(field.type)) for field in shard.file.schema_arrow]
    image_column = shard.image_column.partition(".")[0]
    return [
        name
        for name, kind in fields
        if name != image_column and (kind.startswith(PLAIN_TYPES) or (kind.startswith("list<") and kind.endswith(": string>")))
    ]


def _read_cells(shards: list[Shard], columns: list[str]) -> list[dict[str, Any]]:
    """All rows of the files, with these columns."""
    rows = list[dict[str, Any]]()
    for shard in shards:
        missing = [name for name in columns if name not in shard.file.schema_arrow.names]
        if missing:
            raise GanvasError(f"{shard.path} has no column {missing[0]}, unlike {shards[0].path.name}: put others elsewhere")
        values = [read_column(shard, name) for name in columns]
        rows += [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)]
    return rows


def _list_rows_as_files(shards: list[Shard], split: str) -> list[ListedFile]:
    """The pictures of the rows. Their names begin with the part, since shards of two parts may be called alike."""
    rows = ParquetRows(shards)
    names = [f"{split}/{name}" for name in rows.list_names()]
    return [ListedFile(name, (name, 0, 0), partial(rows.__getitem__, k), bytes) for k, name in enumerate(names)]
