"""Directions in the space of codes along which something about samples changes: found, drawn, kept with a run, followed.

A direction's unit is one standard deviation of the codes along it.
"""

from collections.abc import Callable, Mapping
from collections.abc import Generator as Yields
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch
from PIL.Image import Image as Picture
from torch import Tensor, nn

from ..core import Condition, Extractor, Latents, seeded_generator
from ..data.labels import name_distinctly
from ..errors import GanvasError
from ..evaluation.evaluator import Evaluator, build_run_evaluator
from ..evaluation.nearest import find_nearest
from ..nets.layers import equalised
from ..pictures.table import Cell, draw_table, draw_tiles
from ..provenance import save_marked_picture
from ..runs.folder import RunFolder
from ..sampling.edits import save_directions
from ..sampling.generator import Sampler, open_sampler
from ..sampling.seeds import parse_number_list as parse_seeds
from ..sampling.stream import SAMPLES_PER_BLOCK, split_for_rendering
from ..system.console import print_status

DirectionKind = Literal["sefa", "pca", "labels"]
LINEAR_LAYERS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, equalised.EqualisedLinear, equalised.EqualisedConv)
CODES_PER_ANALYSIS, SAMPLES_TO_LABEL = 4096, 10_000  # codes that principal components are taken of; samples that are labelled
MAX_FEATURE_VALUES = 2**26  # numbers of wide features, of which there are fewer codes then
PREVIEW_DEVIATIONS = (-3.0, -1.5, 0.0, 1.5, 3.0)  # of a picture
MIN_SAMPLES_A_SIDE = 20  # samples on each side of a separator


def draw_codes(sampler: Sampler, n: int, seed: int = 0) -> tuple[Tensor, Latents]:
    """([N, C] codes as samples have them, the latents they came from)."""
    blocks = [
        sampler.method.draw_latents(sampler.nets, SAMPLES_PER_BLOCK, seeded_generator(seed, "sample", k), sampler.request)
        for k in range(-(-n // SAMPLES_PER_BLOCK))
    ]
    device = next(sampler.nets["G"].parameters()).device
    latents = {name: torch.cat([block[name] for block in blocks])[:n].to(device) for name in blocks[0]}
    with torch.inference_mode():
        code_space_latents = sampler.map_to_code_space(latents)
    return (code_space_latents["ws"][:, 0] if sampler.has_styles else code_space_latents["z"]), latents


def codes_to_latents(sampler: Sampler, code_rows: Tensor, label: Tensor | None) -> Latents:
    """What renders codes [N, C]; `label` [] goes with those that are no styles."""
    if sampler.has_styles:
        return {"ws": code_rows[:, None].expand(-1, int(sampler.nets["G"].layer_count), -1)}  # type: ignore[arg-type]
    return {"z": code_rows} if label is None else {"z": code_rows, "label": label.expand(len(code_rows), *label.shape)}


# ---------------------------------------------------------------- finding them


def find_sefa_directions(sampler: Sampler, count: int) -> dict[str, Tensor]:
    """The directions that move the layers reading the code most: eigenvectors of AᵀA. Shen & Zhou 2021, eq. 9."""
    drawn_codes, latents = draw_codes(sampler, CODES_PER_ANALYSIS)
    label = latents["label"][0] if "label" in latents else None
    A = measure_affine_weights(sampler, drawn_codes[:1], label).cpu().double()  # [what they read, C]
    _, vectors = torch.linalg.eigh(A.T @ A)  # rising
    eigenvectors = vectors.flip(1).T[:count].float().to(drawn_codes)
    deviations = (drawn_codes @ eigenvectors.T).std(0)
    return {f"sefa{k}": vector * size for k, (vector, size) in enumerate(zip(eigenvectors, deviations, strict=True))}


def measure_affine_weights(sampler: Sampler, code: Tensor, label: Tensor | None) -> Tensor:
    """What the layers that read the code directly make of it, [numbers, C]: those whose input is an affine function of it.

    Where a network changes the code before it is read (pixel norm), the first layer to read it, as if it had not.
    """
    C = code.shape[1]
    layer_io = probe_layers(sampler, code, label)
    affine_layers = [module for module, (given, _) in layer_io.items() if is_affine_in_code(given)]
    basis = torch.cat([torch.zeros(1, C), torch.eye(C)]).to(code)
    if not affine_layers:
        first_layer = next((module for module, (given, _) in layer_io.items() if given[0].numel() == C), None)
        if first_layer is None:
            raise GanvasError("no layer of this generator reads its code as it is: --by pca")
        shape = layer_io[first_layer][0].shape[1:]
        with torch.inference_mode():
            return (first_layer(basis[1:].view(C, *shape)) - first_layer(basis[:1].view(1, *shape))).flatten(1).T
    outputs: dict[nn.Module, list[Tensor]] = {module: [] for module in affine_layers}

    def keep_output(module: nn.Module, layer_input: Tensor, layer_output: Tensor) -> None:
        if module in outputs:
            outputs[module].append(layer_output.flatten(1))

    for _, part in split_for_rendering({"code": basis}, sampler.codec.spec.shape):
        with hook_linear_layers(sampler, keep_output):
            sampler.method.render(sampler.nets, codes_to_latents(sampler, part["code"], label))
    stacked_outputs = [torch.cat(values) for values in outputs.values()]
    return torch.cat([(values[1:] - values[0]).T for values in stacked_outputs])


def probe_layers(sampler: Sampler, code: Tensor, label: Tensor | None) -> dict[nn.Module, tuple[Tensor, Tensor]]:
    """What goes into and comes out of each linear layer for the codes 0, a, b and 0.3·a + 0.5·b."""
    a, b = torch.randn(2, code.shape[1], generator=seeded_generator("sefa")).to(code)
    probes, layer_io = torch.stack([0 * a, a, b, 0.3 * a + 0.5 * b]), dict[nn.Module, tuple[Tensor, Tensor]]()
    with hook_linear_layers(sampler, lambda module, given, out: layer_io.setdefault(module, (given, out))):
        sampler.method.render(sampler.nets, codes_to_latents(sampler, probes, label))
    return layer_io


def measure_probe_distance(probe_inputs: Tensor) -> float:
    """How far the probes' inputs lie from one another: 0 where they have nothing to do with the code."""
    zero, a, b, _ = probe_inputs.cpu().double()
    return max(float((a - zero).norm()), float((b - zero).norm()))


def is_affine_in_code(probe_inputs: Tensor) -> bool:
    """Whether the probes' inputs are an affine function of them that is not constant."""
    zero, a, b, mixed = probe_inputs.cpu().double()
    expected = zero + 0.3 * (a - zero) + 0.5 * (b - zero)
    return measure_probe_distance(probe_inputs) > 0 and float((mixed - expected).norm()) <= 1e-4 * measure_probe_distance(
        probe_inputs
    )


@contextmanager
def hook_linear_layers(sampler: Sampler, callback: Callable[[nn.Module, Tensor, Tensor], object]) -> Yields[None]:
    """Has what goes into and comes out of G's linear layers told, in the order in which they are called."""

    def notify_callback(module: nn.Module, layer_inputs: tuple[Tensor, ...], layer_output: Tensor) -> None:
        callback(module, layer_inputs[0], layer_output)

    hooks = [
        module.register_forward_hook(notify_callback)
        for module in sampler.nets["G"].modules()
        if isinstance(module, LINEAR_LAYERS)
    ]
    try:
        with torch.inference_mode():
            yield
    finally:
        for hook in hooks:
            hook.remove()


def find_pca_directions(sampler: Sampler, count: int) -> dict[str, Tensor]:
    """The principal components of styles; without styles, of the first features that are no linear function of z, brought back
    to z by regression. Härkönen et al. 2020, section 3.2."""
    drawn_codes, latents = draw_codes(sampler, CODES_PER_ANALYSIS)
    features = drawn_codes if sampler.has_styles else collect_first_features(sampler, latents)
    centred = features.cpu().double()
    centred -= centred.mean(0)
    matching_codes = drawn_codes[: len(features)].cpu().double()
    rank = min(count + 8, *centred.shape)
    _, values, vectors = torch.svd_lowrank(centred, q=rank, niter=4)
    is_significant = values[:count] > 1e-6 * values[0]
    coordinates = centred @ vectors[:, :count][:, is_significant]
    # least squares, for coordinates are uncorrelated; of styles it is the component itself
    components = coordinates.T @ (matching_codes - matching_codes.mean(0))
    components = components / components.norm(dim=1, keepdim=True)
    components = components * (matching_codes @ components.T).std(0)[:, None]
    return {f"pca{k}": vector.to(drawn_codes) for k, vector in enumerate(components)}


def collect_first_features(sampler: Sampler, latents: Latents) -> Tensor:
    """What the first layer reads that depends on the code, but not affinely, [N, F]: of all codes, or of as many as there is
    room for."""
    label = latents["label"][0] if "label" in latents else None
    if label is not None:  # all of one class, for what classes differ in is not z's doing
        latents = {**latents, "label": label.expand(len(latents["label"]), *label.shape)}
    layer_io = probe_layers(sampler, latents["z"][:1], label)
    deep_layer = next(
        (
            module
            for module, (given, _) in layer_io.items()
            if measure_probe_distance(given) > 0 and not is_affine_in_code(given)
        ),
        list(layer_io)[-1],
    )
    blocks: list[Tensor] = []

    def keep_deep_input(module: nn.Module, layer_input: Tensor, layer_output: Tensor) -> None:
        if module is deep_layer:
            blocks.append(layer_input.flatten(1))

    with hook_linear_layers(sampler, keep_deep_input):
        for _, part in split_for_rendering(latents, sampler.codec.spec.shape):
            sampler.method.render(sampler.nets, part)
            if sum(block.numel() for block in blocks) > MAX_FEATURE_VALUES:
                break
    return torch.cat(blocks)


def find_label_directions(sampler: Sampler, evaluator: Evaluator, print_line: Callable[[str], None]) -> dict[str, Tensor]:
    """For each class or attribute the normal of the plane that parts its samples' codes from the others', towards it.

    By Fisher's discriminant; Shen et al. 2020 (InterFaceGAN) take a support vector machine. A sample's label is that of the
    real sample nearest to it, by the judge's features; where G is told it, it is what it was told. Of numbers that are no
    classes, each is parted at the middle of its range.

    Raises:
        GanvasError: no labels, or a generator that takes them beside z and not in its styles.
    """
    drawn_codes, latents = draw_codes(sampler, SAMPLES_TO_LABEL)
    takes_labels = "label" in latents
    if takes_labels and not sampler.has_styles:
        raise GanvasError("this generator is told the label beside z, which knows nothing of it: generate --label")
    condition = (sampler.run.read_spec() if takes_labels else evaluator.train.spec).conditions.get("label")
    if condition is None or (evaluator.train.labels is None and not takes_labels):
        raise GanvasError("directions by labels want data with labels: --by sefa or pca")
    if takes_labels:
        labels = latents["label"].cpu()
    else:
        labels = evaluator.train.labels.cpu()[find_training_indices(evaluator, sampler, latents)]  # type: ignore[union-attr]
    directions: dict[str, Tensor] = {}
    for k, is_member in enumerate(mark_members(labels, condition)):
        name = name_distinctly(condition, k)
        if min(int(is_member.sum()), int((~is_member).sum())) < MIN_SAMPLES_A_SIDE:
            print_line(f"{name}: too few samples of it")
            continue
        normal, accuracy = fit_separating_plane(drawn_codes.cpu(), is_member)
        directions[name] = (normal * (drawn_codes.cpu() @ normal).std()).to(drawn_codes)
        print_line(f"{name}: {accuracy:.0%} of unseen samples on the right side")
    if not directions:
        raise GanvasError(f"no label has {MIN_SAMPLES_A_SIDE} samples on each side: --by sefa or pca")
    return directions


def find_training_indices(evaluator: Evaluator, sampler: Sampler, latents: Latents) -> Tensor:
    """Of samples the places of their nearest training samples."""
    return torch.cat([find_nearest(evaluator, stored)[1] for stored in sampler.render_stored(latents)])


def mark_members(labels: Tensor, condition: Condition) -> Tensor:
    """For each class or number whether samples have it, [K, N]."""
    if condition.kind == "class":
        return torch.arange(condition.size)[:, None] == labels
    return (labels > (labels.amin(0) + labels.amax(0)) / 2).T


def fit_separating_plane(code_rows: Tensor, is_member: Tensor) -> tuple[Tensor, float]:
    """(unit normal [C] of Fisher's discriminant of the even codes, the odd ones' mean share of each side that lies right)."""
    x, y = code_rows[::2].double(), is_member[::2]
    a, b = x[y], x[~y]
    within_scatter = ((a - a.mean(0)).T @ (a - a.mean(0)) + (b - b.mean(0)).T @ (b - b.mean(0))) / len(x)
    within_scatter += 1e-3 * within_scatter.diagonal().mean() * torch.eye(x.shape[1], dtype=x.dtype)
    normal = torch.linalg.solve(within_scatter, a.mean(0) - b.mean(0))
    normal = normal / normal.norm()
    threshold = ((a @ normal).mean() + (b @ normal).mean()) / 2
    is_above, is_true_member = code_rows[1::2].double() @ normal > threshold, is_member[1::2]
    side_accuracies = [(is_above[is_true_member]).double().mean(), (~is_above[~is_true_member]).double().mean()]
    return normal.float(), float(sum(side_accuracies) / 2)


def build_directions_picture(sampler: Sampler, directions: Mapping[str, Tensor], seeds: list[int]) -> Picture:
    """A labelled picture: for each direction a line a seed, from -3 to 3 standard deviations along it."""
    latents, rows = sampler.latents_of_seeds(seeds), list[list[Cell]]()
    with torch.inference_mode():
        start_codes = sampler.map_to_code_space(latents)
        name = "ws" if sampler.has_styles else "z"
        rows.append(["", *(f"{step:+g} s.d." if step else "as it is" for step in PREVIEW_DEVIATIONS)])
        for direction, vector in directions.items():
            for k in range(len(seeds)):
                sample_codes = {
                    key: value[k : k + 1].expand(len(PREVIEW_DEVIATIONS), *value.shape[1:])
                    for key, value in start_codes.items()
                }
                step_sizes = torch.tensor(PREVIEW_DEVIATIONS).to(vector).view(-1, *[1] * (sample_codes[name].dim() - 1))
                moved_samples = torch.cat(
                    list(sampler.render_stored({**sample_codes, name: sample_codes[name] + step_sizes * vector}))
                )
                rows.append([direction if k == 0 else "", *draw_tiles(sampler.codec, moved_samples)])
    return draw_table(rows)


def directions(
    run: str | Path | RunFolder,
    by: DirectionKind = "sefa",
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
    sampler, seed_numbers = open_sampler(run, checkpoint, device, label, truncation), parse_seeds(seeds, "--seeds", 8)
    if not 1 <= count <= 512:
        raise GanvasError(f"directions are from 1 to 512, got {count}: --count 8")
    if by != "labels" and (data is not None or extractor is not None):
        raise GanvasError("--data and --extractor are for --by labels: the others look at the generator alone")
    if by == "labels":
        vectors = find_label_directions(
            sampler, build_run_evaluator(sampler.run, extractor, data, device), lambda line: print_status(quiet, f"  {line}")
        )
    elif by in ("sefa", "pca"):
        vectors = (find_sefa_directions if by == "sefa" else find_pca_directions)(sampler, count)
    else:
        raise GanvasError(f"there is no way {by!r} to find directions: --by sefa, pca or labels")
    save_directions(sampler.run.path, sampler.checkpoint_folder.name, vectors)
    if out is not None:
        save_marked_picture(build_directions_picture(sampler, vectors, seed_numbers), out, sampler.describe_provenance(seeds))
    return vectors
