"""Find the code whose sample looks most like a picture. Karras et al. 2020a, appendix D; pivotal tuning: Roich et al. 2022.

Each layer has its own style (Abdal et al. 2019), where Karras et al. have one for all; the networks' noise stays as it is.
This is the only loop besides training that steps an optimiser (docs/decisions/0006): for one code, or for a copy of G.
"""

from collections.abc import Callable, Iterator, Mapping
from math import cos, pi
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from safetensors.torch import save as serialise_tensors
from torch import Tensor
from tqdm import tqdm

from ..core import Latents
from ..errors import GanvasError
from ..extractors.perceptual import build_distance
from ..pictures.table import TILE_PIXELS, Cell, draw_table, draw_tile
from ..provenance import save_marked_picture
from ..runs import checkpoint
from ..runs import checkpoint as checkpoints
from ..runs.folder import RunFolder, write_run_atomically
from ..runs.state import build_state
from ..sampling.generator import Sampler, open_sampler
from ..sampling.stream import split_for_rendering
from ..system.files import explain_os_errors, write_atomically
from .directions import draw_codes

START_CANDIDATES = 512  # random codes; the search starts at the best
LEARNING_RATE, RISE_SHARE, FALL_SHARE = (
    0.1,
    0.05,
    0.25,
)  # the rate, and the shares of the search in which it rises and falls
NOISE_DEVIATIONS, NOISE_END_SHARE = (
    0.05,
    0.75,
)  # noise, in deviations of codes; the share of the search after which it is 0
TUNING_RATE, MIN_WEIGHT_RMS = 0.005, 0.05  # G's learning rate relative to each tensor's size, and the smallest size
SHELL_WEIGHT = 0.02  # of the penalty on unusual lengths of z


class ProjectionResult(NamedTuple):
    """The result of a search: latents of one sample, the sample, and its distance from the picture."""

    latents: Latents
    stored: Tensor  # [H, W, C]
    distance: float  # by the features and the pixels
    error: float  # root mean squared, of values in [-1, 1]


def project_target(
    sampler: Sampler, target: Tensor, feature_name: str, steps: int, tuning_steps: int, shows_progress: bool
) -> Iterator[ProjectionResult]:
    """The best code for `target` [H, W, C]; with `tuning_steps`, then the result of G after tuning it in place.

    Raises:
        GanvasError: numbers out of range, or missing features.
    """
    if not 1 <= steps <= 100_000 or not 0 <= tuning_steps <= 100_000:
        raise GanvasError(f"a search takes from 1 to 100,000 steps, got {steps} and {tuning_steps}: --steps 300 --tune 0")
    device = sampler.device
    x = sampler.codec.load(target[None].to(device), None)
    distance = build_distance(feature_name, x)
    sampler.nets.requires_grad_(False)
    latents = search_code(sampler, distance, steps, shows_progress)
    yield measure_projection(sampler, latents, x, distance)
    if tuning_steps:
        tune_generator(sampler, latents, distance, tuning_steps, shows_progress)
        yield measure_projection(sampler, latents, x, distance)


def search_code(sampler: Sampler, distance: Callable[[Tensor], Tensor], steps: int, shows_progress: bool) -> Latents:
    """Optimise a code by Adam, from the best of some random ones, with noise that fades out.

    Only codes without noise, those of the last quarter and the first one, can be the best.
    """
    candidate_codes, latents = draw_codes(sampler, START_CANDIDATES)
    name = "ws" if sampler.has_styles else "z"
    deviations, usual_square = candidate_codes.std(0), candidate_codes.square().mean()
    start_latents = pick_nearest_latents(sampler, latents, distance)
    code = start_latents[name].clone().requires_grad_(True)
    optimiser, rng = torch.optim.Adam([code], LEARNING_RATE), torch.Generator().manual_seed(0)

    def compute_loss(code: Tensor) -> Tensor:
        loss = distance(sampler.method.render(sampler.nets, {**start_latents, name: code})).sum()
        if not sampler.has_styles:
            loss = loss + SHELL_WEIGHT * (code.square().mean() / usual_square - 1).square()
        return loss

    best_code = code.detach().clone()  # the start is a candidate too: generators that hardly trained have nothing nearer
    with torch.no_grad():
        best_loss = compute_loss(best_code).item()
    for step in tqdm(range(steps), desc="searching", disable=not shows_progress):
        progress = step / steps
        optimiser.param_groups[0]["lr"] = LEARNING_RATE * anneal_learning_rate(progress)
        noise = (
            NOISE_DEVIATIONS * max(0.0, 1 - progress / NOISE_END_SHARE) ** 2 * torch.randn(code.shape, generator=rng).to(code)
        )
        loss = compute_loss(code + deviations * noise)
        (gradient,) = torch.autograd.grad(loss, [code])
        if progress >= NOISE_END_SHARE and loss.item() < best_loss:
            best_code, best_loss = code.detach().clone(), loss.item()
        code.grad = gradient
        optimiser.step()
    return {**start_latents, name: best_code}


def pick_nearest_latents(sampler: Sampler, latents: Latents, distance: Callable[[Tensor], Tensor]) -> Latents:
    """The latents whose sample is nearest, as a code."""
    distances: list[Tensor] = []
    for _, part in split_for_rendering(latents, sampler.codec.spec):
        with torch.no_grad():
            distances.append(distance(sampler.method.render(sampler.nets, part)))
    best_index = int(torch.cat(distances).argmin())
    with torch.no_grad():
        return sampler.map_to_code_space({name: value[best_index : best_index + 1] for name, value in latents.items()})


def anneal_learning_rate(progress: float) -> float:
    """A factor that rises in the first part of the search and falls along a cosine in the last."""
    return min(1.0, progress / RISE_SHARE + 0.1) * (0.5 - 0.5 * cos(pi * min(1.0, (1 - progress) / FALL_SHARE)))


def tune_generator(
    sampler: Sampler, latents: Latents, distance: Callable[[Tensor], Tensor], steps: int, shows_progress: bool
) -> None:
    """Move G, not the code, towards the picture."""
    G = sampler.generator.requires_grad_(True)
    sizes = [(p, float(p.detach().square().mean().sqrt())) for p in G.parameters()]  # weights of equalised layers are large
    optimiser = torch.optim.Adam([{"params": [p], "lr": TUNING_RATE * max(size, MIN_WEIGHT_RMS)} for p, size in sizes])
    for _ in tqdm(range(steps), desc="tuning", disable=not shows_progress):
        loss = distance(sampler.method.render(sampler.nets, latents)).sum()
        parameters = [p for p in G.parameters() if p.requires_grad]
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters, allow_unused=True), strict=True):
            parameter.grad = gradient
        optimiser.step()
    G.requires_grad_(False)


@torch.no_grad()
def measure_projection(
    sampler: Sampler, latents: Latents, target: Tensor, distance: Callable[[Tensor], Tensor]
) -> ProjectionResult:
    x = sampler.method.render(sampler.nets, latents)
    error = float((x.clamp(-1, 1) - target).square().mean().sqrt())
    return ProjectionResult(dict(latents), sampler.codec.store(x)[0], float(distance(x)), error)


def encode_picture(sampler: Sampler, image: Path) -> Tensor:
    """A picture in the generator's size and channels, stored [H, W, C]. Raises GanvasError if the file is not a picture."""
    try:
        return torch.from_numpy(np.array(sampler.codec.encode(image.read_bytes())))
    except OSError as error:
        raise GanvasError(f"{image} cannot be read ({error.strerror})") from None
    except GanvasError as error:
        raise GanvasError(f"{image} {error}") from None


def write_code(sampler: Sampler, projection: ProjectionResult, path: Path, tuned_checkpoint: Path | None = None) -> None:
    """Write a code as safetensors, for `generate --code` with this generator and with the one tuned from it."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in projection.latents.items()}
    checkpoint_identities = [
        checkpoint.read_nets_checksum(folder) for folder in (sampler.checkpoint_folder, tuned_checkpoint) if folder is not None
    ]
    metadata = sampler.describe_provenance("projected") | {"weights": " ".join(checkpoint_identities)}
    with explain_os_errors("writing the code", path):
        write_atomically(path, lambda temporary: temporary.write_bytes(serialise_tensors(tensors, metadata)))


def read_code(sampler: Sampler, path: Path) -> Latents:
    """Latents that `write_code` wrote. Raises GanvasError for another file, or one of another generator."""
    sampler.require_codes()
    try:
        latents = load_file(path, device=str(sampler.device))
        with safe_open(path, "pt") as file:  # type: ignore[no-untyped-call]
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise GanvasError(f"{path} is not a code that can be read ({error}): write one with ganvas project") from None
    if checkpoint.read_nets_checksum(sampler.checkpoint_folder) not in metadata.get("weights", "").split():
        raise GanvasError(
            f"{path} is a code of another generator ({metadata.get('Source', 'it does not say which')}); this is checkpoint "
            f"{sampler.checkpoint_folder.name} of {sampler.run.path}: choose the code's run and --checkpoint, or project "
            "the picture with this one"
        )
    with torch.inference_mode():
        reference_latents = sampler.map_to_code_space(sampler.latents_of_seeds([0]))
    if {name: value.shape[1:] for name, value in latents.items()} != {
        name: value.shape[1:] for name, value in reference_latents.items()
    }:
        raise GanvasError(f"{path} does not hold a code of this generator's shape: project the picture again")
    return latents


def project(
    run: str | Path | RunFolder,
    image: str | Path,
    *,
    features: str = "auto",
    steps: int = 300,
    tune: int = 0,
    out: str | Path | None = None,
    tuned: str | Path | None = None,
    conditions: Mapping[str, str] | None = None,
    checkpoint: str = "best",
    device: str = "auto",
    quiet: bool = True,
) -> list[ProjectionResult]:
    """Find the code whose sample looks most like a picture; with `tune`, also move G towards it (pivotal tuning).

    Args:
        image: a picture; it is resized to the generator's size.
        features: how pictures are compared: "efficientnet", "classifier", "pixels"; "auto" is the first for colours,
            otherwise pixels.
        steps: of the search.
        tune: steps of tuning G after it.
        out: a folder for before-after.png and code.safetensors (for generate --code); None writes nothing.
        tuned: a folder for a run with the tuned G; None writes nothing.

    Returns:
        The result of the search and, with tuning, the result of the tuned G.

    Raises:
        GanvasError: no run, no picture, features that are missing, a folder that is in use or cannot be written.
    """
    sampler, feature_name = open_sampler(run, checkpoint, device, conditions), features
    sampler.require_codes()
    if tuned is not None and not tune:
        raise GanvasError("a tuned generator needs steps of tuning: --tune 200")
    if tuned is not None and Path(tuned).exists():
        raise GanvasError(f"{tuned} already exists: choose a new folder with --tuned")
    if features == "auto":
        feature_name = "efficientnet" if sampler.codec.spec.shape[0] >= 3 else "pixels"
    target = encode_picture(sampler, Path(image))
    projections = list(project_target(sampler, target, feature_name, steps, tune, shows_progress=not quiet))
    tuned_checkpoint = None if tuned is None else save_tuned_run(sampler, Path(tuned), Path(image).name).find_checkpoint("last")
    if out is not None:
        row: list[Cell] = [
            draw_tile(sampler.codec, stored, 2 * TILE_PIXELS) for stored in (target, *(one.stored for one in projections))
        ]
        captions = [f"{name}: RMS error {one.error:.3f}" for name, one in zip(("found", "tuned"), projections, strict=False)]
        save_marked_picture(
            draw_table([["given", *captions], row]),
            Path(out) / "before-after.png",
            sampler.describe_provenance(f"{Path(image).name}, projected"),
        )
        write_code(sampler, projections[-1], Path(out) / "code.safetensors", tuned_checkpoint)
    return projections


def save_tuned_run(sampler: Sampler, out: Path, image_name: str) -> RunFolder:
    """Write a run with the tuned generator."""
    source = sampler.run
    state = build_state(source.recipe, source.read_spec(), source.seed, torch.device("cpu"))
    checkpoints.load_checkpoint(sampler.checkpoint_folder, state)  # with clock and optimisers: it can be trained further
    name = sampler.traits.generator
    for nets in (state.nets, state.average):
        if name in nets:
            nets[name].load_state_dict(sampler.generator.state_dict())
    data = source.meta["data"] | {"title": f"{source.meta['data']['title']}; G tuned towards {image_name}"}
    data_and_environment = (data, source.meta["environment"])
    return write_run_atomically(out, sampler.codec, state, source.recipe, source.requested, source.seed, data_and_environment)
