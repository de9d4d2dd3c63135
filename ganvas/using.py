"""What a trained generator is used for, for Python and the command line: pictures, films, directions, copies."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from PIL.Image import Image as Picture
from torch import Tensor

from . import checkpoint as checkpoints
from . import editing, latent, loop
from .animation import check, write_film
from .api import open_data
from .asked import called
from .copies import neighbours
from .core import Extractor
from .data import Files, cache_folder
from .device import pick
from .editing import By
from .errors import GanvasError
from .evaluation import Judge
from .interpolation import Way, latents_between, spaced
from .metrics import efficientnet
from .projection import Projected, encoded, write_code
from .projection import search_code
from .provenance import written
from .run import Run, write_whole_run
from .sampling import Generator, opened
from .settle import say
from .sheet import TILE, Cell, table, tile, tiles
from .synthetic import write_set


def judge_of(run: Run, extractor: str | Extractor | None = None, data: str | None = None, device: str = "auto") -> Judge:
    """What sees a run's data, or other data, as the run's scores do."""
    recipe = run.recipe if data is None else replace(run.recipe, data=Files(path=data))
    if extractor is not None:
        seeing = called(extractor, download=False) if isinstance(extractor, str) else extractor
        recipe = replace(recipe, evaluation=replace(recipe.evaluation, extractor=seeing))
    _, training, held_out = open_data(recipe, run.codec())
    return Judge(recipe.evaluation, training, held_out, cache_folder(), pick(device), progress=True)


def mix(
    run: str | Path | Run,
    rows: str = "0-3",
    columns: str = "4-9",
    layers: str | None = None,
    *,
    out: str | Path | None = None,
    label: str | None = None,
    truncation: float | None = None,
    checkpoint: str = "best",
    device: str = "auto",
) -> Picture:
    """A picture of a style network's styles, mixed: what each row's seed makes with each column's styles in some layers.

    Args:
        rows, columns, layers: numbers and ranges, "0-3,7"; layers None is the finer half.
        out: a PNG to write; None writes none.

    Raises:
        GanvasError: no run, a generator without styles, seeds or layers that are none, a picture that cannot be written.
    """
    made = opened(run, checkpoint, device, label, truncation)
    taken = None if layers is None else latent.seeds(layers, "--layers")
    picture = latent.mix_table(made, latent.seeds(rows, "--rows"), latent.seeds(columns, "--columns"), taken)
    return written(picture, out, made.note(f"{rows} with {columns}"))


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
    made, chosen = opened(run, checkpoint, device, label, truncation, edit), latent.seeds(seeds, "--seeds")
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


def directions(
    run: str | Path | Run,
    by: By = "sefa",
    *,
    count: int = 8,
    seeds: str = "0-1",
    out: str | Path | None = None,
    data: str | None = None,
    extractor: str | Extractor | None = None,
    label: str | None = None,
    truncation: float | None = None,
    checkpoint: str = "best",
    device: str = "auto",
    quiet: bool = True,
) -> dict[str, Tensor]:
    """Directions along which samples change, kept with the run for `edit`, and drawn.

    Args:
        by: "sefa" (closed-form factorisation), "pca" (GANSpace), or "labels" (a plane that parts each class from the others).
        count: of directions by sefa and pca.
        seeds: whose samples the picture shows, moved.
        out: a PNG to write; None writes none.
        data: of "labels": where classes are from, instead of the run's training data.
        extractor: of "labels": what sees samples, to find the real ones nearest to them; None is the recipe's.

    Returns:
        {name: [C]}, a standard deviation long each.

    Raises:
        GanvasError: no run, no such way to find them, data without classes, a file that cannot be written.
    """
    made, shown = opened(run, checkpoint, device, label, truncation), latent.seeds(seeds, "--seeds", 8)
    if not 1 <= count <= 512:
        raise GanvasError(f"directions are from 1 to 512, got {count}: --count 8")
    if by != "labels" and (data is not None or extractor is not None):
        raise GanvasError("--data and --extractor are for --by labels: the others look at the generator alone")
    if by == "labels":
        found = editing.separators(made, judge_of(made.run, extractor, data, device), lambda line: say(quiet, f"  {line}"))
    elif by in ("sefa", "pca"):
        found = (editing.sefa if by == "sefa" else editing.pca)(made, count)
    else:
        raise GanvasError(f"there is no way {by!r} to find directions: --by sefa, pca or labels")
    editing.keep(made.run.path, made.folder.name, found)
    if out is not None:
        written(editing.drawn(made, found, shown), out, made.note(seeds))
    return found


def nearest(
    run: str | Path | Run,
    seeds: str = "0-15",
    *,
    out: str | Path | None = None,
    data: str | None = None,
    extractor: str | Extractor | None = None,
    label: str | None = None,
    truncation: float | None = None,
    checkpoint: str = "best",
    device: str = "auto",
) -> Picture:
    """A picture of samples, each above the training sample nearest to it in an extractor's features: copies show.

    Args:
        data: where to look instead of the run's training data.
        extractor: what sees them; None is the recipe's.
        out: a PNG to write; None writes none.

    Raises:
        GanvasError: no run, no data, seeds that are none, a picture that cannot be written.
    """
    made = opened(run, checkpoint, device, label, truncation)
    judge = judge_of(made.run, extractor, data, device)
    stored = torch.cat(list(made.stream_of(latent.seeds(seeds, "--seeds", 1024))))
    real, _ = neighbours(judge, stored)
    looked, there = len(judge.known), len(judge.train)
    word = "nearest" if looked == there else f"nearest of {looked:,} (of {there:,})"
    rows: list[list[Cell]] = []
    for k in range(0, len(stored), 8):
        rows += [["samples", *tiles(made.codec, stored[k : k + 8])], [word, *tiles(made.codec, real[k : k + 8])]]
    return written(table(rows), out, made.note(seeds))


def project(
    run: str | Path | Run,
    image: str | Path,
    *,
    features: str = "auto",
    steps: int = 300,
    tune: int = 0,
    out: str | Path | None = None,
    tuned: str | Path | None = None,
    label: str | None = None,
    checkpoint: str = "best",
    device: str = "auto",
    quiet: bool = True,
) -> list[Projected]:
    """The code whose sample looks most like a picture; with `tune`, G moved towards the picture as well (pivotal tuning).

    Args:
        image: a picture, brought to the generator's size.
        features: by which pictures are compared: "efficientnet", "classifier", "pixels"; "auto" is the first where it is
            installed, else pixels.
        steps: of the search; tune: of G's tuning after it.
        out: a folder for before-after.png and code.safetensors (for generate --code); None writes none.
        tuned: a folder for a run with the tuned G; None keeps none.

    Returns:
        What the search found, and after tuning what G then makes of it.

    Raises:
        GanvasError: no run, no picture, features that are missing, a folder that is in use or cannot be written.
    """
    made, seen = opened(run, checkpoint, device, label), features
    if tuned is not None and not tune:
        raise GanvasError("a tuned generator wants steps of tuning: --tune 200")
    if tuned is not None and Path(tuned).exists():
        raise GanvasError(f"{tuned} is there already: choose a new folder with --tuned")
    if features == "auto":
        seen = "efficientnet" if efficientnet.installed() and made.codec.spec.shape[0] >= 3 else "pixels"
    target = encoded(made, Path(image))
    found = list(search_code(made, target, seen, steps, tune, show=not quiet))
    kept = None if tuned is None else keep_tuned(made, Path(tuned), Path(image).name).checkpoint("last")
    if out is not None:
        row: list[Cell] = [tile(made.codec, stored, 2 * TILE) for stored in (target, *(one.stored for one in found))]
        words = [f"{name}: RMS error {one.error:.3f}" for name, one in zip(("found", "tuned"), found, strict=False)]
        written(table([["given", *words], row]), Path(out) / "before-after.png", made.note(f"{Path(image).name}, projected"))
        write_code(made, found[-1], Path(out) / "code.safetensors", kept)
    return found


def keep_tuned(made: Generator, out: Path, image: str) -> Run:
    """A run with the generator as it is now, moved towards a picture."""
    source = made.run
    state = loop.start(source.recipe, source.spec(), source.seed, torch.device("cpu"))
    checkpoints.load(made.folder, state)  # with its clock and its optimisers: it can be trained on
    for nets in (state.nets, state.average):
        if "G" in nets:
            nets["G"].load_state_dict(made.nets["G"].state_dict())
    data = source.meta["data"] | {"title": f"{source.meta['data']['title']}; G tuned towards {image}"}
    about = (data, source.meta["environment"])
    return write_whole_run(out, made.codec, state, source.recipe, source.asked, source.seed, about)


def synthesise(
    run: str | Path | Run,
    *,
    per_class: int = 100,
    seed: int = 0,
    out: str | Path | None = None,
    truncation: float | None = None,
    checkpoint: str = "best",
    device: str = "auto",
) -> Path:
    """`ganvas augment`: a labelled set of samples to train other models with, in RUN/synthetic or `out`, marked as synthetic.

    Raises:
        GanvasError: no run, one without classes, a folder that is in use or cannot be written.
    """
    made = opened(run, checkpoint, device, truncation=truncation)
    return write_set(made, per_class, seed, Path(out) if out is not None else made.run.path / "synthetic")
