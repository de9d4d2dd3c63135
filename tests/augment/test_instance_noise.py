"""Instance noise: as much as it says, and less and less of it."""

import pytest
import torch
from torch import nn

from ganvas.augment import InstanceNoise
from ganvas.core import Clock


@pytest.mark.parametrize(("images", "sigma"), [(0, 0.4), (25, 0.2), (50, 0.0), (100, 0.0)])
def test_it_falls_to_nothing(images: int, sigma: float) -> None:
    x = torch.ones(50_000)
    noisy = InstanceNoise(sigma=0.4, until=0.5)(x, Clock(0, images, 100), nn.ModuleDict())
    assert (noisy - x).std().item() == pytest.approx(sigma, rel=0.02, abs=1e-9)
