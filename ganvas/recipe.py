"""Recipes: data, networks, method, optimisers, training schedule and evaluation of a run."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from .configuration import config
from .core import Architecture, Baseline, BatchSampler, Extractor, Medium, Method, Metric, PairMetric, Source, Spec
from .data.held_out import HeldOut
from .data.samplers import Uniform
from .errors import GanvasError, require
from .optim.optimisers import Optimiser


@config
class Train:
    """How long to train, with which batches, and what to save.

    samples: the budget in samples seen (steps x batch); the alternative to `minutes`.
    minutes: the budget in minutes of training, converted to samples at the measured speed.
    batch: samples per step.
    accumulate: micro-batches per batch, whose gradients add up; raised when memory is short.
    ema_kimg: half-life of the moving average of G, in thousand samples; 0 keeps no average.
    ema_ramp: the half-life is at most this share of the samples seen so far (Karras et al. 2020b's warm-up).
    lr_scale: a factor on every learning rate; halved after a step that is not finite.
    precision: "auto" is bf16 if the processor supports it, else fp32.
    compile: compile networks with torch.compile, which takes a minute at the start; for GPUs.
    snapshots: how often a run stops to draw samples, score them and save a checkpoint; None is 12, or as often as 2% of its
        minutes allow.
    threads: number of CPU threads; None is all, or fewer if the machine is busy with other work. A run keeps its number,
        because sums depend on it.
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
        require(1 <= self.batch <= 65536, "batch", self.batch, "from 1 to 65536")
        require(1 <= self.accumulate <= max(1, self.batch // 2), "accumulate", self.accumulate, "from 1 to half the batch")
        require(0 <= self.ema_kimg < 1e9, "ema_kimg", self.ema_kimg, "0 or more, below 1e9")
        require(0 <= self.ema_ramp <= 10, "ema_ramp", self.ema_ramp, "from 0 to 10")
        require(0 < self.lr_scale <= 1000, "lr_scale", self.lr_scale, "above 0, at most 1000")
        require(self.snapshots is None or 1 <= self.snapshots <= 9999, "snapshots", self.snapshots, "from 1 to 9999")
        require(self.threads is None or 1 <= self.threads <= 1024, "threads", self.threads, "from 1 to 1024")


MAX_CARD_SAMPLES = 10_000  # of a score card, unless you request more; more do not change the second digit of any score


def check_scored_samples(count: int, name: str) -> None:
    """Raises SettingError for a number of samples that cannot be scored."""
    require(2 <= count <= 10_000_000, name, count, "from 2 to 10,000,000")


@config
class Judge:
    """An extractor, and the metrics that compare its features of real and generated samples."""

    extractor: Extractor
    metrics: tuple[Metric, ...]

    def __post_init__(self) -> None:
        require(bool(self.metrics), "metrics", self.metrics, "one or more")


@config
class PairJudge:
    """Compares each translation with what belongs to it.

    against: the "truth" that the data gives for its source, or the "source".
    """

    metrics: tuple[PairMetric, ...]
    against: Literal["truth", "source"] = "truth"

    def __post_init__(self) -> None:
        require(bool(self.metrics), "metrics", self.metrics, "one or more")


@config
class LabelJudge:
    """Asks translations of held-out sources for other labels, and a classifier whether they show them.

    The classifier is trained on the training samples, before the first score.

    width, steps: the classifier's channels next to the picture, and its steps of 64 samples.
    """

    width: int = 16
    steps: int = 400
    seed: int = 0

    def __post_init__(self) -> None:
        require(1 <= self.width <= 1024, "width", self.width, "from 1 to 1024")
        require(1 <= self.steps <= 1_000_000, "steps", self.steps, "from 1 to 1,000,000")


@config
class TextJudge:
    """Asks a matching network, and a classifier of attributes where they are known, whether pictures show their captions.

    The network is trained on the training pictures alone, before the final score.

    width, size: the network's channels next to the picture, and the numbers of its vectors of pictures and texts.
    steps: of `batch` pictures each.
    """

    width: int = 32
    size: int = 128
    steps: int = 800
    batch: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        require(1 <= self.width <= 1024, "width", self.width, "from 1 to 1024")
        require(1 <= self.size <= 4096, "size", self.size, "from 1 to 4096")
        require(1 <= self.steps <= 1_000_000, "steps", self.steps, "from 1 to 1,000,000")
        require(2 <= self.batch <= 65536, "batch", self.batch, "from 2 to 65536")


@config
class Evaluation:
    """How to score samples: judges and numbers of samples. The first score of a card chooses the best checkpoint.

    judges: no two may have the same extractor. () means that the data chooses the judges.
    pair_judges: of translations of held-out sources, one by one. Their scores come first if they know the truth.
    label_judge: for one translator of many domains. Its scores come first. None: translations get their sources' labels.
    text_judge: for pictures made from captions; others take no notice of it.
    baselines: what translations have to beat. () means that the data chooses them.
    samples: for the final score card; fewer if the data has fewer to compare with. None is 500 to 10,000, by the length of
        the run.
    snapshot_samples: for the scores during training, which only use the first metric of the first judge.
    """

    judges: tuple[Judge, ...] = ()
    pair_judges: tuple[PairJudge, ...] = ()
    label_judge: LabelJudge | None = None
    text_judge: TextJudge = TextJudge()
    baselines: tuple[Baseline, ...] = ()
    samples: int | None = None
    snapshot_samples: int = 1_000
    seed: int = 0

    def __post_init__(self) -> None:
        words = [judge.extractor.word for judge in self.judges]
        require(len(set(words)) == len(words), "judges", ", ".join(words), "of different extractors")
        names = [name for judge in self.pair_judges for metric in judge.metrics for name in metric.lower_is_better]
        require(len(set(names)) == len(names), "pair_judges", ", ".join(names), "of different scores")
        for name in ("samples", "snapshot_samples"):
            if getattr(self, name) is not None:
                check_scored_samples(getattr(self, name), name)

    @property
    def card_samples(self) -> int:
        """The number of samples of a final card; MAX_CARD_SAMPLES if `samples` is None."""
        return self.samples or MAX_CARD_SAMPLES

    @property
    def split_size(self) -> int:
        """How many real samples to put aside: the same number for all smaller cards, so that they share one reference."""
        return max(self.card_samples, MAX_CARD_SAMPLES)


@config
class Transfer:
    """The run to copy the first weights from, instead of random ones.

    run: the folder of a run.
    checkpoint: "best", "last", or a number of samples seen.
    freeze: how many of D's layers to freeze, starting at the image (Mo et al. 2020).
    """

    run: str
    checkpoint: str = "best"
    freeze: int = 0

    def __post_init__(self) -> None:
        require(0 <= self.freeze < 1000, "freeze", self.freeze, "from 0 to 999")


class Facts(NamedTuple):
    """Facts that a chooser can use: the data, the device and the time."""

    samples: int  # of the data without a test part; training sees a few less, if some are held out
    distinct_samples: int  # without exact copies
    spec: Spec
    device: str
    seconds: float | None  # of training; None if the budget is in samples


class Trial(NamedTuple):
    """The result of training a few steps on the device."""

    samples_per_second: float


@runtime_checkable
class Chooser(Protocol):
    """Adapts a recipe to data, device and time, before the first step. Frozen settings (@config)."""

    def __call__(self, requested: "Recipe", facts: Facts, attempt: "Callable[[Recipe], Trial]") -> "tuple[Recipe, list[str]]":
        """(the recipe with its open choices made, the reasons, one line each).

        attempt: trains a recipe for a second or two on throw-away networks.
        """
        ...


@config
class Recipe:
    """Everything that decides a run. To make a variant, write a function that calls another recipe and `replace`s parts."""

    name: str
    data: Source
    medium: Medium
    nets: Architecture
    method: Method
    optim: Mapping[str, Optimiser]  # by the network that it trains
    train: Train
    evaluation: Evaluation
    choose: Chooser | None = None  # adapts the recipe to data, device and time; None changes nothing
    start: Transfer | None = None  # None: networks start with random weights
    batches: BatchSampler = Uniform()  # chooses the rows of a batch
    held_out: HeldOut = HeldOut()  # how many samples training never sees, if the data has no test part
