"""Files of text as streams of bytes: unfolded if they end in .gz, and checked once for their encoding and quotes."""

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ...errors import GanvasError

CHUNK_BYTES = 4 * 2**20
MIN_UNFOLDED_BYTES, MAX_UNFOLDING = 256 * 2**20, 200  # a .gz may unfold to so many bytes, or to so many times its size
WIDE_ENCODINGS = {  # by the marks at their start; that of UTF-32 begins like that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"
}  # fmt: skip
WESTERN_ENCODING = "cp1252"  # of texts that are no UTF-8: Windows' form of Latin-1
FOREIGN_BYTES = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])  # which it has no letters for: Japanese or Chinese texts have them


class TextSurvey(NamedTuple):
    """What a first look at all bytes of a file shows."""

    encoding: str
    byte_count: int
    has_odd_quotes: bool  # a quote is missing somewhere, unless one stands within a text
    notes: tuple[str, ...]


class BoundedUnfolding(io.RawIOBase):
    """A .gz file's content, up to a bound. Beyond that, reading raises GanvasError."""

    def __init__(self, path: Path) -> None:
        self.path, self.file, self.count = path, gzip.GzipFile(path, "rb"), 0
        self.bound = max(MIN_UNFOLDED_BYTES, MAX_UNFOLDING * path.stat().st_size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self.file.read(len(buffer))
        except (OSError, EOFError, zlib.error) as error:
            raise GanvasError(f"{self.path} is a broken .gz file ({error}): fetch it again") from error
        buffer[: len(data)] = data
        self.count += len(data)
        if self.count > self.bound:
            raise GanvasError(
                f"{self.path} unfolds to more than {self.bound / 2**20:,.0f} MB, {MAX_UNFOLDING} times its size or more: "
                "if you trust it, unfold it yourself (gunzip) and give the result"
            )
        return len(data)

    def close(self) -> None:
        self.file.close()
        super().close()


def open_bytes(path: Path) -> BinaryIO:
    """The file's bytes; of a .gz file, its content."""
    if path.suffix.lower() == ".gz":
        return io.BufferedReader(BoundedUnfolding(path), CHUNK_BYTES)
    return path.open("rb")


def survey_text(path: Path) -> TextSurvey:
    """Read all bytes once. A text that is no UTF-8 counts as Western European; of UTF-16 and UTF-32, a mark says so.

    Raises:
        GanvasError: a file that is no text, or a text in another encoding.
    """
    with open_bytes(path) as file:
        head = file.read(4)
    for mark, encoding in WIDE_ENCODINGS.items():
        if head.startswith(mark):
            return TextSurvey(encoding, _count_bytes(path), False, (f"it is {encoding.upper()}, and read as such",))
    is_utf8, is_western, quotes, count = True, True, 0, 0
    decoder = codecs.getincrementaldecoder("utf-8")()
    for chunk in read_chunks(path):
        count, quotes = count + len(chunk), quotes + chunk.count(b'"')
        if b"\0" in chunk:
            raise GanvasError(f"{path} holds zero bytes, so it is no text: save it as UTF-8, or give a Parquet file")
        is_western &= len(chunk.translate(None, FOREIGN_BYTES)) == len(chunk)
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError:
            is_utf8 = False
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        is_utf8 = False
    if not (is_utf8 or is_western):
        raise GanvasError(f"{path} is neither UTF-8 nor Western European: save it as UTF-8, so that its letters are right")
    notes = () if is_utf8 else ("it is no UTF-8, so it is read as Western European: save it as UTF-8 if letters look wrong",)
    return TextSurvey("utf-8" if is_utf8 else WESTERN_ENCODING, count, quotes % 2 == 1, notes)


def read_chunks(path: Path) -> Iterator[bytes]:
    with open_bytes(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _count_bytes(path: Path) -> int:
    return sum(map(len, read_chunks(path)))
