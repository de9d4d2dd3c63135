import pytest
import torch
from torch.nn import functional as F

from ganvas.nets.layers.doubling import double_and_convolve


@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 4), (3, 7)])
def test_it_equals_repeated_pixels_and_a_convolution(height: int, width: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 5, height, width, dtype=torch.double, requires_grad=True)
    weight = torch.randn(3, 5, 3, 3, dtype=torch.double, requires_grad=True)
    expected = F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, padding=1)
    doubled = double_and_convolve(x, weight)
    torch.testing.assert_close(doubled, expected)
    direction = torch.randn_like(expected)
    for found, wanted in zip(
        torch.autograd.grad(doubled, [x, weight], direction), torch.autograd.grad(expected, [x, weight], direction), strict=True
    ):
        torch.testing.assert_close(found, wanted)
