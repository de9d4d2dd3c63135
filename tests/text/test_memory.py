"""Texts that were encoded already: the same vectors, without reading the text again, in bounded memory."""

from collections.abc import Sequence

import pytest
import torch

from ganvas.configuration import config
from ganvas.text import TextVectors, encode_cached, memory
from ganvas.text.memory import TextMemory

READ: list[str] = []


@config
class Letters:
    """A text's letters as numbers; it notes what it reads."""

    max_tokens: int = 50
    scale: float = 1.0

    @property
    def size(self) -> int:
        return 2

    def encode(self, texts: Sequence[str]) -> TextVectors:
        READ.extend(texts)
        words = torch.zeros(len(texts), max(map(len, texts), default=0), 2)
        for k, text in enumerate(texts):
            words[k, : len(text)] = self.scale * torch.tensor([[ord(c), 1.0] for c in text]).reshape(-1, 2)
        return TextVectors(words.sum(1), words, words[..., 1] > 0)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    READ.clear()
    monkeypatch.setattr(memory, "_MEMORY", TextMemory(max_vectors=20))


def equal(a: TextVectors, b: TextVectors) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_the_same_vectors_come_back_and_nothing_is_read_twice() -> None:
    texts = ["ab", "c", "ab", "def"]
    first, second = encode_cached(Letters(), texts), encode_cached(Letters(), texts)
    assert READ == ["ab", "c", "def"]
    assert equal(first, second)
    assert equal(first, Letters().encode(texts))
    short = encode_cached(Letters(), ["c", "ab"])  # L is that of the longest text asked for
    assert short.words.shape == (2, 2, 2)
    assert equal(short, Letters().encode(["c", "ab"]))


def test_another_encoder_reads_for_itself() -> None:
    assert not equal(encode_cached(Letters(), ["ab"]), encode_cached(Letters(scale=2.0), ["ab"]))
    assert READ == ["ab", "ab"]


def test_what_was_asked_for_last_stays() -> None:
    encode_cached(Letters(), ["a" * 9])
    encode_cached(Letters(), ["b" * 8])  # 19 vectors
    encode_cached(Letters(), ["a" * 9])
    encode_cached(Letters(), ["c" * 5])  # 25: the b leave
    READ.clear()
    encode_cached(Letters(), ["a" * 9, "c" * 5])
    assert READ == []
    encode_cached(Letters(), ["b" * 8])
    assert READ == ["b" * 8]


def test_more_than_it_holds_still_comes_back() -> None:
    texts = ["x" * 15, "y" * 15, "z" * 30]
    assert equal(encode_cached(Letters(), texts), Letters().encode(texts))
    assert memory._MEMORY.vectors <= 20


def test_changing_what_came_back_changes_nothing() -> None:
    vectors = encode_cached(Letters(), ["ab"])
    vectors.sentence.zero_(), vectors.words.zero_()
    assert equal(encode_cached(Letters(), ["ab"]), Letters().encode(["ab"]))


def test_no_texts_are_no_vectors() -> None:
    assert encode_cached(Letters(), []).words.shape == (0, 0, 2)
