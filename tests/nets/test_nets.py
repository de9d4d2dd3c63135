"""Published sizes, geometry, and what the papers say of the layers."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ganvas.core import Spec
from ganvas.errors import GanvasError
from ganvas.nets import DCGAN, MLP, Compact
from ganvas.nets.layers.labels import read_image_grid
from small_recipes import class_condition, vector_condition


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def image(channels: int, size: int) -> Spec:
    return Spec((channels, size, size), (), {})


def test_classic_mlp_is_the_one_of_the_exercise() -> None:
    nets = MLP().build(image(1, 28))
    assert count(nets["G"]) == (
        100 * 256 + 256 + 256 * 512 + 512 + 512 * 1024 + 1024 + 1024 * 784 + 784 + 2 * (256 + 512 + 1024)
    )
    assert count(nets["D"]) == 784 * 512 + 512 + 512 * 256 + 256 + 256 + 1
    momenta = [m.momentum for m in nets["G"].modules() if isinstance(m, nn.BatchNorm1d)]
    assert momenta == [0.2, 0.2, 0.2]


def test_dcgan_with_the_usual_kernels_has_the_known_sizes() -> None:
    nets = DCGAN(width=64, kernel=4).build(image(3, 64))
    assert count(nets["G"]) == 3_576_704
    assert count(nets["D"]) == 2_765_568


def test_dcgan_follows_section_3_of_its_paper() -> None:
    nets = DCGAN().build(image(3, 64))
    G = [m for m in nets["G"].modules() if not list(m.children())]
    D = [m for m in nets["D"].modules() if not list(m.children())]
    assert isinstance(G[-1], nn.Tanh)
    assert not isinstance(G[-2], nn.BatchNorm2d)
    assert isinstance(D[1], nn.LeakyReLU)  # no batch norm on D's first layer
    assert D[1].negative_slope == 0.2
    assert not any(isinstance(m, (nn.Linear, nn.MaxPool2d, nn.AvgPool2d)) for m in G + D)
    widths = [m.in_channels for m in G if isinstance(m, nn.ConvTranspose2d)]
    assert widths == [100, 1024, 512, 256, 128]  # figure 1
    weights = torch.cat([m.weight.flatten() for m in G + D if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))])
    assert weights.std().item() == pytest.approx(0.02, rel=0.01)


@pytest.mark.parametrize("size", [8, 16, 32, 64, 128])
@pytest.mark.parametrize("nets", [DCGAN(width=2), DCGAN(width=2, kernel=4), Compact(g_width=2, d_width=2)])
def test_any_power_of_two(nets: DCGAN | Compact, size: int) -> None:
    built = nets.build(image(3, size))
    x = built["G"](torch.randn(2, nets.z_dim))
    assert x.shape == (2, 3, size, size)
    assert built["D"](x).logits.shape == (2,)


@pytest.mark.parametrize("shape", [(3, 48, 48), (3, 32, 64), (3, 4, 4), (2,)])
def test_other_shapes_are_refused_with_a_remedy(shape: tuple[int, ...]) -> None:
    with pytest.raises(GanvasError, match=r"`size` to \d+$|ganvas recipes"):
        DCGAN().build(Spec(shape, (), {}))


@pytest.mark.parametrize(
    ("shape", "remedy"),
    [
        ((3, 63, 96), "96x63 (width x height): resize the data, by setting the medium's `size` to 96x56 or 96x64"),
        ((1, 28, 28), "`size` to 24 or 32"),
        ((1, 4, 4), "`size` to 8"),
        ((1, 4, 100), "`size` to 96x8 or 104x8"),
        ((1, 4096, 64), "`size` to 64x2048"),
        ((2,), "choose another recipe (ganvas recipes)"),
    ],
)
def test_compact_names_the_sizes_that_are_near(shape: tuple[int, ...], remedy: str) -> None:
    with pytest.raises(GanvasError, match=re.escape(remedy) + "$"):
        Compact().build(Spec(shape, (), {}))


@pytest.mark.parametrize(
    ("height", "width", "grid", "doublings"),
    [
        (8, 8, (4, 4), 1),
        (64, 64, (4, 4), 4),
        (48, 48, (6, 6), 3),
        (40, 40, (5, 5), 3),
        (64, 96, (4, 6), 4),
        (72, 40, (9, 5), 3),
        (24, 192, (6, 48), 2),
        (8, 2048, (4, 1024), 1),
    ],
)
def test_a_grid_is_halved_while_it_can_be(height: int, width: int, grid: tuple[int, int], doublings: int) -> None:
    assert read_image_grid(Spec((3, height, width), (), {}), "A network") == (3, grid, doublings)


@given(st.integers(1, 256), st.integers(1, 256))
def test_a_doubled_grid_is_the_image(rows: int, columns: int) -> None:
    _, grid, doublings = read_image_grid(Spec((1, 8 * rows, 8 * columns), (), {}), "A network")
    assert [side * 2**doublings for side in grid] == [8 * rows, 8 * columns]
    assert min(grid) >= 4
    assert doublings >= 1


@pytest.mark.parametrize(("height", "width"), [(64, 96), (48, 48), (72, 40)])
def test_compact_makes_images_of_any_shape(height: int, width: int) -> None:
    """With labels, and with gradients to each of its parameters."""
    spec = Spec((3, height, width), (), {"label": class_condition(4)})
    built, label = Compact(g_width=2, d_width=2).build(spec), torch.tensor([0, 3])
    x = built["G"](torch.randn(2, 64), label)
    assert x.shape == (2, 3, height, width)
    output = built["D"](x, label)
    assert output.logits.shape == (2,)
    output.logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in built.parameters())


def test_compact_can_be_the_prototype_at_32_px() -> None:
    """The prototype that the engine has to hold: widths 128, 64, 32 and 16, 32, 64."""
    nets = Compact(g_width=32, d_width=16).build(image(1, 32))
    assert sum(p.numel() for p in nets["G"].parameters()) == 298_017
    assert sum(p.numel() for p in nets["D"].parameters()) == 42_353
    assert [m.out_channels for m in nets["G"].modules() if isinstance(m, nn.ConvTranspose2d)] == [64, 32, 1]
    assert [m.out_channels for m in nets["D"].modules() if isinstance(m, nn.Conv2d)] == [16, 32, 64]
    assert not any(isinstance(m, nn.BatchNorm2d) for m in nets["D"].modules())


def test_compact_networks_use_labels() -> None:
    """At first G is the same for every class; D is not."""
    spec = image(1, 16)._replace(conditions={"label": class_condition(3, (), (0.2, 0.3, 0.5))})
    nets = Compact(z_dim=4, g_width=8, d_width=8).build(spec)
    z, x, labels = torch.randn(2, 4), torch.randn(1, 1, 16, 16).repeat(3, 1, 1, 1), torch.tensor([0, 1, 2])
    nets.eval()
    assert torch.equal(nets["G"](z, labels[:2]), nets["G"](z, labels[1:]))
    assert len(set(nets["D"](x, labels).logits.tolist())) == 3
    with torch.no_grad():
        nets["G"].label.weight[1] += 1
    assert not torch.equal(nets["G"](z, labels[:2]), nets["G"](z, labels[1:]))
    plain = Compact(z_dim=4, g_width=8, d_width=8, labels=False).build(spec)
    assert plain["G"].conditions == ()
    assert not any(isinstance(m, nn.Embedding) for m in plain.modules())
    vector = image(1, 16)._replace(conditions={"label": vector_condition(3)})
    assert Compact().build(vector)["G"].conditions == ()
