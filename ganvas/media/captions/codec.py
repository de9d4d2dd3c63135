"""How captions are stored, seen by networks and written back."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ...configuration import config
from ...core import Field, Spec
from ...errors import GanvasError
from ...system.files import write_atomically, write_bytes
from .condition import TextCondition
from .drawing import draw_text_lines
from .scaled_encoder import ScaledEncoder

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

EXAMPLES = 1_000  # captions that a condition keeps
FILE_NAME = "captions.txt"


@config
class CaptionCodec:
    """Captions: uint8 [N, K, B] as stored, float [N, 1 + tokens, size + 1] for networks, one of each sample's captions.

    A stored caption is its text in UTF-8, filled up with zeros, and its vectors as the encoder gave them, in fp16. A
    sample with fewer captions than K has rows of zeros.

    captions: those that `store` knows, one a text: it takes the nearest of them.
    text_bytes: of a text; longer ones are cut where they are shown, never where they are read.
    """

    encoder: ScaledEncoder
    captions: tuple[str, ...]
    per_sample: int
    text_bytes: int

    medium = "caption"
    noun = "captions"
    is_visual = False
    preview_count = 32

    @property
    def spec(self) -> Spec:
        rows, numbers = self.encoder.shape
        return Spec((rows, numbers), (Field("vector", numbers - 1), Field("weight", 1)), {})

    def protocol(self) -> Mapping[str, str]:
        return {}

    def encode(self, item: bytes | np.ndarray) -> np.ndarray:
        """A JSON list of captions -> uint8 [K, B]. Raises GanvasError with the reason."""
        texts = read_captions(item)[: self.per_sample]
        rows = np.zeros((self.per_sample, self.text_bytes + self._vector_bytes), np.uint8)
        rows[: len(texts)] = self._pack(texts)
        return rows

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        """One caption of each sample; with a generator, any of them."""
        counts = (stored[:, :, 0] > 0).sum(1)
        places = torch.zeros(len(stored), dtype=torch.int64)
        if generator is not None and self.per_sample > 1:
            places = (torch.rand(len(stored), generator=generator) * counts.cpu()).long()
        chosen = stored[torch.arange(len(stored), device=stored.device), places.to(stored.device)]
        raw = chosen[:, self.text_bytes :].contiguous().view(torch.float16).float().unflatten(1, self.encoder.shape)
        return self.encoder.scale(raw)

    def store(self, x: Tensor) -> Tensor:
        """The captions nearest to these vectors, each alone in its sample."""
        distances = torch.cdist(x.detach().float().cpu()[:, 0, :-1], self._sentences)
        nearest = [self.captions[row] for row in distances.argmin(1).tolist()]
        rows = np.zeros((len(x), self.per_sample, self.text_bytes + self._vector_bytes), np.uint8)
        rows[:, 0] = self._pack(nearest)
        return torch.from_numpy(rows)

    def read_texts(self, stored: Tensor) -> list[list[str]]:
        """The captions of each sample."""
        texts = stored[:, :, : self.text_bytes].cpu().numpy()
        return [[decode_caption(row.tobytes()) for row in sample if row[0]] for sample in texts]

    def preview(self, stored: Tensor) -> "Picture":
        return draw_text_lines([texts[0] for texts in self.read_texts(stored)])

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        """Add a line for each sample to captions.txt, with a file about its origin beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / FILE_NAME
        lines = path.read_text(encoding="utf-8").splitlines()[:start] if start and path.exists() else []
        lines += [texts[0] for texts in self.read_texts(stored)]
        write_atomically(path, lambda temporary: temporary.write_text("\n".join(lines) + "\n", encoding="utf-8"))
        write_bytes(folder / "PROVENANCE.json", json.dumps(dict(metadata), indent=2).encode())
        return [path]

    def derive_condition(self, stored: Tensor) -> TextCondition:
        """The condition whose examples are first captions of evenly spaced samples, each text once."""
        rows = torch.linspace(0, len(stored) - 1, min(len(stored), EXAMPLES)).long()
        texts = [texts[0] for texts in self.read_texts(stored[rows])]
        return TextCondition(encoder=self.encoder, examples=tuple(dict.fromkeys(texts)))

    @cached_property
    def _sentences(self) -> Tensor:
        return self.encoder.encode(self.captions)[:, 0, :-1]

    @property
    def _vector_bytes(self) -> int:
        rows, numbers = self.encoder.shape
        return 2 * rows * numbers

    def _pack(self, texts: Sequence[str]) -> np.ndarray:
        vectors = self.encoder.encode_raw(texts).to(torch.float16).flatten(1).numpy().view(np.uint8)
        text_rows = np.zeros((len(texts), self.text_bytes), np.uint8)
        for row, text in zip(text_rows, texts, strict=True):
            encoded = encode_caption(text, self.text_bytes)
            row[: len(encoded)] = np.frombuffer(encoded, np.uint8)
        return np.concatenate([text_rows, vectors], 1)


def read_captions(item: bytes | np.ndarray) -> list[str]:
    """The captions in an item, a JSON list. Raises GanvasError for anything else, with the reason alone."""
    try:
        captions = json.loads(bytes(item))
    except ValueError:
        captions = None
    if not isinstance(captions, list) or not captions or not all(isinstance(text, str) and text.strip() for text in captions):
        raise GanvasError("has no captions: each is a text of one word or more")
    return [" ".join(text.split()) for text in captions]


def encode_caption(text: str, most_bytes: int) -> bytes:
    """UTF-8, cut before the character that would not fit."""
    return text.encode("utf-8", "replace")[:most_bytes].decode("utf-8", "ignore").encode("utf-8")


def decode_caption(data: bytes) -> str:
    return data.rstrip(b"\0").decode("utf-8", "replace")
