"""EfficientNet-Lite0 on ImageNet: the first judge of all pictures. Tan & Le 2019."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from ..configuration import config
from ..core import Features
from ..errors import require
from ..nets.pretrained.efficientnet import load_efficientnet
from .images import check_images, extract_in_batches, to_three_channels


@config
class EfficientNetLite0:
    """A classifier of 1,000 kinds of photographs: images [N, H, W, C] of 8 or 16 bits -> 1280 features and 1000 logits.

    Images are resized to `size` px (bilinear, antialiased). Gray becomes RGB; channels after the third are dropped
    (alpha is not composited). The features describe textures, shapes and objects in photographs, and react strongly to noise.
    Scores compare runs on the same data; they are not FID.
    """

    size: int = 112  # pixels: half the size it was trained on, for a quarter of the work
    batch: int = 50  # images at a time

    def __post_init__(self) -> None:
        require(32 <= self.size <= 1024, "size", self.size, "from 32 to 1024 px")
        require(self.batch >= 1, "batch", self.batch, "1 or more")

    @property
    def word(self) -> str:
        return "efficientnet"

    @property
    def media(self) -> tuple[str, ...]:
        return ("image",)

    @property
    def name(self) -> str:
        return f"efficientnet-lite0-{self.size}px-bilinear"

    @property
    def feature_network(self) -> str:
        return "efficientnet-lite0"

    def fit_to_size(self, pixels: int) -> "EfficientNetLite0":
        """64 px for pictures up to 64 px, else 128 px: so a score card stays cheap, and two runs' cards have one size."""
        return replace(self, size=64 if pixels <= 64 else 128)

    def __call__(self, stored: Tensor) -> Features:
        check_images(stored, self.name)
        net = load_efficientnet(stored.device)

        def forward(images: Tensor) -> tuple[Tensor, Tensor]:
            h = net[:-1](self.prepare_images(images))
            return h, net[-1](h)

        return extract_in_batches(stored, self.batch, (1280, 1000), forward)

    def prepare_images(self, images: Tensor) -> Tensor:
        """Images [N, H, W, C] -> [N, 3, size, size], (value − 127) / 128."""
        x = to_three_channels(images)
        if x.shape[2:] != (self.size, self.size):
            x = F.interpolate(x, size=(self.size, self.size), mode="bilinear", antialias=True, align_corners=False)
        return ((x - 127) / 128).contiguous(memory_format=torch.channels_last)
