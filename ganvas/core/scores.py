"""How samples are judged."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from torch import Tensor


class Features(NamedTuple):
    """A set of samples as an extractor sees it, and what each sample was asked to be."""

    features: np.ndarray  # float64 [N, D]
    logits: np.ndarray | None = None  # [N, K] where the extractor is a classifier
    conditions: Mapping[str, np.ndarray] = {}  # by name, [N, …]


class RealFeatures(NamedTuple):
    """Real samples to compare with: those trained on, and others."""

    reference: Features
    held_out: Features


@runtime_checkable
class Extractor(Protocol):
    """From samples to features. Frozen settings (@config)."""

    @property
    def name(self) -> str: ...  # what a score card calls it
    @property
    def word(self) -> str: ...  # what the command line calls it
    @property
    def media(self) -> tuple[str, ...]: ...  # the codecs' media that it can see; () is any
    def __call__(self, stored: Tensor) -> Features:
        """Stored samples [N, …] -> features. Raises GanvasError for samples it cannot take."""
        ...


@runtime_checkable
class Metric(Protocol):
    """A number, or some, from features. Frozen settings (@config)."""

    @property
    def against(self) -> Literal["train", "held-out"]: ...  # whom it compares with; the others' score is the floor
    @property
    def samples(self) -> int | None: ...  # at most so many fakes, and held-out reals (neighbours cost the square); None: all
    @property
    def lower_is_better(self) -> Mapping[str, bool]: ...  # by name; the first one picks the best checkpoint
    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]: ...
