"""How samples are scored."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from .samples import Batch, Codec, Dataset, Spec


class Features(NamedTuple):
    """An extractor's features of a set of samples, and the conditions of each sample."""

    features: np.ndarray  # float64 [N, D]
    logits: np.ndarray | None = None  # [N, K] if the extractor is a classifier
    conditions: Mapping[str, np.ndarray] = {}  # by name, [N, …]


class RealFeatures(NamedTuple):
    """Real samples to compare with: `reference` from the training data, and `held_out`.

    The held-out ones are a test part, or training samples that are put aside for scores alone. Training has seen these.
    """

    reference: Features
    held_out: Features
    training: tuple[Features, ...] = ()  # training samples, in parts: all, or a random part of many
    unseen: Features | None = None  # samples that training never saw; None: there are none


@runtime_checkable
class Extractor(Protocol):
    """Computes features of samples. Frozen settings (@config)."""

    @property
    def name(self) -> str: ...  # its name on score cards
    @property
    def word(self) -> str: ...  # its name on the command line
    @property
    def media(self) -> tuple[str, ...]: ...  # the media that it takes, as codecs name them; () is any
    def __call__(self, stored: Tensor) -> Features:
        """Stored samples [N, …] -> features. Raises GanvasError for samples that it cannot take."""
        ...


@runtime_checkable
class SizedExtractor(Protocol):
    """An extractor that resizes pictures, to a size that can follow theirs."""

    def fit_to_size(self, pixels: int) -> Extractor:
        """The extractor for pictures whose longer side has this many pixels."""
        ...


@runtime_checkable
class DecodingExtractor(Protocol):
    """An extractor that reads samples by their codec, such as the columns of tables."""

    def fit_to_codec(self, codec: Codec) -> Extractor: ...


@runtime_checkable
class FeatureUser(Protocol):
    """An extractor, or a network of a game, that looks at samples through a trained network."""

    @property
    def feature_network(self) -> str: ...  # which one: "efficientnet-lite0"


@runtime_checkable
class Metric(Protocol):
    """Computes one or more numbers from features. Frozen settings (@config)."""

    @property
    def against(self) -> Literal["train", "held-out", "unseen"]:
        """The reals it compares with; the other reals' score is the baseline. "unseen" has a baseline of its own."""
        ...

    @property
    def samples(self) -> int | None: ...  # most fakes and held-out reals to use (neighbours have square cost); None: all
    @property
    def lower_is_better(self) -> Mapping[str, bool | None]:
        """By name; None: the value of real samples is best. The first score, never None, chooses the best checkpoint."""
        ...

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]: ...


@runtime_checkable
class PairMetric(Protocol):
    """Compares each generated sample with one that belongs to it: the truth, or its source. Frozen settings (@config)."""

    @property
    def lower_is_better(self) -> Mapping[str, bool]: ...  # by name, in the order of a score card
    def __call__(self, x: Tensor, other: Tensor) -> Mapping[str, Tensor]:
        """Samples as networks see them, [N, …] twice -> values by name, [N] each. Raises GanvasError for other shapes."""
        ...


@runtime_checkable
class Baseline(Protocol):
    """Makes samples from conditions without a trained network, so that a translator has something to beat.

    Frozen settings (@config).
    """

    @property
    def name(self) -> str: ...  # on score cards: "identity"
    def applies_to(self, spec: Spec) -> bool:
        """Whether it can make such samples from their conditions."""
        ...

    def fit(self, training: Batch) -> Callable[[Batch], Tensor]:
        """From some training samples, "x" and their conditions: a function from conditions [N, …] to samples x [N, …]."""
        ...


@runtime_checkable
class SampleBaseline(Protocol):
    """Makes samples without a trained network, so that a generator has something to beat. Frozen settings (@config)."""

    @property
    def name(self) -> str: ...  # on score cards: "independent columns"
    def applies_to(self, codec: Codec) -> bool:
        """Whether it can make such samples."""
        ...

    def draw(self, training: Dataset, n: int, generator: torch.Generator) -> Tensor:
        """`n` new samples in stored form [n, …], from training samples."""
        ...
