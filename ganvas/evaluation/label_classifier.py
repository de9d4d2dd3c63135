"""Small networks that judge, trained on the data within seconds; a classifier of labels is one of them.

They are others than the game's D, and learn from the training samples alone.
"""

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialise_tensors
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from ..core import seed_from
from ..system.files import write_atomically

MAX_SIDE, HALVINGS, BATCH = 64, 4, 64  # px: larger pictures are shrunk
LEARNING_RATE = 2e-3
Judging = TypeVar("Judging", bound=nn.Module)
MeasureLoss = Callable[[Judging, Tensor, torch.Generator], Tensor]  # a network, rows of the data, random draws -> a loss


class LabelClassifier(nn.Module):
    """x [N, C, H, W] in [-1, 1] -> logits [N, K]."""

    def __init__(self, channels: int, classes: int, width: int) -> None:
        super().__init__()
        widths = [width * min(4, 2**k) for k in range(HALVINGS + 1)]
        layers: list[nn.Module] = []
        for k, (inputs, outputs) in enumerate(pairwise([channels, *widths])):
            stride = 2 if k else 1
            layers += [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
        self.layers, self.last = nn.Sequential(*layers), nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor) -> Tensor:
        if max(x.shape[2:]) > MAX_SIDE:
            x = adaptive_avg_pool2d(x, (min(MAX_SIDE, x.shape[2]), min(MAX_SIDE, x.shape[3])))
        return self.last(self.layers(x).mean((2, 3)))


def load_or_train(
    build: Callable[[], Judging],
    measure_loss: "MeasureLoss[Judging]",
    count: int,
    steps: int,
    seed: int,
    path: Path | None,
    word: str = "label classifier",
    batch: int = BATCH,
) -> Judging:
    """A network with the weights of a cache file, or trained on `count` samples. Global random numbers stay as they are.

    path: of the cache file; None always trains.
    word: what the network is. Its random draws follow from it and the seed.
    """
    with torch.random.fork_rng(), torch.inference_mode(False), torch.enable_grad():
        torch.manual_seed(seed_from(seed, word))
        network = build()
        if not load_weights(network, path):
            train_classifier(network, measure_loss, count, steps, batch)
            save_weights(network, path)
    return network.eval().requires_grad_(False)


def train_classifier(
    network: Judging, measure_loss: "MeasureLoss[Judging]", count: int, steps: int, batch: int = BATCH
) -> None:
    """Adam, with a rate that rises and falls; batches are random rows."""
    optimiser = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
    network.train()
    for _ in range(steps):
        rows = torch.randint(count, (batch,), generator=generator)
        optimiser.zero_grad()
        measure_loss(network, rows, generator).backward()
        optimiser.step()
        schedule.step()


def load_weights(classifier: nn.Module, path: Path | None) -> bool:
    """Whether there is a whole cache file, which the classifier then has the weights of."""
    if path is None:
        return False
    try:
        classifier.load_state_dict(load_file(path))
    except (SafetensorError, OSError, RuntimeError):
        return False
    return True


def save_weights(classifier: nn.Module, path: Path | None) -> None:
    """Write the cache file. If that fails, the next run only takes longer."""
    if path is None:
        return
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        data = serialise_tensors({name: value.contiguous() for name, value in classifier.state_dict().items()})
        write_atomically(path, lambda temporary: temporary.write_bytes(data))
