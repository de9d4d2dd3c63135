"""From one sample to the next and back to the first, in a film or a strip of pictures."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Literal

import torch
from PIL.Image import Image as Picture
from torch import Tensor

from ..core import Latents
from ..errors import GanvasError
from ..nets.layers.labels import compute_class_shares
from ..pictures.film import check_film, write_film
from ..pictures.table import TILE_PIXELS, draw_table, draw_tile
from ..provenance import save_marked_picture
from ..runs.folder import RunFolder
from ..sampling.generator import Sampler, open_sampler
from ..sampling.seeds import parse_number_list as parse_seeds
from ..sampling.texts import TEXT, encode_texts

PathShape = Literal["auto", "linear", "spherical"]
MAX_FRAMES, MAX_FRAME_VALUES = 10_000, 2 * 2**30  # pictures, and numbers in all of them
MIN_FILM_PIXELS = 128  # of the longer side of a film


def lerp_or_slerp(a: Tensor, b: Tensor, fractions: Tensor, is_spherical: bool) -> Tensor:
    """Points [len(fractions), …] from a to b: along the arc between them (Shoemake 1985, White 2016), or straight."""
    t = fractions.to(a).view(-1, *[1] * a.dim())
    angle = torch.acos((a.flatten() @ b.flatten() / (a.norm() * b.norm()).clamp(min=1e-12)).clamp(-1, 1))
    if not is_spherical or angle.sin() < 1e-4:  # a straight line, or no unique arc
        return torch.lerp(a, b, t)
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()


def interpolate_through(stops: Tensor, frames: int, is_loop: bool, is_spherical: bool) -> Tensor:
    """The path […, C] through stops [K, …, C], `frames` points per segment, and back to the first if `is_loop`."""
    ends = [*stops, stops[0]] if is_loop else list(stops)
    fractions = torch.arange(frames) / frames
    segments = [lerp_or_slerp(a, b, fractions, is_spherical) for a, b in pairwise(ends)]
    return torch.cat(segments if is_loop else [*segments, stops[-1:]])


def pair_stops(seeds: list[int], texts: Sequence[str]) -> list[int]:
    """A seed for each stop of a path. With texts, which are the stops, one seed does for all of them.

    Raises:
        GanvasError: fewer than two stops, or several seeds that are not as many as the texts.
    """
    stop_seeds = seeds * len(texts) if texts and len(seeds) == 1 else seeds
    if texts and len(stop_seeds) != len(texts):
        raise GanvasError(f"there are {len(texts)} texts and {len(seeds)} seeds: give one seed for all texts, or one for each")
    if len(stop_seeds) < 2:
        noun, remedy = ("text", "give two texts or more") if texts else ("seed", "--seeds 0-5")
        raise GanvasError(f"interpolation goes from one {noun} to another, got {len(stop_seeds)}: {remedy}")
    return stop_seeds


@torch.inference_mode()
def interpolate_latents(
    sampler: Sampler, seeds: list[int], frames: int, path_shape: PathShape, is_loop: bool, texts: Sequence[str] = ()
) -> Latents:
    """The latents of every picture on the path, whose stops are seeds.

    Classes that are not part of styles are interpolated as mixtures.

    texts: one for each stop, interpolated too.

    Raises:
        GanvasError: a generator without codes or texts, an unknown path, no frames, or too many pictures.
    """
    if path_shape not in ("auto", "linear", "spherical"):
        raise GanvasError(f"unknown way {path_shape!r}: --way auto, linear or spherical")
    if not 1 <= frames <= MAX_FRAMES // len(seeds):
        raise GanvasError(f"frames must be from 1 to {MAX_FRAMES // len(seeds):,} with {len(seeds)} seeds, got {frames}")
    if len(seeds) * frames * prod(sampler.codec.spec.shape) > MAX_FRAME_VALUES:
        raise GanvasError(f"{len(seeds) * frames:,} pictures of this size take too much memory: use fewer --frames or --seeds")
    sampler.require_codes()
    latents = sampler.latents_of_seeds(seeds)
    codes = sampler.map_to_code_space({**latents, TEXT: encode_texts(sampler, texts)} if texts else latents)
    is_spherical = path_shape == "spherical" or (path_shape == "auto" and "z" in codes)  # z lies on a shell, styles do not
    name = "z" if "z" in codes else "ws"
    interpolated_codes = interpolate_through(codes[name], frames, is_loop, is_spherical)
    values = {other: codes[other] for other in sampler.traits.conditions if other in codes}
    mixtures = {other: compute_class_shares(value, sampler.spec.conditions[other].size) for other, value in values.items()}
    ways = {other: interpolate_through(shares, frames, is_loop, False) for other, shares in mixtures.items()}
    return {name: interpolated_codes, **ways}


def slice_strip_lines(frames: int, stop_count: int, is_loop: bool) -> Iterator[slice]:
    """The pictures of each line of a strip: from one seed to the next."""
    for k in range(stop_count if is_loop else stop_count - 1):
        yield slice(k * frames, (k + 1) * frames + (0 if is_loop and k == stop_count - 1 else 1))


def choose_frame_size(stored: Tensor) -> int:
    """The longer side of a film of pictures [N, H, W, C]: from 128 px, and a multiple of theirs, so that pixels stay even."""
    longer = max(stored.shape[1:3])
    return longer * max(1, -(-MIN_FILM_PIXELS // longer))


def interpolate(
    run: str | Path | RunFolder,
    seeds: str | None = None,
    *,
    texts: Sequence[str] = (),
    frames: int = 20,
    way: PathShape = "auto",
    loop: bool = True,
    rate: float = 20.0,
    out: str | Path | None = None,
    conditions: Mapping[str, str] | None = None,
    truncation: float | None = None,
    edit: Mapping[str, float] | None = None,
    checkpoint: str = "best",
    device: str = "auto",
) -> list[Picture]:
    """Pictures on the path from one seed's sample to the next, or from one text's to the next.

    Args:
        seeds: the samples to pass; None is "0-5", or "0" for all texts.
        texts: the stops, for generators that take a text.
        frames: pictures per segment.
        way: "linear", "spherical" (along the arc), or "auto": linear in styles, spherical in z.
        loop: whether the path returns to its start.
        rate: pictures per second of a film.
        out: a film (.gif, .webp, .mp4), or .png: a line of pictures from each seed to the next; None writes nothing.

    Raises:
        GanvasError: no run, invalid seeds, an unknown way, too many pictures, a file that cannot be written.
    """
    sampler = open_sampler(run, checkpoint, device, conditions, truncation, edit)
    seeds = seeds or ("0" if texts else "0-5")
    stop_seeds = pair_stops(parse_seeds(seeds, "--seeds"), texts)
    is_strip = out is not None and Path(out).suffix.lower() == ".png"
    if out is not None and not is_strip:
        check_film(Path(out), rate)
    stored = torch.cat(list(sampler.render_stored(interpolate_latents(sampler, stop_seeds, frames, way, loop, texts))))
    size = TILE_PIXELS if is_strip else choose_frame_size(stored) if sampler.codec.is_visual else 4 * TILE_PIXELS
    pictures = [draw_tile(sampler.codec, sample, size) for sample in stored]
    if out is not None and is_strip:
        lines = [pictures[part] for part in slice_strip_lines(frames, len(stop_seeds), loop)]
        save_marked_picture(draw_table(lines), out, sampler.describe_provenance(seeds))
    elif out is not None:
        write_film(pictures, Path(out), rate, sampler.describe_provenance(seeds))
    return pictures
