"""The nouns that everything else is made of: what a sample is, what a turn of the game is, and who plays which part.

This module knows no medium, no network and no file. The leaves (media, data, nets, objectives, penalties, augment,
metrics) import it and never one another.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

# ---------------------------------------------------------------- samples


class Field(NamedTuple):
    """One part of an encoded sample; a generator's last layer follows from it."""

    name: str
    size: int
    kind: Literal["continuous", "categorical", "binary", "mask"] = "continuous"


@runtime_checkable
class Condition(Protocol):
    """Something that samples can be asked to be: a class, a vector, a text, like another sample. A spec names it.

    Frozen settings (@config), kept with a run.
    """

    @property
    def kind(self) -> str: ...  # "class", "vector", or a word of its own; networks look at it
    @property
    def size(self) -> int: ...  # the number of classes, or of numbers in a value
    @property
    def names(self) -> tuple[str, ...]: ...  # of the classes or numbers; () without names
    def parse(self, text: str) -> Tensor:
        """The value that a person means: a class int64 [], a vector [K]. Raises GanvasError for a text that means none."""
        ...

    def draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        """Values [n, …] as they come in the data, on the CPU."""
        ...

    def describe(self) -> str:
        """For messages: "3 classes: cat, cow, dog"."""
        ...


class Spec(NamedTuple):
    """What one encoded sample looks like to a network."""

    shape: tuple[int, ...]  # (3, 64, 64) image, (2,) point, (features,) row, (T, features) series
    fields: tuple[Field, ...]  # an image is one continuous field
    conditions: Mapping[str, Condition]  # {"label": ClassCondition(…)}


Batch = Mapping[str, Tensor]  # columns by name: "x", and what belongs to it: "label", "text", "source", "mask" …
Latents = Mapping[str, Tensor]  # what a generator starts from: "z", and its conditions
Nets = nn.ModuleDict  # "G", "D", …, and the method's own buffers


class Request(NamedTuple):
    """What samples are asked to be. Conditions that are left out are drawn as they come in the data."""

    conditions: Mapping[str, Tensor] = {}  # a value by name, the same for all samples: int64 [], [K], [C, H, W] …
    truncation: float | None = None  # how far latents may lie from the middle: variety against fidelity


NO_REQUEST = Request()


class GeneratorNetwork(nn.Module):
    """A network that makes samples, and what it says of itself. Networks of your own derive from it and set what differs."""

    z_dim: int = 0  # numbers that a sample starts from; 0: it starts from its conditions alone
    conditions: tuple[str, ...] = ()  # names of the conditions that it takes as keyword arguments
    has_styles: bool = False  # it has `map_to_styles` and `render_styles`, and takes ws [N, layers, w_dim] instead of z
    takes_truncation: bool = False  # it takes truncation [N] and moves its styles towards their mean
    has_feature_statistics: bool = False  # it measures its features whenever it makes fakes for D


class Traits(NamedTuple):
    """What a method's networks are, for all that samples, edits, exports or carries them over."""

    generator: str = "G"  # the network that makes samples
    critics: tuple[str, ...] = ("D",)  # the networks that judge them
    conditions: tuple[str, ...] = ()  # what the generator takes
    latent: Literal["z", "ws"] | None = "z"  # the space in which steps are even; None: nothing is drawn
    prior: Literal["normal", "uniform"] = "normal"  # of z


class Items(Protocol):
    """A list of raw samples, before any medium has looked at them."""

    names: Sequence[str]  # one a sample, to name it in messages
    labels: np.ndarray | None  # int64 [N] counting into `classes`, or float32 [N, K]; or None
    classes: tuple[str, ...]  # names of the classes, or of the K columns; () without labels
    fingerprint: str  # changes when the data does: names, sizes, times
    title: str  # what a person calls it: "photos/ (1,204 files)"

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Any: ...  # a file's bytes, an array of values, or several things by column


@runtime_checkable
class Source(Protocol):
    """Where samples come from. Frozen settings (@config)."""

    def items(self, suffixes: tuple[str, ...]) -> Items:
        """The samples, files among them by suffix. Raises GanvasError where there is nothing to train on."""
        ...

    def held_out(self, suffixes: tuple[str, ...]) -> Items | None:
        """Samples kept out of training, to score against; None where the source has none."""
        ...


@runtime_checkable
class Codec(Protocol):
    """How a medium's samples are stored, fed to a network and written back. Frozen settings, kept with a run (@config).

    Three forms: an *item* (a file's bytes or an array), the *stored* form (a compact tensor: uint8 or uint16 [N, H, W, C] for
    samples), and *x* (what networks see: float [N, C, H, W] in [-1, 1] for samples).
    """

    @property
    def spec(self) -> Spec: ...
    @property
    def medium(self) -> str: ...  # what kind of samples these are, in a word that extractors know: "image"
    @property
    def noun(self) -> str: ...  # what a person calls several of them: "pictures"
    @property
    def is_visual(self) -> bool: ...  # whether a sample is a picture, which can be told from another by eye
    @property
    def preview_count(self) -> int: ...  # samples that make a good preview
    def protocol(self) -> Mapping[str, str]:
        """What of the encoding moves scores, for score cards: {"resize": "lanczos"}."""
        ...

    def encode(self, item: bytes | np.ndarray) -> np.ndarray:
        """One item in stored form. Raises GanvasError (with the reason, without the name) if it cannot be read."""
        ...

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        """Stored [N, …] -> x; random flips and the like if a generator (of the CPU) is given."""
        ...

    def store(self, x: Tensor) -> Tensor:
        """x -> stored, rounded and clipped as a file would be."""
        ...

    def preview(self, stored: Tensor) -> "Picture":
        """One picture of all samples given."""
        ...

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        """Write samples as files numbered from `start`, marked with `note`; returns their paths."""
        ...


@runtime_checkable
class FileCodec(Protocol):
    """A codec whose samples are files of their own: they can go into an archive without lying on the disk first."""

    def files(self, stored: Tensor, start: int, metadata: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        """(name, content) of each, numbered from `start`, marked with `note`."""
        ...


class Exhibit(NamedTuple):
    """Something of a run to look at, to hear or to read. The suffix says what it is.

    ".png" is a picture, ".wav" a sound, ".mp4" a film, ".csv" a table, ".txt" a text, ".obj" a mesh.
    """

    name: str  # names its file: "nearest"
    caption: str
    suffix: str
    data: bytes


@runtime_checkable
class ExhibitingCodec(Protocol):
    """A codec whose samples are shown as something else than a picture."""

    def exhibit(self, name: str, caption: str, stored: Tensor) -> Exhibit:
        """One exhibit of all samples given, [N, …]."""
        ...


@runtime_checkable
class JointCodec(Protocol):
    """A codec of samples that hold several things. Each column has a codec; what belongs together is loaded together."""

    @property
    def columns(self) -> Mapping[str, Codec]: ...  # by name; "x" is what generators make
    def load_columns(self, stored: Mapping[str, Tensor], generator: torch.Generator | None) -> Batch:
        """Stored columns [N, …] -> what networks see, by name: one draw may cut several tensors out of a sample."""
        ...


@runtime_checkable
class ConditionCodec(Protocol):
    """A codec of a column that samples can be asked for: captions, sources."""

    def derive_condition(self, stored: Tensor) -> Condition:
        """What a column [N, …] asks of samples."""
        ...


@runtime_checkable
class BatchSampler(Protocol):
    """Which rows of a data set make a batch. Frozen settings (@config)."""

    def draw_rows(self, data: "Dataset", size: int, generator: torch.Generator) -> Tensor:
        """Row numbers, int64 [size], on the CPU."""
        ...


@runtime_checkable
class Medium(Protocol):
    """What a sample is. Frozen settings (@config); `fit` looks at the data and settles what was left open."""

    @property
    def suffixes(self) -> tuple[str, ...]: ...  # of the files it reads, in lower case: (".png", ".jpg")
    def fit(self, items: Items) -> Codec: ...


class Dataset(Protocol):
    """Encoded samples."""

    codec: Codec
    title: str  # what a person calls it
    fingerprint: str  # changes when the data or its encoding does
    columns: Mapping[str, Tensor]  # [N, …] each: "x" in stored form, and what goes with it, such as "label"
    conditions: Mapping[str, Condition]  # what columns ask of samples, by their names

    @property
    def spec(self) -> Spec: ...  # the codec's, with these conditions
    def __len__(self) -> int: ...
    def batch(self, seed: int, size: int) -> Batch:
        """A random batch that is a pure function of its arguments."""
        ...


# ---------------------------------------------------------------- the game


class Clock(NamedTuple):
    """Where training stands. `samples` counts batch x steps, whichever phases ran."""

    step: int
    samples: int
    total: int


class Turn(NamedTuple):
    """What a loss returns. The loop sums the terms' means and steps on them."""

    terms: Mapping[str, Tensor]  # [N] or scalar, by name: "D/adversarial"
    statistics: Mapping[str, Tensor] = {}  # detached: scalars are logged; all go to `after` and into the later phases' batch


class Phase(NamedTuple):
    """One move: who learns, from what loss, how often."""

    name: str
    trains: tuple[str, ...]
    loss: Callable[[Nets, Batch, Clock], Turn]
    every: int = 1  # play on steps divisible by this
    repeat: int = 1
    needs_data: bool = True  # False: needs no data
    gate: Callable[[Mapping[str, Tensor]], bool] | None = None  # a gate on what was seen (3D-GAN's D, TimeGAN's D)
    after: Callable[[Nets, Mapping[str, Tensor], Clock], None] | None = None  # without gradients, after the step


class CriticOutput(NamedTuple):
    """What a critic says of samples, and what its last layer saw."""

    logits: Tensor  # [N], or [N, …] of patches or packs
    features: Tensor  # [N, F]


class ShownSamples(NamedTuple):
    """Samples as D was shown them, and what it said."""

    x: Tensor
    output: CriticOutput


class LossInputs(NamedTuple):
    """A player's turn, as what stands beside the objective sees it."""

    player: str  # whose turn it is
    nets: Nets
    batch: Batch
    clock: Clock
    fake: ShownSamples
    real: Callable[[], ShownSamples]  # in G's turn without gradients, and only if asked for
    critic: Callable[[Tensor, Mapping[str, Tensor]], CriticOutput]  # D on x under conditions of one's own: other captions


class Stage(NamedTuple):
    """A stretch of training with its own phases; most methods have one."""

    name: str
    phases: tuple[Phase, ...]
    batch: int | None = None  # None: the recipe's
    optimisers_to_reset: tuple[str, ...] = ()  # networks whose optimisers start afresh on entering
    is_full_size: bool = True  # False: samples are not yet what the run is to make, and none of them is its best


# ---------------------------------------------------------------- the parts of a recipe


@runtime_checkable
class Architecture(Protocol):
    """Networks that belong together. Frozen settings (@config)."""

    def build(self, spec: Spec) -> nn.ModuleDict:
        """{"G": …, "D": …} for samples of this spec. Raises GanvasError for a spec it cannot make."""
        ...

    def smallest(self) -> "Architecture":
        """The same in as few parameters as it goes, for tests."""
        ...


@runtime_checkable
class Objective(Protocol):
    """What the two players want, in logits. Frozen settings (@config)."""

    def d(self, real: Tensor, fake: Tensor) -> Tensor:
        """D's loss on its logits of real and of fake samples, [N, …] each -> [N, …]."""
        ...

    def g(self, fake: Tensor, real: Callable[[], Tensor]) -> Tensor:
        """G's loss on D's logits of its samples, [N, …] -> [N, …]; only relativistic losses call `real()`."""
        ...


@runtime_checkable
class Augment(Protocol):
    """A random change of samples that gradients pass through. Frozen settings (@config).

    One that adapts to D is an Extra as well, whose memory it finds in `nets`.
    """

    def __call__(self, x: Tensor, clock: Clock, nets: Nets) -> Tensor:
        """Samples -> samples of the same shape, drawn from the global generators."""
        ...


@runtime_checkable
class CriticPenalty(Protocol):
    """What keeps D smooth. Frozen settings (@config)."""

    @property
    def on(self) -> Literal["real", "fake", "between"]: ...
    @property
    def every(self) -> int: ...  # above 1: a phase of its own, its loss times `every`
    def __call__(self, critic: Callable[[Tensor], Tensor], x: Tensor, logits: Tensor | None, clock: Clock) -> Tensor:
        """[N] penalties at x; `logits` is critic(x) where the turn has it already, else None."""
        ...


@runtime_checkable
class GeneratorPenalty(Protocol):
    """What keeps G smooth, in a phase of its own. Frozen settings (@config); its memory is kept under the name of its class."""

    @property
    def every(self) -> int: ...
    @property
    def subsample(self) -> int: ...  # it is taken of one in so many samples
    def state(self, nets: Nets) -> nn.Module:
        """What it remembers between steps. Raises GanvasError for networks that it does not fit."""
        ...

    def __call__(self, nets: Nets, latents: Latents) -> Turn:
        """{"G/…": [N]} at latents, and what `after` wants to see."""
        ...

    def after(self, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        """What it remembers, after the step."""
        ...


@runtime_checkable
class AuxiliaryLoss(Protocol):
    """What stands beside the objective in players' turns: terms of their losses, changes after their steps.

    Frozen settings (@config). What it remembers is a module, kept with the networks under the name of its class.
    """

    @property
    def trains(self) -> tuple[str, ...]: ...  # in whose turns it takes part: "G", "D"
    def state(self, nets: Nets) -> nn.Module | None:
        """What it remembers between steps."""
        ...

    def term(self, inputs: LossInputs) -> Tensor | None:
        """Of the player's loss: [N] or a scalar."""
        ...

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        """What changes after the player's step, without gradients; `seen` holds the means that the turn reported."""
        ...


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


@runtime_checkable
class Method(Protocol):
    """What a turn is. Frozen settings (@config)."""

    @property
    def averaged_networks(self) -> tuple[str, ...]: ...  # networks whose moving average is sampled
    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        """Its own buffers (ADA's p, the path-length mean, image pools), kept with the networks."""
        ...

    def traits(self, nets: Nets) -> Traits: ...
    def stage(self, nets: Nets, clock: Clock) -> Stage: ...
    def draw_latents(self, nets: Nets, n: int, generator: torch.Generator, request: Request = NO_REQUEST) -> Latents: ...
    def render(self, nets: Nets, latents: Latents) -> Tensor:
        """Samples x from latents. Sampling is draw_latents, then render."""
        ...


@runtime_checkable
class ExhibitingMethod(Protocol):
    """A method with things of its own to show when training ends."""

    def exhibits(self, nets: Nets, codec: Codec, columns: Batch) -> Sequence[Exhibit]:
        """What to show, from some held-out rows in stored form."""
        ...


@runtime_checkable
class Reconstructor(Protocol):
    """A method whose networks make samples again from what they keep of them."""

    def reconstruct(self, nets: Nets, batch: Batch) -> Tensor:
        """x like the batch's."""
        ...


def seed_from(*parts: Any) -> int:
    """A seed in [0, 2**63) from anything that prints: the same parts, the same seed, on every machine."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def seeded_generator(*parts: Any, device: torch.device | str = "cpu") -> torch.Generator:
    """A random generator of its own, seeded by `key(*parts)`."""
    return torch.Generator(device).manual_seed(seed_from(*parts))
