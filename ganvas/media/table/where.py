"""What people ask of rows: "income = >50K", "age = 30..40", "state = TX | CA"; read as codes of the columns."""

import difflib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...errors import GanvasError
from ...system.arrow import import_arrow, parse_arrow_type
from .columns import CategoryColumn, ColumnCodec, DateColumn, NumberColumn
from .columns.date import count_time

RANGE_SIGN, CHOICE_SIGN, MISSING_WORD = "..", "|", "missing"
WISH_SEPARATOR = "\n"
SHOWN_VALUES = 6


class Wish(NamedTuple):
    """What a column may hold."""

    column: int
    allowed: np.ndarray  # bool [K], of the column's codes
    limits: tuple[float, float] | None = None  # of a number: what is decoded lies between them


def parse_wishes(columns: Sequence[ColumnCodec], text: str) -> list[Wish]:
    """Wishes, one a line; those for the same column hold together.

    Raises:
        GanvasError: one that `parse_wish` refuses, or two that no row can fulfil together.
    """
    wishes: dict[int, Wish] = {}
    for line in text.split(WISH_SEPARATOR):
        wish = parse_wish(columns, line)
        wishes[wish.column] = _join_wishes(wishes[wish.column], wish, columns) if wish.column in wishes else wish
    return list(wishes.values())


def _join_wishes(first: Wish, second: Wish, columns: Sequence[ColumnCodec]) -> Wish:
    limits = second.limits or first.limits
    if first.limits and second.limits:
        limits = max(first.limits[0], second.limits[0]), min(first.limits[1], second.limits[1])
    allowed = first.allowed & second.allowed
    if not allowed.any() or (limits and limits[0] > limits[1]):
        raise GanvasError(f"no row can fulfil both conditions on {columns[first.column].name}: leave one out")
    return Wish(first.column, allowed, limits)


def parse_wish(columns: Sequence[ColumnCodec], text: str) -> Wish:
    """ "NAME=VALUE", "NAME=LOW..HIGH" (either may be missing), "NAME=A|B" or "NAME=missing".

    Raises:
        GanvasError: no such column, a column that is not learnt, or a value that no row of the training data holds.
    """
    names = [column.name for column in columns]
    name, value = _split_wish(text, names)
    number = names.index(name)
    column = columns[number]
    if not column.fields:
        raise GanvasError(f"{name} is not learnt (it is a key, a constant or free text), so no rows can be asked for by it")
    if isinstance(column, CategoryColumn):
        return Wish(number, _find_categories(column, value))
    if isinstance(column, (NumberColumn, DateColumn)):
        return _parse_number_wish(number, column, value)
    raise GanvasError(f"{name}: no rows can be asked for by a column of this kind")


def _split_wish(text: str, names: list[str]) -> tuple[str, str]:
    """(The column, what it may hold). A name may hold "=" itself: the longest that fits is meant."""
    parts = text.split("=")
    for k in range(len(parts) - 1, 0, -1):
        name, value = "=".join(parts[:k]).strip(), "=".join(parts[k:]).strip()
        for known in (name, *(other for other in names if other.strip() == name)):
            if known in names:
                return known, value
    name = parts[0].strip()
    if len(parts) < 2:
        raise GanvasError(f"{text!r} says no column and value: write it as age=30..40")
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names[:SHOWN_VALUES]
    raise GanvasError(f"the table has no column {name!r}: take {', '.join(near)}")


def _find_categories(column: CategoryColumn, text: str) -> np.ndarray:
    """The codes of a value, or of several with | between them: bool [K]."""
    whole = _find_category(column, text)
    parts = [(part, _find_category(column, part)) for part in text.split(CHOICE_SIGN)] if not whole else [(text, whole)]
    for word, places in parts:
        if not places:
            near = difflib.get_close_matches(word.strip(), column.values, n=3, cutoff=0.4) or column.values[:SHOWN_VALUES]
            examples = ", ".join(repr(value.strip()) for value in near)
            raise GanvasError(f"no row has {column.name} = {word.strip()!r}: take {examples}")
    return np.isin(np.arange(len(column.shares)), [place for _, places in parts for place in places])


def _find_category(column: CategoryColumn, text: str) -> list[int]:
    """The places of a value: as it is, or else without spaces around it, or else in any case; none if there is none."""
    readings: tuple[Callable[[str], str], ...] = (str, str.strip, lambda value: value.strip().casefold())
    for read in readings:
        if places := [k for k, value in enumerate(column.values) if read(value) == read(text)]:
            return places
    return [len(column.shares) - 1] if column.has_missing and text.strip() == MISSING_WORD else []


def _parse_number_wish(number: int, column: NumberColumn | DateColumn, text: str) -> Wish:
    codec = column.number if isinstance(column, DateColumn) else column
    if text == MISSING_WORD:
        if not codec.has_missing:
            raise GanvasError(f"{column.name} is never missing in the training data: leave this condition out")
        return Wish(number, np.arange(codec.code_count) == codec.code_count - 1)
    low_text, sign, high_text = text.partition(RANGE_SIGN)
    low = _parse_number(column, low_text, is_end=False) if low_text.strip() else -np.inf
    high = _parse_number(column, high_text if sign else low_text, is_end=True) if (high_text.strip() or not sign) else np.inf
    if low > high:
        raise GanvasError(f"{column.name} = {text}: the lower end is above the upper one")
    low, high = codec.round_inwards(low, high)
    allowed = codec.find_codes(low, high) & (low <= high)
    if not allowed.any():
        first, last = (_format_number(column, number) for number in codec.round_inwards(*codec.span))
        raise GanvasError(
            f"no row can have {column.name} = {text}: rows have {first} to {last}, and a value that few rows hold may be "
            "merged with its neighbours: take a wider range"
        )
    return Wish(number, allowed, (low, high))


def _parse_number(column: NumberColumn | DateColumn, text: str, is_end: bool) -> float:
    """A number, or a date in the units of its column. A day as the end of a range means all of the day."""
    if isinstance(column, NumberColumn):
        try:
            value = float(text)
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            raise GanvasError(f"{column.name} is a number, got {text!r}: write {column.name}=30 or {column.name}=30..40")
        return value
    return _parse_date(column, text.strip(), is_end)


def _parse_date(column: DateColumn, text: str, is_end: bool) -> float:
    arrow = import_arrow()
    try:
        moment = arrow.array([text]).cast(arrow.timestamp("us"))
    except arrow.ArrowException:
        raise GanvasError(f"{column.name} is a date, got {text!r}: write it as 2024-12-31 or 2024-12-31 18:00") from None
    count = float(count_time(moment, column.resolution)[0].as_py())
    if is_end and len(text) == len("2024-12-31"):
        day = import_arrow("pyarrow.compute").add(moment, arrow.scalar(86_400_000_000 - 1, arrow.duration("us")))
        return float(count_time(day, column.resolution)[0].as_py())
    return count


def _format_number(column: NumberColumn | DateColumn, number: float) -> str:
    if isinstance(column, NumberColumn):
        return f"{number:g}"
    value: Any = column.decode_counts(np.array([number]), parse_arrow_type(column.type))
    return str(value[0].as_py())
