"""Our tokens against those of the package tokenizers, on sentences and on odd text."""

import json
import time
from pathlib import Path

import pytest

from ganvas.text.minilm import load_tokenizer
from ganvas.text.wordpiece import WordPiece, split_words


def test_the_tokens_are_those_of_the_package_tokenizers(goldens: Path) -> None:
    tokenizer = load_tokenizer()
    rows = json.loads((goldens / "wordpiece.json").read_text())["texts"]
    assert len(rows) == 300
    assert [text for text, tokens in rows if tokenizer(text) != tokens] == []


def test_a_marker_in_a_text_is_text() -> None:
    """The package tokenizers would take these for the network's own markers."""
    assert split_words("[MASK] [SEP]") == ["[", "mask", "]", "[", "sep", "]"]
    assert load_tokenizer()("[SEP]").count(load_tokenizer().ids["[SEP]"]) == 1


def test_the_longest_pieces_come_first() -> None:
    tokenizer = WordPiece(["[UNK]", "[CLS]", "[SEP]", "un", "una", "##aff", "##ff", "##able", "##a"])
    assert tokenizer("unaffable") == [1, 4, 6, 7, 2]
    assert tokenizer("unaffables una") == [1, 0, 4, 2]  # no piece for the last letter: the whole word is unknown


def test_a_long_text_takes_time_by_its_length() -> None:
    tokenizer = load_tokenizer()
    start = time.process_time()
    assert tokenizer("ab" * 100_000) == [101, tokenizer.unknown, 102]
    assert len(tokenizer("a" * 100 + " ")) > 3
    assert time.process_time() - start < 5


@pytest.mark.parametrize("text", ["", " \t\n", "\x00\x07\u200b", "\u0301"])
def test_an_empty_text_is_two_markers(text: str) -> None:
    assert load_tokenizer()(text) == [101, 102]
