"""R-precision: whether a picture is nearest to its own caption among others. Xu et al. 2018, section 4.1."""

import torch
from torch import Tensor
from torch.nn import functional as F

CANDIDATES = 99  # beside the picture's own caption


def draw_candidates(is_mismatch: Tensor, generator: torch.Generator, count: int = CANDIDATES) -> Tensor:
    """Random captions that do not belong to each picture, int64 [N, C]; C is `count`, or as many as every picture has.

    is_mismatch: bool [N, M], whether caption j does not belong to picture i.
    """
    return _choose_highest(torch.rand(is_mismatch.shape, generator=generator), is_mismatch, count)


def find_near_candidates(is_mismatch: Tensor, vectors: Tensor, own: Tensor, count: int = CANDIDATES) -> Tensor:
    """The captions most like each picture's own one among those that do not belong to it, int64 [N, C].

    vectors: of the captions, [M, D]. own: the number of each picture's caption, int64 [N].
    """
    directions = F.normalize(vectors, dim=1)
    return _choose_highest(directions[own] @ directions.T, is_mismatch, count)


def _choose_highest(values: Tensor, is_mismatch: Tensor, count: int) -> Tensor:
    fewest = int(is_mismatch.sum(1).min())
    return values.masked_fill(~is_mismatch, -torch.inf).topk(min(count, fewest), dim=1).indices


def measure_r_precision(pictures: Tensor, captions: Tensor, own: Tensor, candidates: Tensor) -> float:
    """The share of pictures whose own caption has a higher cosine than each of its candidates.

    pictures, captions: their vectors in one space, [N, E] and [M, E]. own: int64 [N]. candidates: int64 [N, C].
    """
    pictures, captions = F.normalize(pictures, dim=1), F.normalize(captions, dim=1)
    own_cosines = (pictures * captions[own]).sum(1)
    other_cosines = torch.stack([captions[rows] @ picture for picture, rows in zip(pictures, candidates, strict=True)])
    return float((own_cosines > other_cosines.amax(1)).double().mean())
