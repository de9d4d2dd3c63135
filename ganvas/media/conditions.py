"""Samples as a condition: what a translator starts from."""

import base64
import io
import zlib
from functools import cached_property
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..configuration import config
from ..core import Codec, format_shape
from ..errors import GanvasError

MAX_EXAMPLES, MIN_EXAMPLES, EXAMPLE_BYTES = 64, 4, 2**18  # samples that are kept, and about how many bytes in all
MAX_PACKED_BYTES = 2**28  # of one example, unpacked: a limit against bombs


@config
class SampleCondition:
    """A sample, such as a picture, that another is made from. `examples` are some of the data's in stored form, as text."""

    codec: Codec
    examples: tuple[str, ...]
    names: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return self.codec.medium

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a value as networks see it: channels, height and width of a picture."""
        return self.codec.spec.shape

    @property
    def size(self) -> int:
        return prod(self.shape)

    def parse(self, text: str) -> Tensor:
        """The path of a file -> what networks see of it, float of `shape`."""
        try:
            stored = self.codec.encode(Path(text).expanduser().read_bytes())
        except OSError as error:
            raise GanvasError(f"{text!r} cannot be read ({error.strerror}): give the path of a file") from None
        except GanvasError as error:
            raise GanvasError(f"{text} {error}") from None
        return self.codec.load(torch.from_numpy(stored.copy())[None], None)[0]

    def draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        rows = torch.randint(len(self.examples), (n,), generator=generator)
        return self.codec.load(self._stored_examples[rows], None)

    def describe(self) -> str:
        return f"a file of the kind of {self.codec.noun}, brought to {format_shape(self.shape)}"

    @cached_property
    def _stored_examples(self) -> Tensor:
        return torch.from_numpy(np.stack([unpack_array(text) for text in self.examples]))


def derive_sample_condition(codec: Codec, stored: Tensor) -> SampleCondition:
    """The condition to be made from samples like these [N, …]; some of them, evenly spaced, are its examples."""
    return build_sample_condition(codec, stored[choose_example_rows(stored)])


def choose_example_rows(stored: Tensor) -> list[int]:
    """Rows of samples [N, …] to keep as examples: evenly spaced, and fewer of large ones."""
    sample_bytes = max(1, stored[0].numel() * stored.element_size())
    count = min(len(stored), max(MIN_EXAMPLES, min(MAX_EXAMPLES, EXAMPLE_BYTES // sample_bytes)))
    return torch.linspace(0, len(stored) - 1, count).long().tolist()


def build_sample_condition(codec: Codec, examples: Tensor) -> SampleCondition:
    """The condition with these examples [N, …], in stored form."""
    return SampleCondition(codec=codec, examples=tuple(pack_array(example.cpu().numpy()) for example in examples))


def pack_array(array: np.ndarray) -> str:
    """An array as text: NumPy's format, compressed, in base 85."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return base64.b85encode(zlib.compress(buffer.getvalue(), 9)).decode("ascii")


def unpack_array(text: str) -> np.ndarray:
    """The array that `pack_array` packed. Raises GanvasError for anything else."""
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(base64.b85decode(text), MAX_PACKED_BYTES)
        if not unpacker.eof:
            raise ValueError("cut off, or too large")
        return np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, zlib.error) as error:
        raise GanvasError(f"the run's examples are damaged ({error}): take its files from a backup, or train anew") from None
