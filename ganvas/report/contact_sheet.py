"""A picture of several runs side by side: a column each, its latest samples under its name and score."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Image as Picture

from ..evaluation.score_card import called
from ..provenance import write_picture
from ..version import __version__

WIDTH, COLUMN, LEAST = 4096, 1024, 96  # pixels: of the whole at most, of a column at most and at least
MOST_PIXELS = 40_000_000  # of one run's picture
GAP = 24
INK, QUIET, PAPER = (24, 24, 24), (110, 110, 110), (255, 255, 255)


def sheet(result: Mapping[str, Any]) -> Picture:
    """The picture of what `comparison.compare` found: best first where all runs are in one ranking, else as they came."""
    names = [fact["run"] for fact in result["runs"]]
    ranked = whole_ranking(result)
    names = ranked + [name for name in names if name not in ranked]
    paths = {fact["run"]: Path(fact["path"]) for fact in result["runs"]}
    most = max(LEAST, min(COLUMN, WIDTH // len(names) - GAP))
    samples = [latest(paths[name], most) for name in names]
    width = max([picture.width for _, picture in samples if picture] or [most])
    size = max(12, min(22, width // 16))
    top = GAP + 4 * (size + 6) + 6
    height = top + max([picture.height for _, picture in samples if picture] or [width]) + GAP
    page = Image.new("RGB", (GAP + len(names) * (width + GAP), height), PAPER)
    draw = ImageDraw.Draw(page)
    for i, (name, (images, picture)) in enumerate(zip(names, samples, strict=True)):
        left = GAP + i * (width + GAP)
        title = f"{ranked.index(name) + 1}. {name}" if name in ranked else name
        seen = f"samples at {images:,} images" if picture else "no samples"
        for row, line in enumerate([title, *scored(result, name), seen]):
            font = ImageFont.load_default(size if row == 0 else size * 4 // 5)
            draw.text((left, GAP + row * (size + 6)), fitting(line, width, font), INK if row == 0 else QUIET, font)
        if picture:
            page.paste(picture, (left, top))
    return page


def write_sheet(result: Mapping[str, Any], path: Path) -> Path:
    """Write the picture as a PNG that says what it is; returns `path`. Raises GanvasError where that cannot be done."""
    words = {"Software": f"ganvas {__version__}", "Comment": "synthetic: samples of generative models"}
    write_picture(sheet(result), path, words)
    return path


def whole_ranking(result: Mapping[str, Any]) -> list[str]:
    """The runs, best first, where one ranking holds all that have scores; else []."""
    every = {entry["run"] for group in result["groups"] for entry in group["entries"]}
    ranked = [entry["run"] for entry in result["groups"][0]["entries"] if entry["rank"]]
    return ranked if set(ranked) == every else []


def scored(result: Mapping[str, Any], name: str) -> list[str]:
    """The run's score and how it was taken: by the ranking's metric, else the first one."""
    found = ((group, entry) for group in result["groups"] for entry in group["entries"] if entry["run"] == name)
    group, entry = next(found, ({}, {}))
    if not group:
        return ["no score card"]
    protocol, score = group["protocol"], group["ranked_by"] or next(iter(entry["scores"]))
    how = f"{protocol['samples']:,} samples, {protocol['extractor']}"
    return [f"{called(score, protocol)} {entry['scores'][score]:.4g} ({entry['which']})", how]


def latest(run: Path, width: int) -> tuple[int, Picture | None]:
    """(images seen, a run's newest picture of samples, no wider than `width`); None where there is none that can be read."""
    paths = [path for path in (run / "samples").glob("*.png") if re.fullmatch("[0-9]{1,15}", path.stem)]
    for path in sorted(paths, key=lambda path: int(path.stem), reverse=True):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(path, formats=["PNG"]) as opened:
                    if opened.width * opened.height > MOST_PIXELS:
                        continue
                    picture = opened.convert("RGB")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
            continue  # still being written, or no picture
        picture.thumbnail((width, 2 * width), Image.Resampling.LANCZOS)
        return int(path.stem), picture
    return 0, None


def fitting(text: str, width: int, font: Any) -> str:
    """The text, cut short where it is wider than `width` pixels."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
