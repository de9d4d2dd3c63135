"""Tables for CTGAN and TVAE: numbers as a mode and a place within it, categories as one-hots. Xu et al. 2019, section 4.2."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL.Image import Image as Picture
from torch import Tensor

from ...configuration import config
from ...core import Batch, Condition, Field, Items, PlainTable, Spec, ValueKind
from ...errors import require
from .category_condition import MISSING_NAME, CategoryCondition, compute_odds
from .chance import draw_cell_places, hash_rows
from .codec import TableCodec
from .columns import ColumnCodec, NumberColumn
from .medium import Table
from .mixtures import REACH, ModeMixture, find_codes, fit_modes, get_number_column, list_ends, measure_shares, spread_numbers

NARROW_SIGMA = 2e-3  # of all numbers' standard deviation: a mode as narrow as the fit allows stands for one value
EXACT_SIGMA = 1e-5  # of a mode's: a number as near to a spike as float32 can tell


@config
class TableModes:
    """Rows of a table whose numbers are normalised by modes.

    table: what is kept of each column. A column whose numbers are all common is a category.
    most_modes: Gaussians of a column of numbers, at most.
    least_weight: modes that a smaller share of the rows belongs to are left out.
    """

    table: Table = Table(known_share=0.0)  # no cells are known beforehand: G has a condition of its own
    most_modes: int = 10
    least_weight: float = 0.005

    def __post_init__(self) -> None:
        require(1 <= self.most_modes <= 100, "most_modes", self.most_modes, "from 1 to 100")
        require(0 <= self.least_weight < 1, "least_weight", self.least_weight, "0 or more, below 1")

    @property
    def suffixes(self) -> tuple[str, ...]:
        return self.table.suffixes

    def fit(self, items: Items) -> "ModesCodec":
        """The codec. Raises GanvasError as `Table` does, or if scikit-learn is missing."""
        return self.fit_with_reasons(items)[0]

    def fit_with_reasons(self, items: Items) -> "tuple[ModesCodec, list[str]]":
        """`fit`, and a sentence for each column."""
        base, reasons = self.table.fit_with_reasons(items)
        numbers = [number for column in base.columns if (number := get_number_column(column))]
        mixtures = tuple(fit_modes(spread_numbers(number), self.most_modes, self.least_weight) for number in numbers)
        counts = [f"{number.name} {len(mixture.means)}" for number, mixture in zip(numbers, mixtures, strict=True)]
        sentence = [f"modes of numbers: {', '.join(counts[:20])}{', …' if len(counts) > 20 else ''}"] if counts else []
        return ModesCodec(base=base, mixtures=mixtures, rows=len(items)), [*reasons, *sentence]


class _Category(NamedTuple):
    """A column that is a one-hot, and where it begins in x."""

    number: int  # of the column
    column: ColumnCodec
    start: int
    codes: np.ndarray  # int64 [K]: the code of each place
    places: np.ndarray  # int64 [codes]: the place of each code
    odds: Tensor  # float64 [K]: see compute_odds


class _Numbers(NamedTuple):
    """All M columns of numbers. K is the largest number of modes; missing modes have no weight."""

    numbers: Tensor  # int64 [M], of the columns
    first_codes: Tensor  # int64 [M]: where a column's codes begin among those of all M
    low: Tensor  # float64 [codes], in standard deviations from the column's mean; NaN: missing
    span: Tensor  # float64 [codes]
    means: Tensor  # float64 [M, K], likewise
    sigmas: Tensor  # float64 [M, K]
    log_weights: Tensor  # float64 [M, K]
    mode_starts: Tensor  # int64 [M]: where the one-hot begins in x
    mode_counts: Tensor  # int64 [M]: a missing value has the place behind the modes
    alphas: Tensor  # int64 [M]: the place in x


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

    @cached_property
    def spec(self) -> Spec:
        one_hots = [Field(category.column.name, len(category.codes), "categorical") for category in self._categories]
        fields = one_hots
        for (_, column), mixture in zip(self._number_columns, self.mixtures, strict=True):
            fields += [Field(column.name, len(mixture.means) + column.has_missing, "categorical")]
            fields += [Field(f"{column.name}.alpha", 1, "continuous")]
        return Spec((sum(field.size for field in fields),), tuple(fields), {})

    @cached_property
    def _categories(self) -> list[_Category]:
        categories, start = list[_Category](), 0
        for number, column in enumerate(self.base.columns):
            if not column.fields or get_number_column(column):
                continue
            places = column.lay_out().hot
            codes = np.zeros(places.max() + 1, np.int64)
            codes[places] = np.arange(len(places))
            odds = compute_odds(torch.from_numpy(measure_shares(column.lay_out())), self.rows)
            categories.append(_Category(number, column, start, codes, places, odds))
            start += len(codes)
        return categories

    @cached_property
    def _number_columns(self) -> list[tuple[int, NumberColumn]]:
        columns = enumerate(self.base.columns)
        return [(k, number) for k, column in columns if (number := get_number_column(column))]

    @cached_property
    def _numbers(self) -> _Numbers | None:
        return self._lay_out_numbers() if self.mixtures else None

    def _lay_out_numbers(self) -> _Numbers:
        width, ends = max(len(mixture.means) for mixture in self.mixtures), list[tuple[np.ndarray, np.ndarray]]()
        tables = np.zeros((3, len(self.mixtures), width))
        tables[1], tables[2] = 1.0, -np.inf
        for k, ((_, column), mixture) in enumerate(zip(self._number_columns, self.mixtures, strict=True)):
            low, high = list_ends(column)
            centre, scale = measure_scale(mixture)
            ends.append(((low - centre) / scale, (high - low) / scale))
            count = len(mixture.means)
            tables[0, k, :count] = (np.array(mixture.means) - centre) / scale
            tables[1, k, :count] = np.array(mixture.sigmas) / scale
            tables[2, k, :count] = np.log(mixture.weights)
        pairs = zip(self._number_columns, self.mixtures, strict=True)
        sizes = [len(mixture.means) + column.has_missing for (_, column), mixture in pairs]
        starts = sum(len(c.codes) for c in self._categories) + np.cumsum([0, *(size + 1 for size in sizes)])
        code_counts = [len(low) for low, _ in ends]
        return _Numbers(
            torch.tensor([k for k, _ in self._number_columns]),
            torch.from_numpy(np.cumsum([0, *code_counts])[:-1].copy()),
            *(torch.from_numpy(np.concatenate(parts)) for parts in zip(*ends, strict=True)),
            *(torch.from_numpy(table) for table in tables),
            torch.from_numpy(starts[:-1].copy()),
            torch.tensor([len(mixture.means) for mixture in self.mixtures]),
            torch.from_numpy(starts[1:] - 1),
        )

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
            self._load_numbers(x, codes, None if chances is None else chances[:, : 2 * M])
        if not self._categories:
            return {"x": x}
        return {"x": x, "category": self._draw_categories(places, None if chances is None else chances[:, -1])}

    def _load_numbers(self, x: Tensor, codes: Tensor, chances: Tensor | None) -> None:
        """Write modes and alphas into x; `chances` are two numbers a column."""
        assert self._numbers is not None
        layout = _Numbers(*(t.to(codes.device) for t in self._numbers))
        flat = codes[:, layout.numbers] + layout.first_codes
        u, mode_chance = (0.5, None) if chances is None else chances.chunk(2, 1)
        values = layout.low[flat] + layout.span[flat] * u
        is_missing = values.isnan()
        values = values.nan_to_num(0.0)
        distances = (values[:, :, None] - layout.means) / layout.sigmas  # [N, M, K]
        log_likelihoods = layout.log_weights - layout.sigmas.log() - 0.5 * distances.square()
        if mode_chance is None:
            modes = log_likelihoods.argmax(2)
        else:
            totals = log_likelihoods.softmax(2).cumsum(2)
            modes = (totals < mode_chance[:, :, None] * totals[:, :, -1:]).sum(2)
        alphas = (distances.gather(2, modes[:, :, None]).squeeze(2) / REACH).clamp(-1, 1)
        x.scatter_(1, layout.mode_starts + torch.where(is_missing, layout.mode_counts, modes), 1.0)
        x.scatter_(1, layout.alphas.expand_as(modes), torch.where(is_missing, 0.0, alphas).float())

    # ------------------------------------------------------------ training by sampling

    def weigh_rows(self, stored: Tensor) -> Tensor:
        """How often training by sampling draws each row, float64 [N], relative to others; 1 without categories.

        The paper draws a column, then a category by log-frequency, then a row that holds it. That is the same as to draw rows
        with these weights, and then the category that a row was drawn for.
        """
        if not self._categories:
            return torch.ones(len(stored), dtype=torch.float64)
        return self._odds[self._find_places(stored.to(torch.int64))].mean(1)

    def derive_conditions(self, stored: Tensor) -> Mapping[str, Condition]:
        """The condition "category", if there are columns of categories."""
        return {"category": self.category_condition} if self._categories else {}

    @cached_property
    def category_condition(self) -> CategoryCondition:
        return CategoryCondition(
            columns=tuple(category.column.name for category in self._categories),
            values=tuple(_list_texts(category) for category in self._categories),
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


def measure_scale(mixture: ModeMixture) -> tuple[float, float]:
    """The mean and the standard deviation of a mixture."""
    means, sigmas, weights = (np.array(part) for part in (mixture.means, mixture.sigmas, mixture.weights))
    centre = float(weights @ means)
    return centre, float(weights @ (sigmas**2 + (means - centre) ** 2)) ** 0.5


def _store_numbers(column: NumberColumn, mixture: ModeMixture, modes: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """The codes int64 [n] of one column."""
    means, sigmas = np.array(mixture.means), np.array(mixture.sigmas)
    is_narrow = sigmas <= NARROW_SIGMA * measure_scale(mixture)[1]
    tolerances = sigmas * np.where(is_narrow, REACH, EXACT_SIGMA)
    known = np.minimum(modes, len(means) - 1)
    numbers = means[known] + REACH * sigmas[known] * np.clip(alphas, -1, 1)
    missing_code = len(column.points) + len(column.spikes)
    return np.where(modes == len(means), missing_code, find_codes(column, numbers, tolerances[known]))


def _list_texts(category: _Category) -> tuple[str, ...]:
    """The categories of a column as texts, in the order of their places."""
    count = len(category.codes)
    values = category.column.decode(category.codes, np.full(count, 0.5), np.arange(count))
    return tuple(MISSING_NAME if value is None else str(value) for value in values.to_pylist())
