"""Extractors decide what a metric sees of samples; every score names its extractor.

These three need nothing more. The weights of efficientnet.py come in a package; inception.py, the literature's standard, needs
a download.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from ..configuration import config
from ..core import Features
from ..errors import GanvasError
from .images import check_images, extract_in_batches, to_eight_bits

FASHION_WEIGHTS_PATH = Path(__file__).with_name("fashion_classifier.safetensors")


@config
class Pixels:
    """The samples' own values, [N, …] -> [N, D]: uint8 and uint16 over their maximum, other types unchanged."""

    @property
    def word(self) -> str:
        return "pixels"

    @property
    def media(self) -> tuple[str, ...]:
        return ()

    @property
    def name(self) -> str:
        return "pixels"

    def __call__(self, stored: Tensor) -> Features:
        if stored.ndim < 2:
            raise GanvasError(f"pixels: samples must be [N, …] with at least one axis per sample, got {list(stored.shape)}")
        max_value = torch.iinfo(stored.dtype).max if stored.dtype in (torch.uint8, torch.uint16) else 1
        return Features((stored.flatten(1).cpu().double() / max_value).numpy())


@config
class Coordinates:
    """Points, rows or other short vectors, unchanged: [N, D] -> [N, D]."""

    @property
    def word(self) -> str:
        return "coordinates"

    @property
    def media(self) -> tuple[str, ...]:
        return ("points", "table")

    @property
    def name(self) -> str:
        return "coordinates"

    def __call__(self, stored: Tensor) -> Features:
        if stored.ndim != 2:
            raise GanvasError(f"coordinates: samples must be [N, D], got {list(stored.shape)}: use Pixels for images")
        return Features(stored.cpu().double().numpy())


@config
class FashionClassifier:
    """A small classifier of clothes, trained on Fashion-MNIST by scripts/train_extractor.py and shipped with ganvas.

    Images [N, H, W, C] of 8 or 16 bits -> 128·C features and 10 logits. They are resized to 32 px (bilinear,
    antialiased). Each channel passes through separately: features are concatenated, logits averaged. Channels after the
    third are dropped. It knows shapes and textures of small grey images. Scores compare runs on the same data; they are
    not FID.
    """

    batch: int = 125  # images at a time; on two cores 4,400 images/s, with 500 it is 3,850

    @property
    def word(self) -> str:
        return "classifier"

    @property
    def media(self) -> tuple[str, ...]:
        return ("image",)

    @property
    def name(self) -> str:
        return "fashion-classifier-v1"

    @property
    def feature_network(self) -> str:
        return "fashion-classifier"

    def __call__(self, stored: Tensor) -> Features:
        check_images(stored, self.name)
        net, channels = load_fashion_classifier(stored.device), min(stored.shape[3], 3)

        def forward(images: Tensor) -> tuple[Tensor, Tensor]:
            h = net[:-1](prepare_channel_planes(to_eight_bits(images)))  # [N·C, 128]
            return h.reshape(-1, 128 * channels), net[-1](h).reshape(-1, channels, 10).mean(1)

        return extract_in_batches(stored, self.batch, (128 * channels, 10), forward)


def prepare_channel_planes(stored: Tensor) -> Tensor:
    """uint8 images [N, H, W, C] -> [N·C, 1, 32, 32] in [-1, 1]."""
    x = stored.permute(0, 3, 1, 2).flatten(0, 1)[:, None].float() / 127.5 - 1
    if x.shape[-2:] != (32, 32):
        x = F.interpolate(x, size=(32, 32), mode="bilinear", antialias=True, align_corners=False)
    return x.contiguous(memory_format=torch.channels_last)


def build_fashion_classifier(norm: Callable[[int], nn.Module] = nn.Identity) -> nn.Sequential:
    """The classifier: [N, 1, 32, 32] in [-1, 1] -> 10 logits; the layers before the last give the 128 features.

    `norm` makes the layer after each convolution: batch norm in training, folded into the convolutions afterwards.
    """

    def build_conv_layers(width: int, out: int, kernel: int = 3, stride: int = 1) -> tuple[nn.Module, ...]:
        return nn.Conv2d(width, out, kernel, stride, kernel // 2), norm(out), nn.ReLU(inplace=True)

    return nn.Sequential(
        *build_conv_layers(1, 24, kernel=5, stride=2),  # 16 px
        *build_conv_layers(24, 48),
        nn.MaxPool2d(2),  # 8 px
        *build_conv_layers(48, 96),
        *build_conv_layers(96, 96),
        nn.MaxPool2d(2),  # 4 px
        *build_conv_layers(96, 128),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(128, 10),
    )


@cache
def load_fashion_classifier(device: torch.device) -> nn.Sequential:
    with torch.device("meta"):  # random initial weights would advance the global generator, and so change a training run
        net = build_fashion_classifier()
    weights: dict[str, Tensor] = load_file(FASHION_WEIGHTS_PATH)
    for name, w in weights.items():  # channels_last weights: 1.7 times as fast on a CPU
        weights[name] = w.float().contiguous(memory_format=torch.channels_last if w.ndim == 4 else torch.contiguous_format)
    net.load_state_dict(weights, assign=True)
    return net.eval().requires_grad_(False).to(device)
