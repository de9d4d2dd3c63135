"""How varied pictures of one caption are, beside all people whom the caption fits.

The sentences of data/captions/avatars name everything, so one picture fits each. Here half of the attributes are named.

python benchmarks/text_variety.py draw data            writes data/captions/avatars_brief (after make data-captions)
ganvas train --data data/captions/avatars_brief --minutes 10 --out runs/brief
python benchmarks/text_variety.py measure data runs/brief
"""

import csv
import os
import random
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
import draw_avatars
from draw_avatars import NONE, PICTURES, STARTS, WITH_ARTICLE, WORDS

import ganvas
from ganvas.extractors.efficientnet import EfficientNetLite0
from ganvas.sampling.generator import open_sampler

CAPTIONS, SAMPLES, SHARE = 32, 8, 0.5


def choose_named(words: dict[str, str], rng: random.Random) -> dict[str, str]:
    """The attributes that a sentence names: at least one, and a colour only together with its thing."""
    named = {name: word for name, word in words.items() if rng.random() < SHARE}
    for colour, thing in (("colour", "hair"), ("cloth_colour", "clothes")):
        if thing not in named or words[thing] == NONE:
            named.pop(colour, None)
    return named or {"mouth": words["mouth"]}


def describe(named: dict[str, str], rng: random.Random) -> str:
    has = list[str]()
    if "hair" in named:
        has.append("no hair" if named["hair"] == NONE else f"{named.get('colour', '')} {named['hair']}".strip())
    if "skin" in named:
        has.append(f"{named['skin']} skin")
    for name, bare in (("beard", "no beard"), ("glasses", "nothing on the eyes")):
        if name in named:
            word = named[name]
            has.append(bare if word == NONE else f"{WITH_ARTICLE.get(word, '')} {word}".strip())
    parts = [" and ".join(has)] if has else []
    if "clothes" in named:
        parts.append(f"wearing {named.get('cloth_colour', '')} {named['clothes']}".replace("  ", " "))
    parts += [named["mouth"]] if "mouth" in named else []
    start = rng.choice(STARTS)
    return f"{start if has else start.removesuffix(' with')} {', '.join(parts)}"


def draw(data: Path) -> None:
    """The same pictures as in avatars/, with brief sentences."""
    place, source, rng = data / "captions" / "avatars_brief", data / "captions" / "avatars", random.Random(1)
    place.mkdir(parents=True, exist_ok=True)
    with open(place / "captions.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["file_name", "text", *WORDS])
        for k, avatar in enumerate(draw_avatars.list_avatars(PICTURES)):
            if not (place / f"{k:04}.png").exists():
                os.link(source / f"{k:04}.png", place / f"{k:04}.png")
            text = describe(choose_named(avatar.words, rng), rng)
            table.writerow([f"{k:04}.png", text, *avatar.words.values()])
    print(place)


def draw_fitting(named: dict[str, str], side: int, rng: random.Random) -> list[np.ndarray]:
    """Pictures of people whom a sentence fits: what it does not name is drawn anew."""
    pictures = list[np.ndarray]()
    for _ in range(SAMPLES):
        keys = {
            name: next((key for key, word in words.items() if word == named.get(name)), None) or rng.choice(list(words))
            for name, words in WORDS.items()
        }
        avatar = draw_avatars.Avatar(keys, {}, "")
        pictures.append(np.asarray(draw_avatars.draw_avatar(avatar).convert("RGB").resize((side, side), Image.Resampling.BOX)))
    return pictures


def measure_spread(groups: np.ndarray) -> tuple[float, float]:
    """(root mean square distance of pixels in [0, 1], distance of EfficientNet's features) of pairs of one caption."""
    pixels = torch.from_numpy(groups).flatten(2).float() / 255
    stored = torch.from_numpy(groups).flatten(0, 1)
    features = torch.from_numpy(np.asarray(EfficientNetLite0(size=64)(stored).features)).unflatten(0, groups.shape[:2]).float()
    spread = [torch.stack([torch.pdist(group).mean() for group in part]).mean() for part in (pixels, features)]
    return float(spread[0]) / pixels.shape[2] ** 0.5, float(spread[1])


def measure(data: Path, run: Path) -> None:
    sys.path.insert(0, str(data / "python-avatars"))
    rng, sampler = random.Random(2), open_sampler(ganvas.load(run), "last")
    real, fake = list[np.ndarray](), list[np.ndarray]()
    people = list(draw_avatars.list_avatars(PICTURES + CAPTIONS))[PICTURES:]  # whom no set holds
    for person in people:
        named = choose_named(person.words, rng)
        stored = next(iter(sampler.request_conditions({"text": describe(named, rng)}).stream_samples(SAMPLES)))
        fake.append(stored.numpy())
        real.append(np.stack(draw_fitting(named, stored.shape[1], rng)))
    for name, groups in (("real", real), ("generated", fake)):
        pixels, features = measure_spread(np.stack(groups))
        print(f"{name}: {CAPTIONS} captions x {SAMPLES}: pixels {pixels:.4f}, EfficientNet {features:.2f}")


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    draw(folder) if sys.argv[1] == "draw" else measure(folder, Path(sys.argv[3]))
