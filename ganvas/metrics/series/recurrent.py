"""The two scores of TimeGAN (Yoon et al. 2019), for comparison with papers alone: small recurrent networks as judges.

They are blind. With 6 columns the judge has 3 units; it rates a perceptron's windows as perfect (0.009) that boosted trees
know with certainty, and the predictive score of the best method equals that of real data (docs/decisions/0013).
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from ...core import PlainSeries, check_same_series
from ...errors import GanvasError

DISCRIMINATIVE_STEPS, PREDICTIVE_STEPS = 2000, 5000  # of the published code
BATCH, RATE, TEST_SHARE = 128, 1e-3, 0.2


class _Judge(nn.Module):
    """A GRU and a linear layer; `hidden` is half the number of columns."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.gru, self.head = nn.GRU(inputs, hidden, batch_first=True), nn.Linear(hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        """float [N, T, inputs] -> [N, T]."""
        return self.head(self.gru(x)[0])[..., 0]


def score_discriminative(real: PlainSeries, fake: PlainSeries, steps: int = DISCRIMINATIVE_STEPS, seed: int = 0) -> float:
    """|0.5 - accuracy| of a GRU on a fifth of the windows that it has not seen: 0 is said to be perfect, 0.5 the worst.

    Protocol: columns scaled to the real range, GRU of half as many units as columns, batches of 128 of each side, Adam 1e-3.
    The published code takes the mean of several seeds. Its GRU resets before its product, torch's after it.

    Raises:
        GanvasError: other columns, or fewer than 10 windows.
    """
    check_same_series(real, fake, min_windows=10)
    x, y = _scale_columns(real, fake)
    generator = torch.Generator().manual_seed(seed)
    parts = [(side[order[cut:]], side[order[:cut]]) for side, order, cut in (_split(side, generator) for side in (x, y))]
    (x, test_x), (y, test_y) = parts
    judge = _build_judge(x.shape[2], max(1, x.shape[2] // 2), seed)

    def measure_loss() -> Tensor:
        logits_real, logits_fake = (judge(_draw(side, generator))[:, -1] for side in (x, y))
        return nn.functional.softplus(-logits_real).mean() + nn.functional.softplus(logits_fake).mean()

    _train(judge, measure_loss, steps)
    with torch.no_grad():
        hits = torch.cat([judge(test_x)[:, -1] > 0, judge(test_y)[:, -1] < 0])
    return abs(0.5 - float(hits.float().mean()))


def score_predictive(real: PlainSeries, fake: PlainSeries, steps: int = PREDICTIVE_STEPS, seed: int = 0) -> float:
    """Mean absolute error, on real windows, of a GRU that learnt on generated ones to predict the last column's next value.

    It sees the other columns up to now (of a lone column, its own past). Protocol as for `score_discriminative`, with a
    sigmoid at the end. What real windows score against themselves is its floor, and most methods reach it.

    Raises:
        GanvasError: other columns, or fewer than 10 windows.
    """
    check_same_series(real, fake, min_windows=10)
    x, y = _scale_columns(real, fake)
    generator, inputs = torch.Generator().manual_seed(seed), max(1, x.shape[2] - 1)
    judge = _build_judge(inputs, max(1, x.shape[2] // 2), seed)

    def measure_error(windows: Tensor) -> Tensor:
        return (torch.sigmoid(judge(windows[:, :-1, :inputs])) - windows[:, 1:, -1]).abs().mean()

    _train(judge, lambda: measure_error(_draw(y, generator)), steps)
    with torch.no_grad():
        return float(measure_error(x))


def _scale_columns(real: PlainSeries, fake: PlainSeries) -> tuple[Tensor, Tensor]:
    """float32 [N, T, C] and [M, T, C]: from 0 to 1 over the real range. Missing values, and what is over, are 0."""
    numbers = [c for c, kind in enumerate(real.kinds) if kind == "number"]
    if not numbers:
        raise GanvasError("TimeGAN's scores look at numbers, and these windows hold categories alone: take other scores")
    columns = list[list[np.ndarray]]()
    for c in numbers:
        present = real.values[c][real.is_alive]
        low, high = (np.nanmin(present), np.nanmax(present)) if not np.isnan(present).all() else (0.0, 1.0)
        scaled = [(series.values[c] - low) / ((high - low) or 1.0) for series in (real, fake)]
        columns.append([np.where(s.is_alive, np.nan_to_num(v), 0) for v, s in zip(scaled, (real, fake), strict=True)])
    x, y = (torch.from_numpy(np.stack([pair[k] for pair in columns], 2)).float() for k in (0, 1))
    return x, y


def _split(side: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, int]:
    return side, torch.randperm(len(side), generator=generator), round(TEST_SHARE * len(side))


def _draw(side: Tensor, generator: torch.Generator) -> Tensor:
    return side[torch.randint(len(side), (BATCH,), generator=generator)]


def _build_judge(inputs: int, hidden: int, seed: int) -> _Judge:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _Judge(inputs, hidden)


def _train(judge: nn.Module, measure_loss: Callable[[], Tensor], steps: int) -> None:
    optimiser = torch.optim.Adam(judge.parameters(), RATE)
    for _ in range(steps):
        optimiser.zero_grad()
        measure_loss().backward()
        optimiser.step()
