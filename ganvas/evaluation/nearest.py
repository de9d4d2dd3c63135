"""Generated samples above the training samples nearest to them, so that copying shows."""

from pathlib import Path

import numpy as np
import torch
from PIL.Image import Image as Picture
from torch import Tensor

from ..core import Extractor, Method, Nets
from ..pictures.table import Cell, table, tiles
from ..provenance import written
from ..runs.folder import Run
from ..sampling.generator import opened
from ..sampling.seeds import seeds as parse_seeds
from ..sampling.stream import sample
from .evaluator import Judge, judge_of

COUNT, ROW = 32, 8  # samples, and how many side by side: with their neighbours, a square


def nearest_grid(judge: Judge, method: Method, nets: Nets) -> Tensor:
    """64 in stored form [64, …]: a row of samples, a row of the nearest to them, and so on; by the judge's features."""
    fake = sample(method, nets, judge.codec, COUNT, judge.evaluation.seed)
    return alternating(fake, neighbours(judge, fake)[0])


def neighbours(judge: Judge, stored: Tensor) -> tuple[Tensor, Tensor]:
    """(the training sample nearest to each of [N, …], in stored form, on the CPU; its place in the training set)."""
    places = judge.order[closest(judge.evaluation.extractor(stored.to(judge.device)).features, judge.known)]
    return judge.train.stored[places.to(judge.train.stored.device)].cpu(), places


def alternating(above: Tensor, below: Tensor) -> Tensor:
    """A row of the first, a row of the second below it, and so on."""
    rows = zip(above.split(ROW), below.split(ROW), strict=True)
    return torch.cat([block for row in rows for block in row])


def closest(features: np.ndarray, known: np.ndarray) -> Tensor:
    """For each of [N, D] the place of the nearest of [M, D], int64 [N]."""
    a, b = torch.from_numpy(features), torch.from_numpy(known)
    return (b.square().sum(1) - 2 * a @ b.T).argmin(1)  # the square of a itself is the same for all


def nearest(
    run: str | Path | Run,
    seeds: str = "0-15",
    *,
    out: str | Path | None = None,
    data: str | None = None,
    extractor: str | Extractor | None = None,
    label: str | None = None,
    truncation: float | None = None,
    checkpoint: str = "best",
    device: str = "auto",
) -> Picture:
    """A picture of samples, each above the training sample nearest to it in an extractor's features: copies show.

    Args:
        data: where to look instead of the run's training data.
        extractor: what sees them; None is the recipe's.
        out: a PNG to write; None writes none.

    Raises:
        GanvasError: no run, no data, seeds that are none, a picture that cannot be written.
    """
    made = opened(run, checkpoint, device, label, truncation)
    judge = judge_of(made.run, extractor, data, device)
    stored = torch.cat(list(made.stream_of(parse_seeds(seeds, "--seeds", 1024))))
    real, _ = neighbours(judge, stored)
    looked, there = len(judge.known), len(judge.train)
    word = "nearest" if looked == there else f"nearest of {looked:,} (of {there:,})"
    rows: list[list[Cell]] = []
    for k in range(0, len(stored), 8):
        rows += [["samples", *tiles(made.codec, stored[k : k + 8])], [word, *tiles(made.codec, real[k : k + 8])]]
    return written(table(rows), out, made.note(seeds))
