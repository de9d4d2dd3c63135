"""Sentences as vectors that can be generated: the first principal components of what a frozen encoder makes of them.

No network writes a sentence here. A generated vector is shown as the nearest of some real captions, which the codec keeps.
"""

import base64
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL.Image import Image as Picture
from torch import Tensor

from ...configuration import config
from ...core import Field, Spec
from ...errors import GanvasError
from ...system.files import write_bytes
from ...text import TextEncoder, encode_cached
from ..captions.drawing import draw_text_lines

FITTED_TEXTS = 2_000  # captions that decide on the components, and that are kept to be shown
LEAST_DEVIATION = 1e-6  # of vectors that hardly differ


@config
class SentenceCodec:
    """Sentences: fp16 [N, D] as stored, float [N, D] for networks, centred and scaled to unit variance on average.

    captions: those that vectors are shown as.
    mean, axes: of the encoder's vectors: fp16 [E] and [E, D], in base 85. The axes include the scale.
    """

    encoder: TextEncoder
    captions: tuple[str, ...]
    mean: str
    axes: str
    size: int

    medium = "sentence"
    noun = "captions"
    is_visual = False
    preview_count = 32

    def protocol(self) -> Mapping[str, str]:
        return {}

    @property
    def spec(self) -> Spec:
        return Spec((self.size,), (Field("caption", self.size, "continuous", shape=(self.size,)),), {})

    def encode(self, item: Any) -> np.ndarray:
        """A text, or its bytes in UTF-8, as fp16 [D]. Raises GanvasError for an empty text, or one that is too long."""
        text = item if isinstance(item, str) else bytes(item).decode("utf-8", "replace")
        if not text.strip():
            raise GanvasError("has an empty caption: write a word or more")
        return self._project([text])[0].to(torch.float16).numpy()

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        return stored.float()

    def store(self, x: Tensor) -> Tensor:
        return x.detach().float().clamp(-6e4, 6e4).cpu().to(torch.float16)

    def read_texts(self, stored: Tensor) -> list[str]:
        """The nearest caption of each vector [N, D]."""
        return [self.captions[row] for row in torch.cdist(stored.float().cpu(), self._kept_vectors).argmin(1).tolist()]

    def preview(self, stored: Tensor) -> Picture:
        return draw_text_lines(self.read_texts(stored))

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        """Write the nearest captions as text, a line each."""
        return [write_bytes(folder / f"captions{start:06d}.txt", "\n".join(self.read_texts(stored)).encode())]

    def _project(self, texts: Sequence[str]) -> Tensor:
        return (encode_cached(self.encoder, texts).sentence - self._mean) @ self._axes

    @cached_property
    def _kept_vectors(self) -> Tensor:
        return self._project(self.captions)

    @cached_property
    def _mean(self) -> Tensor:
        return unpack_numbers(self.mean)

    @cached_property
    def _axes(self) -> Tensor:
        return unpack_numbers(self.axes).unflatten(0, (-1, self.size))


def fit_sentences(encoder: TextEncoder, texts: Sequence[str], size: int) -> SentenceCodec:
    """The codec for captions like these: as many components as `size`, or as there are."""
    kept = tuple(dict.fromkeys(texts))
    kept = kept[:: max(1, -(-len(kept) // FITTED_TEXTS))]
    vectors = encode_cached(encoder, kept).sentence
    mean = vectors.mean(0)
    _, values, axes = torch.linalg.svd(vectors - mean, full_matrices=False)
    size = max(1, min(size, int((values > LEAST_DEVIATION).sum())))
    deviation = (values[:size].square().mean() / len(kept)).sqrt().clamp(min=LEAST_DEVIATION)
    signs = axes[:size].gather(1, axes[:size].abs().argmax(1, keepdim=True)).sign()
    scaled_axes = (axes[:size] * signs).T / deviation
    return SentenceCodec(
        encoder=encoder, captions=kept, mean=pack_numbers(mean), axes=pack_numbers(scaled_axes.flatten()), size=size
    )


def pack_numbers(values: Tensor) -> str:
    """Numbers [N] as text: fp16 in base 85."""
    return base64.b85encode(values.to(torch.float16).numpy().tobytes()).decode("ascii")


def unpack_numbers(text: str) -> Tensor:
    """The numbers that `pack_numbers` packed, float32 [N]. Raises GanvasError for anything else."""
    try:
        return torch.from_numpy(np.frombuffer(base64.b85decode(text), np.float16).astype(np.float32))
    except ValueError as error:
        raise GanvasError(f"the vectors of captions are damaged ({error}): take codec.json from a backup") from None
