"""The code whose sample looks most like a picture: Karras et al. 2020a, appendix D; pivotal tuning: Roich et al. 2022.

Each layer has a style of its own (Abdal et al. 2019), where the former have one for all; the networks' noise stays as it is.
The other loop that steps an optimiser (docs/decisions/0006): of one code, or of a copy of G, beside any training.
"""

from collections.abc import Callable, Iterator
from math import cos, pi
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as packed
from torch import Tensor
from tqdm import tqdm

from ..core import Latents
from ..errors import GanvasError
from ..extractors import efficientnet
from ..extractors.perceptual import difference
from ..pictures.table import TILE, Cell, table, tile
from ..provenance import written
from ..runs import checkpoint
from ..runs import checkpoint as checkpoints
from ..runs.folder import Run, write_whole_run
from ..runs.state import start
from ..sampling.generator import Generator, opened
from ..sampling.stream import parts
from ..system.files import explained, write_whole
from .directions import codes

TRIED = 512  # codes that the search begins among
RATE, RISE, FALL = 0.1, 0.05, 0.25  # of learning, and the shares of the search in which it rises and falls
NOISE, QUIET = 0.05, 0.75  # of the codes' deviation, and the share of the search after which there is none
TUNING, LEAST = 0.005, 0.05  # G's rate of learning, of each tensor's own size, and the size that is least
SHELL = 0.02  # of how far z's length may stray from the usual


class Projected(NamedTuple):
    """What was found: latents of one sample, what they make, and how far it is."""

    latents: Latents
    stored: Tensor  # [H, W, C]
    distance: float  # by the features and the pixels
    error: float  # root mean squared, of values in [-1, 1]


def search_code(made: Generator, target: Tensor, features: str, steps: int, tune: int, show: bool) -> Iterator[Projected]:
    """The best code for `target` [H, W, C]; and with `tune` steps, what G makes of it once it has been tuned, in place.

    Raises:
        GanvasError: numbers that make no sense, features that are missing.
    """
    if not 1 <= steps <= 100_000 or not 0 <= tune <= 100_000:
        raise GanvasError(f"a search takes from 1 to 100,000 steps, got {steps} and {tune}: --steps 300 --tune 0")
    device = next(made.nets["G"].parameters()).device
    x = made.codec.load(target[None].to(device), None)
    distance = difference(features, x)
    made.nets.requires_grad_(False)
    found = searched(made, distance, steps, show)
    yield measured(made, found, x, distance)
    if tune:
        tuned(made, found, distance, tune, show)
        yield measured(made, found, x, distance)


def searched(made: Generator, distance: Callable[[Tensor], Tensor], steps: int, show: bool) -> Latents:
    """Adam on a code, from the best of some random ones, with noise on it that falls away."""
    drawn, latents = codes(made, TRIED)
    name = "ws" if made.styled else "z"
    spread, usual = drawn.std(0), drawn.square().mean()
    start = nearest(made, latents, distance)
    code = start[name].clone().requires_grad_(True)
    optimiser, random = torch.optim.Adam([code], RATE), torch.Generator().manual_seed(0)
    best, least = {**start}, float("inf")
    for step in tqdm(range(steps), desc="searching", disable=not show):
        way = step / steps
        optimiser.param_groups[0]["lr"] = RATE * rate(way)
        noise = NOISE * max(0.0, 1 - way / QUIET) ** 2 * torch.randn(code.shape, generator=random).to(code)
        x = made.method.render(made.nets, {**start, name: code + spread * noise})
        loss = distance(x).sum()
        if not made.styled:
            loss = loss + SHELL * (code.square().mean() / usual - 1).square()
        (gradient,) = torch.autograd.grad(loss, [code])
        if way >= QUIET and loss.item() < least:
            best, least = {**start, name: code.detach().clone()}, loss.item()
        code.grad = gradient
        optimiser.step()
    return best if least < float("inf") else {**start, name: code.detach()}


def nearest(made: Generator, latents: Latents, distance: Callable[[Tensor], Tensor]) -> Latents:
    """Of some latents the one whose sample is nearest, as a code."""
    found: list[Tensor] = []
    for _, part in parts(latents, made.codec.spec.shape):
        with torch.no_grad():
            found.append(distance(made.method.render(made.nets, part)))
    best = int(torch.cat(found).argmin())
    with torch.no_grad():
        return made.coded({name: value[best : best + 1] for name, value in latents.items()})


def rate(way: float) -> float:
    """Rises over the first part of the search, falls on a cosine over the last."""
    return min(1.0, way / RISE + 0.1) * (0.5 - 0.5 * cos(pi * min(1.0, (1 - way) / FALL)))


def tuned(made: Generator, latents: Latents, distance: Callable[[Tensor], Tensor], steps: int, show: bool) -> None:
    """Move G, not the code, towards the picture."""
    G = made.nets["G"].requires_grad_(True)
    sizes = [(p, float(p.detach().square().mean().sqrt())) for p in G.parameters()]  # weights of equalised layers are large
    optimiser = torch.optim.Adam([{"params": [p], "lr": TUNING * max(size, LEAST)} for p, size in sizes])
    for _ in tqdm(range(steps), desc="tuning", disable=not show):
        loss = distance(made.method.render(made.nets, latents)).sum()
        parameters = [p for p in G.parameters() if p.requires_grad]
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters, allow_unused=True), strict=True):
            parameter.grad = gradient
        optimiser.step()
    G.requires_grad_(False)


@torch.no_grad()
def measured(made: Generator, latents: Latents, target: Tensor, distance: Callable[[Tensor], Tensor]) -> Projected:
    x = made.method.render(made.nets, latents)
    error = float((x.clamp(-1, 1) - target).square().mean().sqrt())
    return Projected(dict(latents), made.codec.store(x)[0], float(distance(x)), error)


def encoded(made: Generator, image: Path) -> Tensor:
    """A picture in the generator's size and channels, stored [H, W, C]. Raises GanvasError for a file that is none."""
    try:
        return torch.from_numpy(np.array(made.codec.encode(image.read_bytes())))
    except OSError as error:
        raise GanvasError(f"{image} cannot be read ({error.strerror})") from None
    except GanvasError as error:
        raise GanvasError(f"{image} {error}") from None


def write_code(made: Generator, found: Projected, path: Path, tuned: Path | None = None) -> None:
    """A code as safetensors, for `generate --code` with this generator, and with the checkpoint of one `tuned` from it."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in found.latents.items()}
    fitting = [checkpoint.identity(folder) for folder in (made.folder, tuned) if folder is not None]
    words = made.note("projected") | {"weights": " ".join(fitting)}
    with explained("writing the code", path):
        write_whole(path, lambda temporary: temporary.write_bytes(packed(tensors, words)))


def read_code(made: Generator, path: Path) -> Latents:
    """Latents that `write_code` wrote. Raises GanvasError for another file, or one of another generator."""
    try:
        found = load_file(path, device=str(next(made.nets["G"].parameters()).device))
        with safe_open(path, "pt") as file:  # type: ignore[no-untyped-call]
            words = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise GanvasError(f"{path} is no code that can be read ({error}): ganvas project writes some") from None
    if checkpoint.identity(made.folder) not in words.get("weights", "").split():
        raise GanvasError(
            f"{path} is a code of another generator ({words.get('Source', 'it does not say which')}), this is checkpoint "
            f"{made.folder.name} of {made.run.path}: choose its run and --checkpoint, or project the picture with this one"
        )
    with torch.inference_mode():
        like = made.coded(made.of_seeds([0]))
    if {name: value.shape[1:] for name, value in found.items()} != {name: value.shape[1:] for name, value in like.items()}:
        raise GanvasError(f"{path} holds no code of this generator's form: project the picture once more")
    return found


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
    state = start(source.recipe, source.spec(), source.seed, torch.device("cpu"))
    checkpoints.load(made.folder, state)  # with its clock and its optimisers: it can be trained on
    for nets in (state.nets, state.average):
        if "G" in nets:
            nets["G"].load_state_dict(made.nets["G"].state_dict())
    data = source.meta["data"] | {"title": f"{source.meta['data']['title']}; G tuned towards {image}"}
    about = (data, source.meta["environment"])
    return write_whole_run(out, made.codec, state, source.recipe, source.asked, source.seed, about)
