"""Whom attacks are tried on: samples that training has seen, and as good ones that it never saw."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from ...data import EncodedDataset, Rows, prepare_dataset, read_frame
from ...data.dataset import open_data
from ...data.files import replace_path
from ...data.rows import count_rows, take_rows
from ...errors import GanvasError
from ...media import TableCodec
from ...privacy.attacks.rates import MIN_TARGETS
from ...runs.folder import RunFolder
from ...system.files import find_cache_folder
from ..evaluator import open_scored_data


class Targets(NamedTuple):
    """Samples that training has seen (members), and others; every column in stored form, [N, …]."""

    members: Mapping[str, Tensor]
    others: Mapping[str, Tensor]
    title: str  # of the members
    other_title: str

    @property
    def counts(self) -> tuple[int, int]:
        """(How many members, how many others)."""
        return len(self.members["x"]), len(self.others["x"])

    def balance(self, most: int, seed: int) -> "Targets":
        """Equally many of each side, at most `most`, at random: then half of all guesses are right by chance."""
        rng, count = np.random.default_rng(seed), min(most, *self.counts)
        return self._replace(members=_draw_rows(self.members, count, rng), others=_draw_rows(self.others, count, rng))


def open_targets(run: RunFolder, held_out: Any, most: int, seed: int) -> Targets:
    """At most `most` random samples of each side.

    Args:
        held_out: a path, or of tables a frame. None: what the run has held out, or its test part.

    Raises:
        GanvasError: nothing was held out, or it is the training data itself, or it does not fit the run's samples.
    """
    training, own = open_scored_data(run, run.recipe.data)
    others = own if held_out is None else _open_other_data(run, held_out)
    if others is None:
        raise GanvasError(
            f"training saw all {len(training):,} {training.codec.noun} of {training.title}, so an attack has nothing to "
            "compare them with: name some that it never saw, --held-out other.csv, or train again with some held out"
        )
    if others.fingerprint == training.fingerprint:
        raise GanvasError(f"{others.title} is what the run was trained on: give {training.codec.noun} that it never saw")
    for data in (training, others):
        if len(data) < MIN_TARGETS:
            raise GanvasError(f"{data.title}: {len(data)} {data.codec.noun} are too few to attack, {MIN_TARGETS} are needed")
    rng = np.random.default_rng(seed)
    members, unseen = (_draw_rows(data.columns, most, rng) for data in (training, others))
    return Targets(members, unseen, training.title, others.title)


def _open_other_data(run: RunFolder, held_out: Any) -> EncodedDataset:
    codec, cache = run.read_codec(), find_cache_folder()
    is_path = isinstance(held_out, (str, Path))
    if isinstance(codec, TableCodec):
        items = Rows(path=str(held_out)).items(()) if is_path else read_frame(held_out, "held-out rows")
        return prepare_dataset(items, codec, cache if is_path else None, quiet=True)
    if not is_path:
        raise GanvasError(f"held-out {codec.noun} come from a path, got {type(held_out).__name__}")
    source = run.recipe.data
    if "test" not in {field.name for field in fields(cast("Any", source))}:
        return open_data(replace_path(source, str(held_out)), run.recipe.medium, codec, is_quiet=True)[1]
    beside = replace(cast("Any", source), test=str(held_out))  # so that labels mean the same
    _, _, others = open_data(beside, run.recipe.medium, codec, is_quiet=True)
    assert others is not None
    return others


def _draw_rows(columns: Mapping[str, Tensor], most: int, rng: np.random.Generator) -> dict[str, Tensor]:
    """Copies of at most `most` random rows, in their order, on the CPU."""
    total = count_rows(columns)
    rows = np.sort(rng.choice(total, min(most, total), replace=False))
    return {name: column.cpu() for name, column in take_rows(columns, torch.from_numpy(rows)).items()}
