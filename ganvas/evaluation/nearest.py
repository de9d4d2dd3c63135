"""Generated samples next to their nearest training samples, to detect copies."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL.Image import Image as Picture
from torch import Tensor

from ..core import Extractor, Method, Nets
from ..data.rows import take_rows
from ..pictures.table import Cell, draw_table, draw_tiles
from ..provenance import save_marked_picture
from ..runs.folder import RunFolder
from ..sampling.generator import open_sampler
from ..sampling.seeds import parse_number_list as parse_seeds
from .evaluator import Evaluator, build_run_evaluator

PAIR_COUNT, PAIRS_PER_ROW = 32, 8  # with their neighbours, 8 rows of 8


def pair_with_nearest(evaluator: Evaluator, method: Method, nets: Nets) -> Tensor:
    """Stored samples [64, …]: rows of samples alternate with rows of their nearest neighbours by the first judge's features."""
    fake_samples = evaluator.draw_fakes(method, nets, PAIR_COUNT)
    return alternate_rows(fake_samples, find_nearest(evaluator, fake_samples)[0])


def find_nearest(evaluator: Evaluator, stored: Tensor) -> tuple[Tensor, Tensor]:
    """For samples [N, …] (their nearest training samples in stored form on the CPU, their indices in the training set)."""
    features = evaluator.scorers[0].judge.extractor(stored.to(evaluator.device)).features
    indices = evaluator.training_rows[find_closest_indices(features, evaluator.training_features)]
    return take_rows(evaluator.train.columns, indices)["x"].cpu(), indices


def alternate_rows(upper_samples: Tensor, lower_samples: Tensor) -> Tensor:
    """Alternate rows of the upper and the lower samples."""
    rows = zip(upper_samples.split(PAIRS_PER_ROW), lower_samples.split(PAIRS_PER_ROW), strict=True)
    return torch.cat([block for row in rows for block in row])


def find_closest_indices(features: np.ndarray, candidates: np.ndarray) -> Tensor:
    """For each row of features [N, D] the index of the nearest row of candidates [M, D], int64 [N]."""
    a, b = torch.from_numpy(features), torch.from_numpy(candidates)
    return (b.square().sum(1) - 2 * a @ b.T).argmin(1)  # a² is the same for all candidates


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
    """A picture of samples above their nearest training samples, by an extractor's features, to detect copies.

    Args:
        data: search this data instead of the run's training data.
        extractor: computes the features; None is the first judge's.
        out: a PNG to write; None writes none.

    Raises:
        GanvasError: no run, no data, invalid seeds, or a picture that cannot be written.
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
