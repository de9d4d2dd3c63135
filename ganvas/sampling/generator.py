"""A run's trained generator, ready to sample."""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..core import Latents, Request, Spec, Traits, seeded_generator
from ..data import ClassCondition
from ..errors import GanvasError
from ..nets.translation import SourceGenerator
from ..provenance import describe_provenance
from ..runs import checkpoint
from ..runs.folder import RunFolder
from ..runs.rewards import load_reward
from ..runs.state import build_state
from ..system.device import choose_device, get_device
from ..system.files import repair_text
from .best_of import check_best_of, keep_best
from .edits import sum_directions
from .stream import (
    SAMPLES_PER_BLOCK,
    SampleBlock,
    count_block_samples,
    recalibrate_batch_norm,
    split_for_rendering,
    stream_blocks,
)


class Sampler:
    """A run's trained generator, ready to sample.

    Args:
        checkpoint_name: "best", "last", or samples seen.
        conditions: requested values by condition, as text; other conditions are drawn at the data's frequencies.
        truncation: a smaller value makes samples more typical and less varied. Latents beyond ± this are drawn again
            (uniform ones are scaled); styles keep this share of their distance from the mean.
        edit: the strength of each of the run's directions to apply, by name (directions.py).
        best_of: of so many samples, up to 64, the run's reward keeps one (`ganvas.prefer`).

    Raises:
        GanvasError: no such checkpoint, condition or direction, a truncation that is not positive, or no reward.
    """

    def __init__(
        self,
        run: RunFolder,
        checkpoint_name: str = "best",
        device: str = "auto",
        conditions: Mapping[str, str] | None = None,
        truncation: float | None = None,
        edit: Mapping[str, float] | None = None,
        best_of: int = 1,
    ) -> None:
        check_best_of(best_of)
        if truncation is not None and not 0 < truncation <= 100:
            raise GanvasError(f"truncation must be above 0, up to 100, got {truncation}: --truncation 0.7, or leave it out")
        self.run, self.codec, self.method = run, run.read_codec(), run.recipe.method
        self.checkpoint_folder, self.spec = run.find_checkpoint(checkpoint_name), run.read_spec()
        state = build_state(run.recipe, self.spec, run.seed, choose_device(device))
        checkpoint.load_nets(self.checkpoint_folder, state)
        self.nets, self.wishes, self.truncation = state.select_sampling_networks(), dict(conditions or {}), truncation
        self.traits = self.method.traits(self.nets)
        self.request = Request(parse_conditions(self.wishes, self.spec, self.traits), truncation)
        if truncation is not None:
            self.nets = recalibrate_batch_norm(self.method, self.nets, truncation)
        self.nets.eval()
        self.device, self.best_of = get_device(self.nets), best_of
        self.reward = load_reward(run.path, self.device) if best_of > 1 else None
        self.edit_strengths, self.edit_shift = dict(edit or {}), None
        if self.edit_strengths:
            self.require_codes()
            self.edit_shift = sum_directions(run.path, self.checkpoint_folder.name, self.edit_strengths, self.device)

    @property
    def generator(self) -> nn.Module:
        """The network that makes samples."""
        return self.nets[self.traits.generator]

    @property
    def has_styles(self) -> bool:
        return self.traits.latent == "ws"

    @property
    def is_translator(self) -> bool:
        """Whether the generator starts from a picture."""
        return isinstance(self.generator, SourceGenerator)

    def require_codes(self) -> None:
        """Raises GanvasError for a generator that makes each sample of its conditions alone: it has no codes to change."""
        if self.traits.latent is None:
            names = " and ".join(self.traits.conditions) or "draws, value by value"
            raise GanvasError(f"{self.run.path} has no codes: it makes each sample from its {names}{self.advise_translating()}")

    def advise_translating(self) -> str:
        """The end of a refusal: the command for generators that start from a picture; "" for others."""
        return f". To translate your pictures: ganvas translate {self.run.path} PICTURE" if self.is_translator else ""

    def describe_provenance(self, seed: int | str) -> dict[str, str]:
        """The metadata for generated files; formats without metadata get a file next to them."""
        settings: dict[str, object] = {**self.wishes, "truncation": self.truncation}
        settings |= {f"edit {name}": value for name, value in self.edit_strengths.items()}
        settings["best of"] = self.best_of if self.best_of > 1 else None
        return describe_provenance(self.run.recipe.name, self.checkpoint_folder.name, seed, settings)

    def __call__(self, n: int, seed: int = 0) -> Tensor:
        """`n` samples in stored form."""
        return torch.cat(list(self.stream_samples(n, seed)))

    def stream_samples(self, n: int, seed: int = 0) -> Iterator[Tensor]:
        return (block.stored for block in self.stream_blocks(n, seed))

    def stream_blocks(self, n: int, seed: int = 0) -> Iterator[SampleBlock]:
        """`n` samples with their conditions, a block at a time."""
        if not 1 <= n <= 100_000_000:
            raise GanvasError(f"the number of samples must be between 1 and 100,000,000, got {n}: --n 64")
        count = n * self.best_of
        return self.keep_best(
            stream_blocks(self.method, self.nets, self.codec, count, seed, request=self.request, edit_latents=self.apply_edit)
        )

    def request_conditions(self, wishes: Mapping[str, str]) -> "Sampler":
        """A sampler with the same networks and other requested values. Raises GanvasError for values that it does not take."""
        other = copy(self)
        other.wishes = dict(wishes)
        other.request = self.request._replace(conditions=parse_conditions(wishes, self.spec, self.traits))
        return other

    def keep_best(self, blocks: Iterator[SampleBlock]) -> Iterator[SampleBlock]:
        """The best of every `best_of` samples."""
        return blocks if self.reward is None else keep_best(blocks, self.best_of, self.reward, self.codec)

    def latents_of_seeds(self, seeds: Sequence[int], count: int = 1) -> Latents:
        """The latents of the first `count` samples of each seed, with this sampler's edit."""
        size = count_block_samples(self.codec.spec.shape)
        latents_per_seed = [
            self.method.draw_latents(self.nets, size, seeded_generator(seed, "sample", 0), self.request) for seed in seeds
        ]
        with torch.inference_mode():
            return self.apply_edit(
                {
                    name: torch.cat([latents[name][:count] for latents in latents_per_seed]).to(self.device)
                    for name in latents_per_seed[0]
                }
            )

    def render_stored(self, latents: Latents) -> Iterator[Tensor]:
        """Render latents to samples in stored form, on the CPU, a part at a time."""
        return (block.stored for block in self.render_blocks(latents))

    def render_blocks(self, latents: Latents) -> Iterator[SampleBlock]:
        """`render_stored`, with the conditions among the latents."""
        for _, part in split_for_rendering(latents, self.codec.spec.shape):
            with torch.inference_mode():
                stored = self.codec.store(self.method.render(self.nets, part)).cpu()
            conditions = {name: part[name].cpu() for name in self.traits.conditions if name in part}
            yield SampleBlock(stored, conditions)

    def stream_seeds(self, seeds: Sequence[int]) -> Iterator[Tensor]:
        """The first sample of each seed in stored form, a block at a time."""
        return (block.stored for block in self.stream_seed_blocks(seeds))

    def stream_seed_blocks(self, seeds: Sequence[int]) -> Iterator[SampleBlock]:
        """`stream_seeds`, with the conditions of each sample."""
        for k in range(0, len(seeds), SAMPLES_PER_BLOCK):
            latents = self.latents_of_seeds(seeds[k : k + SAMPLES_PER_BLOCK], self.best_of)
            yield from self.keep_best(self.render_blocks(latents))

    def map_to_code_space(self, latents: Latents) -> Latents:
        """The latents in the space for edits and interpolation: styles "ws" [N, layers, w_dim] if there are any, else "z"."""
        return {"ws": self.generator.map_to_styles(**latents)} if self.has_styles and "ws" not in latents else latents  # type: ignore[operator]

    def apply_edit(self, latents: Latents) -> Latents:
        """The latents, moved along this sampler's directions."""
        if self.edit_shift is None:
            return latents
        codes, name = self.map_to_code_space(latents), "ws" if self.has_styles else "z"
        return {**codes, name: codes[name] + self.edit_shift}


def find_class_condition(spec: Spec, traits: Traits) -> tuple[str, ClassCondition] | None:
    """(name, condition) of the generator's first class condition; None if it has none."""
    found = [(name, spec.conditions[name]) for name in traits.conditions]
    return next(((name, condition) for name, condition in found if isinstance(condition, ClassCondition)), None)


def parse_conditions(wishes: Mapping[str, str], spec: Spec, traits: Traits) -> dict[str, Tensor]:
    """Convert requested values from text, by condition.

    Raises:
        GanvasError: a condition that the generator does not take, or an unknown value.
    """
    values: dict[str, Tensor] = {}
    for name, text in wishes.items():
        if name not in traits.conditions:
            available = ", ".join(f"{other} ({spec.conditions[other].describe()})" for other in traits.conditions)
            raise GanvasError(
                f"this run makes samples without {name}; {f'it takes {available}' if available else 'leave it out'}"
            )
        try:
            values[name] = spec.conditions[name].parse(repair_text(text))
        except GanvasError as error:
            raise GanvasError(f"{name}: {error}") from None
    return values


def open_sampler(
    run: str | Path | RunFolder,
    checkpoint: str = "best",
    device: str = "auto",
    conditions: Mapping[str, str] | None = None,
    truncation: float | None = None,
    edit: Mapping[str, float] | None = None,
    best_of: int = 1,
) -> Sampler:
    folder = run if isinstance(run, RunFolder) else RunFolder(run)
    return Sampler(folder, checkpoint, device, conditions, truncation, edit, best_of)


def generate(
    run: str | Path | RunFolder,
    n: int,
    seed: int = 0,
    checkpoint: str = "best",
    device: str = "auto",
    conditions: Mapping[str, str] | None = None,
    truncation: float | None = None,
    edit: Mapping[str, float] | None = None,
    seeds: Sequence[int] | None = None,
    best_of: int = 1,
) -> np.ndarray:
    """`n` samples in stored form, uint8 or uint16 [n, H, W, C] for images. Sample i of a seed does not depend on n.

    Args:
        seeds: the first sample of each of these seeds, instead of `n` samples of one seed.
        conditions: requested values, such as {"label": "dog"}; other conditions are drawn at the data's frequencies.
        truncation, edit, best_of: see Sampler.
    """
    sampler = open_sampler(run, checkpoint, device, conditions, truncation, edit, best_of)
    blocks = sampler.stream_samples(n, seed) if seeds is None else sampler.stream_seeds(seeds)
    return np.concatenate([block.cpu().numpy() for block in blocks])
