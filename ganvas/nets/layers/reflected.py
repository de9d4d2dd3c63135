"""Convolutions that see a mirror image outside the picture, instead of zeros."""

from torch import Tensor, nn
from torch.nn.functional import conv2d, pad


class ReflectedConv(nn.Conv2d):
    """A convolution of odd kernel size with reflection padding: it keeps the size, divided by `stride`."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, has_bias: bool = True) -> None:
        super().__init__(inputs, outputs, kernel, stride, bias=has_bias)
        self.margin = kernel // 2

    def forward(self, input: Tensor) -> Tensor:
        return conv2d(pad(input, [self.margin] * 4, "reflect"), self.weight, self.bias, self.stride)
