"""Where categories, modes and alphas lie in x, and what each code of a column is there."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...system.arrow import import_arrow
from .category_condition import MISSING_NAME, compute_odds
from .columns import ColumnCodec, NumberColumn
from .mixtures import REACH, ModeMixture, get_number_column, list_ends, measure_scale, measure_shares


class CategoryPart(NamedTuple):
    """A column that is a one-hot, and where it begins in x."""

    number: int  # of the column
    column: ColumnCodec
    start: int
    codes: np.ndarray  # int64 [K]: the code of each place
    places: np.ndarray  # int64 [codes]: the place of each code
    odds: Tensor  # float64 [K]: see compute_odds


class NumberParts(NamedTuple):
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


def list_number_columns(columns: Sequence[ColumnCodec]) -> list[tuple[int, NumberColumn]]:
    """The number and the codec of each column whose numbers have modes."""
    return [(k, number) for k, column in enumerate(columns) if (number := get_number_column(column))]


def lay_out_categories(columns: Sequence[ColumnCodec], rows: int) -> list[CategoryPart]:
    """The columns that are one-hots, from the beginning of x on. `rows` are those of the table."""
    parts, start = list[CategoryPart](), 0
    for number, column in enumerate(columns):
        if not column.fields or get_number_column(column):
            continue
        places = column.lay_out().hot
        codes = np.zeros(places.max() + 1, np.int64)
        codes[places] = np.arange(len(places))
        odds = compute_odds(torch.from_numpy(measure_shares(column.lay_out())), rows)
        parts.append(CategoryPart(number, column, start, codes, places, odds))
        start += len(codes)
    return parts


def lay_out_numbers(columns: Sequence[tuple[int, NumberColumn]], mixtures: Sequence[ModeMixture], start: int) -> NumberParts:
    """The columns of numbers, from `start` in x on."""
    width, ends = max(len(mixture.means) for mixture in mixtures), list[tuple[np.ndarray, np.ndarray]]()
    tables = np.zeros((3, len(mixtures), width))
    tables[1], tables[2] = 1.0, -np.inf
    for k, ((_, column), mixture) in enumerate(zip(columns, mixtures, strict=True)):
        low, high = list_ends(column)
        centre, scale = measure_scale(mixture)
        ends.append(((low - centre) / scale, (high - low) / scale))
        count = len(mixture.means)
        tables[0, k, :count] = (np.array(mixture.means) - centre) / scale
        tables[1, k, :count] = np.array(mixture.sigmas) / scale
        tables[2, k, :count] = np.log(mixture.weights)
    sizes = [len(mixture.means) + column.has_missing for (_, column), mixture in zip(columns, mixtures, strict=True)]
    starts = start + np.cumsum([0, *(size + 1 for size in sizes)])
    low, span = (torch.from_numpy(np.concatenate(parts)) for parts in zip(*ends, strict=True))
    means, sigmas, log_weights = (torch.from_numpy(table) for table in tables)
    return NumberParts(
        numbers=torch.tensor([k for k, _ in columns]),
        first_codes=torch.from_numpy(np.cumsum([0, *(len(part) for part, _ in ends)])[:-1].copy()),
        low=low,
        span=span,
        means=means,
        sigmas=sigmas,
        log_weights=log_weights,
        mode_starts=torch.from_numpy(starts[:-1].copy()),
        mode_counts=torch.tensor([len(mixture.means) for mixture in mixtures]),
        alphas=torch.from_numpy(starts[1:] - 1),
    )


def write_numbers(parts: NumberParts, x: Tensor, codes: Tensor, chances: Tensor | None) -> None:
    """Write modes and alphas of rows with codes int64 [N, C] into x [N, W]; `chances` are two numbers in (0, 1) a column."""
    layout = NumberParts(*(t.to(codes.device) for t in parts))
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


def list_category_texts(category: CategoryPart) -> tuple[str, ...]:
    """The categories of a column as texts, in the order of their places."""
    count = len(category.codes)
    values = category.column.decode(category.codes, np.full(count, 0.5), np.arange(count))
    return tuple(MISSING_NAME if text is None else text for text in values.cast(import_arrow().string()).to_pylist())
