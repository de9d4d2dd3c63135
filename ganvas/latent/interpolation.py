"""From one sample to the next and back to the first, in a film or a strip of pictures."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Literal

import torch
from PIL.Image import Image as Picture
from torch import Tensor

from ..core import Latents
from ..errors import GanvasError
from ..nets.layers.labels import shares_of
from ..pictures.film import check, write_film
from ..pictures.table import TILE, table, tile
from ..provenance import written
from ..runs.folder import Run
from ..sampling.generator import Generator, opened
from ..sampling.seeds import seeds as parse_seeds

Way = Literal["auto", "linear", "spherical"]
MOST, ROOM = 10_000, 2 * 2**30  # pictures, and numbers in all of them


def between(a: Tensor, b: Tensor, shares: Tensor, spherical: bool) -> Tensor:
    """[len(shares), …] from a towards b; along the arc between them (Shoemake 1985, White 2016), or straight."""
    t = shares.to(a).view(-1, *[1] * a.dim())
    angle = torch.acos((a.flatten() @ b.flatten() / (a.norm() * b.norm()).clamp(min=1e-12)).clamp(-1, 1))
    if not spherical or angle.sin() < 1e-4:  # there is no arc, or no one arc
        return torch.lerp(a, b, t)
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()


def way_through(stops: Tensor, frames: int, loop: bool, spherical: bool) -> Tensor:
    """[…, C] on the way from stop to stop [K, …, C], `frames` for each part of it, and back to the first if `loop`."""
    ends = [*stops, stops[0]] if loop else list(stops)
    shares = torch.arange(frames) / frames
    parts = [between(a, b, shares, spherical) for a, b in pairwise(ends)]
    return torch.cat(parts if loop else [*parts, stops[-1:]])


@torch.inference_mode()
def latents_between(made: Generator, chosen: list[int], frames: int, way: Way, loop: bool) -> Latents:
    """The latents of every picture on the way.

    Where classes are no part of a style, the way leads through mixtures of them.

    Raises:
        GanvasError: fewer than two seeds, no frames, or more pictures than anyone looks at.
    """
    if way not in ("auto", "linear", "spherical"):
        raise GanvasError(f"there is no way {way!r}: --way auto, linear or spherical")
    if len(chosen) < 2:
        raise GanvasError(f"interpolation goes from one seed to another, got {chosen}: --seeds 0-5")
    if not 1 <= frames <= MOST // len(chosen):
        raise GanvasError(f"frames are from 1 to {MOST // len(chosen):,} between two of {len(chosen)} seeds, got {frames}")
    if len(chosen) * frames * prod(made.codec.spec.shape) > ROOM:
        raise GanvasError(f"{len(chosen) * frames:,} pictures of this size take too much memory: fewer --frames or --seeds")
    found = made.coded(made.of_seeds(chosen))
    spherical = way == "spherical" or (way == "auto" and "z" in found)  # z lies on a shell, styles do not
    name = "z" if "z" in found else "ws"
    path = way_through(found[name], frames, loop, spherical)
    label = found.get("label")
    if label is None:
        return {name: path}
    shares = shares_of(label, made.run.spec().conditions["label"].size)
    return {name: path, "label": way_through(shares, frames, loop, False)}


def spaced(frames: int, stops: int, loop: bool) -> Iterator[slice]:
    """The pictures between one seed and the next: a line of a strip."""
    for k in range(stops if loop else stops - 1):
        yield slice(k * frames, (k + 1) * frames + (0 if loop and k == stops - 1 else 1))


def interpolate(
    run: str | Path | Run,
    seeds: str = "0-5",
    *,
    frames: int = 20,
    way: Way = "auto",
    loop: bool = True,
    rate: float = 20.0,
    out: str | Path | None = None,
    label: str | None = None,
    truncation: float | None = None,
    edit: Mapping[str, float] | None = None,
    checkpoint: str = "best",
    device: str = "auto",
) -> list[Picture]:
    """The pictures on the way from one seed's sample to the next.

    Args:
        frames: pictures for each part of the way.
        way: "linear", "spherical" (along the arc), or "auto": linear in styles, spherical in z.
        loop: whether it ends where it began.
        rate: pictures a second, of a film.
        out: a film (.gif, .webp, .mp4), or .png: a line of pictures from each seed to the next; None writes none.

    Raises:
        GanvasError: no run, seeds or a way that are none, too many pictures, a file that cannot be written.
    """
    made, chosen = opened(run, checkpoint, device, label, truncation, edit), parse_seeds(seeds, "--seeds")
    strip = out is not None and Path(out).suffix.lower() == ".png"
    if out is not None and not strip:
        check(Path(out), rate)
    stored = torch.cat(list(made.rendered(latents_between(made, chosen, frames, way, loop))))
    size = TILE if strip else max(128, stored.shape[1]) if stored.dim() == 4 else 4 * TILE
    pictures = [tile(made.codec, sample, size) for sample in stored]
    if out is not None and strip:
        lines = [pictures[part] for part in spaced(frames, len(chosen), loop)]
        written(table(lines), out, made.note(seeds))
    elif out is not None:
        write_film(pictures, Path(out), rate, made.note(seeds))
    return pictures
