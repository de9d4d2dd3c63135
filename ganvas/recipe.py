"""A run on one screen: data, networks, method, optimisers, schedule, and how it is judged."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from .config import config
from .core import Architecture, Extractor, Medium, Method, Metric, Source, Spec
from .errors import refuse
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
        3% of its minutes allow.
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

    def __post_init__(self) -> None:
        has_two_budgets = self.samples is not None and self.minutes is not None
        refuse(
            has_two_budgets,
            "the budget",
            f"{self.samples} samples and {self.minutes} minutes",
            "samples or minutes",
            "--samples 100000",
        )
        refuse(self.samples is not None and self.samples < 1, "train.samples", self.samples, "at least 1", "--samples 100000")
        refuse(
            self.minutes is not None and not 0 < self.minutes < 1e6, "train.minutes", self.minutes, "positive", "--minutes 10"
        )
        refuse(not 2 <= self.batch <= 65536, "train.batch", self.batch, "between 2 and 65536", "--train.batch 64")
        refuse(
            not 1 <= self.accumulate <= self.batch // 2,
            "train.accumulate",
            self.accumulate,
            "between 1 and half the batch",
            "--train.accumulate 1",
        )
        refuse(not 0 <= self.ema_kimg < 1e9, "train.ema_kimg", self.ema_kimg, "0 or more", "--train.ema-kimg 20")
        refuse(not 0 <= self.ema_ramp <= 10, "train.ema_ramp", self.ema_ramp, "between 0 and 10", "--train.ema-ramp 0.05")
        refuse(not 0 < self.lr_scale <= 1000, "train.lr_scale", self.lr_scale, "positive", "--train.lr-scale 1")
        refuse(
            self.snapshots is not None and not 1 <= self.snapshots <= 9999,
            "train.snapshots",
            self.snapshots,
            "between 1 and 9999",
            "--train.snapshots 12",
        )


def check_scored_samples(count: int, name: str, remedy: str) -> None:
    """Raises GanvasError for a number of samples that no score can be taken of."""
    refuse(not 2 <= count <= 10_000_000, name, count, "between 2 and 10,000,000", remedy)


@config
class Evaluation:
    """How samples are judged: features, how many, by which metrics. The first metric picks the best checkpoint.

    samples: of the final score card; fewer where the data has not as many to compare with.
    snapshot_samples: of the scores while training, by the first metric alone.
    """

    extractor: Extractor
    metrics: tuple[Metric, ...]
    samples: int = 10_000
    snapshot_samples: int = 1_000
    seed: int = 0

    def __post_init__(self) -> None:
        refuse(not self.metrics, "evaluation.metrics", self.metrics, "one or more", "leave it as the recipe has it")
        for name in ("samples", "snapshot_samples"):
            check_scored_samples(getattr(self, name), f"evaluation.{name}", f"--evaluation.{name.replace('_', '-')} 2000")


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
        refuse(not 0 <= self.freeze < 1000, "freeze_d", self.freeze, "0 or more", "--freeze-d 2")


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
