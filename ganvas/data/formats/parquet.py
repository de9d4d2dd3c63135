"""Parquet files of pictures as Hugging Face's data sets have them: a file or a folder of shards, a row a sample."""

import json
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from itertools import accumulate, pairwise
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from ...errors import GanvasError
from ..items import Listed, fingerprint_of_files, listed, stamp
from ..labels import LONGEST, Labels, of_values

SUFFIX = ".parquet"
IMAGES, LABELS = ("image", "img"), ("label", "labels", "fine_label")  # the columns looked for
PARTS = {"train": ("train",), "test": ("test", "validation")}  # what shards' names begin with, where they tell parts apart
MOST = 4 * 2**30  # bytes of a row group's pictures, unpacked
AT_A_TIME = 1024  # rows that threads may be reading between them


def holds(path: Path) -> bool:
    """Whether this is a Parquet file by its name, or a folder of such."""
    return next(path.glob(f"*{SUFFIX}"), None) is not None if path.is_dir() else path.suffix.lower() == SUFFIX


def read(path: Path, part: str) -> Listed | None:
    """The files in the rows, with labels named as the schema says; of the part "train" or "test", None without it.

    Raises:
        GanvasError: pyarrow is missing; a broken file; no column of files; labels that are no whole numbers or words.
    """
    files = _shards(path, part)
    if not files:
        return None
    shards = [_opened(file) for file in files]
    labels, classes = _labels(shards, path)
    rows = Rows(shards)
    return Listed(
        names=rows.names(),
        read=rows.__getitem__,
        fingerprint=fingerprint_of_files(files, map(stamp, files)),
        title=f"{path.name} ({listed(len(rows), 'row')})",
        labels=labels,
        classes=classes,
    )


def _shards(path: Path, part: str) -> list[Path]:
    if not path.is_dir():
        return [path] if part == "train" else []
    files = sorted(path.glob(f"*{SUFFIX}"))
    if not any(file.name.startswith(PARTS["train"]) for file in files):
        return files if part == "train" else []
    found = ([file for file in files if file.name.startswith(name)] for name in PARTS[part])
    return next(filter(None, found), [])


class Shard(NamedTuple):
    """An open file."""

    path: Path
    file: Any  # pyarrow.parquet.ParquetFile
    image: str  # the column's path in the file: "image", or "image.bytes"
    label: str | None
    names: tuple[str, ...]  # of the labels, if the schema has them


def _opened(path: Path) -> Shard:
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError as error:
        raise GanvasError(f"{path} is read by pyarrow, which is not installed: pip install 'ganvas[parquet]'") from error
    with _explained(path):
        file = parquet.ParquetFile(path)
    schema = file.schema_arrow
    leaves = {file.schema.column(i).path: file.schema.column(i).physical_type for i in range(len(file.schema))}
    image = next((leaf for name in IMAGES for leaf in (name, f"{name}.bytes") if leaves.get(leaf) == "BYTE_ARRAY"), None)
    if image is None:
        there = ", ".join(schema.names[:9])
        raise GanvasError(f"{path} has no files in a column {' or '.join(IMAGES)}; it has {there}: rename the one of files")
    label = next((name for name in LABELS if name in schema.names), None)
    return Shard(path, file, image, label, _names(schema.metadata or {}, label))


def _names(metadata: dict[bytes, bytes], label: str | None) -> tuple[str, ...]:
    """The labels' names in the words that Hugging Face's `datasets` leave in a schema; () where there are none."""
    try:
        names = json.loads(metadata[b"huggingface"])["info"]["features"][label]["names"]
    except (KeyError, TypeError, ValueError):
        return ()
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _labels(shards: list[Shard], where: Path) -> Labels:
    name, names = shards[0].label, shards[0].names
    if name is None:
        return Labels()
    if any((shard.label, shard.names) != (name, names) for shard in shards):
        raise GanvasError(
            f"{where} has files with other labels than {shards[0].path.name}: put files of one kind into a folder"
        )
    values = [value for shard in shards for value in _column(shard, name)]
    if any(isinstance(value, str) and len(value) > LONGEST for value in values):
        raise GanvasError(f"{where} has texts of more than {LONGEST} characters for labels: rename the column {name}")
    try:
        array = np.array(values)
    except ValueError as error:
        raise GanvasError(
            f"{where} has labels of several lengths in the column {name}: rename it, or make them even"
        ) from error
    if not names or array.dtype.kind != "i":
        return of_values(array, len(array), str(where))
    if (array == -1).all():  # how a test part says that it has none
        return Labels()
    if array.min() < 0 or array.max() >= len(names):
        raise GanvasError(f"{where} has labels from {array.min()} to {array.max()}, but names for {len(names)}: correct them")
    return Labels(array, names)


def _column(shard: Shard, name: str) -> list[Any]:
    with _explained(shard.path):
        return shard.file.read(columns=[name], use_threads=False).column(0).to_pylist()


class Rows:
    """The pictures in shards, by their number; the row groups read last are kept, as many as threads read side by side."""

    def __init__(self, shards: list[Shard]) -> None:
        self.groups = [(shard, g) for shard in shards for g in range(shard.file.num_row_groups)]
        sizes = [shard.file.metadata.row_group(g).num_rows for shard, g in self.groups]
        self.starts = [0, *accumulate(sizes)]
        self.room = 2 + AT_A_TIME * len(sizes) // max(1, self.starts[-1])
        self.kept: OrderedDict[int, Any] = OrderedDict()
        self.lock = Lock()  # an open file has one reader

    def __len__(self) -> int:
        return self.starts[-1]

    def names(self) -> list[str]:
        """A name for each: the file's, and the row's number in the row group."""
        sizes = (after - before for before, after in pairwise(self.starts))
        return [f"{s.path.name}[{g}:{i}]" for (s, g), size in zip(self.groups, sizes, strict=True) for i in range(size)]

    def __getitem__(self, index: int) -> bytes:
        """A file's bytes. Raises GanvasError, with the reason alone, where they cannot be had."""
        group = bisect_right(self.starts, index) - 1
        with self.lock:
            if group not in self.kept:
                self.kept[group] = _pictures(*self.groups[group])
            self.kept.move_to_end(group)
            if len(self.kept) > self.room:
                self.kept.popitem(last=False)
            value = self.kept[group][index - self.starts[group]].as_py()
        value = value["bytes"] if isinstance(value, dict) else value
        if not isinstance(value, bytes):
            raise GanvasError("has no bytes: the file of pictures holds their paths alone; embed the pictures in it")
        return value


def _pictures(shard: Shard, group: int) -> Any:
    """The column of pictures in a row group (pyarrow.ChunkedArray)."""
    facts = shard.file.metadata.row_group(group)
    columns = (facts.column(i) for i in range(facts.num_columns))
    size = sum(column.total_uncompressed_size for column in columns if column.path_in_schema == shard.image)
    if size > MOST:
        raise GanvasError(f"lies in a row group of {size / 2**30:.1f} GB, more than {MOST // 2**30} GB: write smaller ones")
    with _explained(shard.path):
        return shard.file.read_row_group(group, columns=[shard.image], use_threads=False).column(0)


@contextmanager
def _explained(path: Path) -> Generator[None]:
    """Turn what pyarrow says of a broken file into a sentence."""
    arrow = import_module("pyarrow")
    try:
        yield
    except (arrow.ArrowException, OSError) as error:
        reason = str(error).partition("\n")[0][:200].rstrip(".")
        raise GanvasError(f"{path} cannot be read ({reason}): fetch it again") from error
