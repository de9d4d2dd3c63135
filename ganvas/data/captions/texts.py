"""Texts of files: their encoding, and captions brought to one form."""

import codecs
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...errors import GanvasError
from ...system.files import repair_text
from ..names import format_count

MAX_CAPTIONS = 16  # of a picture
MAX_CAPTION_CHARACTERS = 512
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")  # white space and control characters, NUL among them
MIN_TEXTS, MIN_SPACED_SHARE = 64, 0.25  # more distinct values than this, and this share with a space: captions, not classes


def decode_file_text(data: bytes) -> str:
    """The text of a file in UTF-8, or in UTF-16 with its mark. Raises GanvasError, with only the reason, for others."""
    try:
        return data.decode("utf-16" if data.startswith(UTF16_MARKS) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise GanvasError(f"is not text in UTF-8 ({error.reason} at byte {error.start:,}): save it as UTF-8") from None


@dataclass
class CaptionCounts:
    """What was changed or left out when captions were cleaned."""

    empty: int = 0
    repeated: int = 0  # the same caption of the same picture again
    long: int = 0
    surplus: int = 0  # beyond MAX_CAPTIONS of a picture

    def describe(self) -> list[str]:
        """Sentences for people, one for each count that is not 0."""
        sentences = (
            (self.empty, "empty caption", "{} left out"),
            (self.repeated, "caption", "{} left out: the picture has the same one already"),
            (self.long, "caption", f"{{}} cut to {MAX_CAPTION_CHARACTERS} characters"),
            (self.surplus, "caption", f"{{}} left out: at most {MAX_CAPTIONS} of a picture are used"),
        )
        return [sentence.format(format_count(count, noun)) for count, noun, sentence in sentences if count]


def clean_captions(texts: Iterable[str], counts: CaptionCounts) -> tuple[str, ...]:
    """The captions of one picture in one form, each once; `counts` grows by what was changed.

    Letters are composed (NFC), a run of white space or control characters is one space, and long captions end at a word.
    """
    captions = list[str]()
    for text in texts:
        whole = BLANKS.sub(" ", unicodedata.normalize("NFC", repair_text(text))).strip()
        caption = _cut_caption(whole)
        counts.long += len(caption) < len(whole)
        if not caption:
            counts.empty += 1
        elif caption in captions:
            counts.repeated += 1
        elif len(captions) == MAX_CAPTIONS:
            counts.surplus += 1
        else:
            captions.append(caption)
    return tuple(captions)


def _cut_caption(text: str) -> str:
    """The text, or as many of its first words as fit; the first characters of a single long word."""
    if len(text) <= MAX_CAPTION_CHARACTERS:
        return text
    head = text[: MAX_CAPTION_CHARACTERS + 1].rpartition(" ")[0]
    return head or text[:MAX_CAPTION_CHARACTERS]


def are_captions(values: Sequence[object]) -> bool:
    """Whether the values of a column are captions and no classes.

    Most rows have a value of their own, there are more than 64 of them, and a quarter has spaces.
    """
    if not all(isinstance(value, str) for value in values):
        return False
    distinct = set(map(str, values))
    spaced_count = sum(" " in value.strip() for value in distinct)
    return len(distinct) > max(MIN_TEXTS, len(values) / 2) and spaced_count >= MIN_SPACED_SHARE * len(distinct)
