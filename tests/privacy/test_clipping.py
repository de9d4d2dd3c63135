"""Norms and clipped sums agree with gradients taken row by row; noise has the size that the accountant reckons with."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, vmap

from ganvas.errors import GanvasError, SettingError
from ganvas.privacy import add_gradient_noise, clip_gradients, record_linear_layers


class Perceptron(nn.Module):
    def __init__(self, bias: bool = True) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(7, 9, bias=bias), nn.LeakyReLU(0.2), nn.LayerNorm(9, elementwise_affine=False), nn.Linear(9, 1, bias=bias)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x).squeeze(-1)


class SharedLayer(nn.Module):
    """One layer at several places of a row, and once more behind itself."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.last = nn.Linear(5, 5), nn.Linear(5, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.tanh(self.inner(torch.tanh(self.inner(x)))).mean(1)).squeeze(-1)


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def hinge(logits: torch.Tensor) -> torch.Tensor:
    return torch.relu(1 - logits) + 0.1 * logits**2


def row_gradients(network: nn.Module, x: torch.Tensor) -> dict[str, torch.Tensor]:
    parameters = {name: p.detach() for name, p in network.named_parameters()}
    one = lambda parameters, row: hinge(functional_call(network, parameters, (row[None],))).sum()  # noqa: E731
    return vmap(grad(one), (None, 0))(parameters, x)


class Convolutions(nn.Module):
    """Many places with few channels, then few places with many; strides, dilation, and a pooling in between."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(2, 3, 3, padding=1), nn.LeakyReLU(0.2), nn.AvgPool2d(2), nn.Conv2d(3, 40, 2, dilation=2, bias=False),
            nn.Tanh(), nn.Conv2d(40, 20, (2, 1), stride=2), nn.Flatten(), nn.Linear(20, 1),
        )  # fmt: skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x).squeeze(-1)


CASES = [
    (Perceptron(), (40, 7)),
    (Perceptron(bias=False), (40, 7)),
    (SharedLayer(), (40, 6, 5)),
    (Convolutions(), (40, 2, 8, 8)),
]


@pytest.mark.parametrize(("network", "shape"), CASES, ids=["perceptron", "no bias", "shared layer", "convolutions"])
@pytest.mark.parametrize("clip", [0.05, 0.5, 1e6])
def test_agrees_with_gradients_row_by_row(network, shape, clip):
    network, x = network.double(), draw(*shape)
    with record_linear_layers(network) as uses:
        losses = hinge(network(x))
    clipped = clip_gradients(network, uses, losses, clip)
    rows = row_gradients(network, x)
    norms = sum(g.flatten(1).square().sum(1) for g in rows.values()).sqrt()
    torch.testing.assert_close(clipped.norms, norms, rtol=1e-6, atol=1e-9)
    weights = (clip / norms).clamp(max=1)
    assert set(clipped.sums) == set(rows)
    for name, gradient in rows.items():
        torch.testing.assert_close(clipped.sums[name], torch.einsum("n,n...->...", weights, gradient), rtol=1e-6, atol=1e-9)


def test_no_row_moves_the_sum_by_more_than_the_clip():
    network, x = Perceptron().double(), 100 * draw(30, 7)

    def total(rows: torch.Tensor) -> torch.Tensor:
        with record_linear_layers(network) as uses:
            losses = hinge(network(rows))
        return torch.cat([g.flatten() for g in clip_gradients(network, uses, losses, 0.3).sums.values()])

    moves = torch.stack([total(x) - total(torch.cat([x[:i], x[i + 1 :]])) for i in range(30)]).norm(dim=1)
    assert moves.max() <= 0.3 + 1e-9
    assert moves.max() > 0.29


def test_noise_is_as_large_as_asked_and_repeats():
    network = nn.Linear(300, 200)
    with record_linear_layers(network) as uses:
        losses = network(torch.zeros(0, 300)).sum(1)
    nothing = clip_gradients(network, uses, losses, 2.0)  # an empty batch is a batch
    assert not any(total.any() for total in nothing.sums.values())
    first, again, other = (add_gradient_noise(nothing.sums, 2.0, 1.5, 60, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first["weight"].std().item() == pytest.approx(2.0 * 1.5 / 60, rel=0.02)
    assert torch.equal(first["weight"], again["weight"])
    assert not torch.equal(first["weight"], other["weight"])


def test_the_gradient_is_divided_by_the_expected_batch():
    network, x = Perceptron().double(), draw(8, 7)
    with record_linear_layers(network) as uses:
        losses = hinge(network(x))
    clipped = clip_gradients(network, uses, losses, 1.0)
    private = add_gradient_noise(clipped.sums, 1.0, 0.0, 20, np.random.default_rng())
    for name, total in clipped.sums.items():
        torch.testing.assert_close(private[name], total / 20)


def test_parameters_keep_their_gradients():
    network = Perceptron()
    with record_linear_layers(network) as uses:
        losses = hinge(network(torch.randn(4, 7)))
    clip_gradients(network, uses, losses, 1.0)
    assert all(parameter.grad is None for parameter in network.parameters())
    with record_linear_layers(network):
        pass
    network(torch.randn(4, 7))
    assert len(uses.outputs) == 2  # nothing is recorded outside


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (nn.Sequential(nn.Conv1d(1, 1, 3), nn.Linear(3, 1)), r"0\.weight is of another one"),
        (nn.Sequential(nn.Linear(7, 3), nn.BatchNorm1d(3, affine=False), nn.Linear(3, 1)), "1 normalises over a batch"),
        (nn.Sequential(nn.Linear(7, 3), nn.LayerNorm(3)), r"1\.weight is of another one"),
        (nn.Conv2d(4, 4, 3, groups=2), "weight is of another one"),
        (nn.utils.parametrizations.spectral_norm(nn.Linear(7, 3)), "is of another one"),
    ],
)
def test_networks_whose_norms_are_unknown_are_refused(network, message):
    with pytest.raises(GanvasError, match=message), record_linear_layers(network):
        pass


def test_an_activation_may_overwrite_a_layer():
    first = nn.Linear(7, 3).double()
    networks = [nn.Sequential(first, nn.LeakyReLU(0.2, inplace=flag), nn.Linear(3, 3)).double() for flag in (True, False)]
    networks[1][2].load_state_dict(networks[0][2].state_dict())
    sums = []
    for network in networks:
        with record_linear_layers(network) as uses:
            losses = hinge(network(draw(5, 7)).sum(1))
        sums.append(clip_gradients(network, uses, losses, 0.5).sums)
    for name, total in sums[0].items():
        torch.testing.assert_close(total, sums[1][name])
    assert sums[0]["0.weight"].norm() > 0


def test_first_layers_that_do_not_train_have_no_norm():
    network, x = Perceptron().double(), draw(5, 7)
    network.layers[0].requires_grad_(False)
    with record_linear_layers(network) as uses:
        losses = hinge(network(x))
    clipped = clip_gradients(network, uses, losses, 0.5)
    rows = row_gradients(network, x)
    norms = sum(rows[f"layers.3.{name}"].flatten(1).square().sum(1) for name in ("weight", "bias")).sqrt()
    torch.testing.assert_close(clipped.norms, norms)
    assert not clipped.sums["layers.0.weight"].any()


def test_averaged_losses_are_refused():
    network = Perceptron()
    with record_linear_layers(network) as uses:
        losses = hinge(network(torch.randn(5, 7)))
    for wrong in (losses.mean(), losses[:3], losses[:, None]):
        with pytest.raises(GanvasError, match="one loss for each row"):
            clip_gradients(network, uses, wrong, 1.0)
    with pytest.raises(SettingError, match="clip must be above 0"):
        clip_gradients(network, uses, losses, 0.0)
