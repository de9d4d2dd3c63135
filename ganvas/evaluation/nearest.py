"""Generated samples above the training samples nearest to them, so that copying shows."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL.Image import Image as Picture
from torch import Tensor

from ..core import Extractor, Method, Nets
from ..pictures.table import Cell, draw_table, draw_tiles
from ..provenance import save_marked_picture
from ..runs.folder import RunFolder
from ..sampling.generator import open_sampler
from ..sampling.seeds import parse_number_list as parse_seeds
from ..sampling.stream import draw_samples
from .evaluator import Evaluator, build_run_evaluator

PAIR_COUNT, PAIRS_PER_ROW = 32, 8  # samples, and how many side by side: with their neighbours, a square


def pair_with_nearest(evaluator: Evaluator, method: Method, nets: Nets) -> Tensor:
    """64 in stored form [64, …]: a row of samples, a row of the nearest to them, and so on; by the judge's features."""
    fake_samples = draw_samples(method, nets, evaluator.codec, PAIR_COUNT, evaluator.evaluation.seed)
    return alternate_rows(fake_samples, find_nearest(evaluator, fake_samples)[0])


def find_nearest(evaluator: Evaluator, stored: Tensor) -> tuple[Tensor, Tensor]:
    """(the training sample nearest to each of [N, …], in stored form, on the CPU; its place in the training set)."""
    indices = evaluator.order[
        find_closest_indices(evaluator.evaluation.extractor(stored.to(evaluator.device)).features, evaluator.training_features)
    ]
    return evaluator.train.columns["x"][indices.to(evaluator.train.columns["x"].device)].cpu(), indices


def alternate_rows(upper_samples: Tensor, lower_samples: Tensor) -> Tensor:
    """A row of the first, a row of the second below it, and so on."""
    rows = zip(upper_samples.split(PAIRS_PER_ROW), lower_samples.split(PAIRS_PER_ROW), strict=True)
    return torch.cat([block for row in rows for block in row])


def find_closest_indices(features: np.ndarray, candidates: np.ndarray) -> Tensor:
    """For each of [N, D] the place of the nearest of [M, D], int64 [N]."""
    a, b = torch.from_numpy(features), torch.from_numpy(candidates)
    return (b.square().sum(1) - 2 * a @ b.T).argmin(1)  # the square of a itself is the same for all


def nearest(
    run: str | Path | RunFolder,
    seeds: str = "0-15",
    *,
    out: str | Path | None = None,
    data: str | None = None,
    extractor: str | Extractor | None = None,
    conditions: Mapping[str, str] | None = None,
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
    sampler = open_sampler(run, checkpoint, device, conditions, truncation)
    evaluator = build_run_evaluator(sampler.run, extractor, data, device)
    stored = torch.cat(list(sampler.stream_seeds(parse_seeds(seeds, "--seeds", 1024))))
    nearest_real, _ = find_nearest(evaluator, stored)
    searched_count, training_count = len(evaluator.training_features), len(evaluator.train)
    caption = "nearest" if searched_count == training_count else f"nearest of {searched_count:,} (of {training_count:,})"
    rows: list[list[Cell]] = []
    for k in range(0, len(stored), 8):
        rows += [
            ["samples", *draw_tiles(sampler.codec, stored[k : k + 8])],
            [caption, *draw_tiles(sampler.codec, nearest_real[k : k + 8])],
        ]
    return save_marked_picture(draw_table(rows), out, sampler.describe_provenance(seeds))
