"""Real pictures with captions, and all captions that they are to be told from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ...data.rows import get_storage
from ...media import CaptionCodec

TEXT, ATTRIBUTES = "text", "attributes"  # columns
BLOCK_ROWS = 64


@dataclass
class CaptionedSet:
    """Some rows of a data set. The columns stay where they are, since captions with all their words are large.

    rows: int64 [N], on the CPU.
    """

    columns: Mapping[str, Tensor]
    rows: Tensor
    codec: CaptionCodec

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, name: str, rows: Tensor | slice = slice(None)) -> Tensor:
        """Some of these rows of a column, on the CPU."""
        stored, numbers = get_storage(self.columns, name)
        return stored[numbers[self.rows[rows]].to(stored.device)].cpu()

    @property
    def attributes(self) -> Tensor | None:
        """The attributes of each picture, int64 [N, A]; None if they are unknown."""
        return self.take(ATTRIBUTES) if ATTRIBUTES in self.columns else None

    def load_captions(self) -> Iterator[Tensor]:
        """The first caption of each picture, which a generator is given: [n, 1 + tokens, size + 1], block by block."""
        for start in range(0, len(self), BLOCK_ROWS):
            yield self.codec.load(self.take(TEXT, slice(start, start + BLOCK_ROWS)), None)

    def read_captions(self) -> Iterator[tuple[list[list[str]], Tensor]]:
        """(the captions of each picture, the sentences of all of them [captions, D] in their order), block by block."""
        for start in range(0, len(self), BLOCK_ROWS):
            stored = self.take(TEXT, slice(start, start + BLOCK_ROWS))
            captions = stored[stored[:, :, 0] > 0][:, None]
            yield self.codec.read_texts(stored), self.codec.load(captions, None)[:, 0, :-1]

    def read_first_texts(self) -> list[str]:
        return [texts[0] for block, _ in self.read_captions() for texts in block]


@dataclass
class CaptionPool:
    """Different captions, each once."""

    texts: Sequence[str]
    sentences: Tensor  # [M, D]

    def number_captions(self, captioned: CaptionedSet) -> tuple[Tensor, Tensor]:
        """(the number of each picture's first caption [N], whether a caption belongs to none of a picture's: bool [N, M])."""
        numbers = {text: k for k, text in enumerate(self.texts)}
        texts = [picture_texts for block, _ in captioned.read_captions() for picture_texts in block]
        is_mismatch = torch.ones(len(captioned), len(self.texts), dtype=torch.bool)
        for k, picture_texts in enumerate(texts):
            is_mismatch[k, [numbers[text] for text in picture_texts if text in numbers]] = False
        return torch.tensor([numbers[picture_texts[0]] for picture_texts in texts]), is_mismatch


def join_captions(sets: Sequence[CaptionedSet]) -> CaptionPool:
    """All captions of these pictures."""
    sentences = dict[str, Tensor]()
    for captioned in sets:
        for block, vectors in captioned.read_captions():
            texts = [text for picture_texts in block for text in picture_texts]
            sentences |= {text: vector for text, vector in zip(texts, vectors, strict=True) if text not in sentences}
    return CaptionPool(list(sentences), torch.stack(list(sentences.values())))
