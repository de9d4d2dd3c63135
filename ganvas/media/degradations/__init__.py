"""What makes sources from pictures, for restoration. One file per degradation."""

from .blur import Blur
from .boxes import Boxes
from .degradation import Degradation, degrade
from .gray import Gray
from .jpeg import Jpeg
from .noise import Noise
from .one_of import OneOf
from .parsing import parse_degradation
from .pasted import Pasted
from .sinc import Sinc
from .smaller import Smaller
from .strokes import Strokes
from .twice import Twice
from .unchanged import Unchanged

__all__ = [
    "Blur",
    "Boxes",
    "Degradation",
    "Gray",
    "Jpeg",
    "Noise",
    "OneOf",
    "Pasted",
    "Sinc",
    "Smaller",
    "Strokes",
    "Twice",
    "Unchanged",
    "degrade",
    "parse_degradation",
]
