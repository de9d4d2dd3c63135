"""Texts that were encoded in this process, so that asking for the same ones again costs nothing."""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import torch
from torch import Tensor

from .encoder import TextEncoder
from .vectors import TextVectors

MAX_VECTORS = 100_000  # in memory, of all texts together: 150 MB where a vector has 384 numbers
Key = tuple[TextEncoder, str]


class TextMemory:
    """The vectors of the texts that were asked for last, by encoder and text. Threads may share it."""

    def __init__(self, max_vectors: int) -> None:
        self.max_vectors = max_vectors
        self.vectors = 0
        self.texts: OrderedDict[Key, tuple[Tensor, Tensor]] = OrderedDict()  # sentence [D], words [L, D]
        self.lock = Lock()

    def encode(self, encoder: TextEncoder, texts: Sequence[str]) -> TextVectors:
        """What the encoder makes of the texts. It reads only those that are not remembered, each once."""
        with self.lock:
            known = {text: self._recall((encoder, text)) for text in dict.fromkeys(texts) if (encoder, text) in self.texts}
        unknown = [text for text in dict.fromkeys(texts) if text not in known]
        if unknown:
            vectors = encoder.encode(unknown)
            rows = zip(vectors.sentence, vectors.words, vectors.mask, strict=True)
            fresh = {text: (s.clone(), w[m].clone()) for text, (s, w, m) in zip(unknown, rows, strict=True)}
            with self.lock:
                for text, row in fresh.items():
                    self._remember((encoder, text), row)
            known |= fresh
        return join_texts([known[text] for text in texts], encoder.size)

    def _recall(self, key: Key) -> tuple[Tensor, Tensor]:
        self.texts.move_to_end(key)
        return self.texts[key]

    def _remember(self, key: Key, row: tuple[Tensor, Tensor]) -> None:
        self.vectors += 1 + len(row[1]) - (1 + len(self.texts[key][1]) if key in self.texts else 0)
        self.texts[key] = row
        while self.vectors > self.max_vectors:
            _, (_, words) = self.texts.popitem(last=False)
            self.vectors -= 1 + len(words)


def join_texts(rows: Sequence[tuple[Tensor, Tensor]], size: int) -> TextVectors:
    """Texts' vectors, a pair of sentence [D] and words [L, D] each, as one. Shorter texts end in zeros."""
    lengths = torch.tensor([len(words) for _, words in rows], dtype=torch.int64, device="cpu")
    longest = max((len(words) for _, words in rows), default=0)
    joined = torch.zeros(len(rows), longest, size, dtype=torch.float32, device="cpu")
    for k, (_, words) in enumerate(rows):
        joined[k, : len(words)] = words
    sentence = torch.stack([s for s, _ in rows]) if rows else torch.zeros(0, size, device="cpu")
    return TextVectors(sentence, joined, torch.arange(longest, device="cpu") < lengths[:, None])


_MEMORY = TextMemory(MAX_VECTORS)


def encode_cached(encoder: TextEncoder, texts: Sequence[str]) -> TextVectors:
    """As `encoder.encode`. Texts that this process encoded lately are not read again."""
    return _MEMORY.encode(encoder, texts)
