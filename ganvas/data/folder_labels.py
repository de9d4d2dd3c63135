"""Labels from folders: folders next to each other are classes, unless they are numbered parts of one long list."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from .labels import SampleLabels, parse_label_values
from .names import format_count, list_examples
from .parts import read_part_name

NUMBERED_FOLDER_PATTERN = re.compile(r"\d{5,}")  # as in FFHQ and in the output of NVIDIA's dataset_tool: 1,000 files each
MAX_STRAY_SHARE = 0.05  # of all files; this many may lie outside the class folders


class FolderReading(NamedTuple):
    """Labels of all files except `left_out`, and a note for the user."""

    labels: SampleLabels = SampleLabels()
    note: str = ""
    left_out: frozenset[int] = frozenset()  # indices of files


def infer_folder_labels(names: Sequence[str]) -> FolderReading:
    """Labels from paths like "cat/1.png": the folders below the part that all paths share.

    A few files outside these folders are left out. If there are many, folders are not labels.
    """
    parts = [name.split("/")[:-1] for name in names]
    depth = 0
    while len({p[depth] for p in parts if len(p) > depth}) == 1:
        depth += 1
    folders = [p[depth] for p in parts if len(p) > depth]
    if not folders:
        return FolderReading()
    if all(map(read_part_name, set(folders))):
        listing = " and ".join(sorted(set(folders)))
        return FolderReading(note=f"its folders {listing} are parts of a set, no classes: all are trained on")
    if _are_numbered_parts(folders, names):
        return FolderReading(
            note=f"its folders {min(folders)} to {max(folders)} are numbered parts of one list, no classes: if they are "
            "classes, rename them, or add a labels.csv",
        )
    strays = frozenset(i for i, p in enumerate(parts) if len(p) <= depth)
    note = _describe_strays([name for i, name in enumerate(names) if i in strays], len(names)) if strays else ""
    if len(strays) > MAX_STRAY_SHARE * len(names):
        return FolderReading(note=f"{note}: folders are not used as labels")
    note = f"{note}: left out" if strays else ""
    return FolderReading(parse_label_values(np.array(folders), len(folders), ""), note, strays)


def _describe_strays(names: Sequence[str], count: int) -> str:
    verb = "lies" if len(names) == 1 else "lie"
    return f"{len(names):,} of {format_count(count)} {verb} in no class folder ({list_examples(names)})"


def _are_numbered_parts(folders: Sequence[str], names: Sequence[str]) -> bool:
    """Whether folders only split a long list of files: their names are evenly spaced numbers of five digits.

    Classes may have such names, too (the traffic signs of GTSRB). There, file names occur in several folders.
    """
    distinct_folders = sorted(set(folders))
    if len({len(folder) for folder in distinct_folders}) > 1 or not all(
        map(NUMBERED_FOLDER_PATTERN.fullmatch, distinct_folders)
    ):
        return False
    steps = np.diff([int(folder) for folder in distinct_folders])
    return len(set(steps.tolist())) <= 1 and len({PurePosixPath(name).name for name in names}) == len(names)
