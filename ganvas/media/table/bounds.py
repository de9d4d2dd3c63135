"""Public categories and bounds in a TOML file that people write: one section for each column.

[income]
categories = ["<=50K", ">50K"]

[age]
lowest = 0
highest = 120
bins = 32

Every other category becomes "other", and numbers beyond the bounds count at the bounds.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ...core import ColumnSurvey
from ...errors import GanvasError, require
from ...system.files import write_atomically
from .columns import BinColumn, CategoryColumn, ColumnCodec, ConstantColumn, KeyColumn, list_equal_edges
from .public import PublicTable

DEFAULT_BINS = 32
EPOCH_DAY, DAY_SECONDS = date(1970, 1, 1), 86_400
OPEN_SIGN = "?"  # in a template, where something has to be filled in
SETTINGS = {"kind", "categories", "missing", "lowest", "highest", "bins", "decimals", "edges"}
TEMPLATE_HEAD = """\
# Public categories and bounds of {title}, for private runs.
# Fill in what anybody may know: from a questionnaire, a law, common sense. Never look it up in the data.
#
# categories: all values that people may hold; every other value becomes "other".
# lowest, highest: numbers beyond them count at the bounds. Dates: 2024-12-31.
# bins: numbers are learnt to the width of a bin. Fewer bins are more accurate under noise.
# decimals: of all numbers. edges = [0, 1, 1000, 100000] in place of lowest, highest and bins: bins of your own;
#   each begins at its edge, and the last edge is beyond the highest number. A value that many hold, as 0, deserves a bin.
# missing = true: cells may be empty.
# kind = "text": the column is not learnt and stays empty. kind = "key": rows are counted.
"""


def read_bounds(path: str | Path) -> PublicTable:
    """The medium that a file of bounds describes.

    Raises:
        GanvasError: no such file, no TOML, or a section that describes no column.
    """
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise GanvasError(f"{path} cannot be read ({error.strerror}): give a file of bounds") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GanvasError(f"{path} is no TOML file ({error}): correct it there") from error
    target = data.pop("target") if isinstance(data.get("target"), str) else ""  # a column may have this name
    columns: list[ColumnCodec] = []
    for name, section in data.items():
        try:
            columns.append(build_public_column(name, section))
        except GanvasError as error:
            raise GanvasError(f"{path}: column {name!r}: {error}") from error
    return PublicTable(columns=tuple(columns), target=target)


def build_public_column(name: str, section: Any) -> ColumnCodec:
    """The codec of one column, from its section. Raises GanvasError if it is none or not filled in."""
    if not isinstance(section, Mapping):
        raise GanvasError(f'this is no section: write ["{name}"], and its settings below')
    for setting, value in section.items():
        if setting not in SETTINGS:
            raise GanvasError(f"there is no setting {setting!r}: take one of {', '.join(sorted(SETTINGS))}")
        if value in (OPEN_SIGN, [OPEN_SIGN]):
            raise GanvasError(f"{setting} is still open: fill in what is publicly known, not what the data says")
    kind = section.get("kind", "")
    if kind == "text":
        return ConstantColumn(name=name, type="string")
    if kind == "key":
        return KeyColumn(name=name, type="int64")
    has_missing = bool(section.get("missing", False))
    if "categories" in section:
        return _build_category_column(name, section["categories"], has_missing)
    return _build_bin_column(name, section, has_missing)


def _build_category_column(name: str, categories: Any, has_missing: bool) -> CategoryColumn:
    if not isinstance(categories, list) or not categories:
        raise GanvasError('categories is an empty list or none: name them all, as in ["yes", "no"]')
    values: list[Any] = list(categories)  # pyright: ignore[reportUnknownArgumentType]
    kinds = {type(value) for value in values}
    if len(kinds) > 1 or not kinds <= {str, int, bool}:
        raise GanvasError("categories must all be texts, all whole numbers, or true and false")
    kind = kinds.pop()
    texts = tuple(str(value).lower() if kind is bool else str(value) for value in values)
    if len(set(texts)) < len(texts):
        raise GanvasError("categories holds a value twice: name each once")
    column_type = {str: "string", int: "int64", bool: "bool"}[kind]
    codes = len(texts) + 1 + has_missing
    shares = (0.0,) * codes  # nothing is known of the data
    return CategoryColumn(name=name, type=column_type, values=texts, shares=shares, has_rest=True, has_missing=has_missing)


def _build_bin_column(name: str, section: Mapping[str, Any], has_missing: bool) -> BinColumn:
    given = section.get("edges") or [section.get("lowest"), section.get("highest")]
    if not isinstance(given, list) or any(value is None for value in given):  # pyright: ignore[reportUnknownVariableType]
        raise GanvasError('give categories, or lowest and highest, or edges, or kind = "text" to leave it out')
    values: list[Any] = list(given)  # pyright: ignore[reportUnknownArgumentType]
    bins, decimals = section.get("bins", DEFAULT_BINS), section.get("decimals", 0)
    for setting, value in (("bins", bins), ("decimals", decimals)):
        require(type(value) is int, setting, value, "a whole number")
    numbers, column_type = _count_values(values)
    if not column_type:
        column_type = "double" if decimals else "int64"
    edges = tuple(numbers) if "edges" in section else list_equal_edges(numbers[0], numbers[1], bins, decimals)
    return BinColumn(name=name, type=column_type, edges=edges, decimals=decimals, has_missing=has_missing)


def _count_values(values: Sequence[Any]) -> tuple[list[float], str]:
    """(Numbers, or days or seconds since 1970; the type of dates, "" of numbers)."""
    if all(type(value) in (int, float) for value in values):
        return [float(value) for value in values], ""
    if all(type(value) is date for value in values):
        return [float((value - EPOCH_DAY).days) for value in values], "date32[day]"
    if all(type(value) is datetime and value.tzinfo is None for value in values):
        return [(value - datetime.combine(EPOCH_DAY, datetime.min.time())).total_seconds() for value in values], "timestamp[s]"
    raise GanvasError("bounds must all be numbers, all dates (2024-12-31), or all times (2024-12-31T18:00:00)")


def write_bounds_template(path: str | Path, surveys: Sequence[ColumnSurvey], title: str) -> None:
    """A file of bounds to fill in: the columns' names and kinds, and no value from the data."""
    sections = [f"\n[{json.dumps(survey.name, ensure_ascii=False)}]\n{_suggest_settings(survey)}" for survey in surveys]
    text = TEMPLATE_HEAD.format(title=title.partition(" (")[0]) + "".join(sections)
    write_atomically(Path(path), lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _suggest_settings(survey: ColumnSurvey) -> str:
    match survey.kind:
        case "category" | "constant":
            return f'categories = ["{OPEN_SIGN}"]\nmissing = false\n'
        case "number" | "integer" | "date":
            bounds = f'lowest = "{OPEN_SIGN}"\nhighest = "{OPEN_SIGN}"\nbins = {DEFAULT_BINS}\nmissing = false\n'
            return bounds + (f'decimals = "{OPEN_SIGN}"\n' if survey.kind == "number" else "")
        case "key" | "text":
            return f'kind = "{survey.kind}"\n'
