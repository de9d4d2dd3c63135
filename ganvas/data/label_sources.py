"""Where the labels of files come from: a table next to them, or else their folders."""

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from .folder_labels import infer_folder_labels
from .label_tables import DATASET_JSON, METADATA_NAMES, parse_table
from .labels import LABEL_TABLE_NAME, SampleLabels

TABLE_NAMES = (LABEL_TABLE_NAME, DATASET_JSON, *METADATA_NAMES)  # the first one with labels is used


class LabelChoice(NamedTuple):
    """Labels of all files except `left_out`, the table that they come from, and notes for the user."""

    labels: SampleLabels
    table: str | None = None
    notes: tuple[str, ...] = ()
    left_out: frozenset[int] = frozenset()  # indices of files


class SampleNames(NamedTuple):
    """The names of the files to label."""

    names: Sequence[str]  # paths below the top
    other_names: Sequence[str]  # samples of other parts, for which a table may have rows
    class_paths: Sequence[str]  # the same paths without the folder of the part: the other folders may be classes


def choose_labels(
    sample_names: SampleNames, tables: Sequence[str], location: str, read_file: Callable[[str], bytes]
) -> LabelChoice:
    """Labels of files: from the first of the `tables` (see `find_tables`) that has some, or else from their folders.

    Raises:
        GanvasError: a table that cannot be read or does not fit the files.
    """
    names, notes = sample_names.names, list[str]()
    for table in tables:
        table_name = PurePosixPath(table).name
        folder = table.removesuffix(table_name)
        if not all(name.startswith(folder) for name in names):
            notes.append(f"{table} is not used: some files do not lie in its folder")
            continue
        reading = parse_table(read_file(table), names, sample_names.other_names, table, f"{location}/{table}")
        if reading.labels.values is not None:
            unused_tables = tables[tables.index(table) + 1 :]
            notes += [f"{other} is not used: {table} goes before it" for other in unused_tables]
            notes += [] if table_name == LABEL_TABLE_NAME else [f"labels come from {table}"]
            return LabelChoice(reading.labels, table, tuple(notes))
        if reading.denies_labels:
            return LabelChoice(SampleLabels(), table, (*notes, f"{table} {reading.reason}"))
        notes.append(f"{table} is not used: it {reading.reason}")
    labels, note, left_out = infer_folder_labels(sample_names.class_paths)
    return LabelChoice(labels, None, (*notes, *([note] if note else [])), left_out)


def find_tables(all_names: Sequence[str]) -> list[str]:
    """The paths of tables of labels: by their kind, then the uppermost first."""
    tables = [name for name in all_names if PurePosixPath(name).name in TABLE_NAMES]
    return sorted(tables, key=lambda table: (TABLE_NAMES.index(PurePosixPath(table).name), table.count("/"), table))
