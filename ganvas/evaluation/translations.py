"""Translations of held-out sources, which take the place of samples drawn from nothing, and what they have to beat."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from math import prod

import torch
from PIL.Image import Image as Picture
from torch import Tensor

from ..core import Baseline, Batch, Codec, Exhibit, Method, Nets, ShapedCondition, Spec, seeded_generator
from ..data.columns import list_source_names, load_batch
from ..data.stacked_sources import SOURCE_CHANNELS
from ..pictures.table import Cell, draw_table, draw_tile, draw_tiles, join_side_by_side
from ..runs.exhibits import BEFORE_AFTER
from ..sampling.stream import SAMPLES_PER_BLOCK, SampleBlock, split_for_rendering, use_evaluation_mode
from ..system.device import get_device
from .reals import RealSet, RealSplit
from .wanted_labels import draw_wanted_labels, list_wanted_labels

MAX_FITTED_SAMPLES, MAX_FITTED_BYTES = 2_000, 2**28  # training samples that baselines are fitted to
PREVIEWS_PER_ROW, TILES_PER_ROW = 3, 6
LABEL = "label"
PREVIEW_FACES, MAX_PREVIEW_LABELS = 8, 12  # rows and columns of a translator of many domains


def list_sample_conditions(spec: Spec) -> tuple[str, ...]:
    """The names of conditions that are samples themselves, such as "source"."""
    return tuple(name for name, condition in spec.conditions.items() if isinstance(condition, ShapedCondition))


@dataclass
class HeldOutSources:
    """Held-out samples with what they are made from. Training saw none of them, unless the data is too small."""

    reals: RealSet
    training: RealSet
    codec: Codec
    spec: Spec  # of the training set
    device: torch.device
    label_seed: int | None = None  # translations are asked for labels that this seed draws; None: for their own

    def load(self, reals: RealSet, start: int, stop: int) -> Batch:
        """Rows `start` to `stop` as networks see them: "x", "source" and other conditions."""
        columns = {name: rows.to(self.device) for name, rows in reals.take(start, stop).items()}
        return load_batch(self.codec, columns, None)

    def load_blocks(self, n: int) -> Iterator[tuple[slice, Batch]]:
        """The first `n` held-out rows, a block at a time, each with its place."""
        for start in range(0, n, SAMPLES_PER_BLOCK):
            rows = slice(start, min(n, start + SAMPLES_PER_BLOCK))
            yield rows, self.load(self.reals, rows.start, rows.stop)

    def list_own_labels(self, n: int) -> Tensor:
        """The labels of the first `n` held-out sources."""
        return torch.from_numpy(self.reals.conditions[LABEL][:n].copy())

    def draw_wanted(self, n: int) -> Tensor:
        """What the first `n` translations are asked for: labels that differ from their own."""
        own = self.list_own_labels(self.reals.size)
        drawn = draw_wanted_labels(
            own, self.spec.conditions[LABEL], self.known_labels, seeded_generator(self.label_seed, LABEL)
        )
        return drawn[:n]

    @property
    def known_labels(self) -> Tensor:
        """The labels of training samples."""
        return torch.from_numpy(self.training.conditions[LABEL].copy())

    def translate(self, method: Method, nets: Nets, n: int, seed: int) -> Iterator[SampleBlock]:
        """What becomes of the first `n` held-out sources, in order, a block at a time. Randomness follows from `seed`."""
        replacements = {} if self.label_seed is None else {LABEL: self.draw_wanted(n)}
        return self.translate_to(method, nets, n, seed, replacements)

    def translate_to(
        self, method: Method, nets: Nets, n: int, seed: int, replacements: Mapping[str, Tensor]
    ) -> Iterator[SampleBlock]:
        """`translate` with some conditions [n, …] in place of the sources' own."""
        device, names = get_device(nets), method.traits(nets).conditions
        hidden_names = list_sample_conditions(self.spec)
        with use_evaluation_mode(nets):
            for rows, batch in self.load_blocks(n):
                with torch.inference_mode():
                    drawn = method.draw_latents(nets, len(batch["x"]), seeded_generator(seed, "sample", rows.start))
                    given = {**batch, **{name: values[rows] for name, values in replacements.items()}}
                    latents = {name: given.get(name, value).to(device) for name, value in drawn.items()}
                    parts = split_for_rendering(latents, self.codec.spec)
                    stored = torch.cat([self.codec.store(method.render(nets, part)) for _, part in parts])
                shown_names = [name for name in names if name in latents and name not in hidden_names]
                yield SampleBlock(stored, {name: latents[name].cpu() for name in shown_names})

    def make_baseline(self, baseline: Baseline, n: int) -> Tensor:
        """What a baseline makes of the first `n` held-out sources, in stored form."""
        sources = (condition.shape for condition in self.spec.conditions.values() if isinstance(condition, ShapedCondition))
        largest = max(prod(shape) for shape in (self.codec.spec.shape, *sources))  # maps of labels have many channels
        count = max(2, min(MAX_FITTED_SAMPLES, MAX_FITTED_BYTES // (4 * largest)))
        translate = baseline.fit(self.load(self.training, 0, count))
        return torch.cat([self.codec.store(translate(batch)).cpu() for _, batch in self.load_blocks(n)])

    def draw(self, results: Tensor, has_truth: bool) -> Picture:
        """The first sources, what became of them (stored, [N, …]) and, of pairs, the truths, side by side."""
        names = list_source_names(self.codec) or ("source",)
        columns = {name: self.draw_sources(len(results), number) for number, name in enumerate(names)}
        columns["result"] = draw_tiles(self.codec, results.cpu())
        if has_truth:
            columns["truth"] = draw_tiles(self.codec, self.reals.take(0, len(results))["x"])
        groups: list[list[Cell]] = [[*tiles, ""] for tiles in zip(*columns.values(), strict=True)]
        head: list[Cell] = [*columns, ""]
        rows = [sum(groups[k : k + PREVIEWS_PER_ROW], list[Cell]()) for k in range(0, len(groups), PREVIEWS_PER_ROW)]
        return draw_table([head * min(len(groups), PREVIEWS_PER_ROW), *rows])

    def draw_labels(self, method: Method, nets: Nets, seed: int) -> Picture:
        """The first sources, each with every class, or with one attribute after another changed, beside it."""
        n = min(PREVIEW_FACES, self.reals.size)
        choices = list_wanted_labels(self.list_own_labels(n), self.spec.conditions[LABEL], self.known_labels)
        columns = {"source": self.draw_sources(n)}
        for name, targets in islice(choices, MAX_PREVIEW_LABELS):
            blocks = self.translate_to(method, nets, n, seed, {LABEL: targets})
            columns[name] = draw_tiles(self.codec, torch.cat([block.stored for block in blocks]).cpu())
        return draw_table([list(columns), *zip(*columns.values(), strict=True)])

    def exhibit(self, results: Tensor) -> Exhibit:
        """The first sources on the left and what became of them on the right, for the page's slider."""
        halves = [self.draw_sources(len(results)), draw_tiles(self.codec, results.cpu())]
        mosaics = [draw_table([tiles[k : k + TILES_PER_ROW] for k in range(0, len(tiles), TILES_PER_ROW)]) for tiles in halves]
        buffer = io.BytesIO()
        join_side_by_side(mosaics).save(buffer, "PNG")
        return Exhibit(BEFORE_AFTER, "Held-out sources, and what became of them", ".png", buffer.getvalue())

    def draw_sources(self, count: int, number: int = 0) -> list[Picture]:
        """The first held-out sources as tiles; of several that are stacked, those of this number."""
        channels = slice(SOURCE_CHANNELS * number, None)
        condition = self.spec.conditions["source"]
        assert isinstance(condition, ShapedCondition)
        return [
            draw_tile(condition.codec, sample[..., channels])
            for _, batch in self.load_blocks(count)
            for sample in condition.codec.store(batch["source"]).cpu()
        ]


def find_held_out_sources(split: RealSplit, codec: Codec, spec: Spec, device: torch.device) -> HeldOutSources | None:
    """The held-out sources of data for translators; None of other data."""
    if "source" not in list_sample_conditions(spec):
        return None
    return HeldOutSources(split.unseen or split.held_out, split.reference, codec, spec, device)
