"""Files that go with a picture: its mask, its clothes. They stand in a folder under the picture's name."""

from pathlib import Path

from ..errors import GanvasError
from ..media.image.picture import PICTURE_SUFFIXES


def find_companion(place: Path, name: Path, noun: str) -> Path:
    """What goes with the picture `name`: `place` itself, or the file of the same name in that folder, whatever its suffix is.

    Raises:
        GanvasError: there is none. `noun` says what is missing, such as "mask".
    """
    if not place.is_dir():
        if not place.exists():
            raise GanvasError(f"there is no {noun} at {place}: give a file, or a folder with a {noun} for each picture")
        return place
    matches = [place / name, *sorted((place / name).parent.glob("*"))]
    for path in matches:
        if path.stem == name.stem and path.suffix.lower() in PICTURE_SUFFIXES and path.is_file():
            return path
    raise GanvasError(f"has no {noun}: {place} holds no picture called {name.with_suffix('')}")
