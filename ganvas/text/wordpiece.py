"""BERT's uncased tokens: words in lower case without accents, cut into the longest pieces that a vocabulary has.

Wu et al. 2016, section 4.1; Devlin et al. 2019. It agrees with the package tokenizers, but for texts such as "[MASK]": there
they are markers, here they are text like any other.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cached_property

MAX_WORD = 100  # characters: a longer word is unknown
UNKNOWN, START, END = "[UNK]", "[CLS]", "[SEP]"
CONTINUATION = "##"
IDEOGRAPHS = "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002a6df\U0002a700-\U0002ceaf\U0002f800-\U0002fa1f]"
DROPPED_CATEGORIES = {"Cc", "Cf", "Co", "Cs"}  # controls, and what no font shows


class WordPiece:
    """Text -> numbers of tokens. The vocabulary's order numbers them."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.ids = {token: k for k, token in enumerate(vocabulary)}
        self.longest = max(map(len, vocabulary))

    def __call__(self, text: str) -> list[int]:
        """The tokens of a text between its two markers. Two markers alone are an empty text."""
        body = [k for word in split_words(text) for k in self.cut_word(word)]
        return [self.ids[START], *body, self.ids[END]]

    @cached_property
    def unknown(self) -> int:
        return self.ids[UNKNOWN]

    def cut_word(self, word: str) -> list[int]:
        """The longest piece that the vocabulary has, then the longest of the rest, and so on."""
        if len(word) > MAX_WORD:
            return [self.unknown]
        pieces: list[int] = []
        start = 0
        while start < len(word):
            prefix = CONTINUATION if start else ""
            ends = range(min(len(word), start + self.longest), start, -1)
            end = next((end for end in ends if prefix + word[start:end] in self.ids), None)
            if end is None:
                return [self.unknown]
            pieces.append(self.ids[prefix + word[start:end]])
            start = end
        return pieces


def split_words(text: str) -> list[str]:
    """Words in lower case. Each mark and each ideograph is a word of its own."""
    if text.isascii():
        characters = "".join(c for c in text if c.isprintable() or c in "\t\n\r").lower()
    else:
        clean = "".join(c for c in text if c in "\t\n\r" or not _is_dropped(c))
        spaced = re.sub(IDEOGRAPHS, r" \g<0> ", clean)
        bare = (c for c in unicodedata.normalize("NFD", spaced) if unicodedata.category(c) != "Mn")
        characters = "".join(c.lower() for c in bare)  # one at a time: a Greek word's last sigma is like the others
    return "".join(f" {c} " if _is_mark(c) else c for c in characters).split()


def _is_dropped(character: str) -> bool:
    return character == "\ufffd" or unicodedata.category(character) in DROPPED_CATEGORIES


def _is_mark(character: str) -> bool:
    """Punctuation. In ASCII every sign is, such as $, + and ~."""
    if character.isascii():
        return not (character.isalnum() or character.isspace())
    return unicodedata.category(character).startswith("P")
