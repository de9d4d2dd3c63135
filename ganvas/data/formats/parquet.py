"""Parquet files of pictures, as in Hugging Face's data sets: a file or a folder of shards, one row per sample."""

import json
import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import accumulate, pairwise
from pathlib import Path, PurePath
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from ...errors import GanvasError
from ..captions.texts import are_captions
from ..items import ItemList, fingerprint_files, read_file_stamp
from ..label_tables import CAPTIONS_REASON
from ..labels import LABEL_COLUMNS, MAX_LABEL_CHARACTERS, SampleLabels, parse_label_values, simplify_label_values
from ..names import format_count, is_hidden, list_examples
from ..parts import HELD_OUT_PARTS, read_part_name

PARQUET_SUFFIX = ".parquet"
IMAGE_COLUMNS = ("image", "img")  # the columns looked for, next to those of labels
PART_PATTERN = re.compile(r"(train|test|validation)|(valid|val|dev)(?![a-z])")  # how the names of a part's shards begin
METADATA_FILE = "metadata.parquet"  # a file of texts and the like next to pictures; it holds no pictures
MAX_ROW_GROUP_BYTES = 4 * 2**30  # bytes of a row group's pictures, unpacked
MAX_COLUMN_BYTES = 2**30  # bytes of a column of labels or texts in one file, unpacked
CONCURRENT_ROWS = 1024  # rows that all threads together may be reading


def takes_path(path: Path) -> bool:
    """Whether this is a Parquet file, by its name, or a folder of them; they may lie in its folders train, test and so on."""
    return bool(_list_shard_files(path)) if path.is_dir() else is_shard(path)


def is_shard(path: PurePath) -> bool:
    """Whether this is, by its name, a file of samples."""
    return path.suffix.lower() == PARQUET_SUFFIX and path.name != METADATA_FILE and not is_hidden(path.name)


def has_pictures(path: Path) -> bool:
    """Whether a Parquet file, or one of a folder's, has a column of files. Raises GanvasError for a broken file."""
    files = _list_shard_files(path) if path.is_dir() else [path]
    return any(_find_image_column(_open_file(file)) is not None for file in files[:1])


def read(path: Path, split: str) -> ItemList | None:
    """The files in the rows of the part "train" or "test", with the schema's names of labels; None if it is missing.

    Raises:
        GanvasError: pyarrow is missing; a broken file; no column of files; labels that are not whole numbers or words.
    """
    shards, notes = open_shards(path, split)
    if not shards:
        return None
    files = [shard.path for shard in shards]
    labels, classes = _read_labels(shards, path)
    rows = ParquetRows(shards)
    return ItemList(
        names=rows.list_names(),
        read_item=rows.__getitem__,
        fingerprint=fingerprint_files(files, map(read_file_stamp, files)),
        title=f"{path.name} ({format_count(len(rows), 'row')})",
        labels=labels,
        classes=classes,
        notes=notes,
        label_notes=_explain_missing_labels(shards[0]) if labels is None else (),
    )


def open_shards(path: Path, split: str) -> "tuple[list[Shard], tuple[str, ...]]":
    """The open files of the part "train" or "test", none if it is missing; and notes about the others."""
    files, notes = _choose_shard_files(path, split)
    return [_open_shard(file) for file in files], notes


def _list_shard_files(folder: Path) -> list[Path]:
    """The shards in a folder and in its folders of parts. Raises OSError for the folder itself."""
    paths = sorted(folder.iterdir())
    for place in [path for path in paths if read_part_name(path.name)]:
        with suppress(OSError):  # no folder, or one that may not be entered
            paths += sorted(place.iterdir())
    return [path for path in paths if is_shard(path)]


def _choose_shard_files(path: Path, split: str) -> tuple[list[Path], tuple[str, ...]]:
    """The files of a part, and notes about the others."""
    if not path.is_dir():
        return ([path] if split == "train" else []), ()
    files_by_part: dict[str | None, list[Path]] = {}
    for file in _list_shard_files(path):
        files_by_part.setdefault(_name_part(file, path), []).append(file)
    if "train" not in files_by_part:
        return ([file for files in files_by_part.values() for file in files] if split == "train" else []), ()
    held_out_part = next((part for part in HELD_OUT_PARTS if part in files_by_part), None)
    unused_names = [f.name for part, files in files_by_part.items() if part not in ("train", held_out_part) for f in files]
    note = f"{format_count(len(unused_names), 'shard')} of other parts not used: {list_examples(unused_names)}"
    part = "train" if split == "train" else held_out_part
    return files_by_part[part] if part else [], (note,) if unused_names else ()


def _name_part(file: Path, top: Path) -> str | None:
    """The part of a shard: by its folder, or else by the beginning of its name."""
    if file.parent != top and (folder_part := read_part_name(file.parent.name)):
        return folder_part.part
    match = PART_PATTERN.match(file.name.lower())
    return None if match is None else match[1] or "validation"


class Shard(NamedTuple):
    """An open file."""

    path: Path
    file: Any  # pyarrow.parquet.ParquetFile
    image_column: str  # the column's path in the file: "image", or "image.bytes"
    label_column: str | None
    label_names: tuple[str, ...]  # of the labels, if the schema has them


def _open_file(path: Path) -> Any:
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError as error:
        raise GanvasError(f"{path} is read by pyarrow, which is not installed: pip install 'ganvas[parquet]'") from error
    with _explain_arrow_errors(path):
        return parquet.ParquetFile(path)


def _find_image_column(file: Any) -> str | None:
    """The column of files, as its path in the file."""
    leaf_types = {file.schema.column(i).path: file.schema.column(i).physical_type for i in range(len(file.schema))}
    leaves = (leaf for name in IMAGE_COLUMNS for leaf in (name, f"{name}.bytes"))
    return next((leaf for leaf in leaves if leaf_types.get(leaf) == "BYTE_ARRAY"), None)


def _open_shard(path: Path) -> Shard:
    file = _open_file(path)
    schema, image_column = file.schema_arrow, _find_image_column(file)
    if image_column is None:
        available_columns = ", ".join(schema.names[:9])
        raise GanvasError(
            f"{path} has no files in a column {' or '.join(IMAGE_COLUMNS)}; it has {available_columns}: rename that of files"
        )
    label_column = next((name for name in LABEL_COLUMNS if name in schema.names), None)
    return Shard(path, file, image_column, label_column, _read_label_names(schema.metadata or {}, label_column))


def _read_label_names(metadata: dict[bytes, bytes], label_column: str | None) -> tuple[str, ...]:
    """The labels' names that Hugging Face's `datasets` store in a schema; () if there are none."""
    try:
        names = json.loads(metadata[b"huggingface"])["info"]["features"][label_column]["names"]
    except (KeyError, TypeError, ValueError):
        return ()
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _explain_missing_labels(shard: Shard) -> tuple[str, ...]:
    """Why rows have no labels, although they have other columns than pictures."""
    if shard.label_column is not None and are_captions(read_column(shard, shard.label_column)):
        return (f"no labels: its column {shard.label_column} {CAPTIONS_REASON}",)
    if shard.label_column is not None:
        return (f"no labels: its column {shard.label_column} holds -1 alone",)
    other_columns = [name for name in shard.file.schema_arrow.names if name != shard.image_column.partition(".")[0]]
    names = ", ".join(other_columns[:9])
    reason = f"no labels: it has no column {' or '.join(LABEL_COLUMNS)}, and {names} are not used"
    return (reason,) if other_columns else ()


def _read_labels(shards: list[Shard], path: Path) -> SampleLabels:
    label_column, label_names = shards[0].label_column, shards[0].label_names
    if label_column is None:
        return SampleLabels()
    if any((shard.label_column, shard.label_names) != (label_column, label_names) for shard in shards):
        raise GanvasError(f"{path} has files with labels unlike {shards[0].path.name}: put files of one kind into a folder")
    values = [value for shard in shards for value in read_column(shard, label_column)]
    if are_captions(values):
        return SampleLabels()
    if any(isinstance(value, str) and len(value) > MAX_LABEL_CHARACTERS for value in values):
        raise GanvasError(
            f"{path} has texts of more than {MAX_LABEL_CHARACTERS} characters for labels: rename the column {label_column}"
        )
    try:
        array = simplify_label_values(np.array(values))
    except ValueError as error:
        raise GanvasError(
            f"{path} has labels of different lengths in the column {label_column}: rename it, or correct them"
        ) from error
    if not label_names or array.dtype.kind != "i":
        return parse_label_values(array, len(array), str(path))
    if (array == -1).all():  # a test part without labels
        return SampleLabels()
    if array.min() < 0 or array.max() >= len(label_names):
        raise GanvasError(
            f"{path} has labels from {array.min()} to {array.max()}, but names for {len(label_names)}: correct them"
        )
    return SampleLabels(array, label_names)


def read_column(shard: Shard, name: str) -> list[Any]:
    """All values of a column. Raises GanvasError if it is too large or cannot be read."""
    metadata = shard.file.metadata
    chunks = (metadata.row_group(g).column(i) for g in range(metadata.num_row_groups) for i in range(metadata.num_columns))
    size = sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.partition(".")[0] == name)
    if size > MAX_COLUMN_BYTES:
        raise GanvasError(
            f"{shard.path} has {size / 2**30:.1f} GB in its column {name}, more than {MAX_COLUMN_BYTES // 2**30} GB: refused"
        )
    with _explain_arrow_errors(shard.path):
        return shard.file.read(columns=[name], use_threads=False).column(0).to_pylist()


class ParquetRows:
    """The pictures in shards, by number. The row groups read last are cached, as many as threads may read at once."""

    def __init__(self, shards: list[Shard]) -> None:
        self.row_groups = [(shard, g) for shard in shards for g in range(shard.file.num_row_groups)]
        sizes = [shard.file.metadata.row_group(g).num_rows for shard, g in self.row_groups]
        self.group_starts = [0, *accumulate(sizes)]
        self.max_cached_groups = 2 + CONCURRENT_ROWS * len(sizes) // max(1, self.group_starts[-1])
        self.cached_groups: OrderedDict[int, Any] = OrderedDict()
        self.reader_lock = Lock()  # an open file has one reader

    def __len__(self) -> int:
        return self.group_starts[-1]

    def list_names(self) -> list[str]:
        """A name for each picture: its file, row group, and row."""
        sizes = (after - before for before, after in pairwise(self.group_starts))
        return [f"{s.path.name}[{g}:{i}]" for (s, g), size in zip(self.row_groups, sizes, strict=True) for i in range(size)]

    def __getitem__(self, index: int) -> bytes:
        """A picture's bytes. Raises GanvasError, with only the reason, if they cannot be read."""
        group = bisect_right(self.group_starts, index) - 1
        with self.reader_lock:
            if group not in self.cached_groups:
                self.cached_groups[group] = _read_row_group(*self.row_groups[group])
            self.cached_groups.move_to_end(group)
            if len(self.cached_groups) > self.max_cached_groups:
                self.cached_groups.popitem(last=False)
            value = self.cached_groups[group][index - self.group_starts[group]].as_py()
        value = value["bytes"] if isinstance(value, dict) else value
        if not isinstance(value, bytes):
            raise GanvasError("has no bytes: the file of pictures holds only their paths; embed the pictures in it")
        return value


def _read_row_group(shard: Shard, group: int) -> Any:
    """The column of pictures in a row group (pyarrow.ChunkedArray)."""
    group_metadata = shard.file.metadata.row_group(group)
    columns = (group_metadata.column(i) for i in range(group_metadata.num_columns))
    size = sum(column.total_uncompressed_size for column in columns if column.path_in_schema == shard.image_column)
    if size > MAX_ROW_GROUP_BYTES:
        raise GanvasError(
            f"lies in a row group of {size / 2**30:.1f} GB, more than {MAX_ROW_GROUP_BYTES // 2**30} GB: write smaller ones"
        )
    with _explain_arrow_errors(shard.path):
        return shard.file.read_row_group(group, columns=[shard.image_column], use_threads=False).column(0)


@contextmanager
def _explain_arrow_errors(path: Path) -> Generator[None]:
    """Turn pyarrow's errors about a broken file into a GanvasError."""
    arrow = import_module("pyarrow")
    try:
        yield
    except (arrow.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0][:200].rstrip(".")
        raise GanvasError(f"{path} cannot be read ({reason}): fetch it again") from error
