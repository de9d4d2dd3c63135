"""Labels by folders: those side by side are classes, unless they are the numbered parts of one long list."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from .labels import SampleLabels, parse_label_values
from .names import format_count, list_examples
from .parts import read_part_name

NUMBERED_FOLDER_PATTERN = re.compile(r"\d{5,}")  # FFHQ's, and those of NVIDIA's dataset_tool: 1,000 files each
MAX_STRAY_SHARE = 0.05  # of all files, that may lie beside class folders


class FolderReading(NamedTuple):
    """The labels that folders give to all files but those left out, and what is to be said of them."""

    labels: SampleLabels = SampleLabels()
    note: str = ""
    left_out: frozenset[int] = frozenset()  # by their numbers among the files


def infer_folder_labels(names: Sequence[str]) -> FolderReading:
    """From paths like "cat/1.png": the folders side by side below what all paths share.

    A few files beside these folders are left out. Where there are many, folders are no labels.
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
    """Whether folders only cut a long list of files: numbers of five digits at even steps, no file's name in two of them.

    Classes may have such numbers as well (GTSRB's traffic signs): there each folder counts its files anew.
    """
    distinct_folders = sorted(set(folders))
    if len({len(folder) for folder in distinct_folders}) > 1 or not all(
        map(NUMBERED_FOLDER_PATTERN.fullmatch, distinct_folders)
    ):
        return False
    steps = np.diff([int(folder) for folder in distinct_folders])
    return len(set(steps.tolist())) <= 1 and len({PurePosixPath(name).name for name in names}) == len(names)
