"""Labels by folders: those side by side are classes, unless they are the numbered parts of one long list."""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np

from .labels import SampleLabels, parse_label_values
from .parts import read_part_name

NUMBERED_FOLDER_PATTERN = re.compile(r"\d{5,}")  # FFHQ's, and those of NVIDIA's dataset_tool: 1,000 files each


class FolderReading(NamedTuple):
    """The labels that folders give, and what is to be said of them."""

    labels: SampleLabels
    note: str = ""


def infer_folder_labels(names: Sequence[str]) -> FolderReading:
    """From paths like "cat/1.png": the folders side by side below what all paths share, if each file is in one."""
    parts = [name.split("/")[:-1] for name in names]
    depth = 0
    while all(len(p) > depth for p in parts) and len({p[depth] for p in parts}) == 1:
        depth += 1
    if not all(len(p) > depth for p in parts):
        return FolderReading(SampleLabels())
    folders = [p[depth] for p in parts]
    if all(map(read_part_name, set(folders))):
        listing = " and ".join(sorted(set(folders)))
        return FolderReading(SampleLabels(), f"its folders {listing} are parts of a set, no classes: all are trained on")
    if _are_numbered_parts(folders, names):
        return FolderReading(
            SampleLabels(),
            f"its folders {min(folders)} to {max(folders)} are numbered parts of one list, no classes: if they are classes, "
            "rename them, or add a labels.csv",
        )
    return FolderReading(parse_label_values(np.array(folders), len(folders), ""))


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
