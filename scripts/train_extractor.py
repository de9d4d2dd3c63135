"""Train the feature extractor that ships with ganvas: a small classifier of Fashion-MNIST (Xiao et al. 2017, MIT).

    python scripts/train_extractor.py [--data FOLDER] [--out FILE]

About six minutes on two idle cores. Seeded; prints the test accuracy of the weights as shipped (half precision).
"""

import argparse
import gzip
import os
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.extractors.small import FASHION_WEIGHTS_PATH, build_fashion_classifier, prepare_channel_planes

DEBIAN = Path("/usr/share/datasets/fashion-mnist")  # apt install dataset-fashion-mnist


def read(folder: Path, part: str) -> tuple[Tensor, Tensor]:
    """uint8 images [N, 32, 32, 1], resized from 28 px as ganvas's image medium does, and labels int64 [N]."""
    with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as f:
        pixels = np.frombuffer(f.read(), np.uint8, offset=16).reshape(-1, 28, 28)
    with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as f:
        labels = np.frombuffer(f.read(), np.uint8, offset=8).astype(np.int64)
    resized = [np.asarray(Image.fromarray(p).resize((32, 32), Image.Resampling.LANCZOS)) for p in pixels]
    return torch.from_numpy(np.stack(resized))[..., None], torch.from_numpy(labels)


def augment(x: Tensor, generator: torch.Generator) -> Tensor:
    """Flips, shifts by up to 2 px and noise of up to 0.1, each drawn for every image of [N, 1, 32, 32]."""
    n = len(x)
    flipped = torch.rand(n, 1, 1, 1, generator=generator) < 0.5
    padded = F.pad(torch.where(flipped, x.flip(3), x), (2, 2, 2, 2), value=-1)  # the data's background is black
    rows, columns = torch.randint(0, 5, (2, n, 1), generator=generator) + torch.arange(32)
    shifted = padded[torch.arange(n)[:, None, None], 0, rows[:, :, None], columns[:, None, :]][:, None]
    amount = 0.1 * torch.rand(n, 1, 1, 1, generator=generator)
    return shifted + amount * torch.randn(shifted.shape, generator=generator)


def fit(images: Tensor, labels: Tensor, epochs: int, batch: int, seed: int) -> nn.Sequential:
    """The network trained with AdamW on a one-cycle schedule, its batch norm folded into the convolutions."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    net = build_fashion_classifier(nn.BatchNorm2d).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.02)
    steps = len(images) // batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=5e-3, total_steps=epochs * steps, pct_start=0.2)
    started = time.monotonic()
    for epoch in range(epochs):
        seen = 0.0
        for index in torch.randperm(len(images), generator=generator)[: steps * batch].split(batch):
            x = augment(prepare_channel_planes(images[index]), generator).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(net(x), labels[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            seen += loss.item()
        print(f"epoch {epoch + 1}/{epochs}  loss {seen / steps:.4f}  {time.monotonic() - started:.0f} s", flush=True)
    return fold(net.eval())


def fold(net: nn.Sequential) -> nn.Sequential:
    """The same function without batch norm, its weights rounded to half precision as they are stored."""
    for i, layer in enumerate(net):
        if isinstance(layer, nn.BatchNorm2d):
            net[i - 1] = nn.utils.fuse_conv_bn_eval(net[i - 1], layer)
            net[i] = nn.Identity()
    folded = build_fashion_classifier()
    folded.load_state_dict({name: w.half().float() for name, w in net.state_dict().items()})
    return folded.eval()


def accuracy(net: nn.Sequential, images: Tensor, labels: Tensor) -> float:
    with torch.inference_mode():
        hits = [
            net(prepare_channel_planes(x)).argmax(1) == y for x, y in zip(images.split(500), labels.split(500), strict=True)
        ]
    return torch.cat(hits).float().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DEBIAN, help="folder of the four idx.gz files")
    parser.add_argument("--out", type=Path, default=FASHION_WEIGHTS_PATH)
    parser.add_argument("--epochs", type=int, default=7)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    net = fit(*read(args.data, "train"), args.epochs, args.batch, args.seed)
    score = accuracy(net, *read(args.data, "t10k"))
    print(f"test accuracy {score:.4f}")
    metadata = {
        "data": "Fashion-MNIST (Zalando SE, MIT), 28 px resized to 32 by Lanczos",
        "test_accuracy": f"{score:.4f}",
        "seed": str(args.seed),
        "command": shlex.join(["python", *sys.argv]),
        "torch": torch.__version__,
    }
    weights = {name: w.half().contiguous() for name, w in net.state_dict().items()}
    partial = args.out.with_name(args.out.name + ".partial")
    partial.write_bytes(save(weights, metadata))
    os.replace(partial, args.out)


if __name__ == "__main__":
    main()
