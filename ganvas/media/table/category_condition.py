"""The conditional vector of CTGAN: one category of one column that a row has to hold. Xu et al. 2019, section 4.3."""

import difflib
from functools import cached_property

import torch
from torch import Tensor

from ...configuration import config
from ...errors import GanvasError

MISSING_NAME = "missing"


@config
class CategoryCondition:
    """A category of a column, as a number below `size`: first all categories of the first column, then those of the next.

    columns: names of the columns that are categories.
    values: of each column its categories, as texts.
    shares: of each column how many rows hold each of them; they sum to 1.
    """

    columns: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    shares: tuple[tuple[float, ...], ...]

    @property
    def kind(self) -> str:
        return "category"

    @property
    def size(self) -> int:
        return sum(map(len, self.values))

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(f"{name}={value}" for name, values in zip(self.columns, self.values, strict=True) for value in values)

    def parse(self, text: str) -> Tensor:
        """ "education=Bachelors" -> int64 []."""
        column, separator, value = text.partition("=")
        wanted = f"{column.strip()}={value.strip()}"
        stripped_names = [name.replace("= ", "=").strip() for name in self.names]
        if text in self.names:
            return torch.tensor(self.names.index(text))
        if separator and wanted in stripped_names:
            return torch.tensor(stripped_names.index(wanted))
        suggestions = difflib.get_close_matches(text, self.names, n=3, cutoff=0.4) or self.names[:3]
        raise GanvasError(f"no column has the category {text!r}: give COLUMN=VALUE, such as {' or '.join(suggestions)}")

    def draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        """A column, all with equal probability, and one of its categories at the data's frequencies."""
        shares = torch.tensor([share for shares in self.shares for share in shares], dtype=torch.float64)
        return torch.multinomial(shares, n, replacement=True, generator=generator)

    def describe(self) -> str:
        return f"{self.size} categories of {', '.join(self.columns[:5])}{', …' if len(self.columns) > 5 else ''}"


def compute_odds(shares: Tensor, rows: int) -> Tensor:
    """How often training by sampling draws a row for each category of a column, float64 [K], relative to drawing any row.

    A category with n rows is drawn in proportion to log(1 + n), so each of its rows in proportion to log(1 + n) / n.
    """
    counts = (shares * rows).clamp(min=1.0)
    weights = counts.log1p()
    return weights / weights.sum() * rows / counts
