"""Samples: their shape and conditions, how they are stored, loaded and shown, and where they come from."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


class Field(NamedTuple):
    """One part of an encoded sample. It decides the generator's last layer."""

    name: str
    size: int
    kind: Literal["continuous", "categorical", "binary", "mask"] = "continuous"
    shares: tuple[float, ...] = ()  # of a categorical one: how often each value occurs; () is unknown
    where: tuple[str, int] | None = None  # (a categorical field, a value): elsewhere this one is 0; None: it always counts
    is_static: bool = False  # of a series: it is the same at all steps of a sample
    is_end: bool = False  # of a series: its second value says that it is over; then all others are 0, but for statics
    scales: str | None = None  # of a series: the field whose range within the sample this static gives
    end: int | None = None  # of a sequence of letters: the value that says that it is over, and fills what is left
    shape: tuple[int, ...] = ()  # of one that is a tensor of its own beside others, such as a picture: (3, 32, 32)


@runtime_checkable
class Condition(Protocol):
    """A property that you can request of samples: a class, a vector, a text, likeness to another sample. A spec names it.

    Frozen settings (@config), saved with a run.
    """

    @property
    def kind(self) -> str: ...  # "class", "vector" or another word; networks check it
    @property
    def size(self) -> int: ...  # how many classes, or how many numbers a value has
    @property
    def names(self) -> tuple[str, ...]: ...  # names of the classes or numbers; () without names
    def parse(self, text: str) -> Tensor:
        """Convert a text to a value: a class int64 [], a vector [K]. Raises GanvasError for a text that names no value."""
        ...

    def draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        """Draw values [n, …] at the data's frequencies, on the CPU."""
        ...

    def describe(self) -> str:
        """For messages: "3 classes: cat, cow, dog"."""
        ...


@runtime_checkable
class ShapedCondition(Condition, Protocol):
    """A condition whose values are tensors of one shape, such as images to translate."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # of a value as networks see it: (3, 64, 64)
    @property
    def codec(self) -> "Codec": ...  # stores its values and shows them


@runtime_checkable
class OpenCondition(Condition, Protocol):
    """A condition whose requests leave something open, such as an age from 30 to 40: each sample has a value of its own."""

    def draw_within(self, request: Tensor, n: int, generator: torch.Generator | None) -> Tensor:
        """Values [n, …] that fulfil a parsed request, at the data's frequencies, on the CPU."""
        ...


@runtime_checkable
class PartwiseCondition(OpenCondition, Protocol):
    """A condition that is requested by the names of its parts: one "name=value" a line. Samples hold its values themselves."""

    @property
    def parts(self) -> tuple[str, ...]: ...  # "image", "class"


class Spec(NamedTuple):
    """What one encoded sample looks like to a network."""

    shape: tuple[int, ...]  # (3, 64, 64) image, (2,) point, (features,) row, (T, features) series
    fields: tuple[Field, ...]  # an image is one continuous field
    conditions: Mapping[str, Condition]  # {"label": ClassCondition(…)}


def format_shape(shape: Sequence[int]) -> str:
    """For messages: "3 x 64 x 64", or "1,024 numbers" where there is one dimension."""
    return f"{shape[0]:,} numbers" if len(shape) == 1 else " x ".join(map(str, shape))


Batch = Mapping[str, Tensor]  # columns by name: "x", and others such as "label", "text", "source", "mask"
Latents = Mapping[str, Tensor]  # a generator's inputs: "z" and its conditions
Nets = nn.ModuleDict  # "G", "D", …, and the method's state


class Request(NamedTuple):
    """What to sample. Conditions that are left out are drawn at the data's frequencies."""

    conditions: Mapping[str, Tensor] = {}  # by name, one value for all samples: int64 [], [K], [C, H, W] …
    truncation: float | None = None  # how far latents may lie from the mean; less gives fidelity and costs variety


NO_REQUEST = Request()


class GeneratorNetwork(nn.Module):
    """A network that makes samples. Derive your own networks from it, and set the attributes that differ."""

    z_dim: int = 0  # numbers in z; 0: it has no z, only conditions
    draw_count: int = 0  # numbers in u, uniform in [0, 1), for draws inside a sample; 0: it has no u
    conditions: tuple[str, ...] = ()  # names of the conditions that it takes as keyword arguments
    has_styles: bool = False  # it has `map_to_styles` and `render_styles`, and takes ws [N, layers, w_dim] instead of z
    takes_truncation: bool = False  # it takes truncation [N] and moves its styles towards their mean
    has_feature_statistics: bool = False  # it measures its features whenever it makes fakes for D


class Traits(NamedTuple):
    """The role of each network of a method, for code that samples, edits, exports or copies networks."""

    generator: str = "G"  # the network that makes samples
    critics: tuple[str, ...] = ("D",)  # the networks that judge them
    conditions: tuple[str, ...] = ()  # the conditions that the generator takes
    latent: Literal["z", "ws"] | None = "z"  # the space for edits and interpolation; None: the generator has no latent
    prior: Literal["normal", "uniform"] = "normal"  # the distribution of z
    reverse_generator: str | None = None  # the network that makes sources from samples; None: there is none


class Items(Protocol):
    """A list of raw samples, before a medium encodes them."""

    names: Sequence[str]  # a name for each sample, for messages
    labels: np.ndarray | None  # int64 [N], indices into `classes`, or float32 [N, K]; or None
    classes: tuple[str, ...]  # names of the classes, or of the K columns; () without labels
    fingerprint: str  # changes with the data: names, sizes, times
    title: str  # for messages: "photos/ (1,204 files)"

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Any: ...  # a file's bytes, an array, or a mapping of columns


@runtime_checkable
class Source(Protocol):
    """Where samples come from. Frozen settings (@config)."""

    def items(self, suffixes: tuple[str, ...]) -> Items:
        """The samples; of files, those with these suffixes. Raises GanvasError if there is nothing to train on."""
        ...

    def held_out(self, suffixes: tuple[str, ...]) -> Items | None:
        """Samples to score against, which training never uses; None if the source has none."""
        ...


@runtime_checkable
class Codec(Protocol):
    """How a medium's samples are stored, fed to a network and written back. Frozen settings (@config), saved with a run.

    Three forms: an *item* (a file's bytes or an array), the *stored* form (a compact tensor: uint8 or uint16 [N, H, W, C] for
    samples), and *x* (what networks see: float [N, C, H, W] in [-1, 1] for samples).
    """

    @property
    def spec(self) -> Spec: ...
    @property
    def medium(self) -> str: ...  # the kind of samples, as extractors name it: "image"
    @property
    def noun(self) -> str: ...  # the plural, for messages: "pictures"
    @property
    def is_visual(self) -> bool: ...  # whether a sample is a picture that people can compare by eye
    @property
    def preview_count(self) -> int: ...  # how many samples make a good preview
    def protocol(self) -> Mapping[str, str]:
        """The encoding settings that affect scores, for score cards: {"resize": "lanczos"}."""
        ...

    def encode(self, item: bytes | np.ndarray) -> np.ndarray:
        """One item in stored form. Raises GanvasError for an unreadable item; its message gives the reason, not the name."""
        ...

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        """Stored [N, …] -> x; with random flips and the like if you pass a CPU generator."""
        ...

    def store(self, x: Tensor) -> Tensor:
        """x -> stored, rounded and clipped as in a file."""
        ...

    def preview(self, stored: Tensor) -> "Picture":
        """One picture of all the samples."""
        ...

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        """Write samples as files numbered from `start`, with `metadata` in each; returns their paths."""
        ...


@runtime_checkable
class FileCodec(Protocol):
    """A codec that stores each sample as one file, so samples can go straight into an archive."""

    def files(self, stored: Tensor, start: int, metadata: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        """(name, content) of each sample, numbered from `start`, with `metadata` in each."""
        ...


class Exhibit(NamedTuple):
    """A file that shows something about a run. The suffix gives its type.

    ".png" is a picture, ".wav" a sound, ".mp4" a film, ".csv" a table, ".txt" a text, ".obj" a mesh.
    """

    name: str  # the file's name without the suffix: "nearest"
    caption: str
    suffix: str
    data: bytes


@runtime_checkable
class ExhibitingCodec(Protocol):
    """A codec that shows samples as something other than a picture."""

    def exhibit(self, name: str, caption: str, stored: Tensor) -> Exhibit:
        """One exhibit of all the samples [N, …]."""
        ...


@runtime_checkable
class JointCodec(Protocol):
    """A codec for samples with several columns. Each column has its own codec; the columns of a sample load together."""

    @property
    def column_codecs(self) -> Mapping[str, Codec]: ...  # by name; generators make "x"
    def load_columns(self, stored: Mapping[str, Tensor], generator: torch.Generator | None) -> Batch:
        """Stored columns [N, …] -> network inputs by name. One random draw may crop several tensors from a sample."""
        ...


@runtime_checkable
class DerivingCodec(Protocol):
    """A codec that makes further columns from "x" when it loads samples, such as a degraded copy. They are stored nowhere."""

    @property
    def base(self) -> Codec: ...  # the codec of "x" by itself
    def load_columns(self, stored: Mapping[str, Tensor], generator: torch.Generator | None) -> Batch:
        """Stored "x" [N, …] -> "x" and the further columns. Without a generator they follow from each sample alone."""
        ...

    def derive_conditions(self, stored: Tensor) -> Mapping[str, Condition]:
        """The conditions that the further columns of samples [N, …] hold the values of, by name."""
        ...


@runtime_checkable
class ConditionCodec(Protocol):
    """A codec for a column that can be a condition: captions, source images."""

    def derive_condition(self, stored: Tensor) -> Condition:
        """The condition that a column [N, …] holds the values of."""
        ...


@runtime_checkable
class BatchSampler(Protocol):
    """Chooses the rows of a data set for a batch. Frozen settings (@config)."""

    def draw_rows(self, data: "Dataset", size: int, generator: torch.Generator) -> Tensor:
        """Row numbers, int64 [size], on the CPU."""
        ...


@runtime_checkable
class Medium(Protocol):
    """A kind of samples. Frozen settings (@config); `fit` reads the data and chooses the settings that are still open."""

    @property
    def suffixes(self) -> tuple[str, ...]: ...  # suffixes of the files that it reads, in lower case: (".png", ".jpg")
    def fit(self, items: Items) -> Codec: ...


class Dataset(Protocol):
    """Encoded samples."""

    codec: Codec
    title: str  # for messages
    fingerprint: str  # changes when the data or its encoding does
    columns: Mapping[str, Tensor]  # [N, …] each: "x" in stored form, and others such as "label"
    conditions: Mapping[str, Condition]  # the condition of each column that has one, by the column's name

    @property
    def spec(self) -> Spec: ...  # the codec's, with these conditions
    def __len__(self) -> int: ...
    def batch(self, seed: int, size: int) -> Batch:
        """A random batch; the same arguments always give the same one."""
        ...
