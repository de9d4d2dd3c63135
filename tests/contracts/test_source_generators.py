"""Every translator, found by itself: the sizes that it takes, its scale and how far it sees are measured by gradients."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganvas import nets
from ganvas.configuration import from_json, to_json
from ganvas.nets import ResNet, UNet
from ganvas.nets.layers.instance_norm import InstanceNorm
from ganvas.nets.translation import TranslatorNetwork
from small_recipes import components

ALL = components(nets, "build_translator", "smallest")
FORMS = {  # those found, and forms that their settings give
    **{name: design.smallest() for name, design in ALL.items()},
    "ResNet of 3 blocks": ResNet(width=2, blocks=3),
    "ResNet, antialiased": ResNet(width=2, blocks=2, antialiased=True),
    "ResNet of 9 blocks": ResNet(width=1),
    "UNet of 2 halvings": UNet(width=2, depth=2),
    "UNet of 4 halvings": UNet(width=2, depth=4, norm="instance"),
}
CHANNELS = (2, 3)  # of the source and of x


def build(design: Any, size: int = 16) -> TranslatorNetwork:
    torch.manual_seed(0)
    return design.build_translator((CHANNELS[0], size, size), CHANNELS[1]).double().eval()


def see_everything(network: nn.Module) -> None:
    """Convolutions become means, so that no input is lost behind a ReLU; instance norm, whose statistics see all, goes."""
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if isinstance(child, InstanceNorm):
                setattr(parent, name, nn.Identity())
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.constant_(layer.weight, 1 / layer.weight[0].numel())
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.ones_(layer.weight)


def find_seen(network: TranslatorNetwork, size: int, row: int, column: int) -> Tensor:
    """The source's places (row, column), int64 [K, 2], that the output's pixel depends on."""
    source = 1e-5 * torch.rand(1, CHANNELS[0], size, size, dtype=torch.float64)  # small: tanh has a slope after many blocks
    source.requires_grad_()
    network(source)[0, :, row, column].sum().backward()
    assert source.grad is not None
    return source.grad[0].abs().sum(0).nonzero()


def measure_reach(network: TranslatorNetwork, size: int) -> tuple[int, list[int]]:
    """(the largest distance, in rows or columns, to a place that is seen; how many rows each pixel of a multiple sees)."""
    middle = size // 2 // network.multiple * network.multiple
    distances, heights = [], []
    for k in range(network.multiple):
        row, column = middle + k, middle + network.multiple - 1 - k
        seen = find_seen(network, size, row * network.scale, column * network.scale)
        distances.append(int((seen - torch.tensor([row, column])).abs().max()))
        heights.append(int(seen[:, 0].max() - seen[:, 0].min()) + 1)
    return max(distances), heights


@pytest.mark.parametrize("name", ALL)
def test_contract(name: str) -> None:
    design = ALL[name]
    assert from_json(to_json(design)) == design
    assert design.smallest().smallest() == design.smallest()


@pytest.mark.parametrize("name", FORMS)
def test_reach(name: str) -> None:
    network = build(FORMS[name])
    if any(isinstance(layer, InstanceNorm) for layer in network.modules()):
        assert network.reach is None
    else:
        assert network.reach == network.convolutional_reach
    see_everything(network)
    size = -(-(2 * network.convolutional_reach + 2 * network.multiple + 2) // network.multiple) * network.multiple
    assert measure_reach(network, size)[0] == network.reach == network.convolutional_reach


@pytest.mark.parametrize("design", [ResNet(width=2, blocks=1), UNet(width=2, depth=4, norm="instance")])
def test_with_instance_norm_a_corner_sees_the_other(design: Any) -> None:
    network = build(design, 96)
    assert len(find_seen(network, 96, 0, 0)) == 96 * 96
    without_norm = build(replace(design, norm="none"), 96)
    see_everything(without_norm)
    seen = find_seen(without_norm, 96, 0, 0)
    assert without_norm.reach is not None
    assert 0 < seen.max() <= without_norm.reach < 95


@pytest.mark.parametrize(("blocks", "heights"), [(9, [165, 165, 169, 165]), (6, [117, 117, 121, 117])])
def test_the_published_networks_see_so_many_pixels(blocks: int, heights: list[int]) -> None:
    """The figures of the literature hold for three pixels in four: the fourth sees one more place of a quarter of the size."""
    network = build(ResNet(width=1, blocks=blocks))
    see_everything(network)
    assert measure_reach(network, 192)[1] == heights


@pytest.mark.parametrize("name", FORMS)
def test_sizes_and_scale(name: str) -> None:
    """A source of any multiple gives `scale` times its size, and one of other sizes does not: it has to be padded."""
    network = build(FORMS[name])
    multiple, scale = network.multiple, network.scale
    with torch.no_grad():
        for height, width in ((2, 3), (4, 2), (5, 5)):
            sides = tuple(max(8, multiple) * side for side in (height, width))
            out = network(torch.randn(1, CHANNELS[0], *sides, dtype=torch.float64))
            assert out.shape == (1, CHANNELS[1], *(scale * side for side in sides))
        for extra in range(1, multiple):
            side = 4 * multiple + extra
            try:
                out = network(torch.randn(1, CHANNELS[0], side, side, dtype=torch.float64))
            except RuntimeError:  # features of two sizes cannot be joined
                continue
            assert out.shape[2] != scale * side


@pytest.mark.parametrize("name", FORMS)
def test_a_shift_by_the_multiple_shifts_the_output(name: str) -> None:
    """Away from borders: so tiles that begin at multiples, with a margin of the reach, make up the whole."""
    network = build(FORMS[name])
    see_everything(network)
    m, reach = network.multiple, network.convolutional_reach
    margin = -(-reach // m) * m
    side = 2 * margin + 3 * m
    source = torch.rand(1, CHANNELS[0], side, side, dtype=torch.float64)
    with torch.no_grad():
        whole, tile = network(source), network(source[:, :, m:, m:])
    kept = slice(margin * network.scale, (margin + m) * network.scale)
    shifted = slice((margin + m) * network.scale, (margin + 2 * m) * network.scale)
    torch.testing.assert_close(tile[:, :, kept, kept], whole[:, :, shifted, shifted])
