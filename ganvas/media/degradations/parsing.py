"""Degradations from a short text: "x4", "jpeg+noise+blur", "mask=boxes"."""

import re
from collections.abc import Callable, Mapping

from ...errors import GanvasError
from .blur import Blur
from .boxes import Boxes
from .degradation import Degradation
from .gray import Gray
from .jpeg import Jpeg
from .noise import Noise
from .one_of import OneOf
from .pasted import Pasted
from .smaller import Smaller
from .strokes import Strokes
from .twice import Twice

BY_NAME: Mapping[str, Callable[[], Degradation]] = {
    "gray": Gray,
    "blur": Blur,
    "noise": Noise,
    "jpeg": Jpeg,
    "mask": lambda: OneOf(choices=(Boxes(), Strokes())),
    "mask=boxes": Boxes,
    "mask=strokes": Strokes,
    "paste": Pasted,
}
SCALE_PATTERN = re.compile(r"(realistic ?)?x(\d{1,2})")
MASK_NAMES = ("mask", "paste")  # come last


def parse_degradation(text: str) -> tuple[Degradation, ...]:
    """What a text such as "x4", "realistic x4", "gray" or "jpeg+noise+blur" asks for; "+" joins several.

    Those with a mask ("mask", "mask=boxes", "mask=strokes", "paste") come last, whatever their order in the text.

    Raises:
        GanvasError: an unknown word; the message lists what there is.
    """
    words = [" ".join(word.lower().replace("×", "x").split()) for word in text.split("+")]
    words.sort(key=lambda word: word.startswith(MASK_NAMES))
    return tuple(_parse_word(word, text) for word in words)


def _parse_word(word: str, text: str) -> Degradation:
    if match := SCALE_PATTERN.fullmatch(word):
        return Twice(factor=int(match[2])) if match[1] else Smaller(factor=int(match[2]))
    if word not in BY_NAME:
        raise GanvasError(
            f"there is no degradation {word!r} in {text!r}: give x2 to x16, realistic x4, {', '.join(BY_NAME)}, or several "
            "joined by +, such as jpeg+noise+blur"
        )
    return BY_NAME[word]()
