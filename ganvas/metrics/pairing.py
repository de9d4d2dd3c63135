"""Whether generated pictures show what generated rows say, by a small network that learns to name values in real pictures."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from math import prod
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..configuration import config
from ..core import Features, RealFeatures
from ..errors import GanvasError, require
from .tables import TableColumns

BATCH, LEARNING_RATE = 64, 2e-3
MAX_SAMPLES = 2_000  # pictures that are named for a score


@config
class Pairing:
    """ "pairing": of the values of generated rows, the share that a judge names right in their pictures, mean of all columns.

    The judge learns from the reference alone. Its floor is the share in held-out samples. "pairing_chance" is the share with
    pictures and rows shuffled. Columns of numbers do not count.

    shape: channels, height and width of pictures in the features; the values of `columns` follow.
    steps: of the judge's training, of 64 samples each.
    """

    shape: tuple[int, ...] = (1, 8, 8)
    columns: TableColumns = TableColumns()
    steps: int = 400
    width: int = 16

    def __post_init__(self) -> None:
        require(len(self.shape) == 3, "shape", self.shape, "channels, height and width")
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
        """Raises GanvasError for features that are no pictures with rows of categories."""
        pixels, values = self.split_features(fake.features)
        judge = load_judge(self, SharedArray(real.reference.features))
        guesses = judge.name_values(pixels)
        pairs = list(zip(guesses.T, values.T, strict=True))
        rights = [float((guess == value).mean()) for guess, value in pairs]
        chances = [sum(float((g == v).mean() * (value == v).mean()) for v in np.unique(value)) for g, value in pairs]
        return {"pairing": float(np.mean(rights)), "pairing_chance": float(np.mean(chances))}

    def split_features(self, features: np.ndarray) -> tuple[Tensor, np.ndarray]:
        """(Pictures in [-1, 1], float32 [N, C, H, W]; the values of the columns that are categories, [N, K])."""
        size, kinds = prod(self.shape), self.columns.kinds
        if features.shape[1] != size + len(kinds) or "category" not in kinds:
            raise GanvasError(
                f"pairing: {features.shape[1]} features are no pictures of {self.shape} with {len(kinds)} columns, some "
                "of them categories: take the extractor PictureAndRow"
            )
        pixels = torch.from_numpy(features[:, :size]).float().unflatten(1, self.shape) * 2 - 1
        return pixels, features[:, size:][:, [kind == "category" for kind in kinds]]


class SharedArray:
    """An array that can be the key of a cache: two are equal if they hold the same numbers."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self.digest = hashlib.blake2b(np.ascontiguousarray(values).tobytes(), digest_size=16).digest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SharedArray) and self.digest == other.digest


@lru_cache(maxsize=4)
def load_judge(metric: Pairing, reference: SharedArray) -> "PairingJudge":
    """The judge that learns from these features; the same features give the same judge. Global random numbers stay."""
    pixels, values = metric.split_features(reference.values)
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.enable_grad():
        torch.manual_seed(0)
        judge = PairingJudge(metric.shape[0], [np.unique(column) for column in values.T], metric.width)
        judge.learn(pixels, values, metric.steps)
    return judge.eval()


class PairingJudge(nn.Module):
    """Pictures [N, C, H, W] -> logits of the values of each column."""

    def __init__(self, channels: int, known_values: list[np.ndarray], width: int) -> None:
        super().__init__()
        self.known_values = known_values
        widths, layers = [channels, width, 2 * width, 4 * width, 4 * width], list[nn.Module]()
        for k in range(len(widths) - 1):
            layers += [nn.Conv2d(widths[k], widths[k + 1], 3, 2 if k else 1, 1, bias=False)]
            layers += [nn.BatchNorm2d(widths[k + 1]), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Dropout(0.3))
        self.heads = nn.ModuleList(nn.Linear(16 * widths[-1], len(values)) for values in known_values)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        h = self.layers(pictures)
        return [head(h) for head in self.heads]

    def learn(self, pictures: Tensor, values: np.ndarray, steps: int) -> None:
        """Cross-entropy by Adam, with a rate that rises and falls."""
        pairs = zip(self.known_values, values.T, strict=True)
        codes = torch.stack([torch.from_numpy(np.searchsorted(known, column)) for known, column in pairs], 1)
        optimiser = torch.optim.Adam(self.parameters(), LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
        self.train()
        for _ in range(steps):
            rows = torch.randint(len(pictures), (BATCH,))
            logits = self(pictures[rows])
            optimiser.zero_grad()
            sum(F.cross_entropy(out, codes[rows, k]) for k, out in enumerate(logits)).backward()  # type: ignore[union-attr]
            optimiser.step()
            schedule.step()

    def name_values(self, pictures: Tensor) -> np.ndarray:
        """The likeliest value of each column, [N, K]."""
        with torch.inference_mode():
            parts = [self(part) for part in pictures.split(250)]
        columns = [torch.cat([part[k] for part in parts]).argmax(1).numpy() for k in range(len(self.known_values))]
        return np.stack([known[codes] for known, codes in zip(self.known_values, columns, strict=True)], 1)
