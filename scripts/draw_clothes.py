"""Draw people who change clothes: a set whose pictures come from two sources (docs/guide/several-sources.md).

python scripts/draw_clothes.py data     writes data/translation/clothes, from the package that scripts/fetch_data.py fetches

people/     avatars in their own clothes, 64 px
dressed/    avatars in the clothes of another one
pairs.csv, pairs_test.csv    source (a person), clothes (who wears them), target (the person in these clothes)

The people of the test part are not in the training part. Nor are their outfits: each kind of clothing is seen there, and each
colour, but not this kind in this colour.
"""

import argparse
import hashlib
import io
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from PIL.Image import Image as Picture

SIDE = 64  # pixels
PEOPLE, TEST_PEOPLE, CHANGES = 800, 80, 3  # each person puts on the clothes of so many others
KINDS = ("COLLAR_SWEATER", "GRAPHIC_SHIRT", "HOODIE", "OVERALL", "SHIRT_CREW_NECK", "SHIRT_SCOOP_NECK", "SHIRT_V_NECK")


class Outfit(NamedTuple):
    """A kind of clothing in a colour, by their names in python-avatars."""

    kind: str
    colour: str


class Person(NamedTuple):
    """Who it is follows from the seed."""

    number: int
    seed: int
    outfit: Outfit
    is_test: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder.resolve()
    place = folder / "translation" / "clothes"
    if place.exists():
        print(f"{place} is there")
        return
    sys.path.insert(0, str(folder / "python-avatars"))
    unfinished = place.with_name(".clothes.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for name in ("people", "dressed"):
        (unfinished / name).mkdir(parents=True)
    people = list_people()
    for person in people:
        draw_person(person, person.outfit).save(unfinished / name_person(person))
    for is_test, table in ((False, "pairs.csv"), (True, "pairs_test.csv")):
        rows = list(dress([person for person in people if person.is_test == is_test], unfinished))
        (unfinished / table).write_text("\n".join(["source,clothes,target", *rows]) + "\n")
        print(f"{place / table}: {len(rows):,} rows", flush=True)
    unfinished.rename(place)


def list_people() -> list[Person]:
    """Held-out people wear held-out outfits, and nobody else does."""
    import python_avatars as parts

    outfits = [Outfit(kind, colour.name) for kind in KINDS for colour in parts.ClothingColor]
    groups = [[outfit for outfit in outfits if is_held_out(outfit) == is_test] for is_test in (False, True)]
    rng = random.Random(0)
    total = PEOPLE + TEST_PEOPLE
    return [Person(k, rng.randrange(2**31), rng.choice(groups[k >= PEOPLE]), k >= PEOPLE) for k in range(total)]


def is_held_out(outfit: Outfit) -> bool:
    """About a sixth of all outfits, always the same."""
    return hashlib.blake2b("-".join(outfit).encode()).digest()[0] % 6 == 0


def dress(people: list[Person], folder: Path) -> Iterator[str]:
    """The rows of a table. Each person puts on the clothes of some others, who wear something else."""
    rng = random.Random(1)
    for person in people:
        others = [other for other in people if other.outfit != person.outfit]
        for other in rng.sample(others, CHANGES):
            target = f"dressed/{person.number:04}-{other.number:04}.png"
            draw_person(person, other.outfit).save(folder / target)
            yield f"{name_person(person)},{name_person(other)},{target}"


def name_person(person: Person) -> str:
    return f"people/{person.number:04}.png"


def draw_person(person: Person, outfit: Outfit) -> Picture:
    """A person in an outfit. Headgear is left out: some of it hides the clothes."""
    import python_avatars as parts

    rng = random.Random(person.seed)
    hair, colours = parts.HairType, rng.choice([c for c in parts.HairColor if c.name != "PASTEL_PINK"])
    styles = [hair.BOB, hair.BUN, hair.CAESAR, hair.CURLY, hair.CURVY, hair.LONG_NOT_TOO_LONG, hair.SHAGGY, hair.SHORT_CURLY]
    styles += [hair.SHORT_FLAT, hair.SHORT_ROUND, hair.SHORT_WAVED, hair.STRAIGHT_1, hair.STRAIGHT_2, hair.FRO, hair.BIG_HAIR]
    glasses, beards = parts.AccessoryType, parts.FacialHairType
    avatar = parts.Avatar(
        style=parts.AvatarStyle.TRANSPARENT,
        top=rng.choice(styles),
        hair_color=colours,
        facial_hair_color=colours,
        facial_hair=rng.choice([beards.NONE, beards.NONE, beards.BEARD_MEDIUM, beards.BEARD_LIGHT]),
        accessory=rng.choice([glasses.NONE, glasses.NONE, glasses.PRESCRIPTION_2, glasses.ROUND, glasses.WAYFARERS]),
        mouth=rng.choice([parts.MouthType.SMILE, parts.MouthType.SERIOUS, parts.MouthType.SAD, parts.MouthType.CONCERNED]),
        eyes=rng.choice([parts.EyeType.DEFAULT, parts.EyeType.SIDE, parts.EyeType.SURPRISED, parts.EyeType.SQUINT]),
        eyebrows=rng.choice([parts.EyebrowType.DEFAULT, parts.EyebrowType.DEFAULT_NATURAL, parts.EyebrowType.RAISED_EXCITED]),
        skin_color=rng.choice([parts.SkinColor.PALE, parts.SkinColor.LIGHT, parts.SkinColor.TANNED, parts.SkinColor.BROWN]),
        clothing=parts.ClothingType[outfit.kind],
        clothing_color=parts.ClothingColor[outfit.colour],
        shirt_graphic=parts.ClothingGraphic.NONE,
    )
    return draw_svg(avatar.render())


def draw_svg(svg: str) -> Picture:
    """Over white, drawn at twice the size and halved by area: resvg's own edges are harder."""
    import resvg_py

    drawer: Any = resvg_py
    data = bytes(drawer.svg_to_bytes(svg_string=svg, width=2 * SIDE, height=2 * SIDE, skip_system_fonts=True))
    drawing = Image.open(io.BytesIO(data)).convert("RGBA")
    ground = Image.new("RGBA", drawing.size, (255, 255, 255, 255))
    return Image.alpha_composite(ground, drawing).convert("RGB").reduce(2).resize((SIDE, SIDE))


if __name__ == "__main__":
    main()
