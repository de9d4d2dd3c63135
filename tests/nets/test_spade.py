"""SPADE: its norm by hand, what a uniform map leaves, and how many weights the published size has."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from ganvas.nets import SPADE
from ganvas.nets.layers.instance_norm import InstanceNorm
from ganvas.nets.layers.spatial_modulation import SpatialModulation


def draw_map(labels: Tensor, classes: int = 3) -> Tensor:
    """Labels [N, H, W], one-hot."""
    return nn.functional.one_hot(labels, classes).permute(0, 3, 1, 2).float()


def test_modulation_is_equation_1() -> None:
    """γ and β at each place, times and after a norm over the batch; the map is every second pixel of the large one."""
    torch.manual_seed(0)
    layer = SpatialModulation(width=4, map_channels=3, hidden=5, shrinking=2, norm="batch")
    x, large = torch.randn(2, 4, 6, 6) * 3 + 1, draw_map(torch.randint(3, (2, 12, 12)))
    hidden = conv2d(large[:, :, ::2, ::2], layer.shared[0].weight, layer.shared[0].bias, padding=1).relu()
    gamma, beta = (conv2d(hidden, one.weight, one.bias, padding=1) for one in (layer.gamma, layer.beta))
    mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), keepdim=True, unbiased=False)
    torch.testing.assert_close(layer(x, large), gamma * (x - mean) / (variance + 1e-5).sqrt() + beta, rtol=1e-4, atol=1e-5)


def test_a_map_of_one_label_is_not_washed_out() -> None:
    """Section 3.1: after instance norm, uniform maps of any label are the same."""
    torch.manual_seed(0)
    first, second = (draw_map(torch.full((1, 16, 16), label)) for label in (0, 2))
    washed = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), InstanceNorm())
    torch.testing.assert_close(washed(first), washed(second), rtol=0, atol=1e-3)
    G = SPADE(width=4, levels=2, hidden=4, norm="instance").build_generator((3, 16, 16), 3)
    assert (G(first) - G(second)).abs().mean() > 0.01


def count_weights(labels: int) -> int:
    """By hand, of 256 px: 18 modulations, 14 convolutions of 3x3, four skips, the first and the last layer."""
    widths = [1024, 1024, 1024, 512, 256, 128, 64]
    inputs = [1024, *widths[:-1]]
    modulated = [*inputs, *widths, *(i for i, o in zip(inputs, widths, strict=True) if i != o)]
    modulations = sum((9 * labels + 1) * 128 + 2 * (9 * 128 + 1) * width for width in modulated)
    convolutions = sum((9 * i + 1) * o + (9 * o + 1) * o for i, o in zip(inputs, widths, strict=True))
    skips = sum(i * o for i, o in zip(inputs, widths, strict=True) if i != o)
    return modulations + convolutions + skips + (9 * labels + 1) * 1024 + (9 * 64 + 1) * 3


@pytest.mark.parametrize("labels", [35, 182])
def test_weights_of_the_published_size(labels: int) -> None:
    with torch.device("meta"):
        G = SPADE().build_generator((labels, 256, 256), 3)
    assert sum(p.numel() for p in G.parameters()) == count_weights(labels)


def test_scales_start_near_one() -> None:
    G = SPADE(width=4, levels=2, hidden=4).build_generator((3, 16, 16), 3)
    layers = [layer for layer in G.modules() if isinstance(layer, SpatialModulation)]
    assert len(layers) == 3 * 2 + 2
    assert all(layer.gamma.bias is not None and (layer.gamma.bias == 1).all() for layer in layers)
