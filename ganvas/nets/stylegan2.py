"""StyleGAN2. Karras et al. 2020a, section 2 and appendix B; networks as in Karras et al. 2020b (ADA).

G sums images of all sizes (skip), D is residual. A style scales the input of a convolution, and the output is divided by the
size of the weights so scaled (demodulation): one set of weights serves all samples.
"""

from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu

from ..configuration import config
from ..core import CriticOutput, Spec
from ..errors import require
from ..resampling import blur_by_binomial, double_size, halve_size
from .layers.equalised import HE_GAIN, EqualisedConv, EqualisedLinear, append_deviation
from .layers.labels import check_widths, count_classes, read_image_levels
from .layers.style import MappingNetwork, StyleGenerator
from .progan import compute_progressive_widths


class ModulatedConv(nn.Module):
    """3x3. x [N, inputs, H, W], s [N, inputs] -> [N, outputs, …], twice the size if `is_upward`. Eqs. 1 to 3.

    Scaling the input by s and the output by d equals a convolution with weights d·w·s. Those would differ for each sample: they
    would cost memory, and grouped convolutions are slow. The caller scales by d.
    """

    def __init__(self, inputs: int, outputs: int, is_upward: bool) -> None:
        super().__init__()
        self.weight, self.is_upward = nn.Parameter(torch.randn(outputs, inputs, 3, 3)), is_upward

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        x = x * s[:, :, None, None]
        if self.is_upward:
            return blur_by_binomial(conv_transpose2d(x, self.weight.transpose(0, 1), stride=2), 1, gain=4)
        return conv2d(x, self.weight, padding=1)

    def compute_demodulation(self, s: Tensor) -> Tensor:
        """d [N, outputs]: one over the size of the scaled weights, eq. 3."""
        return (s.square() @ self.weight.square().sum((2, 3)).t() + 1e-8).rsqrt()


class StyleLayer(nn.Module):
    """Style, convolution, noise, bias, LeakyReLU."""

    still: Tensor  # the noise outside training: the same for every sample

    def __init__(self, inputs: int, outputs: int, w_dim: int, size: int, is_upward: bool) -> None:
        super().__init__()
        self.style = EqualisedLinear(w_dim, inputs, bias=1.0)
        self.convolution = ModulatedConv(inputs, outputs, is_upward)
        self.strength, self.bias = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(outputs))
        self.register_buffer("still", torch.randn(size, size))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        s = self.style(w)
        x = self.convolution(x, s)
        d = self.convolution.compute_demodulation(s)
        noise = torch.randn(len(x), 1, *x.shape[2:], dtype=x.dtype, device=x.device) if self.training else self.still
        # √2 before LeakyReLU is the same as after it, and touches fewer numbers
        bias, d = (HE_GAIN * self.bias).to(x.dtype), (HE_GAIN * d).to(x.dtype)
        x = torch.addcmul(bias[:, None, None], x, d[:, :, None, None])
        return leaky_relu(x.add_(noise * (HE_GAIN * self.strength)), 0.2, inplace=True)


class ToImage(nn.Module):
    """Style and a 1x1 convolution without demodulation. With so few outputs, weights for each sample are quicker."""

    def __init__(self, inputs: int, channels: int, w_dim: int) -> None:
        super().__init__()
        self.style = EqualisedLinear(w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(channels, inputs, 1, 1))
        self.bias, self.scale = nn.Parameter(torch.zeros(channels)), inputs**-0.5

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        weights = self.weight.flatten(1) * (self.style(w) * self.scale)[:, None]
        return torch.einsum("nihw,noi->nohw", x, weights) + self.bias[:, None, None]


class Generator(StyleGenerator):
    """z [N, z_dim], label [N], truncation [N] -> x [N, C, 4·2^levels, …], unbounded; `widths` from 4 px up."""

    def __init__(self, mapping: MappingNetwork, w_dim: int, widths: list[int], channels: int, mixing: float) -> None:
        super().__init__(mapping, mixing)
        self.layer_count = 2 * len(widths)
        self.start = nn.Parameter(torch.randn(widths[0], 4, 4))
        sizes = [4 * 2**k for k in range(len(widths))]
        self.first = StyleLayer(widths[0], widths[0], w_dim, 4, is_upward=False)
        self.ups = nn.ModuleList(
            StyleLayer(i, o, w_dim, size, True) for (i, o), size in zip(pairwise(widths), sizes[1:], strict=True)
        )
        self.evens = nn.ModuleList(StyleLayer(o, o, w_dim, size, False) for o, size in zip(widths[1:], sizes[1:], strict=True))
        self.to_image = nn.ModuleList(ToImage(width, channels, w_dim) for width in widths)

    def render_styles(self, ws: Tensor) -> Tensor:
        """ws [N, 2·sizes, w_dim] -> x. An image layer shares the style of the convolution that follows it."""
        styles = ws.unbind(1)
        h = self.first(self.start.expand(ws.shape[0], -1, -1, -1), styles[0])
        x = self.to_image[0](h, styles[1])
        for k, (up, even) in enumerate(zip(self.ups, self.evens, strict=True)):
            h = even(up(h, styles[2 * k + 1]), styles[2 * k + 2])
            x = double_size(x) + self.to_image[k + 1](h, styles[2 * k + 3])
        return x


class DownBlock(nn.Module):
    """Two convolutions, the second at half the size, plus a blurred 1x1 shortcut; the sum has variance 1. Appendix B."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, self.second = (
            EqualisedConv(inputs, inputs, 3, boost=HE_GAIN),
            EqualisedConv(inputs, outputs, 3, stride=2, padding=0),
        )
        self.beside = EqualisedConv(inputs, outputs, 1, gain=1 / HE_GAIN, has_bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = leaky_relu(self.first(x), 0.2, inplace=True)
        h = leaky_relu(self.second(blur_by_binomial(h, 2)), 0.2, inplace=True)  # LeakyReLU's √2 and the sum's 1/√2 cancel
        return h + self.beside(halve_size(x))


class Discriminator(nn.Module):
    """x [N, C, S, S], label int64 [N] if there are `classes` -> CriticOutput; `widths` from 4 px up. Labels by projection."""

    def __init__(self, widths: list[int], channels: int, classes: int, w_dim: int, layers: int, group: int = 4) -> None:
        super().__init__()
        self.group = group
        self.from_image = EqualisedConv(channels, widths[-1], 1, boost=HE_GAIN)
        self.blocks = nn.Sequential(*(DownBlock(i, o) for o, i in reversed(list(pairwise(widths)))))
        self.end = EqualisedConv(widths[0] + 1, widths[0], 3, boost=HE_GAIN)
        self.dense, self.last = (
            EqualisedLinear(widths[0] * 16, widths[0], boost=HE_GAIN),
            EqualisedLinear(widths[0], w_dim if classes else 1),
        )
        self.label = MappingNetwork(0, w_dim, layers, classes, mean_decay=None) if classes else None

    def forward(self, x: Tensor, label: Tensor | None = None) -> CriticOutput:
        h = self.blocks(leaky_relu(self.from_image(x), 0.2, inplace=True))
        h = leaky_relu(self.end(append_deviation(h, self.group)), 0.2, inplace=True)
        features = leaky_relu(self.dense(h.flatten(1)), 0.2)
        outputs = self.last(features)
        if self.label is None or label is None:
            return CriticOutput(outputs.squeeze(1), features)
        label_embedding = self.label(None, label)
        return CriticOutput((outputs * label_embedding).sum(1) / label_embedding.shape[1] ** 0.5, features)


def check_label_mapping(layers: int | None, width: int | None) -> None:
    """Raises SettingError for layers or a width of D's label mapping out of range; None takes G's."""
    given_settings = {"d_mapping": layers, "d_w_dim": width}
    check_widths(**{name: value for name, value in given_settings.items() if value is not None})


@config
class StyleGAN2:
    """From 8 px up. Channels are `base` over the size, at most `width`.

    group: number of samples whose standard deviation D sees.
    d_mapping: layers of D's mapping of labels. Default: as many as G's mapping has. NVIDIA's D has 8, whatever G has.
    d_w_dim: numbers that D compares with a label. Default: as many as w has. NVIDIA's D has its last layer's width.
    """

    z_dim: int = 512
    w_dim: int = 512
    mapping: int = 8  # layers from z to w
    width: int = 512
    base: int = 16384
    mixing: float = 0.9
    group: int = 4
    labels: bool = True
    d_mapping: int | None = None
    d_w_dim: int | None = None

    def __post_init__(self) -> None:
        check_widths(
            z_dim=self.z_dim, w_dim=self.w_dim, mapping=self.mapping, width=self.width, base=self.base, group=self.group
        )
        check_label_mapping(self.d_mapping, self.d_w_dim)
        require(0 <= self.mixing <= 1, "mixing", self.mixing, "in [0, 1]")

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, levels = read_image_levels(spec, "StyleGAN2")
        classes, layer_widths = (
            count_classes(spec) if self.labels else 0,
            compute_progressive_widths(self.width, self.base, levels),
        )
        mapping = MappingNetwork(self.z_dim, self.w_dim, self.mapping, classes)
        G = Generator(mapping, self.w_dim, layer_widths, channels, self.mixing)
        label_width, label_layers = self.d_w_dim or self.w_dim, self.d_mapping or self.mapping
        D = Discriminator(layer_widths, channels, classes, label_width, label_layers, self.group)
        return nn.ModuleDict({"G": G, "D": D})

    def smallest(self) -> "StyleGAN2":
        return replace(self, z_dim=2, w_dim=2, mapping=1, width=2, d_mapping=None, d_w_dim=None)
