"""Draw people with sentences that describe them, for training text to image.

python scripts/draw_avatars.py data     writes data/captions/avatars, from the package that scripts/fetch_data.py fetches
python scripts/draw_avatars.py data --name avatars_half --bare 0.5     other people, half of whom wear no glasses

captions.csv has a row a picture: file_name, text, and the eight attributes that the text names, in words.
"""

import argparse
import csv
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from draw_clothes import draw_svg
from PIL.Image import Image as Picture

PICTURES = 4_000
NONE = "none"
WORDS = {  # attribute: name in python-avatars -> words of a caption
    "hair": {
        "NONE": NONE, "BIG_HAIR": "big hair", "BOB": "bob cut", "BUN": "bun", "CAESAR": "caesar cut", "CURLY": "curly hair",
        "DREADS": "dreads", "FRO": "afro", "LONG_NOT_TOO_LONG": "long hair", "MOHAWK": "mohawk",
        "SHORT_FLAT": "short flat hair", "SHORT_CURLY": "short curly hair", "STRAIGHT_1": "long straight hair",
        "SHAVED_SIDES": "shaved sides", "MIA_WALLACE": "fringe", "ELVIS": "quiff", "BRAIDS": "braids",
        "SIDES": "hair at the sides",
    },
    "colour": {
        "AUBURN": "auburn", "BLACK": "black", "BLONDE": "blonde", "BROWN": "brown", "PASTEL_PINK": "pink",
        "PLATINUM": "platinum", "RED": "red", "SILVER_GRAY": "gray",
    },
    "skin": {"PALE": "pale", "LIGHT": "light", "YELLOW": "yellow", "TANNED": "tanned", "BROWN": "brown", "BLACK": "black"},
    "glasses": {
        "NONE": NONE, "ROUND": "round glasses", "SUNGLASSES": "sunglasses", "PRESCRIPTION_2": "glasses", "EYEPATCH": "eyepatch",
        "KURT": "white goggles",
    },
    "beard": {
        "NONE": NONE, "BEARD_LIGHT": "light beard", "BEARD_MAGESTIC": "majestic beard", "MOUSTACHE_MAGNUM": "moustache",
    },
    "clothes": {
        "BLAZER_SHIRT": "blazer", "HOODIE": "hoodie", "OVERALL": "overalls", "SHIRT_CREW_NECK": "t-shirt",
        "SHIRT_V_NECK": "v-neck shirt", "COLLAR_SWEATER": "sweater with a collar",
    },
    "cloth_colour": {
        "BLACK": "black", "BLUE_02": "blue", "GRAY_01": "gray", "PASTEL_GREEN": "green", "PASTEL_ORANGE": "orange",
        "PASTEL_YELLOW": "yellow", "PINK": "pink", "RED": "red", "WHITE": "white",
    },
    "mouth": {
        "SMILE": "smiling", "SAD": "sad", "SERIOUS": "serious", "SCREAM_OPEN": "screaming", "TONGUE": "sticking out the tongue",
    },
}  # fmt: skip
STARTS = ("a person with", "someone with", "a portrait of a person with", "a cartoon face with")
WITH_ARTICLE = {"eyepatch": "an", "light beard": "a", "majestic beard": "a", "moustache": "a"}


class Avatar(NamedTuple):
    """A person to draw: names in python-avatars and words, both by attribute, and a sentence."""

    parts: dict[str, str]
    words: dict[str, str]
    text: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", default="avatars", help="of the new folder in FOLDER/captions")
    parser.add_argument("--bare", type=float, help="share of people without glasses (default: as of all other values)")
    asked = parser.parse_args()
    if asked.bare is not None and not 0 <= asked.bare <= 1:
        parser.error(f"--bare is a share from 0 to 1, got {asked.bare:g}")
    folder: Path = asked.folder.resolve()
    place = folder / "captions" / asked.name
    if place.exists():
        print(f"{place} is there")
        return
    sys.path.insert(0, str(folder / "python-avatars"))
    unfinished = place.with_name(f".{asked.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with open(unfinished / "captions.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["file_name", "text", *WORDS])
        for k, avatar in enumerate(list_avatars(PICTURES, asked.bare)):
            draw_avatar(avatar).save(unfinished / f"{k:04}.png")
            table.writerow([f"{k:04}.png", avatar.text, *avatar.words.values()])
    unfinished.rename(place)
    print(f"{place}: {PICTURES:,} pictures with sentences")


def list_avatars(n: int, bare: float | None = None) -> Iterator[Avatar]:
    """Every attribute is drawn on its own, with equal chances. Always the same people, in the same order.

    bare: share of people without glasses; None is that of every other value.
    """
    rng = random.Random(0)
    *kinds, no_glasses = sorted(WORDS["glasses"], key=lambda name: WORDS["glasses"][name] == NONE)
    for _ in range(n):
        parts = {name: rng.choice(list(words)) for name, words in WORDS.items()}
        if bare is not None:
            parts["glasses"] = no_glasses if rng.random() < bare else rng.choice(kinds)
        words = {name: WORDS[name][part] for name, part in parts.items()}
        if words["hair"] == NONE:
            words["colour"] = NONE  # no sentence names the colour of a beard
        yield Avatar(parts, words, describe(words, rng))


def describe(words: dict[str, str], rng: random.Random) -> str:
    """A sentence that names every attribute that is there, in an order of its own."""
    has = ["no hair" if words["hair"] == NONE else f"{words['colour']} {words['hair']}", f"{words['skin']} skin"]
    wears = [f"{words['cloth_colour']} {words['clothes']}"]
    for items, name in ((has, "beard"), (wears, "glasses")):
        if words[name] != NONE:
            items.append(f"{WITH_ARTICLE.get(words[name], '')} {words[name]}".strip())
        rng.shuffle(items)
    verb = rng.choice(["wearing", "in", "dressed in"])
    return f"{rng.choice(STARTS)} {' and '.join(has)}, {verb} {' and '.join(wears)}, {words['mouth']}"


def draw_avatar(avatar: Avatar) -> Picture:
    """64 px, over white."""
    import python_avatars as library

    part = avatar.parts
    drawing = library.Avatar(
        style=library.AvatarStyle.TRANSPARENT,
        top=library.HairType[part["hair"]],
        hair_color=library.HairColor[part["colour"]],
        facial_hair_color=library.HairColor[part["colour"]],
        skin_color=library.SkinColor[part["skin"]],
        accessory=library.AccessoryType[part["glasses"]],
        facial_hair=library.FacialHairType[part["beard"]],
        clothing=library.ClothingType[part["clothes"]],
        clothing_color=library.ClothingColor[part["cloth_colour"]],
        mouth=library.MouthType[part["mouth"]],
    )
    return draw_svg(drawing.render())


if __name__ == "__main__":
    main()
