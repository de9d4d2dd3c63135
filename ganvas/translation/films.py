"""Translate a film frame by frame, with its sound. Frames are streamed: only one is in memory."""

import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ..errors import GanvasError
from ..system.files import explain_os_errors, is_without_room, write_atomically
from .flicker import FlickerMeter

FILM_FORMATS = {  # FFmpeg's names for containers, by suffix
    **dict.fromkeys((".mp4", ".m4v"), "mp4"),
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
}
REPLACED_FILM_SUFFIXES = dict.fromkeys((".avi", ".mpg", ".mpeg", ".wmv"), ".mkv")  # Matroska holds every kind of sound
QUALITY_OPTIONS = {"libx264": {"crf": "16", "preset": "medium"}, "libvpx-vp9": {"crf": "20", "b": "0"}}
AV_TIME_BASE = 1_000_000  # FFmpeg's parts of a second, in which it states a film's duration
DEFAULT_RATE = 25  # frames a second, for files that do not say

TranslateFrame = Callable[[np.ndarray], np.ndarray]  # uint8 [H, W, 3] -> uint8 [H', W', 1 or 3]


def translate_film(
    source: Path, out: Path, translate: TranslateFrame, provenance: Mapping[str, str], shows_progress: bool = False
) -> FlickerMeter:
    """Translate a film's frames and copy its sound; returns how much the result flickers.

    Raises:
        GanvasError: av is missing, the file is no film or damaged, or the result cannot be written.
    """
    if find_spec("av") is None:
        raise GanvasError(f"{source} is a film, which needs the package av: pip install 'ganvas[video]'")
    from av.error import FFmpegError

    meter = FlickerMeter()
    try:
        with explain_os_errors("writing the film", out):
            out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out, lambda path: _stream(source, path, out.suffix, translate, provenance, meter, shows_progress))
    except (FFmpegError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "it ends too early"
        if is_without_room(error):
            raise GanvasError(f"writing the film failed at {out}: {reason.lower()}. Make room there") from error
        raise GanvasError(f"{source} cannot be translated as a film ({reason.lower()})") from error
    return meter


def _stream(
    source: Path,
    path: Path,
    suffix: str,
    translate: TranslateFrame,
    provenance: Mapping[str, str],
    meter: FlickerMeter,
    shows_progress: bool,
) -> None:
    import av

    container_format = FILM_FORMATS[suffix.lower()]
    options = {"movflags": "faststart"} if container_format in ("mp4", "mov") else {}
    with av.open(str(source)) as film, av.open(str(path), "w", format=container_format, options=options) as result:
        if not film.streams.video:
            raise GanvasError(f"{source} holds no pictures: give a film, not a sound")
        result.metadata.update({**film.metadata, "comment": ". ".join(provenance.values())})
        video = film.streams.video[0]
        video.thread_type = "AUTO"
        writer = FrameWriter(result, video, "libvpx-vp9" if container_format == "webm" else "libx264")
        sounds = {stream.index: result.add_stream_from_template(stream) for stream in film.streams.audio}
        is_hidden = not shows_progress or not sys.stderr.isatty()
        with tqdm(desc=source.name, total=count_frames(film, video), unit="frame", leave=False, disable=is_hidden) as bar:
            for packet in film.demux(video, *film.streams.audio):
                if packet.stream.index in sounds:
                    if packet.dts is not None:  # else the empty packet at the end
                        packet.stream = sounds[packet.stream.index]
                        writer.pass_on(packet)
                    continue
                for frame in packet.decode():
                    pixels = turn_frame(frame)
                    translated = translate(pixels)
                    meter.add(pixels, translated)
                    writer.write(translated, frame)
                    bar.update()
        writer.finish()
        if not writer.count:
            raise GanvasError(f"{source} holds no frames: it may be cut off")


def count_frames(film: Any, video: Any) -> int | None:
    """How many frames an opened film has, for the time left; Matroska only states a duration. None: it does not say."""
    if video.frames:
        return int(video.frames)
    seconds = 0.0 if film.duration is None else film.duration / AV_TIME_BASE
    return round(seconds * (video.average_rate or DEFAULT_RATE)) or None


def turn_frame(frame: Any) -> np.ndarray:
    """A frame the right way up, uint8 [H, W, 3]; phones store films lying on their side."""
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), round(frame.rotation / 90)))


class FrameWriter:
    """Encodes frames at the times of the source's frames. The first one decides the size."""

    def __init__(self, result: Any, video: Any, codec: str) -> None:
        self.result, self.count = result, 0
        self.early_packets: list[Any] = []
        rate = video.average_rate or Fraction(DEFAULT_RATE)
        self.stream = result.add_stream(codec, rate=rate, options=QUALITY_OPTIONS[codec])
        self.stream.pix_fmt = "yuv420p"
        self.time_base, self.period = video.time_base or 1 / rate, 1 / rate

    def pass_on(self, packet: Any) -> None:
        """A packet of sound; before the first frame it waits, because the file's head holds the size."""
        if self.count:
            self.result.mux(packet)
        else:
            self.early_packets.append(packet)

    def write(self, pixels: np.ndarray, source_frame: Any) -> None:
        """pixels: uint8 [H, W, 1 or 3]; the codec needs even sides, so an odd last row or column is left out."""
        import av

        height, width = (side - side % 2 for side in pixels.shape[:2])
        if not self.count:
            self.stream.width, self.stream.height = width, height
            self.stream.codec_context.time_base = self.time_base
            self.result.mux(self.early_packets)
            self.early_packets = []
        pixels = pixels.repeat(3, 2) if pixels.shape[2] == 1 else pixels
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels[:height, :width]), format="rgb24")
        frame.time_base = self.time_base
        frame.pts = round(self.count * self.period / self.time_base) if source_frame.pts is None else source_frame.pts
        self.result.mux(self.stream.encode(frame))
        self.count += 1

    def finish(self) -> None:
        if self.count:
            self.result.mux(self.stream.encode())
