"""A run on one screen: data, networks, method, optimisers, schedule, and how it is judged."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from .configuration import config
from .core import Architecture, BatchSampler, Extractor, Medium, Method, Metric, Source, Spec
from .data.samplers import Uniform
from .errors import GanvasError, require
from .optim.optimisers import Optimiser


@config
class Train:
    """How long, how many at a time, and what is kept.

    samples: the budget, in samples seen (steps x batch); or `minutes` of training, turned into samples by measuring.
    batch: samples a step; worked through in `accumulate` micro-batches where memory is short, their gradients added.
    ema_kimg: half-life of the moving average of G, in thousand samples; 0 keeps none.
    ema_ramp: the half-life is at most this share of the samples seen so far (Karras et al. 2020b's warm-up).
    lr_scale: a factor on every learning rate; halved when a step was not finite.
    precision: "auto" is bf16 where the processor computes in it, else fp32.
    compile: networks through torch.compile, which takes a minute at the start; for GPUs.
    snapshots: how many times a run stops to draw samples, score them and keep a checkpoint; None is 12, or as many as
        2% of its minutes allow.
    threads: how many to compute in, on a CPU; None is all, or fewer where the machine is busy with other work. A run keeps its
        number, for sums depend on it.
    """

    samples: int | None = None
    minutes: float | None = None
    batch: int = 64
    accumulate: int = 1
    ema_kimg: float = 0.0
    ema_ramp: float = 0.05
    lr_scale: float = 1.0
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    compile: bool = False
    snapshots: int | None = None
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.samples is not None and self.minutes is not None:
            raise GanvasError(f"the budget is samples or minutes, got both ({self.samples} and {self.minutes}): leave one out")
        require(self.samples is None or self.samples >= 1, "samples", self.samples, "1 or more")
        require(self.minutes is None or 0 < self.minutes < 1e6, "minutes", self.minutes, "above 0, below 1e6")
        require(2 <= self.batch <= 65536, "batch", self.batch, "from 2 to 65536")
        require(1 <= self.accumulate <= self.batch // 2, "accumulate", self.accumulate, "from 1 to half the batch")
        require(0 <= self.ema_kimg < 1e9, "ema_kimg", self.ema_kimg, "0 or more, below 1e9")
        require(0 <= self.ema_ramp <= 10, "ema_ramp", self.ema_ramp, "from 0 to 10")
        require(0 < self.lr_scale <= 1000, "lr_scale", self.lr_scale, "above 0, at most 1000")
        require(self.snapshots is None or 1 <= self.snapshots <= 9999, "snapshots", self.snapshots, "from 1 to 9999")
        require(self.threads is None or 1 <= self.threads <= 1024, "threads", self.threads, "from 1 to 1024")


MAX_CARD_SAMPLES = 10_000  # of a score card, unless more are asked for: more change no score's second digit


def check_scored_samples(count: int, name: str) -> None:
    """Raises SettingError for a number of samples that cannot be scored."""
    require(2 <= count <= 10_000_000, name, count, "from 2 to 10,000,000")


@config
class Evaluation:
    """How samples are judged: features, how many, by which metrics. The first metric picks the best checkpoint.

    samples: of the final score card; fewer where the data has not as many to compare with. None is 500 to 10,000, by how long
        the run is.
    snapshot_samples: of the scores while training, by the first metric alone.
    """

    extractor: Extractor
    metrics: tuple[Metric, ...]
    samples: int | None = None
    snapshot_samples: int = 1_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(bool(self.metrics), "metrics", self.metrics, "one or more")
        for name in ("samples", "snapshot_samples"):
            if getattr(self, name) is not None:
                check_scored_samples(getattr(self, name), name)

    @property
    def card_samples(self) -> int:
        """Samples of a final card, where nothing has been decided by the run's length."""
        return self.samples or MAX_CARD_SAMPLES

    @property
    def split_size(self) -> int:
        """Real samples to put aside. A card of few samples puts aside as many, so that all compare with the same reference."""
        return max(self.card_samples, MAX_CARD_SAMPLES)


@config
class Transfer:
    """Where a run's networks come from, in the place of random ones.

    run: the folder of a run; checkpoint: "best", "last", or samples seen.
    freeze: how many of D's layers, from the image on, stay as they are (Mo et al. 2020).
    """

    run: str
    checkpoint: str = "best"
    freeze: int = 0

    def __post_init__(self) -> None:
        require(0 <= self.freeze < 1000, "freeze", self.freeze, "from 0 to 999")


class Facts(NamedTuple):
    """What a run has to work with."""

    samples: int
    distinct_samples: int  # of them: without exact copies
    spec: Spec
    device: str
    seconds: float | None  # of training; None where the budget is in samples


class Trial(NamedTuple):
    """What a few steps on the device showed."""

    samples_per_second: float  # samples a second


@runtime_checkable
class Chooser(Protocol):
    """Adapts a recipe to what it has to work with, before the first step. Frozen settings (@config)."""

    def __call__(self, requested: "Recipe", facts: Facts, attempt: "Callable[[Recipe], Trial]") -> "tuple[Recipe, list[str]]":
        """The recipe with what was left to choose chosen, and the reasons, a line each.

        attempt: runs a recipe for a second or two, on networks that are thrown away.
        """
        ...


@config
class Recipe:
    """Everything that decides how a run goes. A variant is a function that calls another and `replace`s parts of it."""

    name: str
    data: Source
    medium: Medium
    nets: Architecture
    method: Method
    optim: Mapping[str, Optimiser]  # by the network it trains
    train: Train
    evaluation: Evaluation
    choose: Chooser | None = None  # what adapts the recipe to data, device and time; None: it is taken as it is written
    start: Transfer | None = None  # None: networks begin with random weights
    batches: BatchSampler = Uniform()  # which rows of the data make a batch
