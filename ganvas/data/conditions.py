"""Conditions from labels: a class or a vector of numbers."""

import difflib
from collections.abc import Mapping
from math import isfinite

import torch
from torch import Tensor

from ..configuration import config
from ..core import Condition
from ..errors import GanvasError


@config
class ClassCondition:
    """A class. `shares` holds each class's frequency in the data; its length is the number of classes."""

    shares: tuple[float, ...]
    names: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return "class"

    @property
    def size(self) -> int:
        return len(self.shares)

    def parse(self, text: str) -> Tensor:
        """A class's name or number -> int64 []."""
        exact_matches = [k for k, name in enumerate(self.names) if name == text]
        matches = exact_matches or [k for k, name in enumerate(self.names) if name.casefold() == text.casefold()]
        if len(matches) == 1:
            return torch.tensor(matches[0])
        accepts_number = not any(name.isdecimal() for name in self.names)  # a number may be a name
        if accepts_number and text.isdecimal() and int(text) < self.size:
            return torch.tensor(int(text))
        suggestions = difflib.get_close_matches(text, self.names, n=3, cutoff=0.4) or self.names[:5]
        raise GanvasError(f"there is no class {text!r} among {self.size}: try {' or '.join(suggestions) or 0}")

    def draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        return torch.multinomial(torch.tensor(self.shares), n, replacement=True, generator=generator)

    def describe(self) -> str:
        return f"{self.size} classes" + (f": {', '.join(self.names[:5])}{', …' if self.size > 5 else ''}" if self.names else "")


@config
class VectorCondition:
    """A vector of numbers or attributes (0 or 1 each). `examples` are some vectors from the data."""

    examples: tuple[tuple[float, ...], ...]
    names: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return "vector"

    @property
    def size(self) -> int:
        return len(self.examples[0])

    def parse(self, text: str) -> Tensor:
        """Numbers separated by commas -> float32 [K]."""
        try:
            values = [float(value) for value in text.split(",")]
        except ValueError:
            values = []
        if len(values) != self.size or not all(map(isfinite, values)):
            columns = ", ".join(self.names) or f"{self.size} numbers"
            raise GanvasError(f"this run takes {columns}, got {text!r}: give them as {','.join(['0'] * self.size)}")
        return torch.tensor(values)

    def draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        rows = torch.tensor(self.examples)
        return rows[torch.randint(len(rows), (n,), generator=generator)]

    def describe(self) -> str:
        return f"{self.size} numbers" + (f": {', '.join(self.names[:5])}{', …' if self.size > 5 else ''}" if self.names else "")


def is_same_condition(a: Condition, b: Condition) -> bool:
    """Whether two conditions have the same meaning; frequencies of values may differ."""
    return (a.kind, a.size, a.names) == (b.kind, b.size, b.names)


def find_changed_conditions(old: Mapping[str, Condition], new: Mapping[str, Condition]) -> list[str]:
    """Names of conditions in `old` that `new` lacks or gives another meaning."""
    return [name for name, condition in old.items() if name not in new or not is_same_condition(condition, new[name])]
