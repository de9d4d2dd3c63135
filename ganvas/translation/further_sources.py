"""Further sources of a translator, such as the clothes for a person: stacked onto each picture as in training."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from PIL.Image import Image as Picture

from ..data.stacked_sources import stack_pictures
from ..errors import GanvasError
from .companions import find_companion
from .picture_files import read_pixels

FurtherSource = str | Path | Picture | np.ndarray


class FurtherSources:
    """The pictures that go with each picture to translate.

    Args:
        names: of all sources of the run, that of the picture first; none of a run with one source.
        given: by name a file, a folder with a picture of the same name for each one to translate, or pixels.
        resize: what brings them to another size, as it does the picture; None leaves their sizes.

    Raises:
        GanvasError: a source that the run needs is missing, or one is given that it does not know.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        given: Mapping[str, FurtherSource],
        resize: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self.names, self.given, self.resize = names, {name.lower(): source for name, source in given.items()}, resize
        self.last_read = dict[str, tuple[Path, np.ndarray]]()  # a film asks for the same one for every frame
        check_given(names[1:], tuple(self.given))

    def stack(self, pixels: np.ndarray, name: Path) -> np.ndarray:
        """A picture [H, W, C] of this name with its further sources: [H, W, 3 for each]; itself if there are none.

        Raises:
            GanvasError: a file is missing or cannot be read, or the pictures have different sizes.
        """
        if not self.names:
            return pixels
        further = {source: self._read(source, name) for source in self.names[1:]}
        return stack_pictures({self.names[0]: pixels, **further}, "bring all of them to one size, or add --resize")

    def _read(self, source: str, name: Path) -> np.ndarray:
        given = self.given[source]
        if not isinstance(given, (str, Path)):
            return self._fit(read_pixels(given))
        path = find_companion(Path(given).expanduser(), name, source)
        if source not in self.last_read or self.last_read[source][0] != path:
            self.last_read[source] = (path, self._fit(read_pixels(path)))
        return self.last_read[source][1]

    def _fit(self, pixels: np.ndarray) -> np.ndarray:
        return pixels if self.resize is None else self.resize(pixels)


def check_given(needed: tuple[str, ...], given: tuple[str, ...]) -> None:
    """Raises GanvasError unless both are the same names, in any order."""
    unknown_names, missing_names = (
        [name for name in names if name not in others] for names, others in ((given, needed), (needed, given))
    )
    if unknown_names and not needed:
        raise GanvasError(f"this run translates one picture, and takes no {unknown_names[0]}: leave --with out")
    if unknown_names:
        raise GanvasError(f"this run takes no {unknown_names[0]}, but {' and '.join(needed)}: --with {needed[0]}=FILE")
    if missing_names:
        options = " ".join(f"--with {name}=FILE" for name in missing_names)
        raise GanvasError(
            f"this run makes each picture from several, and needs the {' and the '.join(missing_names)}: {options}"
        )
