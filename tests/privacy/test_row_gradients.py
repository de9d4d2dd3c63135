"""Gradients row by row agree with the short cut of linear layers, and with one backward pass a row for convolutions."""

import pytest
import torch
from torch import Tensor, nn

from ganvas.errors import GanvasError
from ganvas.privacy import clip_gradients, clip_row_gradients, record_linear_layers


def hinge(network: nn.Module, x: Tensor) -> Tensor:
    return torch.relu(1 - network(x).flatten(1).sum(1))


def weighted(network: nn.Module, x: Tensor, weight: Tensor) -> Tensor:
    return weight * hinge(network, x)


def test_agrees_with_the_short_cut_of_linear_layers():
    torch.manual_seed(0)
    network, x = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1)).double(), torch.randn(37, 5).double()
    with record_linear_layers(network) as uses:
        losses = hinge(network, x)
    short = clip_gradients(network, uses, losses, 0.5)
    long = clip_row_gradients(network, hinge, [x], 0.5, block=10)
    torch.testing.assert_close(long.norms, short.norms)
    assert set(long.sums) == set(short.sums)
    for name, total in short.sums.items():
        torch.testing.assert_close(long.sums[name], total)


def test_convolutions_agree_with_one_pass_a_row():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 2)).double()
    x, weight = torch.randn(9, 2, 6, 6).double(), torch.rand(9).double()
    clipped = clip_row_gradients(network, weighted, [x, weight], 0.3, block=4)
    expected = {name: torch.zeros_like(parameter) for name, parameter in network.named_parameters()}
    for i in range(9):
        loss = weighted(network, x[i : i + 1], weight[i : i + 1]).sum()
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        norm = sum(float(g.square().sum()) for g in gradients) ** 0.5
        assert float(clipped.norms[i]) == pytest.approx(norm)
        for name, gradient in zip(expected, gradients, strict=True):
            expected[name] += gradient * min(1, 0.3 / max(norm, 1e-12))
    for name, total in expected.items():
        torch.testing.assert_close(clipped.sums[name], total)


def test_no_rows_give_no_gradient():
    clipped = clip_row_gradients(nn.Linear(3, 1), hinge, [torch.zeros(0, 3)], 1.0)
    assert not any(total.any() for total in clipped.sums.values())
    assert clipped.norms.shape == (0,)


def test_what_mixes_rows_is_refused():
    x = torch.randn(4, 3)
    with pytest.raises(GanvasError, match="1 normalises over a batch"):
        clip_row_gradients(nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), hinge, [x], 1.0)
    with pytest.raises(GanvasError, match="one loss for each row"):
        clip_row_gradients(nn.Linear(3, 1), lambda network, rows: network(rows).sum(), [x], 1.0)
    with pytest.raises(GanvasError, match="need rows"):
        clip_row_gradients(nn.Linear(3, 1), hinge, [], 1.0)
