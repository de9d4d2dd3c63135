"""What a sample is: its shape, its conditions, how it is stored, loaded, shown, and where it comes from."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


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
