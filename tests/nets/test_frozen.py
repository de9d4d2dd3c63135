"""Depthwise convolutions of frozen networks: outputs and gradients are PyTorch's own."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from ganvas.nets.layers.frozen import FrozenDepthwise


@given(
    kernel=st.sampled_from([1, 3, 5]),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    height=st.integers(5, 12),
    width=st.integers(5, 12),
)
@settings(max_examples=60, deadline=None)
def test_gradients_are_those_of_pytorch(kernel: int, stride: int, padding: int, height: int, width: int) -> None:
    padding = min(padding, kernel // 2)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, height, width, dtype=torch.float64, generator=generator).requires_grad_()
    weight = torch.randn(3, 1, kernel, kernel, dtype=torch.float64, generator=generator)
    bias = torch.randn(3, dtype=torch.float64, generator=generator)
    expected = F.conv2d(x, weight, bias, stride, padding, groups=3)
    result = FrozenDepthwise.apply(x, weight, bias, stride, padding)
    torch.testing.assert_close(result, expected)
    direction = torch.randn(expected.shape, dtype=torch.float64, generator=generator)
    (slope,) = torch.autograd.grad(expected, x, direction)
    torch.testing.assert_close(torch.autograd.grad(result, x, direction)[0], slope)


def test_it_computes_in_bf16_under_autocast() -> None:
    x = torch.randn(1, 2, 8, 8, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        y = FrozenDepthwise.apply(x, torch.ones(2, 1, 3, 3), None, 1, 1)
    assert y.dtype == torch.bfloat16
    y.float().sum().backward()
    assert x.grad is not None
    assert x.grad.dtype == torch.float32
    assert float(x.grad[0, 0, 4, 4]) == 9.0
