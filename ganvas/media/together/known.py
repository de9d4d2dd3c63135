"""The condition of samples whose parts are partly known: the others are generated to fit them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from ...core import Codec, Spec
from ...errors import GanvasError
from ..table import TableCodec
from ..table.columns import CategoryColumn
from ..table.where import WISH_SEPARATOR, parse_wishes

KNOWN = "known"  # the condition's name


class PartsCodec(Protocol):
    """What the condition asks of the codec of samples in parts."""

    @property
    def spec(self) -> Spec: ...
    @property
    def table(self) -> TableCodec | None: ...
    @property
    def column_names(self) -> Sequence[str]: ...  # of all columns, in the order of x
    @property
    def places(self) -> dict[str, slice]: ...  # where in x each part lies: image, table
    @property
    def whole_parts(self) -> dict[str, Codec]: ...  # the codecs of parts that are one column each


@dataclass(frozen=True)
class KnownParts:
    """The known parts of a sample, float32 [2, F]: of x, and 1 where they are known. Nothing is known by default.

    It follows from the codec, so it is not saved by itself.
    """

    codec: PartsCodec

    @property
    def kind(self) -> str:
        return KNOWN

    @property
    def size(self) -> int:
        return len(self.parts)

    @property
    def names(self) -> tuple[str, ...]:
        return self.parts

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.codec.column_names)

    def parse(self, text: str) -> Tensor:
        """Requests, one a line ("class=dress", "image=photo.png") -> float32 [2·F + K].

        They are the known parts, their marks, and which of the K codes of the table's columns are allowed.

        Raises:
            GanvasError: a request that names no column or no value, or a file that cannot be read.
        """
        known, wishes = torch.zeros(2, self.codec.spec.shape[0]), list[str]()
        for line in text.split(WISH_SEPARATOR):
            name, _, value = line.partition("=")
            if name.strip() in self.codec.whole_parts:
                known[:, self.codec.places[name.strip()]] = self._read_part(name.strip(), value.strip())
            else:
                wishes.append(line)
        return torch.cat([known.flatten(), self._parse_codes(wishes).float()])

    def _read_part(self, name: str, value: str) -> Tensor:
        """A picture's file, or a sentence, as numbers of x and their marks, [2, size]."""
        codec = self.codec.whole_parts[name]
        try:
            item = Path(value).expanduser().read_bytes() if codec.medium == "image" else value.encode()
        except OSError as error:
            raise GanvasError(f"{value!r} cannot be read ({error.strerror}): give the path of a picture") from None
        try:
            stored = torch.from_numpy(codec.encode(item).copy())[None]
        except GanvasError as error:
            raise GanvasError(f"{value} {error}") from None
        x = codec.load(stored, None).flatten()
        return torch.stack([x, torch.ones_like(x)])

    def _parse_codes(self, wishes: list[str]) -> Tensor:
        """Which codes wishes for columns of the table allow, of all columns one after the other: bool [K]."""
        table = self.codec.table
        if table is None:
            if wishes:
                raise GanvasError(f"{wishes[0]!r} names no part: take {', '.join(self.parts)}")
            return torch.ones(0, dtype=torch.bool)
        allowed = torch.ones(sum(table.code_counts), dtype=torch.bool)
        parts = allowed.split(list(table.code_counts))
        lines = [name_category(table, line) for line in wishes]
        for wish in parse_wishes(table.columns, WISH_SEPARATOR.join(lines)) if lines else ():
            parts[wish.column].copy_(torch.from_numpy(wish.allowed))
        return allowed

    def draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        return torch.zeros(n, 2, self.codec.spec.shape[0])

    def draw_within(self, request: Tensor, n: int, generator: torch.Generator | None) -> Tensor:
        """Known parts [n, 2, F] that fulfil a parsed request; codes at their shares in the data."""
        width, table = self.codec.spec.shape[0], self.codec.table
        known = request[: 2 * width].view(1, 2, width).repeat(n, 1, 1)
        if table is None:
            return known
        codes = torch.zeros(n, len(table.columns), dtype=torch.int64)
        is_known = torch.zeros(n, len(table.columns), dtype=torch.bool)
        weights, counts = torch.from_numpy(table.code_weights), list(table.code_counts)
        allowed_codes = request[2 * width :] > 0
        for k, (allowed, shares) in enumerate(zip(allowed_codes.split(counts), weights.split(counts), strict=True)):
            if not allowed.all():
                codes[:, k] = torch.multinomial(shares * allowed, n, replacement=True, generator=generator)
                is_known[:, k] = True
        known[:, :, self.codec.places["table"]] = table.load_cells(codes, is_known, generator)
        return known

    def describe(self) -> str:
        return f"what is known of {', '.join(self.parts)}"


def name_category(table: TableCodec, wish: str) -> str:
    """A wish with a class's number replaced by its name: "class=3" as "class=dress". Others stay as they are."""
    name, _, value = wish.partition("=")
    column = next((column for column in table.columns if column.name == name.strip()), None)
    if not isinstance(column, CategoryColumn) or not value.strip().isdecimal():
        return wish
    has_numbers = any(known.isdecimal() for known in column.values)
    return wish if has_numbers or int(value) >= len(column.values) else f"{name}={column.values[int(value)]}"
