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

from ..core import Condition, Extractor, Latents, generator
from ..errors import GanvasError
from ..evaluation.evaluator import Judge, judge_of
from ..evaluation.nearest import neighbours
from ..nets.layers import equalised
from ..pictures.table import Cell, table, tiles
from ..provenance import written
from ..runs.folder import Run
from ..sampling.edits import keep
from ..sampling.generator import Generator, opened
from ..sampling.seeds import seeds as parse_seeds
from ..sampling.stream import BLOCK, parts
from ..system.console import say

By = Literal["sefa", "pca", "labels"]
LINEAR = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, equalised.Linear, equalised.Conv)
LOOKED, LABELLED = 4096, 10_000  # codes that principal components are taken of; samples that are labelled
ROOM = 2**26  # numbers of wide features, of which there are fewer codes then
STEPS = (-3.0, -1.5, 0.0, 1.5, 3.0)  # of a picture
LEAST = 20  # samples on each side of a separator


def codes(made: Generator, n: int, seed: int = 0) -> tuple[Tensor, Latents]:
    """([N, C] codes as samples have them, the latents they came from)."""
    drawn = [made.method.latents(made.nets, BLOCK, generator(seed, "sample", k), made.asked) for k in range(-(-n // BLOCK))]
    device = next(made.nets["G"].parameters()).device
    latents = {name: torch.cat([block[name] for block in drawn])[:n].to(device) for name in drawn[0]}
    with torch.inference_mode():
        found = made.coded(latents)
    return (found["ws"][:, 0] if made.styled else found["z"]), latents


def latents_at(made: Generator, found: Tensor, label: Tensor | None) -> Latents:
    """What renders codes [N, C]; `label` [] goes with those that are no styles."""
    if made.styled:
        return {"ws": found[:, None].expand(-1, int(made.nets["G"].layers), -1)}  # type: ignore[arg-type]
    return {"z": found} if label is None else {"z": found, "label": label.expand(len(found), *label.shape)}


# ---------------------------------------------------------------- finding them


def sefa(made: Generator, count: int) -> dict[str, Tensor]:
    """The directions that move the layers reading the code most: eigenvectors of AᵀA. Shen & Zhou 2021, eq. 9."""
    found, latents = codes(made, LOOKED)
    label = latents["label"][0] if "label" in latents else None
    A = readings(made, found[:1], label).cpu().double()  # [what they read, C]
    _, vectors = torch.linalg.eigh(A.T @ A)  # rising
    chosen = vectors.flip(1).T[:count].float().to(found)
    spread = (found @ chosen.T).std(0)
    return {f"sefa{k}": vector * size for k, (vector, size) in enumerate(zip(chosen, spread, strict=True))}


def readings(made: Generator, code: Tensor, label: Tensor | None) -> Tensor:
    """What the layers that read the code directly make of it, [numbers, C]: those whose input is an affine function of it.

    Where a network changes the code before it is read (pixel norm), the first layer to read it, as if it had not.
    """
    C = code.shape[1]
    seen = probed(made, code, label)
    affine = [module for module, (given, _) in seen.items() if reads(given)]
    basis = torch.cat([torch.zeros(1, C), torch.eye(C)]).to(code)
    if not affine:
        first = next((module for module, (given, _) in seen.items() if given[0].numel() == C), None)
        if first is None:
            raise GanvasError("no layer of this generator reads its code as it is: --by pca")
        shape = seen[first][0].shape[1:]
        with torch.inference_mode():
            return (first(basis[1:].view(C, *shape)) - first(basis[:1].view(1, *shape))).flatten(1).T
    rows: dict[nn.Module, list[Tensor]] = {module: [] for module in affine}

    def keep(module: nn.Module, given: Tensor, out: Tensor) -> None:
        if module in rows:
            rows[module].append(out.flatten(1))

    for _, part in parts({"code": basis}, made.codec.spec.shape):
        with listening(made, keep):
            made.method.render(made.nets, latents_at(made, part["code"], label))
    found = [torch.cat(values) for values in rows.values()]
    return torch.cat([(values[1:] - values[0]).T for values in found])


def probed(made: Generator, code: Tensor, label: Tensor | None) -> dict[nn.Module, tuple[Tensor, Tensor]]:
    """What goes into and comes out of each linear layer for the codes 0, a, b and 0.3·a + 0.5·b."""
    a, b = torch.randn(2, code.shape[1], generator=generator("sefa")).to(code)
    probes, seen = torch.stack([0 * a, a, b, 0.3 * a + 0.5 * b]), dict[nn.Module, tuple[Tensor, Tensor]]()
    with listening(made, lambda module, given, out: seen.setdefault(module, (given, out))):
        made.method.render(made.nets, latents_at(made, probes, label))
    return seen


def moves(given: Tensor) -> float:
    """How far the probes' inputs lie from one another: 0 where they have nothing to do with the code."""
    zero, a, b, _ = given.cpu().double()
    return max(float((a - zero).norm()), float((b - zero).norm()))


def reads(given: Tensor) -> bool:
    """Whether the probes' inputs are an affine function of them that is not constant."""
    zero, a, b, mixed = given.cpu().double()
    expected = zero + 0.3 * (a - zero) + 0.5 * (b - zero)
    return moves(given) > 0 and float((mixed - expected).norm()) <= 1e-4 * moves(given)


@contextmanager
def listening(made: Generator, heard: Callable[[nn.Module, Tensor, Tensor], object]) -> Yields[None]:
    """Has what goes into and comes out of G's linear layers told, in the order in which they are called."""

    def tell(module: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        heard(module, given[0], out)

    hooks = [module.register_forward_hook(tell) for module in made.nets["G"].modules() if isinstance(module, LINEAR)]
    try:
        with torch.inference_mode():
            yield
    finally:
        for hook in hooks:
            hook.remove()


def pca(made: Generator, count: int) -> dict[str, Tensor]:
    """The principal components of styles; without styles, of the first features that are no linear function of z, brought back
    to z by regression. Härkönen et al. 2020, section 3.2."""
    found, latents = codes(made, LOOKED)
    seen = found if made.styled else first_features(made, latents)
    centred = seen.cpu().double()
    centred -= centred.mean(0)
    codes_there = found[: len(seen)].cpu().double()
    wide = min(count + 8, *centred.shape)
    _, values, vectors = torch.svd_lowrank(centred, q=wide, niter=4)
    used = values[:count] > 1e-6 * values[0]
    coordinates = centred @ vectors[:, :count][:, used]
    # least squares, for coordinates are uncorrelated; of styles it is the component itself
    chosen = coordinates.T @ (codes_there - codes_there.mean(0))
    chosen = chosen / chosen.norm(dim=1, keepdim=True)
    chosen = chosen * (codes_there @ chosen.T).std(0)[:, None]
    return {f"pca{k}": vector.to(found) for k, vector in enumerate(chosen)}


def first_features(made: Generator, latents: Latents) -> Tensor:
    """What the first layer reads that depends on the code, but not affinely, [N, F]: of all codes, or of as many as there is
    room for."""
    label = latents["label"][0] if "label" in latents else None
    if label is not None:  # all of one class, for what classes differ in is not z's doing
        latents = {**latents, "label": label.expand(len(latents["label"]), *label.shape)}
    seen = probed(made, latents["z"][:1], label)
    deep = next((module for module, (given, _) in seen.items() if moves(given) > 0 and not reads(given)), list(seen)[-1])
    found: list[Tensor] = []

    def keep_deep(module: nn.Module, given: Tensor, out: Tensor) -> None:
        if module is deep:
            found.append(given.flatten(1))

    with listening(made, keep_deep):
        for _, part in parts(latents, made.codec.spec.shape):
            made.method.render(made.nets, part)
            if sum(block.numel() for block in found) > ROOM:
                break
    return torch.cat(found)


def separators(made: Generator, judge: Judge, progress: Callable[[str], None]) -> dict[str, Tensor]:
    """For each class or attribute the normal of the plane that parts its samples' codes from the others', towards it.

    By Fisher's discriminant; Shen et al. 2020 (InterFaceGAN) take a support vector machine. A sample's label is that of the
    real sample nearest to it, by the judge's features; where G is told it, it is what it was told. Of numbers that are no
    classes, each is parted at the middle of its range.

    Raises:
        GanvasError: no labels, or a generator that takes them beside z and not in its styles.
    """
    found, latents = codes(made, LABELLED)
    told = "label" in latents
    if told and not made.styled:
        raise GanvasError("this generator is told the label beside z, which knows nothing of it: generate --label")
    condition = (made.run.spec() if told else judge.train.spec).conditions.get("label")
    if condition is None or (judge.train.labels is None and not told):
        raise GanvasError("directions by labels want data with labels: --by sefa or pca")
    if told:
        labels = latents["label"].cpu()
    else:
        labels = judge.train.labels.cpu()[places(judge, made, latents)]  # type: ignore[union-attr]
    directions: dict[str, Tensor] = {}
    for name, inside in zip(condition.names or map(str, range(condition.size)), sides(labels, condition), strict=True):
        if min(int(inside.sum()), int((~inside).sum())) < LEAST:
            progress(f"{name}: too few samples of it")
            continue
        normal, right = separator(found.cpu(), inside)
        directions[name] = (normal * (found.cpu() @ normal).std()).to(found)
        progress(f"{name}: {right:.0%} of unseen samples on the right side")
    if not directions:
        raise GanvasError(f"no label has {LEAST} samples on each side: --by sefa or pca")
    return directions


def places(judge: Judge, made: Generator, latents: Latents) -> Tensor:
    """Of samples the places of their nearest training samples."""
    return torch.cat([neighbours(judge, stored)[1] for stored in made.rendered(latents)])


def sides(labels: Tensor, condition: Condition) -> Tensor:
    """For each class or number whether samples have it, [K, N]."""
    if condition.kind == "class":
        return torch.arange(condition.size)[:, None] == labels
    return (labels > (labels.amin(0) + labels.amax(0)) / 2).T


def separator(found: Tensor, inside: Tensor) -> tuple[Tensor, float]:
    """(unit normal [C] of Fisher's discriminant of the even codes, the odd ones' mean share of each side that lies right)."""
    x, y = found[::2].double(), inside[::2]
    a, b = x[y], x[~y]
    within = ((a - a.mean(0)).T @ (a - a.mean(0)) + (b - b.mean(0)).T @ (b - b.mean(0))) / len(x)
    within += 1e-3 * within.diagonal().mean() * torch.eye(x.shape[1], dtype=x.dtype)
    normal = torch.linalg.solve(within, a.mean(0) - b.mean(0))
    normal = normal / normal.norm()
    middle = ((a @ normal).mean() + (b @ normal).mean()) / 2
    side, truth = found[1::2].double() @ normal > middle, inside[1::2]
    shares = [(side[truth]).double().mean(), (~side[~truth]).double().mean()]
    return normal.float(), float(sum(shares) / 2)


def drawn(made: Generator, found: Mapping[str, Tensor], chosen: list[int]) -> Picture:
    """A labelled picture: for each direction a line a seed, from -3 to 3 standard deviations along it."""
    latents, rows = made.of_seeds(chosen), list[list[Cell]]()
    with torch.inference_mode():
        start = made.coded(latents)
        name = "ws" if made.styled else "z"
        rows.append(["", *(f"{step:+g} s.d." if step else "as it is" for step in STEPS)])
        for direction, vector in found.items():
            for k in range(len(chosen)):
                own = {key: value[k : k + 1].expand(len(STEPS), *value.shape[1:]) for key, value in start.items()}
                steps = torch.tensor(STEPS).to(vector).view(-1, *[1] * (own[name].dim() - 1))
                moved = torch.cat(list(made.rendered({**own, name: own[name] + steps * vector})))
                rows.append([direction if k == 0 else "", *tiles(made.codec, moved)])
    return table(rows)


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
    made, shown = opened(run, checkpoint, device, label, truncation), parse_seeds(seeds, "--seeds", 8)
    if not 1 <= count <= 512:
        raise GanvasError(f"directions are from 1 to 512, got {count}: --count 8")
    if by != "labels" and (data is not None or extractor is not None):
        raise GanvasError("--data and --extractor are for --by labels: the others look at the generator alone")
    if by == "labels":
        found = separators(made, judge_of(made.run, extractor, data, device), lambda line: say(quiet, f"  {line}"))
    elif by in ("sefa", "pca"):
        found = (sefa if by == "sefa" else pca)(made, count)
    else:
        raise GanvasError(f"there is no way {by!r} to find directions: --by sefa, pca or labels")
    keep(made.run.path, made.folder.name, found)
    if out is not None:
        written(drawn(made, found, shown), out, made.note(seeds))
    return found
