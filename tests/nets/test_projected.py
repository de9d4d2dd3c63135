"""Networks on frozen features: shapes for any size, and G that makes each pixel alike."""

import pytest
import torch
from torch import nn

from ganvas.extractors import EfficientNetLite0
from ganvas.methods import FeaturePyramid
from ganvas.nets import Projected
from ganvas.nets.projected import compute_pyramid_shapes
from small_recipes import IMAGE8


@pytest.mark.parametrize(("height", "width"), [(8, 8), (32, 32), (48, 48), (64, 96), (40, 72), (128, 128)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_critics_take_pictures_of_any_shape(height: int, width: int, channels: int) -> None:
    nets = Projected().smallest().build(IMAGE8._replace(shape=(channels, height, width)))
    x = nets["G"](torch.randn(2, 2))
    assert x.shape == (2, channels, height, width)
    assert nets["D"](x).logits.shape == (2,)
    features = FeaturePyramid()(x)
    assert features.shape == (2, sum(c * h * w for c, h, w in compute_pyramid_shapes(height, width)))
    assert nets["F"](features).logits.shape == (2, 3)


def test_features_reach_back_to_pixels_and_have_the_size_of_one() -> None:
    x = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0)).mul(2).sub(1).requires_grad_()
    features = FeaturePyramid()(x)
    assert 0.3 < float(features.detach().std()) < 3
    (slope,) = torch.autograd.grad(features.square().sum(), x)
    assert (slope.abs().amax((1, 2, 3)) > 0).all()


def test_a_critic_names_the_network_that_it_looks_through() -> None:
    nets = Projected().smallest().build(IMAGE8._replace(shape=(3, 32, 32)))
    assert nets["F"].feature_network == EfficientNetLite0().feature_network


def test_each_pixel_is_made_alike() -> None:
    """A constant grid gives constant pixels away from the edge, whatever the weights: no checkerboard to begin with."""
    G = Projected(z_dim=2, g_width=4, cap=8).build(IMAGE8._replace(shape=(3, 64, 64)))["G"].eval()
    torch.manual_seed(0)
    for parameter in G.parameters():
        nn.init.normal_(parameter, std=0.3)
    nn.init.constant_(G.first.weight, 0.1)
    nn.init.constant_(G.first.bias, 0.5)
    with torch.no_grad():
        inside = G(torch.ones(1, 2))[0, :, 31:33, 31:33]
    torch.testing.assert_close(inside, inside[:, :1, :1].expand_as(inside))
