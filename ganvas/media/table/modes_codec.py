"""Rows whose numbers are a mode and a place within it, and whose categories are one-hots. Xu et al. 2019, section 4.2."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL.Image import Image as Picture
from torch import Tensor

from ...configuration import config
from ...core import Batch, Condition, Field, PlainTable, Spec, ValueKind
from .category_condition import CategoryCondition
from .chance import draw_cell_places, hash_rows
from .codec import TableCodec
from .columns import NumberColumn
from .mixtures import REACH, ModeMixture, find_codes, measure_scale, measure_shares
from .modes_layout import (
    CategoryPart,
    NumberParts,
    lay_out_categories,
    lay_out_numbers,
    list_category_texts,
    list_number_columns,
    write_numbers,
)

NARROW_SIGMA = 2e-3  # of all numbers' standard deviation: a mode as narrow as the fit allows stands for one value
WEIGHED_ROWS = 65_536  # at a time
EXACT_SIGMA = 1e-5  # of a mode's: a number as near to a spike as float32 can tell


@config
class ModesCodec:
    """Stores rows as `base` does. x has first the one-hots of all categories, then for each number its mode and alpha.

    alpha = (v - μ) / 4σ, in [-1, 1]. A value's mode is drawn by its responsibilities whenever the row is loaded.
    Loading adds "category", the category that a row was drawn for; see CategoryCondition.

    mixtures: of the columns of numbers, in their order.
    rows: of the table that it was fitted to.
    """

    base: TableCodec
    mixtures: tuple[ModeMixture, ...]
    rows: int

    @property
    def medium(self) -> str:
        return self.base.medium

    @property
    def noun(self) -> str:
        return self.base.noun

    @property
    def is_visual(self) -> bool:
        return self.base.is_visual

    @property
    def preview_count(self) -> int:
        return self.base.preview_count

    def protocol(self) -> Mapping[str, str]:
        return self.base.protocol()

    def encode(self, item: Any) -> np.ndarray:
        return self.base.encode(item)

    def encode_block(self, block: Any) -> np.ndarray:
        return self.base.encode_block(block)

    def decode(self, stored: Tensor, seed: int = 0, start: int = 0) -> Any:
        return self.base.decode(stored, seed, start)

    @property
    def target(self) -> str:
        return self.base.target

    def list_plain_columns(self) -> Mapping[str, ValueKind]:
        return self.base.list_plain_columns()

    def read_plain_table(self, stored: Tensor) -> PlainTable:
        return self.base.read_plain_table(stored)

    def preview(self, stored: Tensor) -> Picture:
        return self.base.preview(stored)

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        return self.base.write(stored, folder, start, metadata)

    # ------------------------------------------------------------ the layout of x

    @property
    def spec(self) -> Spec:
        return self._spec

    @cached_property
    def _spec(self) -> Spec:
        one_hots = [Field(category.column.name, len(category.codes), "categorical") for category in self._categories]
        fields = one_hots
        for (_, column), mixture in zip(self._number_columns, self.mixtures, strict=True):
            fields += [Field(column.name, len(mixture.means) + column.has_missing, "categorical")]
            fields += [Field(f"{column.name}.alpha", 1, "continuous")]
        return Spec((sum(field.size for field in fields),), tuple(fields), {})

    @cached_property
    def _categories(self) -> list[CategoryPart]:
        return lay_out_categories(self.base.columns, self.rows)

    @cached_property
    def _number_columns(self) -> list[tuple[int, NumberColumn]]:
        return list_number_columns(self.base.columns)

    @cached_property
    def _numbers(self) -> NumberParts | None:
        start = sum(len(category.codes) for category in self._categories)
        return lay_out_numbers(self._number_columns, self.mixtures, start) if self.mixtures else None

    # ------------------------------------------------------------ loading

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        """uint16 [N, C] -> float32 [N, W]. Without a generator a value lies in the middle, and has its likeliest mode."""
        return self.load_columns({"x": stored}, generator)["x"]

    def load_columns(self, stored: Mapping[str, Tensor], generator: torch.Generator | None) -> Batch:
        """Stored "x" -> x and "category", int64 [N]. Without a generator it is the row's rarest."""
        codes, M = stored["x"].to(torch.int64), len(self.mixtures)
        chances = None
        if generator is not None:  # one number a row, so that several ranks can share out a batch
            numbers = torch.rand(len(codes), generator=generator).to(codes.device)
            chances = draw_cell_places(hash_rows((numbers * 2**24).long(), codes), 2 * M + 1).double()
        x = torch.zeros(len(codes), self.spec.shape[0], device=codes.device)
        places = self._find_places(codes)
        x.scatter_(1, places, 1.0)
        if self._numbers is not None:
            write_numbers(self._numbers, x, codes, None if chances is None else chances[:, : 2 * M])
        if not self._categories:
            return {"x": x}
        return {"x": x, "category": self._draw_categories(places, None if chances is None else chances[:, -1])}

    # ------------------------------------------------------------ training by sampling

    def weigh_rows(self, stored: Tensor) -> Tensor:
        """How often training by sampling draws each row, float64 [N], relative to others; 1 without categories.

        The paper draws a column, then a category by log-frequency, then a row that holds it. That is the same as to draw rows
        with these weights, and then the category that a row was drawn for.
        """
        if not self._categories:
            return torch.ones(len(stored), dtype=torch.float64)
        parts = stored.split(WEIGHED_ROWS)
        return torch.cat([self._odds[self._find_places(part.cpu().to(torch.int64))].mean(1) for part in parts])

    def derive_conditions(self, stored: Tensor) -> Mapping[str, Condition]:
        """The condition "category", if there are columns of categories."""
        return {"category": self.category_condition} if self._categories else {}

    @cached_property
    def category_condition(self) -> CategoryCondition:
        return CategoryCondition(
            columns=tuple(category.column.name for category in self._categories),
            values=tuple(list_category_texts(category) for category in self._categories),
            shares=tuple(tuple(measure_shares(category.column.lay_out()).tolist()) for category in self._categories),
        )

    @cached_property
    def _odds(self) -> Tensor:
        return torch.cat([category.odds for category in self._categories])

    def _find_places(self, codes: Tensor) -> Tensor:
        """The place in x of each category of rows, int64 [N, D], from codes int64 [N, C]."""
        parts = [
            torch.from_numpy(category.places).to(codes.device)[codes[:, category.number]] + category.start
            for category in self._categories
        ]
        return torch.stack(parts, 1) if parts else codes[:, :0]

    def _draw_categories(self, places: Tensor, chance: Tensor | None) -> Tensor:
        """One of the places of each row, int64 [N]: in proportion to how often it leads to the row."""
        odds = self._odds.to(places.device)[places]
        if chance is None:
            return places.gather(1, odds.argmax(1, keepdim=True)).squeeze(1)
        totals = odds.cumsum(1)
        return places.gather(1, (totals < chance[:, None] * totals[:, -1:]).sum(1, keepdim=True)).squeeze(1)

    # ------------------------------------------------------------ storing

    def store(self, x: Tensor) -> Tensor:
        """float [N, W] -> uint16 [N, C] on the CPU: the largest of each one-hot, and μ + 4σ·alpha of the chosen mode."""
        x = x.detach().to(torch.float64).cpu()
        stored = np.zeros((len(x), len(self.base.columns)), np.uint16)
        for number, _, start, codes, _, _ in self._categories:
            stored[:, number] = codes[x[:, start : start + len(codes)].argmax(1).numpy()]
        for k, ((number, column), mixture) in enumerate(zip(self._number_columns, self.mixtures, strict=True)):
            assert self._numbers is not None
            start, alpha = int(self._numbers.mode_starts[k]), int(self._numbers.alphas[k])
            stored[:, number] = _store_numbers(column, mixture, x[:, start:alpha].argmax(1).numpy(), x[:, alpha].numpy())
        return torch.from_numpy(stored)


def _store_numbers(column: NumberColumn, mixture: ModeMixture, modes: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """The codes int64 [n] of one column."""
    means, sigmas = np.array(mixture.means), np.array(mixture.sigmas)
    is_narrow = sigmas <= NARROW_SIGMA * measure_scale(mixture)[1]
    tolerances = sigmas * np.where(is_narrow, REACH, EXACT_SIGMA)
    known = np.minimum(modes, len(means) - 1)
    numbers = means[known] + REACH * sigmas[known] * np.clip(alphas, -1, 1)
    missing_code = len(column.points) + len(column.spikes)
    return np.where(modes == len(means), missing_code, find_codes(column, numbers, tolerances[known]))
