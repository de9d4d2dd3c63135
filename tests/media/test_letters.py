"""Texts as codes of letters and back."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ganvas.data.items import ItemList
from ganvas.errors import GanvasError
from ganvas.media import Letters, LettersCodec

CODEC = LettersCodec(alphabet="abü", length=4)


def items(*texts: str) -> ItemList:
    return ItemList([str(k) for k in range(len(texts))], [text.encode() for text in texts].__getitem__, "f", "words.txt")


def test_the_alphabet_and_the_length_are_those_of_the_data() -> None:
    assert Letters().fit(items("ab", "bü", "aab")) == LettersCodec(alphabet="abü", length=3)
    assert Letters(longest=2).fit(items("ab", "bba", "xyz")) == LettersCodec(alphabet="ab", length=2)


def test_codes_end_with_zeros() -> None:
    assert CODEC.encode("üa".encode()).tolist() == [3, 1, 0, 0]
    x = CODEC.load(torch.tensor([[3, 1, 0, 0]], dtype=torch.uint8), None)
    assert x.argmax(2).tolist() == [[3, 1, 0, 0]]
    assert (x.sum(2) == 1).all()


def test_what_follows_an_end_is_no_part_of_a_text() -> None:
    x = torch.eye(4)[torch.tensor([[1, 0, 2, 3], [0, 0, 1, 0], [3, 3, 3, 3]])]
    stored = CODEC.store(x + 0.1 * torch.rand(x.shape))
    assert stored.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [3, 3, 3, 3]]
    assert CODEC.read_texts(stored) == ["a", "", "üüüü"]


def test_texts_are_written_a_line_each(tmp_path: Path) -> None:
    stored = torch.tensor([[1, 2, 0, 0], [3, 0, 0, 0]], dtype=torch.uint8)
    (path,) = CODEC.write(stored, tmp_path, 0, {})
    assert CODEC.write(stored[:1], tmp_path, 2, {}) == [path]
    assert path.read_text(encoding="utf-8") == "ab\nü\nab\n"
    exhibit = CODEC.exhibit("samples", "Texts", stored)
    assert (exhibit.suffix, exhibit.data.decode()) == (".txt", "ab\nü\n")


def test_a_preview_has_a_line_for_each_text() -> None:
    picture = np.asarray(CODEC.preview(torch.ones(40, 4, dtype=torch.uint8)))
    assert (picture.min(1) < 128).any()
    assert picture[:, picture.shape[1] // 2 :].min() < 128  # the second column


def test_texts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(GanvasError, match="has 5 letters, and 4 are the most: raise `longest`"):
        CODEC.encode(b"aabba")
    with pytest.raises(GanvasError, match="holds 'x', which the training texts lack"):
        CODEC.encode(b"ax")
    with pytest.raises(GanvasError, match=r"is an array, not a text: give a \.txt file"):
        CODEC.encode(np.zeros(3))
    with pytest.raises(GanvasError, match="all texts have more than 2 letters"):
        Letters(longest=2).fit(items("abc", "abcd"))
    with pytest.raises(GanvasError, match="has 256 different letters, and 255 are the most"):
        Letters().fit(items(*(chr(0x4E00 + k) for k in range(256))))
    with pytest.raises(GanvasError, match="longest"):
        Letters(longest=0)
