"""Render RUN/exhibits/ on the page: pictures, players for sounds and films, tables, texts, and links to other files."""

import csv
import json
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from ..runs.exhibits import BEFORE_AFTER, CAPTIONS_FILE, EXHIBITS_FOLDER
from .embedding import embed_file, embed_picture

MAX_ROWS, MAX_CHARACTERS = 40, 20_000  # shown of a table, shown of a text


def render_exhibits(run: Path) -> str:
    """A section for each exhibit in the run's folder, in the order of the captions file."""
    folder = run / EXHIBITS_FOLDER
    captions = _read_captions(folder / CAPTIONS_FILE)
    paths = [path for path in folder.glob("*") if path.suffix in RENDERERS] if folder.is_dir() else []
    order = list(captions)
    paths.sort(key=lambda path: (order.index(path.name) if path.name in captions else len(order), path.name))
    sections = [_render_exhibit(path, captions.get(path.name, "")) for path in paths]
    return (
        "".join(sections) or '<p class="quiet">Exhibits, such as nearest neighbours and classes, appear when training ends.</p>'
    )


def _read_captions(path: Path) -> dict[str, str]:
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {str(name): str(text) for name, text in found.items()} if isinstance(found, dict) else {}


def _render_exhibit(path: Path, caption: str) -> str:
    title = path.stem.replace("_", " ").capitalize()
    try:
        body = RENDERERS[path.suffix](path, caption)
    except (OSError, ValueError, csv.Error) as error:
        body = f'<p class="quiet">{escape(path.name)} cannot be shown ({escape(str(error))}).</p>'
    return (
        f'<section aria-label="{escape(title)}"><h2>{escape(title)}</h2><div class="card">{body}</div>'
        f'<p class="quiet">{escape(caption)}</p></section>'
    )


def _render_picture(path: Path, caption: str) -> str:
    picture = embed_picture(path)
    if picture is None:
        raise ValueError("it is not a complete picture")
    if path.stem == BEFORE_AFTER:
        return _render_slider(picture, caption)
    return f'<img src="{picture["uri"]}" width="{picture["width"]}" height="{picture["height"]}" alt="{escape(caption)}">'


def _render_slider(picture: dict[str, Any], caption: str) -> str:
    """The two halves of a picture on top of each other: the left one up to the slider, the right one beyond it.

    The slider lies over the pictures, so a finger or a mouse moves the border, and so do the arrow keys.
    """
    size = f"width:{picture['width'] // 2}px;aspect-ratio:{picture['width']}/{2 * picture['height']}"
    return (
        f'<div class="compare" style="{size};--image:url({picture["uri"]})">'
        f'<div class="after" role="img" aria-label="{escape(caption)}"></div>'
        '<div class="before"></div><div class="border"></div>'
        '<input class="share" type="range" min="0" max="100" value="50" aria-label="Border between before and after"></div>'
        f'<div class="sides" style="width:{picture["width"] // 2}px"><span>before</span><span>after</span></div>'
    )


def _render_sound(path: Path, caption: str) -> str:
    return f'<audio controls src="{embed_file(path, "audio/wav")}"></audio>'


def _render_film(path: Path, caption: str) -> str:
    return f'<video controls loop src="{embed_file(path, "video/mp4")}"></video>'


def _render_table(path: Path, caption: str) -> str:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = [row for row, _ in zip(csv.reader(file), range(MAX_ROWS + 1), strict=False)]
    head, *body = rows or [[]]
    lines = ["".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)]
    lines += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in body]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _render_text(path: Path, caption: str) -> str:
    return f"<pre>{escape(path.read_text(encoding='utf-8', errors='replace')[:MAX_CHARACTERS])}</pre>"


def _render_link(path: Path, caption: str) -> str:
    return f'<a href="{EXHIBITS_FOLDER}/{escape(path.name)}">{escape(path.name)}</a>'


RENDERERS: dict[str, Callable[[Path, str], str]] = {
    ".png": _render_picture,
    ".wav": _render_sound,
    ".mp4": _render_film,
    ".csv": _render_table,
    ".txt": _render_text,
    ".obj": _render_link,
}
