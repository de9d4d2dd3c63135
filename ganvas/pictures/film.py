"""Write sequences of pictures as films: GIF, WebP, or MP4 if the package av is installed."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from ..errors import GanvasError
from ..system.files import explain_os_errors, write_atomically

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

FILM_SUFFIXES = (".gif", ".webp", ".mp4")
EXIF_DESCRIPTION_TAG = 0x010E  # EXIF's ImageDescription


def write_film(frames: "Sequence[Picture]", path: Path, rate: float, metadata: Mapping[str, str]) -> Path:
    """Write a looping film of `rate` pictures per second with its metadata; the suffix of `path` gives the format.

    Raises:
        GanvasError: an unknown format, MP4 without av, a rate out of range, or a path that cannot be written.
    """
    check_film(path, rate)
    writers = {".gif": _write_gif, ".webp": _write_webp, ".mp4": _write_mp4}
    pictures = [frame.convert("RGB") for frame in frames]
    with explain_os_errors("writing the film", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(
            path, lambda temporary: writers[path.suffix.lower()](pictures, temporary, rate, ". ".join(metadata.values()))
        )
    return path


def check_film(path: Path, rate: float) -> None:
    """Raises GanvasError if such a film cannot be written."""
    if path.suffix.lower() not in FILM_SUFFIXES:
        raise GanvasError(f"a film is .gif, .webp or .mp4, got {path.name}: --out film.gif")
    if not 0.1 <= rate <= 100:
        raise GanvasError(f"a film shows 0.1 to 100 pictures per second, got {rate}: --rate 20")
    if path.suffix.lower() == ".gif" and rate > 50:  # browsers show a picture of 1/100 s for 10/100 s
        raise GanvasError(f"a GIF shows 50 pictures per second or fewer, got {rate:g}: --rate 50, or --out film.webp")
    if path.suffix.lower() == ".mp4" and find_spec("av") is None:
        raise GanvasError("MP4 needs the package av: pip install 'ganvas[video]', or --out film.gif")


def _write_gif(frames: "list[Picture]", path: Path, rate: float, text: str) -> None:
    hundredths = round(100 / rate)  # GIF's unit
    indexed_frames = [frame.quantize(256, dither=Image.Dither.NONE) for frame in frames]
    settings = {"save_all": True, "append_images": indexed_frames[1:], "loop": 0, "optimize": False}
    indexed_frames[0].save(path, "GIF", duration=10 * hundredths, comment=text.encode(), **settings)


def _write_webp(frames: "list[Picture]", path: Path, rate: float, text: str) -> None:
    exif = Image.Exif()
    exif[EXIF_DESCRIPTION_TAG] = text
    frames[0].save(
        path, "WEBP", save_all=True, append_images=frames[1:], duration=round(1000 / rate), loop=0, quality=90, exif=exif
    )


def _write_mp4(frames: "list[Picture]", path: Path, rate: float, text: str) -> None:
    import av

    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as film:
        film.metadata["comment"] = text
        stream = film.add_stream("libx264", rate=Fraction(rate).limit_denominator(1000))
        stream.width, stream.height = (side - side % 2 for side in frames[0].size)  # the codec needs even sides
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            film.mux(stream.encode(av.VideoFrame.from_image(frame.crop((0, 0, stream.width, stream.height)))))
        film.mux(stream.encode())
