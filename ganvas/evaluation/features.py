"""Features of real and generated samples, which judges compare: computed in blocks, and kept in a cache if they are real."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialise_tensors
from torch import Tensor
from tqdm import tqdm

from ..core import Extractor, Features
from ..sampling.stream import SampleBlock
from ..system.files import write_atomically

FEATURE_BLOCK = 1000  # samples whose features are computed at once, and kept in one file


class Extraction(NamedTuple):
    """Where features are computed, and whether a progress bar shows on a terminal."""

    device: torch.device
    has_progress_bar: bool = False

    def extract(self, extractors: Sequence[Extractor], blocks: Iterable[SampleBlock], n: int, noun: str) -> list[Features]:
        """The features of `n` samples by each extractor, computed from about 1,000 samples at a time."""
        parts: list[list[Features]] = [[] for _ in extractors]
        pending: list[SampleBlock] = []
        remaining_samples = n
        is_silent = None if self.has_progress_bar else True
        with tqdm(total=n, unit="sample", desc=noun, delay=2, leave=False, disable=is_silent) as bar:
            for block in blocks:
                pending.append(block)
                pending_samples = sum(len(one.stored) for one in pending)
                if pending_samples >= FEATURE_BLOCK or pending_samples == remaining_samples:
                    for extractor, features in zip(extractors, parts, strict=True):
                        features.append(self._extract_joined(extractor, pending))
                    pending, remaining_samples = [], remaining_samples - pending_samples
                    bar.update(pending_samples)
        return [join_features(features) for features in parts]

    def _extract_joined(self, extractor: Extractor, blocks: list[SampleBlock]) -> Features:
        features = extractor(torch.cat([block.stored for block in blocks]).to(self.device))
        names = blocks[0].conditions
        return features._replace(conditions={name: torch.cat([b.conditions[name] for b in blocks]).numpy() for name in names})

    def load_or_extract(self, extractor: Extractor, stored: Tensor, path: Path | None, noun: str) -> Features:
        """Features of real samples [N, …], from the cache file if it is there."""
        features = load_features(path) if path else None
        if features is None:
            blocks = (SampleBlock(block, {}) for block in stored.split(FEATURE_BLOCK))
            (features,) = self.extract([extractor], blocks, len(stored), noun)
            if path:
                save_features(path, features)
        return features


def load_features(path: Path) -> Features | None:
    """Features from a cache file; None if it is missing or damaged."""
    try:
        entry = load_file(path)
        logits = entry["logits"].double().numpy() if "logits" in entry else None
        return Features(entry["features"].double().numpy(), logits)
    except (SafetensorError, OSError, KeyError):
        return None


def save_features(path: Path, features: Features) -> None:
    """Write features to a cache file. If that fails, the next run only takes longer."""
    tensors = {"features": shorten(features.features)}
    if features.logits is not None:
        tensors["logits"] = shorten(features.logits)
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda temporary: temporary.write_bytes(serialise_tensors(tensors)))


def shorten(values: np.ndarray) -> Tensor:
    """float32, half the size, if it holds the same values: most networks compute in it."""
    exact = torch.from_numpy(values)
    short = exact.float()
    return short if torch.equal(short.double(), exact) else exact


def take_first(features: Features, n: int | None) -> Features:
    return select_features(features, slice(n))


def select_features(features: Features, rows: slice | np.ndarray) -> Features:
    """Some of the samples."""
    logits = None if features.logits is None else features.logits[rows]
    return Features(features.features[rows], logits, {name: values[rows] for name, values in features.conditions.items()})


def join_features(blocks: Sequence[Features]) -> Features:
    logits = [block.logits for block in blocks if block.logits is not None]
    conditions = {name: np.concatenate([block.conditions[name] for block in blocks]) for name in blocks[0].conditions}
    features = np.concatenate([block.features for block in blocks])
    return Features(features, np.concatenate(logits) if logits else None, conditions)
