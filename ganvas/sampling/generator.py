"""A run's trained generator, ready to sample."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..core import Asked, Latents, Nets, Spec, generator
from ..errors import GanvasError
from ..provenance import note
from ..runs import checkpoint
from ..runs.folder import Run
from ..runs.state import start
from ..system.device import pick
from .edits import shift
from .stream import BLOCK, parts, standing, stream


class Generator:
    """A run's trained generator, ready to sample.

    Args:
        which: the checkpoint: "best", "last", or images seen.
        label: a class's name or number, or a vector's numbers with commas; None: as they come in the data.
        truncation: fewer kinds of samples, each more typical. Latents beyond ± this are drawn anew (uniform ones are scaled);
            styles go this share of their way from the mean.
        edit: how far to go along which of the run's directions (directions.py).

    Raises:
        GanvasError: no such checkpoint, label or direction, or a truncation that is not positive.
    """

    def __init__(
        self,
        run: Run,
        which: str = "best",
        device: str = "auto",
        label: str | None = None,
        truncation: float | None = None,
        edit: Mapping[str, float] | None = None,
    ) -> None:
        if truncation is not None and not 0 < truncation <= 100:
            raise GanvasError(f"a truncation lies above 0, got {truncation}: --truncation 0.7, or leave it out")
        self.run, self.codec, self.method = run, run.codec(), run.recipe.method
        self.folder, spec = run.checkpoint(which), run.spec()
        state = start(run.recipe, spec, run.seed, pick(device))
        checkpoint.load_nets(self.folder, state)
        self.nets, self.label, self.truncation = state.sampled(), label, truncation
        self.asked = Asked(None if label is None else wanted(str(label), spec, self.nets), truncation)
        if truncation is not None:
            self.nets = standing(self.method, self.nets, truncation)
        self.nets.eval()
        self.styled = hasattr(self.nets["G"], "styles")
        self.edit, self.shift = dict(edit or {}), None
        if self.edit:
            self.shift = shift(run.path, self.folder.name, self.edit, next(self.nets["G"].parameters()).device)

    def note(self, seed: int | str) -> dict[str, str]:
        """What is written into each file that can hold words, and beside the others."""
        wishes: dict[str, object] = {"label": self.label, "truncation": self.truncation}
        wishes |= {f"edit {name}": value for name, value in self.edit.items()}
        return note(self.run.recipe.name, self.folder.name, seed, wishes)

    def __call__(self, n: int, seed: int = 0) -> Tensor:
        """`n` samples in stored form."""
        return torch.cat(list(self.stream(n, seed)))

    def stream(self, n: int, seed: int = 0) -> Iterator[Tensor]:
        if not 1 <= n <= 100_000_000:
            raise GanvasError(f"the number of samples must be between 1 and 100,000,000, got {n}: --n 64")
        return stream(self.method, self.nets, self.codec, n, seed, asked=self.asked, edited=self.edited)

    def of_seeds(self, seeds: Sequence[int]) -> Latents:
        """The latents of the first sample of each seed, edited as it is asked."""
        each = [self.method.latents(self.nets, BLOCK, generator(seed, "sample", 0), self.asked) for seed in seeds]
        device = next(self.nets["G"].parameters()).device
        with torch.inference_mode():
            return self.edited({name: torch.cat([latents[name][:1] for latents in each]).to(device) for name in each[0]})

    def rendered(self, latents: Latents) -> Iterator[Tensor]:
        """Samples of latents in stored form, on the CPU, a part at a time."""
        for _, part in parts(latents, self.codec.spec.shape):
            with torch.inference_mode():
                stored = self.codec.store(self.method.render(self.nets, part)).cpu()
            yield stored

    def stream_of(self, seeds: Sequence[int]) -> Iterator[Tensor]:
        """The first sample of each seed in stored form, a block at a time."""
        for k in range(0, len(seeds), BLOCK):
            yield from self.rendered(self.of_seeds(seeds[k : k + BLOCK]))

    def coded(self, latents: Latents) -> Latents:
        """The latents in the space where steps are even: styles, "ws" [N, layers, w_dim], where there are any; else "z"."""
        return {"ws": self.nets["G"].styles(**latents)} if self.styled and "ws" not in latents else latents  # type: ignore[operator]

    def edited(self, latents: Latents) -> Latents:
        """The latents, gone along the directions that were asked for."""
        if self.shift is None:
            return latents
        found, name = self.coded(latents), "ws" if self.styled else "z"
        return {**found, name: found[name] + self.shift}


def makes_classes(nets: Nets, spec: Spec) -> bool:
    """Whether the networks make samples of a class."""
    label = spec.conditions.get("label")
    return label is not None and label.kind == "class" and bool(getattr(nets["G"], "conditional", False))


def wanted(label: str, spec: Spec, nets: Nets) -> Tensor:
    """The label that someone calls so. Raises GanvasError where there is no such one, or the networks take none."""
    condition = spec.conditions.get("label")
    if condition is None or not getattr(nets["G"], "conditional", False):
        raise GanvasError("this run makes samples without labels: leave out --label")
    if condition.kind == "class":
        exact = [k for k, name in enumerate(condition.names) if name == label]
        alike = exact or [k for k, name in enumerate(condition.names) if name.casefold() == label.casefold()]
        if len(alike) == 1:
            return torch.tensor(alike[0])
        numbered = not any(name.isdecimal() for name in condition.names)  # else a number is a name
        if numbered and label.isdecimal() and int(label) < condition.size:
            return torch.tensor(int(label))
        near = difflib.get_close_matches(label, condition.names, n=3, cutoff=0.4) or condition.names[:5]
        raise GanvasError(f"there is no class {label!r} among {condition.size}: --label {' or '.join(near) or 0}")
    try:
        values = [float(value) for value in label.split(",")]
    except ValueError:
        values = []
    if len(values) != condition.size or not all(map(isfinite, values)):
        columns = ", ".join(condition.names) or f"{condition.size} numbers"
        raise GanvasError(f"a label of this run is {columns}, got {label!r}: --label {','.join(['0'] * condition.size)}")
    return torch.tensor(values)


def opened(
    run: str | Path | Run,
    checkpoint: str = "best",
    device: str = "auto",
    label: str | None = None,
    truncation: float | None = None,
    edit: Mapping[str, float] | None = None,
) -> Generator:
    return Generator(run if isinstance(run, Run) else Run(run), checkpoint, device, label, truncation, edit)


def generate(
    run: str | Path | Run,
    n: int,
    seed: int = 0,
    checkpoint: str = "best",
    device: str = "auto",
    label: str | None = None,
    truncation: float | None = None,
    edit: Mapping[str, float] | None = None,
    seeds: Sequence[int] | None = None,
) -> np.ndarray:
    """`n` samples in stored form, uint8 or uint16 [n, H, W, C] for images. Sample i of a seed is the same whatever n is.

    Args:
        seeds: instead of `n` samples of one seed, the first of each of these.
        label: a class's name or number, or a vector's numbers with commas; None: as they come in the data.
        truncation, edit: see sampling.Generator.
    """
    made = opened(run, checkpoint, device, label, truncation, edit)
    blocks = made.stream(n, seed) if seeds is None else made.stream_of(seeds)
    return np.concatenate([block.cpu().numpy() for block in blocks])
