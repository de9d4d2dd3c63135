"""Convolutions that see a mirror image outside the picture, instead of zeros; residual blocks of them. Johnson et al. 2016."""

from torch import Tensor, nn

from .instance_norm import Norm, build_norm, needs_bias


def build_reflected_conv(inputs: int, outputs: int, kernel: int, stride: int = 1, has_bias: bool = True) -> nn.Conv2d:
    """A convolution of odd kernel size with mirrored borders: it keeps the size, divided by `stride`."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=has_bias, padding_mode="reflect")


class ReflectedResidual(nn.Module):
    """x + norm(conv(ReLU(norm(conv(x))))), at one size, with mirrored borders."""

    def __init__(self, width: int, norm: Norm, has_dropout: bool) -> None:
        super().__init__()
        self.first, self.second = (build_reflected_conv(width, width, 3, has_bias=needs_bias(norm)) for _ in range(2))
        self.first_norm, self.second_norm = build_norm(norm, width), build_norm(norm, width)
        self.dropout = nn.Dropout(0.5) if has_dropout else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.first_norm(self.first(x)).relu()
        return x + self.second_norm(self.second(self.dropout(h)))
