"""An encoder of texts for tests: quick, without weights, and in any language."""

from collections.abc import Sequence
from hashlib import blake2b

import torch

from ganvas import GanvasError, config
from ganvas.text import TextVectors

SIZE = 12


@config
class HashedWords:
    """Each word is a vector of 1 and -1 that follows from its letters; a sentence is the mean of its words."""

    max_tokens: int = 8

    @property
    def size(self) -> int:
        return SIZE

    def encode(self, texts: Sequence[str]) -> TextVectors:
        words = [text.lower().split() for text in texts]
        if not all(words):
            raise GanvasError("a text has no words: give it one or more")
        length = min(self.max_tokens, max(map(len, words), default=0))
        vectors, mask = torch.zeros(len(texts), length, SIZE), torch.zeros(len(texts), length, dtype=torch.bool)
        for row, some in enumerate(words):
            vectors[row, : len(some)] = torch.stack([hash_word(word) for word in some[:length]])
            mask[row, : len(some)] = True
        sentences = [torch.stack([hash_word(word) for word in some]).mean(0) for some in words]
        return TextVectors(torch.stack(sentences) if sentences else torch.zeros(0, SIZE), vectors, mask)


def hash_word(word: str) -> torch.Tensor:
    bits = int.from_bytes(blake2b(word.encode(), digest_size=2).digest(), "big")
    return torch.tensor([1.0 if bits >> k & 1 else -1.0 for k in range(SIZE)])
