"""A run's trained generator, ready to sample."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..core import Latents, Nets, Request, Spec, seeded_generator
from ..errors import GanvasError
from ..provenance import describe_provenance
from ..runs import checkpoint
from ..runs.folder import RunFolder
from ..runs.state import build_state
from ..system.device import choose_device
from ..system.files import repair_text
from .edits import sum_directions
from .stream import SAMPLES_PER_BLOCK, recalibrate_batch_norm, split_for_rendering, stream_samples


class Sampler:
    """A run's trained generator, ready to sample.

    Args:
        which: the checkpoint: "best", "last", or samples seen.
        label: a class's name or number, or a vector's numbers with commas; None: as they come in the data.
        truncation: fewer kinds of samples, each more typical. Latents beyond ± this are drawn anew (uniform ones are scaled);
            styles go this share of their way from the mean.
        edit: how far to go along which of the run's directions (directions.py).

    Raises:
        GanvasError: no such checkpoint, label or direction, or a truncation that is not positive.
    """

    def __init__(
        self,
        run: RunFolder,
        checkpoint_name: str = "best",
        device: str = "auto",
        label: str | None = None,
        truncation: float | None = None,
        edit: Mapping[str, float] | None = None,
    ) -> None:
        if truncation is not None and not 0 < truncation <= 100:
            raise GanvasError(f"a truncation lies above 0, got {truncation}: --truncation 0.7, or leave it out")
        self.run, self.codec, self.method = run, run.read_codec(), run.recipe.method
        self.checkpoint_folder, spec = run.find_checkpoint(checkpoint_name), run.read_spec()
        state = build_state(run.recipe, spec, run.seed, choose_device(device))
        checkpoint.load_nets(self.checkpoint_folder, state)
        self.nets, self.label, self.truncation = state.select_sampling_networks(), label, truncation
        self.request = Request(None if label is None else parse_condition(str(label), spec, self.nets), truncation)
        if truncation is not None:
            self.nets = recalibrate_batch_norm(self.method, self.nets, truncation)
        self.nets.eval()
        self.has_styles = hasattr(self.nets["G"], "map_to_styles")
        self.edit_strengths, self.edit_shift = dict(edit or {}), None
        if self.edit_strengths:
            self.edit_shift = sum_directions(
                run.path, self.checkpoint_folder.name, self.edit_strengths, next(self.nets["G"].parameters()).device
            )

    def describe_provenance(self, seed: int | str) -> dict[str, str]:
        """What is written into each file that can hold words, and beside the others."""
        wishes: dict[str, object] = {"label": self.label, "truncation": self.truncation}
        wishes |= {f"edit {name}": value for name, value in self.edit_strengths.items()}
        return describe_provenance(self.run.recipe.name, self.checkpoint_folder.name, seed, wishes)

    def __call__(self, n: int, seed: int = 0) -> Tensor:
        """`n` samples in stored form."""
        return torch.cat(list(self.stream_samples(n, seed)))

    def stream_samples(self, n: int, seed: int = 0) -> Iterator[Tensor]:
        if not 1 <= n <= 100_000_000:
            raise GanvasError(f"the number of samples must be between 1 and 100,000,000, got {n}: --n 64")
        return stream_samples(self.method, self.nets, self.codec, n, seed, request=self.request, edit_latents=self.apply_edit)

    def latents_of_seeds(self, seeds: Sequence[int]) -> Latents:
        """The latents of the first sample of each seed, edited as it is asked."""
        latents_per_seed = [
            self.method.draw_latents(self.nets, SAMPLES_PER_BLOCK, seeded_generator(seed, "sample", 0), self.request)
            for seed in seeds
        ]
        device = next(self.nets["G"].parameters()).device
        with torch.inference_mode():
            return self.apply_edit(
                {
                    name: torch.cat([latents[name][:1] for latents in latents_per_seed]).to(device)
                    for name in latents_per_seed[0]
                }
            )

    def render_stored(self, latents: Latents) -> Iterator[Tensor]:
        """Samples of latents in stored form, on the CPU, a part at a time."""
        for _, part in split_for_rendering(latents, self.codec.spec.shape):
            with torch.inference_mode():
                stored = self.codec.store(self.method.render(self.nets, part)).cpu()
            yield stored

    def stream_seeds(self, seeds: Sequence[int]) -> Iterator[Tensor]:
        """The first sample of each seed in stored form, a block at a time."""
        for k in range(0, len(seeds), SAMPLES_PER_BLOCK):
            yield from self.render_stored(self.latents_of_seeds(seeds[k : k + SAMPLES_PER_BLOCK]))

    def map_to_code_space(self, latents: Latents) -> Latents:
        """The latents in the space where steps are even: styles, "ws" [N, layers, w_dim], where there are any; else "z"."""
        return {"ws": self.nets["G"].map_to_styles(**latents)} if self.has_styles and "ws" not in latents else latents  # type: ignore[operator]

    def apply_edit(self, latents: Latents) -> Latents:
        """The latents, gone along the directions that were asked for."""
        if self.edit_shift is None:
            return latents
        codes, name = self.map_to_code_space(latents), "ws" if self.has_styles else "z"
        return {**codes, name: codes[name] + self.edit_shift}


def makes_classes(nets: Nets, spec: Spec) -> bool:
    """Whether the networks make samples of a class."""
    label = spec.conditions.get("label")
    return label is not None and label.kind == "class" and bool(getattr(nets["G"], "takes_conditions", False))


def parse_condition(label: str, spec: Spec, nets: Nets) -> Tensor:
    """The label that someone calls so. Raises GanvasError where there is no such one, or the networks take none."""
    condition = spec.conditions.get("label")
    if condition is None or not getattr(nets["G"], "takes_conditions", False):
        raise GanvasError("this run makes samples without labels: leave out --label")
    label = repair_text(label)
    if condition.kind == "class":
        exact_matches = [k for k, name in enumerate(condition.names) if name == label]
        matches = exact_matches or [k for k, name in enumerate(condition.names) if name.casefold() == label.casefold()]
        if len(matches) == 1:
            return torch.tensor(matches[0])
        accepts_number = not any(name.isdecimal() for name in condition.names)  # else a number is a name
        if accepts_number and label.isdecimal() and int(label) < condition.size:
            return torch.tensor(int(label))
        if matches:
            numbers = " or ".join(map(str, matches))
            remedy = f"give its number, --label {numbers}" if accepts_number else "rename them in the data, and train anew"
            raise GanvasError(f"{len(matches)} of {condition.size} classes are called {label!r}: {remedy}")
        suggestions = difflib.get_close_matches(label, condition.names, n=3, cutoff=0.4) or condition.names[:5]
        raise GanvasError(f"there is no class {label!r} among {condition.size}: --label {' or '.join(suggestions) or 0}")
    try:
        values = [float(value) for value in label.split(",")]
    except ValueError:
        values = []
    if len(values) != condition.size or not all(map(isfinite, values)):
        columns = ", ".join(condition.names) or f"{condition.size} numbers"
        raise GanvasError(f"a label of this run is {columns}, got {label!r}: --label {','.join(['0'] * condition.size)}")
    return torch.tensor(values)


def open_sampler(
    run: str | Path | RunFolder,
    checkpoint: str = "best",
    device: str = "auto",
    label: str | None = None,
    truncation: float | None = None,
    edit: Mapping[str, float] | None = None,
) -> Sampler:
    return Sampler(run if isinstance(run, RunFolder) else RunFolder(run), checkpoint, device, label, truncation, edit)


def generate(
    run: str | Path | RunFolder,
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
    sampler = open_sampler(run, checkpoint, device, label, truncation, edit)
    blocks = sampler.stream_samples(n, seed) if seeds is None else sampler.stream_seeds(seeds)
    return np.concatenate([block.cpu().numpy() for block in blocks])
