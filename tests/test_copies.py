"""Which training sample lies nearest, against a search written out."""

import numpy as np
import torch

from ganvas.copies import closest


def test_closest_is_the_least_distance() -> None:
    random = np.random.default_rng(0)
    samples, known = random.normal(size=(7, 5)), random.normal(size=(40, 5))
    by_hand = [min(range(40), key=lambda j: float(((a - known[j]) ** 2).sum())) for a in samples]
    assert closest(samples, known).tolist() == by_hand
    assert torch.equal(closest(known, known), torch.arange(40))  # a copy is found
