"""Embed pictures, sounds and films in a page, up to a size limit."""

import base64
import io
from pathlib import Path
from typing import Any

from PIL import Image

MAX_PICTURE_BYTES = 1_500_000  # a larger file is embedded as a smaller JPEG
MAX_MEDIA_BYTES = 8_000_000  # a larger sound or film is linked, not embedded


def embed_picture(path: Path) -> dict[str, Any] | None:
    """A picture as {"samples", "width", "height", "uri"}; None if the file is not a complete picture."""
    try:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            width, height = picture.size
            picture.verify()
        kind, data = ("png", data) if len(data) <= MAX_PICTURE_BYTES else ("jpeg", _shrink_to_jpeg(data))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    uri = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return {"samples": int(path.stem) if path.stem.isdigit() else 0, "width": width, "height": height, "uri": uri}


def _shrink_to_jpeg(data: bytes) -> bytes:
    """A JPEG of at most MAX_PICTURE_BYTES. Only large photographs exceed that as PNG, and they lose little as JPEG."""
    with Image.open(io.BytesIO(data)) as source:
        picture = source.convert("RGB")
    side, buffer = 1600, io.BytesIO(data)
    while buffer.getbuffer().nbytes > MAX_PICTURE_BYTES:
        picture.thumbnail((side, side))
        picture.save(buffer := io.BytesIO(), "JPEG", quality=88)
        side = side * 3 // 4
    return buffer.getvalue()


def embed_file(path: Path, kind: str) -> str:
    """A file as a data URI of a type such as audio/wav; if it is too large, its path relative to the page."""
    if path.stat().st_size > MAX_MEDIA_BYTES:
        return f"{path.parent.name}/{path.name}"
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"
