"""Whether one part of a generated sample fits its row, by a small network that learns from real samples to name the row."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from math import prod
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..configuration import config
from ..core import Features, RealFeatures, ValueKind
from ..errors import GanvasError, require
from .check import check_features

BATCH, LEARNING_RATE = 64, 2e-3
MAX_SAMPLES = 2_000  # whose rows are named for a score


@config
class RowPairing:
    """ "pairing": of the values of generated rows, the share that a judge names right from the other part of their samples.

    It is the mean of all columns that are categories. The judge learns from the reference alone. The floor is the share in
    held-out samples. "pairing_chance" is the share with parts and rows shuffled.

    shape: of the part in the features: channels, height and width of a picture, from 0 to 1, or how many numbers.
    kinds: of the columns of the row, which follows. (): all of them are categories, rounded to whole numbers.
    steps: of the judge's training, of 64 samples each.
    """

    shape: tuple[int, ...] = (6,)
    kinds: tuple[ValueKind, ...] = ()
    steps: int = 400
    width: int = 16

    def __post_init__(self) -> None:
        require(len(self.shape) in (1, 3), "shape", self.shape, "channels, height and width, or one number")
        require(1 <= self.steps <= 1_000_000, "steps", self.steps, "from 1 to 1,000,000")
        require(1 <= self.width <= 1024, "width", self.width, "from 1 to 1024")

    @property
    def against(self) -> Literal["train"]:
        return "train"

    @property
    def samples(self) -> int | None:
        return MAX_SAMPLES

    @property
    def lower_is_better(self) -> Mapping[str, bool | None]:
        return {"pairing": False, "pairing_chance": None}

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        """Raises GanvasError for features that are no such parts beside rows of categories."""
        parts, values = self.split_features(check_features(fake.features, "fake"))
        guesses = load_judge(self, OrderlessRows(check_features(real.reference.features, "real"))).name_values(parts)
        pairs = list(zip(guesses.T, values.T, strict=True))
        rights = [float((guess == value).mean()) for guess, value in pairs]
        chances = [sum(float((g == v).mean() * (value == v).mean()) for v in np.unique(value)) for g, value in pairs]
        return {"pairing": float(np.mean(rights)), "pairing_chance": float(np.mean(chances))}

    def split_features(self, features: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """(The parts, float32 [N, *shape]; the values of the columns that are categories, [N, K])."""
        size = prod(self.shape)
        kinds = self.kinds or ("category",) * (features.shape[1] - size)
        if features.shape[1] != size + len(kinds) or "category" not in kinds:
            raise GanvasError(
                f"pairing: {features.shape[1]} features are no part of {list(self.shape)} numbers beside {len(kinds)} columns, "
                "some of them categories: take the extractor PartAndRow"
            )
        parts = torch.from_numpy(features[:, :size]).float().unflatten(1, self.shape)
        rows = features[:, size:] if self.kinds else features[:, size:].round()
        return parts, rows[:, [kind == "category" for kind in kinds]]


class OrderlessRows:
    """Rows [N, D] as the key of a cache: two are equal if they hold the same rows, in any order."""

    def __init__(self, values: np.ndarray) -> None:
        marks = [hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in np.ascontiguousarray(values)]
        self.values = values[sorted(range(len(values)), key=marks.__getitem__)]
        self.digest = b"".join(sorted(marks))

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OrderlessRows) and self.digest == other.digest


@lru_cache(maxsize=4)
def load_judge(metric: RowPairing, reference: OrderlessRows) -> "PairingJudge":
    """The judge that learns from these features; the same rows give the same judge. Global random numbers stay."""
    parts, values = metric.split_features(reference.values)
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.enable_grad():
        torch.manual_seed(0)
        judge = PairingJudge(metric.shape, [np.unique(column) for column in values.T], metric.width)
        judge.learn(parts, values, metric.steps)
    return judge.eval()


class PairingJudge(nn.Module):
    """Parts [N, *shape] -> logits of the values of each column."""

    def __init__(self, shape: tuple[int, ...], known_values: Sequence[np.ndarray], width: int) -> None:
        super().__init__()
        self.known_values = known_values
        first, is_picture = shape[0], len(shape) > 1
        self.layers = build_picture_layers(first, width) if is_picture else build_vector_layers(first, 16 * width)
        self.heads = nn.ModuleList(nn.LazyLinear(len(values)) for values in known_values)

    def forward(self, parts: Tensor) -> list[Tensor]:
        h = self.layers(parts)
        return [head(h) for head in self.heads]

    def learn(self, parts: Tensor, values: np.ndarray, steps: int) -> None:
        """Cross-entropy by Adam, with a rate that rises and falls."""
        pairs = zip(self.known_values, values.T, strict=True)
        codes = torch.stack([torch.from_numpy(np.searchsorted(known, column)) for known, column in pairs], 1)
        self(parts[:2])  # finds out how wide the heads are
        optimiser = torch.optim.Adam(self.parameters(), LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
        self.train()
        for _ in range(steps):
            rows = torch.randint(len(parts), (BATCH,))
            losses = [F.cross_entropy(logits, codes[rows, k]) for k, logits in enumerate(self(parts[rows]))]
            optimiser.zero_grad()
            torch.stack(losses).sum().backward()
            optimiser.step()
            schedule.step()

    def name_values(self, parts: Tensor) -> np.ndarray:
        """The likeliest value of each column, [N, K]."""
        with torch.inference_mode():
            logits = [self(some) for some in parts.split(250)]
        codes = [torch.cat([some[k] for some in logits]).argmax(1).numpy() for k in range(len(self.known_values))]
        return np.stack([known[code] for known, code in zip(self.known_values, codes, strict=True)], 1)


def build_picture_layers(channels: int, width: int) -> nn.Sequential:
    """Pictures [N, C, H, W] -> [N, 64·width]."""
    widths, layers = (channels, width, 2 * width, 4 * width, 4 * width), list[nn.Module]()
    for k, (inputs, outputs) in enumerate(pairwise(widths)):
        layers += [nn.Conv2d(inputs, outputs, 3, 2 if k else 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Dropout(0.3))


def build_vector_layers(size: int, width: int) -> nn.Sequential:
    """Vectors [N, D] -> [N, width]."""
    return nn.Sequential(nn.Linear(size, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
