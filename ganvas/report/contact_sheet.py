"""A picture of several runs side by side: each column has a run's name, score and latest samples."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Image as Picture

from ..evaluation.score_card import name_score
from ..provenance import write_picture
from ..version import __version__

MAX_SHEET_PIXELS, MAX_COLUMN_PIXELS, MIN_COLUMN_PIXELS = (
    4096,
    1024,
    96,
)  # widths in pixels: the largest sheet, the largest column, the smallest column
MAX_RUN_PICTURE_PIXELS = 40_000_000  # skip larger pictures of a run
COLUMN_GAP_PIXELS = 24
TITLE_COLOUR, CAPTION_COLOUR, SHEET_COLOUR = (24, 24, 24), (110, 110, 110), (255, 255, 255)


def draw_sheet(result: Mapping[str, Any]) -> Picture:
    """Draw the result of `comparison.compare_runs`: best first if one ranking holds all runs, else in the given order."""
    names = [fact["run"] for fact in result["runs"]]
    ranked_runs = find_whole_ranking(result)
    names = ranked_runs + [name for name in names if name not in ranked_runs]
    paths = {fact["run"]: Path(fact["path"]) for fact in result["runs"]}
    max_width = max(MIN_COLUMN_PIXELS, min(MAX_COLUMN_PIXELS, MAX_SHEET_PIXELS // len(names) - COLUMN_GAP_PIXELS))
    samples = [open_latest_samples(paths[name], max_width) for name in names]
    width = max([picture.width for _, picture in samples if picture] or [max_width])
    font_pixels = max(12, min(22, width // 16))
    top = COLUMN_GAP_PIXELS + 4 * (font_pixels + 6) + 6
    height = top + max([picture.height for _, picture in samples if picture] or [width]) + COLUMN_GAP_PIXELS
    page = Image.new("RGB", (COLUMN_GAP_PIXELS + len(names) * (width + COLUMN_GAP_PIXELS), height), SHEET_COLOUR)
    draw = ImageDraw.Draw(page)
    for i, (name, (sample_count, picture)) in enumerate(zip(names, samples, strict=True)):
        left = COLUMN_GAP_PIXELS + i * (width + COLUMN_GAP_PIXELS)
        title = f"{ranked_runs.index(name) + 1}. {name}" if name in ranked_runs else name
        caption = f"samples at {sample_count:,} samples" if picture else "no samples"
        for row, line in enumerate([title, *format_score_lines(result, name), caption]):
            font = ImageFont.load_default(font_pixels if row == 0 else font_pixels * 4 // 5)
            draw.text(
                (left, COLUMN_GAP_PIXELS + row * (font_pixels + 6)),
                shorten_to_width(line, width, font),
                TITLE_COLOUR if row == 0 else CAPTION_COLOUR,
                font,
            )
        if picture:
            page.paste(picture, (left, top))
    return page


def write_sheet(result: Mapping[str, Any], path: Path) -> Path:
    """Write the picture as a PNG marked as synthetic; returns `path`. Raises GanvasError if it cannot be written."""
    metadata = {"Software": f"ganvas {__version__}", "Comment": "synthetic: samples of generative models"}
    write_picture(draw_sheet(result), path, metadata)
    return path


def find_whole_ranking(result: Mapping[str, Any]) -> list[str]:
    """The runs, best first, if one ranking holds all runs with scores; else []."""
    scored_runs = {entry["run"] for group in result["groups"] for entry in group["entries"]}
    ranked_runs = [entry["run"] for entry in result["groups"][0]["entries"] if entry["rank"]]
    return ranked_runs if set(ranked_runs) == scored_runs else []


def format_score_lines(result: Mapping[str, Any], name: str) -> list[str]:
    """Two lines: the run's score by the ranking's metric (else its first score), and how it was computed."""
    matches = ((group, entry) for group in result["groups"] for entry in group["entries"] if entry["run"] == name)
    group, entry = next(matches, ({}, {}))
    if not group:
        return ["no score card"]
    protocol, score = group["protocol"], group["ranked_by"] or next(iter(entry["scores"]))
    basis = f"{protocol['samples']:,} samples, {protocol['extractor']}"
    return [f"{name_score(score, protocol)} {entry['scores'][score]:.4g} ({entry['which']})", basis]


def open_latest_samples(run: Path, width: int) -> tuple[int, Picture | None]:
    """(samples seen, a run's newest picture of samples, at most `width` wide), or (0, None) if no picture is readable."""
    paths = [path for path in (run / "samples").glob("*.png") if re.fullmatch("[0-9]{1,15}", path.stem)]
    for path in sorted(paths, key=lambda path: int(path.stem), reverse=True):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", Image.DecompressionBombWarning)
                with Image.open(path, formats=["PNG"]) as source:
                    if source.width * source.height > MAX_RUN_PICTURE_PIXELS:
                        continue
                    picture = source.convert("RGB")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
            continue  # incomplete, or not a picture
        picture.thumbnail((width, 2 * width), Image.Resampling.LANCZOS)
        return int(path.stem), picture
    return 0, None


def shorten_to_width(text: str, width: int, font: Any) -> str:
    """The text, shortened if it is wider than `width` pixels."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
