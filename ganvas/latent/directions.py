"""Find, draw and save directions in the space of codes along which samples change.

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
from ..data.conditions import name_distinctly
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
CODES_PER_ANALYSIS, SAMPLES_TO_LABEL = 4096, 10_000  # codes for principal components; samples to label
MAX_FEATURE_VALUES = 2**26  # values of features; if they are wide, fewer codes are used
PREVIEW_DEVIATIONS = (-3.0, -1.5, 0.0, 1.5, 3.0)  # columns of a picture
MIN_SAMPLES_A_SIDE = 20  # of a separating plane


def draw_codes(sampler: Sampler, n: int, seed: int = 0) -> tuple[Tensor, Latents]:
    """(codes [N, C] drawn as for samples, the latents they come from). Raises GanvasError for a generator without codes."""
    sampler.require_codes()
    blocks = [
        sampler.method.draw_latents(sampler.nets, SAMPLES_PER_BLOCK, seeded_generator(seed, "sample", k), sampler.request)
        for k in range(-(-n // SAMPLES_PER_BLOCK))
    ]
    device = sampler.device
    latents = {name: torch.cat([block[name] for block in blocks])[:n].to(device) for name in blocks[0]}
    with torch.inference_mode():
        code_space_latents = sampler.map_to_code_space(latents)
    return (code_space_latents["ws"][:, 0] if sampler.has_styles else code_space_latents["z"]), latents


def codes_to_latents(sampler: Sampler, code_rows: Tensor, conditions: Latents) -> Latents:
    """Latents that render codes [N, C]; the value of each condition goes with codes that are not styles."""
    if sampler.has_styles:
        return {"ws": code_rows[:, None].expand(-1, int(sampler.generator.layer_count), -1)}  # type: ignore[arg-type]
    return {"z": code_rows, **{name: value.expand(len(code_rows), *value.shape) for name, value in conditions.items()}}


def take_first_conditions(sampler: Sampler, latents: Latents) -> Latents:
    """The conditions of the first sample, one value each."""
    return {name: latents[name][0] for name in sampler.traits.conditions if name in latents}


# ---------------------------------------------------------------- finding them


def find_sefa_directions(sampler: Sampler, count: int) -> dict[str, Tensor]:
    """The directions that change most what the layers read from the code: eigenvectors of AᵀA. Shen & Zhou 2021, eq. 9."""
    drawn_codes, latents = draw_codes(sampler, CODES_PER_ANALYSIS)
    conditions = take_first_conditions(sampler, latents)
    A = measure_affine_weights(sampler, drawn_codes[:1], conditions).cpu().double()  # [outputs, C]
    _, vectors = torch.linalg.eigh(A.T @ A)  # in rising order
    eigenvectors = vectors.flip(1).T[:count].float().to(drawn_codes)
    deviations = (drawn_codes @ eigenvectors.T).std(0)
    return {f"sefa{k}": vector * size for k, (vector, size) in enumerate(zip(eigenvectors, deviations, strict=True))}


def measure_affine_weights(sampler: Sampler, code: Tensor, conditions: Latents) -> Tensor:
    """The linear maps [outputs, C] of the layers that read the code directly: their input is an affine function of it.

    If the network changes the code first (pixel norm), the map of the first layer that reads it, without that change.
    """
    C = code.shape[1]
    layer_io = probe_layers(sampler, code, conditions)
    affine_layers = [module for module, (given, _) in layer_io.items() if is_affine_in_code(given)]
    basis = torch.cat([torch.zeros(1, C), torch.eye(C)]).to(code)
    if not affine_layers:
        first_layer = next((module for module, (given, _) in layer_io.items() if given[0].numel() == C), None)
        if first_layer is None:
            raise GanvasError("no layer of this generator reads its code unchanged: --by pca")
        shape = layer_io[first_layer][0].shape[1:]
        with torch.inference_mode():
            return (first_layer(basis[1:].view(C, *shape)) - first_layer(basis[:1].view(1, *shape))).flatten(1).T
    outputs: dict[nn.Module, list[Tensor]] = {module: [] for module in affine_layers}

    def keep_output(module: nn.Module, layer_input: Tensor, layer_output: Tensor) -> None:
        if module in outputs:
            outputs[module].append(layer_output.flatten(1))

    for _, part in split_for_rendering({"code": basis}, sampler.codec.spec):
        with hook_linear_layers(sampler, keep_output):
            sampler.method.render(sampler.nets, codes_to_latents(sampler, part["code"], conditions))
    stacked_outputs = [torch.cat(values) for values in outputs.values()]
    return torch.cat([(values[1:] - values[0]).T for values in stacked_outputs])


def probe_layers(sampler: Sampler, code: Tensor, conditions: Latents) -> dict[nn.Module, tuple[Tensor, Tensor]]:
    """The input and output of each linear layer for the codes 0, a, b and 0.3·a + 0.5·b."""
    a, b = torch.randn(2, code.shape[1], generator=seeded_generator("sefa")).to(code)
    probes, layer_io = torch.stack([0 * a, a, b, 0.3 * a + 0.5 * b]), dict[nn.Module, tuple[Tensor, Tensor]]()
    with hook_linear_layers(sampler, lambda module, given, out: layer_io.setdefault(module, (given, out))):
        sampler.method.render(sampler.nets, codes_to_latents(sampler, probes, conditions))
    return layer_io


def measure_probe_distance(probe_inputs: Tensor) -> float:
    """How far the probes' inputs lie from one another: 0 if they do not depend on the code."""
    zero, a, b, _ = probe_inputs.cpu().double()
    return max(float((a - zero).norm()), float((b - zero).norm()))


def is_affine_in_code(probe_inputs: Tensor) -> bool:
    """Whether the layer's inputs are an affine function of the probes, and not constant."""
    zero, a, b, mixed = probe_inputs.cpu().double()
    expected = zero + 0.3 * (a - zero) + 0.5 * (b - zero)
    return measure_probe_distance(probe_inputs) > 0 and float((mixed - expected).norm()) <= 1e-4 * measure_probe_distance(
        probe_inputs
    )


@contextmanager
def hook_linear_layers(sampler: Sampler, callback: Callable[[nn.Module, Tensor, Tensor], object]) -> Yields[None]:
    """Pass the input and output of G's linear layers to `callback`, in the order of their calls."""

    def notify_callback(module: nn.Module, layer_inputs: tuple[Tensor, ...], layer_output: Tensor) -> None:
        callback(module, layer_inputs[0], layer_output)

    hooks = [
        module.register_forward_hook(notify_callback)
        for module in sampler.generator.modules()
        if isinstance(module, LINEAR_LAYERS)
    ]
    try:
        with torch.inference_mode():
            yield
    finally:
        for hook in hooks:
            hook.remove()


def find_pca_directions(sampler: Sampler, count: int) -> dict[str, Tensor]:
    """The principal components of styles. Härkönen et al. 2020, section 3.2.

    Without styles: of the first features that are not a linear function of z, mapped back to z by regression.
    """
    drawn_codes, latents = draw_codes(sampler, CODES_PER_ANALYSIS)
    features = drawn_codes if sampler.has_styles else collect_first_features(sampler, latents)
    centred = features.cpu().double()
    centred -= centred.mean(0)
    matching_codes = drawn_codes[: len(features)].cpu().double()
    rank = min(count + 8, *centred.shape)
    _, values, vectors = torch.svd_lowrank(centred, q=rank, niter=4)
    is_significant = values[:count] > 1e-6 * values[0]
    coordinates = centred @ vectors[:, :count][:, is_significant]
    # least squares, because coordinates are uncorrelated; for styles it gives the component itself
    components = coordinates.T @ (matching_codes - matching_codes.mean(0))
    components = components / components.norm(dim=1, keepdim=True)
    components = components * (matching_codes @ components.T).std(0)[:, None]
    return {f"pca{k}": vector.to(drawn_codes) for k, vector in enumerate(components)}


def collect_first_features(sampler: Sampler, latents: Latents) -> Tensor:
    """The input [N, F] of the first layer that depends on the code, but not affinely; for as many codes as memory holds."""
    conditions = take_first_conditions(sampler, latents)
    # the same conditions for all: differences between classes do not come from z
    latents = {**latents, **{name: value.expand(len(latents[name]), *value.shape) for name, value in conditions.items()}}
    layer_io = probe_layers(sampler, latents["z"][:1], conditions)
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
        for _, part in split_for_rendering(latents, sampler.codec.spec):
            sampler.method.render(sampler.nets, part)
            if sum(block.numel() for block in blocks) > MAX_FEATURE_VALUES:
                break
    return torch.cat(blocks)


def find_label_directions(sampler: Sampler, evaluator: Evaluator, print_line: Callable[[str], None]) -> dict[str, Tensor]:
    """For each class or attribute the normal, pointing to it, of the plane that separates its samples' codes from the others.

    The plane is Fisher's discriminant; Shen et al. 2020 (InterFaceGAN) use a support vector machine. A sample has the label
    that G was given, or else the label of the nearest real sample by the evaluator's features. Numbers are split at the middle
    of their range.

    Raises:
        GanvasError: no labels, or a generator that takes them next to z instead of in its styles.
    """
    drawn_codes, latents = draw_codes(sampler, SAMPLES_TO_LABEL)
    takes_labels = "label" in latents
    if takes_labels and not sampler.has_styles:
        raise GanvasError("this generator takes the label next to z, so codes do not hold it: use generate --label")
    condition = (sampler.spec if takes_labels else evaluator.train.spec).conditions.get("label")
    if condition is None or ("label" not in evaluator.train.columns and not takes_labels):
        raise GanvasError("directions by labels need data with labels: --by sefa or pca")
    if takes_labels:
        labels = latents["label"].cpu()
    else:
        labels = evaluator.train.columns["label"].cpu()[find_training_indices(evaluator, sampler, latents)]
    directions: dict[str, Tensor] = {}
    for k, is_member in enumerate(mark_members(labels, condition)):
        name = name_distinctly(condition, k)
        if min(int(is_member.sum()), int((~is_member).sum())) < MIN_SAMPLES_A_SIDE:
            print_line(f"{name}: too few samples")
            continue
        normal, accuracy = fit_separating_plane(drawn_codes.cpu(), is_member)
        directions[name] = (normal * (drawn_codes.cpu() @ normal).std()).to(drawn_codes)
        print_line(f"{name}: {accuracy:.0%} of unseen samples separated correctly")
    if not directions:
        raise GanvasError(f"no label has {MIN_SAMPLES_A_SIDE} samples on each side: --by sefa or pca")
    return directions


def find_training_indices(evaluator: Evaluator, sampler: Sampler, latents: Latents) -> Tensor:
    """For each sample the index of its nearest training sample."""
    return torch.cat([find_nearest(evaluator, stored)[1] for stored in sampler.render_stored(latents)])


def mark_members(labels: Tensor, condition: Condition) -> Tensor:
    """For each class or attribute, which samples have it: bool [K, N]."""
    if condition.kind == "class":
        return torch.arange(condition.size)[:, None] == labels
    return (labels > (labels.amin(0) + labels.amax(0)) / 2).T


def fit_separating_plane(code_rows: Tensor, is_member: Tensor) -> tuple[Tensor, float]:
    """(unit normal [C] of Fisher's discriminant of the even codes, its accuracy on the odd ones as the mean of both sides)."""
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
    """A labelled picture: for each direction one line per seed, from -3 to 3 standard deviations along it."""
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
    conditions: Mapping[str, str] | None = None,
    truncation: float | None = None,
    checkpoint: str = "best",
    device: str = "auto",
    quiet: bool = True,
) -> dict[str, Tensor]:
    """Find directions along which samples change, save them with the run for `edit`, and draw them.

    Args:
        by: "sefa" (closed-form factorisation), "pca" (GANSpace), or "labels" (planes that separate each class from the others).
        count: how many directions, for sefa and pca.
        seeds: the picture shows the samples of these, moved.
        out: a PNG to write; None writes nothing.
        data: for "labels": data with classes, instead of the run's training data.
        extractor: for "labels": finds the nearest real samples by its features; None is the first judge's.

    Returns:
        {name: [C]}, each one standard deviation long.

    Raises:
        GanvasError: no run, an unknown method, data without classes, a file that cannot be written.
    """
    sampler, seed_numbers = open_sampler(run, checkpoint, device, conditions, truncation), parse_seeds(seeds, "--seeds", 8)
    if not 1 <= count <= 512:
        raise GanvasError(f"the number of directions must be from 1 to 512, got {count}: --count 8")
    if by != "labels" and (data is not None or extractor is not None):
        raise GanvasError("--data and --extractor are for --by labels: the other methods look only at the generator")
    if by == "labels":
        vectors = find_label_directions(
            sampler, build_run_evaluator(sampler.run, extractor, data, device), lambda line: print_status(quiet, f"  {line}")
        )
    elif by in ("sefa", "pca"):
        vectors = (find_sefa_directions if by == "sefa" else find_pca_directions)(sampler, count)
    else:
        raise GanvasError(f"unknown method {by!r} to find directions: --by sefa, pca or labels")
    save_directions(sampler.run.path, sampler.checkpoint_folder.name, vectors)
    if out is not None:
        save_marked_picture(build_directions_picture(sampler, vectors, seed_numbers), out, sampler.describe_provenance(seeds))
    return vectors
