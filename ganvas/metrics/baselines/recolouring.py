"""Colours moved from one set of pictures to another, channel by channel, without a look at what is shown."""

from collections.abc import Callable

import torch
from torch import Tensor

from ...configuration import config
from ...core import Batch, Spec
from .sources import SOURCE, adapt_source, read_translation_shapes

LEVELS = 256  # of the histograms


@config
class Moments:
    """Each channel's mean and deviation as in the target set. Reinhard et al. 2001, set to set, in RGB."""

    @property
    def name(self) -> str:
        return "moments"

    def applies_to(self, spec: Spec) -> bool:
        return has_same_size(spec)

    def fit(self, training: Batch) -> Callable[[Batch], Tensor]:
        x = training["x"]
        source = adapt_source(training[SOURCE], x)
        (source_deviation, source_mean), (deviation, mean) = (torch.std_mean(t, (0, 2, 3), keepdim=True) for t in (source, x))
        gain = deviation / source_deviation.clamp(min=1e-6)
        return lambda batch: ((adapt_source(batch[SOURCE], x) - source_mean) * gain + mean).clamp(-1, 1)


@config
class Histograms:
    """Each channel's histogram, of 256 levels, as in the target set."""

    @property
    def name(self) -> str:
        return "histograms"

    def applies_to(self, spec: Spec) -> bool:
        return has_same_size(spec)

    def fit(self, training: Batch) -> Callable[[Batch], Tensor]:
        x = training["x"]
        source = adapt_source(training[SOURCE], x)
        tables = torch.stack([match_histogram(source[:, c], x[:, c]) for c in range(x.shape[1])])  # [C, 256]

        def recolour(batch: Batch) -> Tensor:
            levels = find_levels(adapt_source(batch[SOURCE], x))
            return torch.stack([table[levels[:, c]] for c, table in enumerate(tables)], 1)

        return recolour


def has_same_size(spec: Spec) -> bool:
    shapes = read_translation_shapes(spec)
    return shapes is not None and shapes.keeps_size


def match_histogram(source: Tensor, x: Tensor) -> Tensor:
    """For each of 256 levels of the source the value in [-1, 1] with the same rank in x: the least that reaches it."""
    source_ranks, ranks = (rank_levels(values) for values in (source, x))
    levels = torch.searchsorted(ranks, source_ranks).clamp(max=LEVELS - 1)
    return levels.to(x) * (2 / (LEVELS - 1)) - 1


def rank_levels(values: Tensor) -> Tensor:
    """The share of values up to each level: float64 [256]."""
    counts = torch.bincount(find_levels(values).flatten(), minlength=LEVELS)
    return counts.cumsum(0).double() / counts.sum()


def find_levels(values: Tensor) -> Tensor:
    """Values in [-1, 1] -> int64, 0 to 255."""
    return ((values.clamp(-1, 1) + 1) * ((LEVELS - 1) / 2)).round().long()
