"""Generated samples above the training samples nearest to them, so that copying shows."""

import numpy as np
import torch
from torch import Tensor

from .core import Method, Nets
from .evaluation import Judge
from .sampling import sample

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
