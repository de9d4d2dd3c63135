"""Draw clip art and emoji with their names, for training text to image.

python scripts/draw_captions.py data    writes data/captions/openclipart and data/captions/emoji, from packages that
                                        scripts/fetch_data.py fetches

openclipart/    drawings, 64 px, with their title in a .txt file of the same name
emoji/          those of OpenMoji and Noto, 64 px; metadata.jsonl has a line a picture: file_name, text
"""

import argparse
import csv
import io
import json
import re
import shutil
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from fetch_data import NAMESPACES
from PIL import Image, ImageChops
from PIL.Image import Image as Picture

SIDE, MARGIN = 64, 2  # pixels
CLIPART_PAGE, EMOJI_PAGE = 384, 128  # pixels a side at first: clip art covers part of its page
DPI = 96  # for drawings that measure in millimetres
WHITE = (255, 255, 255, 255)
CLIPART, OPENMOJI, NOTO = "openclipart-svg/usr/share/openclipart/svg", "openmoji-svg/package", "iconify-json-noto/package"
MOST_USES = 20  # a title of more drawings names a collection, such as "Lemon SVG theme"
COLLECTION = re.compile(r"Clipart by .* - ")  # what some authors put before a title
BLANK = 250  # a pixel without a darker channel counts as white


class Drawing(NamedTuple):
    """A drawing to make: a file's name without suffix, its caption, where its SVG comes from, and its page's side in pixels."""

    name: str
    text: str
    read: Callable[[], str]
    page: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder.resolve()
    write_set(folder / "captions" / "openclipart", lambda: list_clipart(folder / CLIPART), write_text)
    write_set(folder / "captions" / "emoji", lambda: [*list_openmoji(folder / OPENMOJI), *list_noto(folder / NOTO)], write_line)


def write_set(place: Path, list_drawings: Callable[[], list[Drawing]], write_caption: Callable[[Path, Drawing], None]) -> None:
    """Draw a set, unless it is there. Drawings that fail, stay blank or repeat another one are left out."""
    if place.exists():
        print(f"{place} is there")
        return
    drawings, unfinished = list_drawings(), place.with_name(f".{place.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    written: dict[bytes, Drawing] = {}  # by their pixels
    for drawing in drawings:
        picture = draw_square(drawing.read(), drawing.page)
        if picture is not None and picture.tobytes() not in written:
            picture.save(unfinished / f"{drawing.name}.png")
            write_caption(unfinished, drawing)
            written[picture.tobytes()] = drawing
    unfinished.rename(place)
    texts, left_out = len({drawing.text for drawing in written.values()}), len(drawings) - len(written)
    print(f"{place}: {len(written):,} pictures with {texts:,} captions; {left_out:,} repeat another or could not be drawn")


def write_text(place: Path, drawing: Drawing) -> None:
    (place / f"{drawing.name}.txt").write_text(drawing.text + "\n", encoding="utf-8")


def write_line(place: Path, drawing: Drawing) -> None:
    with open(place / "metadata.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps({"file_name": f"{drawing.name}.png", "text": drawing.text}, ensure_ascii=False) + "\n")


def list_clipart(folder: Path) -> list[Drawing]:
    """The drawings whose title says what they show."""
    titles = {file: read_title(file) for file in sorted(folder.rglob("*.svg"))}
    uses = Counter(titles.values())
    chosen = {file: title for file, title in titles.items() if title and uses[title] <= MOST_USES}
    names = {file: "-".join(file.relative_to(folder).with_suffix("").parts) for file in chosen}
    return [
        Drawing(names[file], title, partial(file.read_text, "utf-8", "replace"), CLIPART_PAGE) for file, title in chosen.items()
    ]


def read_title(file: Path) -> str:
    """The title of the work, in a file's metadata; "" if it has none. The names of people there are titles too."""
    for work in ElementTree.parse(file).getroot().iter():
        if work.tag.endswith("}Work"):
            titles = [part.text or "" for part in work if part.tag.endswith("}title")]
            return " ".join(COLLECTION.sub("", "".join(titles[:1])).replace("_", " ").split())
    return ""


def list_openmoji(folder: Path) -> Iterator[Drawing]:
    with open(folder / "data" / "openmoji.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            drawing = folder / "color" / "svg" / f"{row['hexcode']}.svg"
            if drawing.exists():
                read = partial(drawing.read_text, "utf-8")
                yield Drawing(f"openmoji-{row['hexcode']}", row["annotation"], read, EMOJI_PAGE)


def list_noto(folder: Path) -> Iterator[Drawing]:
    icons = json.loads((folder / "icons.json").read_text(encoding="utf-8"))
    for name, icon in icons["icons"].items():
        yield Drawing(f"noto-{name}", name.replace("-", " "), partial(write_svg, icon, icons), EMOJI_PAGE)


def write_svg(icon: dict[str, Any], icons: dict[str, Any]) -> str:
    width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
    return f'<svg {NAMESPACES} viewBox="0 0 {width} {height}">{icon["body"]}</svg>'


def draw_square(svg: str, page: int) -> Picture | None:
    """What is drawn, in the middle of a white square; None for what cannot be drawn. A page around it is cut off."""
    import resvg_py

    drawer: Any = resvg_py
    try:
        data = drawer.svg_to_bytes(svg_string=svg, width=page, height=page, dpi=DPI, skip_system_fonts=True)
    except ValueError:
        return None
    drawing = Image.open(io.BytesIO(bytes(data))).convert("RGBA")
    picture = Image.alpha_composite(Image.new("RGBA", drawing.size, WHITE), drawing).convert("RGB")
    inked = ImageChops.darker(ImageChops.darker(*picture.split()[:2]), picture.split()[2]).point(lambda v: 255 * (v < BLANK))
    box = inked.getbbox()
    if box is None:
        return None
    drawn = picture.crop(box)
    side = max(drawn.size) * SIDE // (SIDE - 2 * MARGIN)
    square = Image.new("RGB", (side, side), WHITE[:3])
    square.paste(drawn, ((side - drawn.width) // 2, (side - drawn.height) // 2))
    return square.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
