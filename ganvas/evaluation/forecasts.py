"""How well networks forecast: the last quarter of real windows by their first three quarters, beside standing still."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from ..core import Codec, Method, Nets, PlainSeries, seeded_generator
from ..media import SeriesCodec
from ..metrics.series import find_analogues, score_column_forecasts
from ..sampling.windows import WindowFiller, can_fill_windows
from .reals import RealSplit

FORECAST = "forecast"
WINDOWS, MEMBERS = 256, 16  # to forecast, and forecasts of each
KNOWN_SHARE = 0.75  # of a window's steps


@dataclass
class ForecastScorer:
    """Scores forecasts of windows that training never saw, or of held-out ones.

    The score is the continuous ranked probability score as a share of what the last known value scores, the mean of columns.
    1 is as good as standing still, and lower is better.
    """

    codec: SeriesCodec
    split: RealSplit
    seed: int = 0

    @property
    def known_steps(self) -> int:
        return min(self.codec.window - 1, max(1, round(KNOWN_SHARE * self.codec.window)))

    @cached_property
    def windows(self) -> torch.Tensor:
        """Whole windows to forecast, spread over all there are: uint16 [N, T, C]."""
        reals = self.split.held_out if self.split.unseen is None else self.split.unseen
        stored = reals.take(0, reals.size)["x"].cpu()
        is_alive = (stored[..., self.codec.is_end].long() == 0).flatten(1).all(1)
        stored = stored[is_alive]
        return stored[torch.linspace(0, max(0, len(stored) - 1), min(WINDOWS, len(stored))).long()]

    @cached_property
    def truth(self) -> PlainSeries:
        return self.codec.read_plain_series(self.windows)

    def forecast(self, filler: WindowFiller) -> list[PlainSeries]:
        """The windows with their ends forecast, several times."""
        codes = self.windows.long()
        is_known = torch.zeros(codes.shape, dtype=torch.bool)
        is_known[:, : self.known_steps] = True
        is_known[..., self.codec.is_static | self.codec.is_end] = True
        generators = [seeded_generator(self.seed, FORECAST, k) for k in range(MEMBERS)]
        members = [filler.fill(codes * is_known, is_known, generator).to(torch.uint16) for generator in generators]
        return [self.codec.read_plain_series(stored) for stored in members]

    def compute_score(self, filler: WindowFiller) -> float | None:
        """The score of networks; None if these windows have nothing to forecast."""
        return self._score(self.forecast(filler)) if len(self.windows) else None

    def compute_floor(self) -> float | None:
        """The score of the real windows that began most like these; None if there are too few."""
        reference = self.codec.read_plain_series(self.split.reference.take(0, self.split.reference.size)["x"].cpu())
        reference = reference.take(reference.lengths == reference.steps)
        if not len(self.windows) or len(reference) < MEMBERS:
            return None
        numbers = find_analogues(reference, self.truth, self.known_steps, MEMBERS)
        return self._score([reference.take(rows) for rows in numbers])

    def _score(self, members: list[PlainSeries]) -> float | None:
        score = score_column_forecasts(members, self.truth, self.known_steps).mean
        return None if np.isnan(score) else score


def add_forecast(card: dict[str, Any], split: RealSplit, codec: Codec, method: Method, nets: Nets, seed: int) -> dict[str, Any]:
    """The card with the score of forecasts, if these networks can make any."""
    if not isinstance(codec, SeriesCodec) or not can_fill_windows(method, nets, codec):
        return card
    scorer = ForecastScorer(codec, split, seed)
    score, floor = scorer.compute_score(WindowFiller(method, nets, codec)), scorer.compute_floor()
    if score is None:
        return card
    parts = {"scores": score, "lower_is_better": True, **({} if floor is None else {"floor": floor})}
    return card | {part: {**card[part], FORECAST: value} for part, value in parts.items()}
