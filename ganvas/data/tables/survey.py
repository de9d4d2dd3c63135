"""What each column of a table is: a category, a number, a date, a key and so on; with a sentence for people."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ...core import ColumnKind, ColumnSurvey
from ...system.arrow import import_arrow
from .plain_types import is_learnable

MAX_CATEGORY_SHARE = 0.5  # of its rows: a column with more different texts is free text or a key
MIN_FREE_TEXTS = 50  # different texts that free text has at least
MAX_KEY_CHARACTERS = 40  # of a key, on average
MIN_KEY_ROWS = 20  # in fewer rows, values are different by chance
ID_NAME = re.compile(r"(^|[_\W])(id|uuid|guid|key|index|nr|number|code)$|[a-z]I[Dd]$|^(unnamed|column_1$)", re.IGNORECASE)
EXACT_INTEGERS = 2**53  # up to here, float64 holds every whole number
NOUNS = {
    "category": ("category", "categories"), "number": ("number", "numbers"), "integer": ("integer", "integers"),
    "date": ("date", "dates"), "key": ("key", "keys"), "constant": ("constant", "constants"),
    "text": ("free text", "free texts"),
}  # fmt: skip


def survey_table(sample: Any, row_count: int, notes: Sequence[Sequence[str]]) -> tuple[ColumnSurvey, ...]:
    """Survey all columns of a sample (pyarrow.Table) of `row_count` rows. `notes` are added to the columns' sentences."""
    is_whole = len(sample) == row_count
    columns = zip(sample.schema, sample.columns, notes, strict=True)
    return tuple(survey_column(f.name, values.combine_chunks(), column_notes, is_whole) for f, values, column_notes in columns)


def survey_column(name: str, values: Any, notes: Sequence[str] = (), is_whole: bool = True) -> ColumnSurvey:
    """Survey one column (pyarrow array)."""
    types, compute = import_arrow("pyarrow.types"), import_arrow("pyarrow.compute")
    if types.is_floating(values.type):
        values = compute.if_else(compute.is_finite(values), values, None)
    present_values = values.drop_null()
    missing_share = (len(values) - len(present_values)) / max(1, len(values))
    if not is_learnable(values.type):
        sentence = _join_sentence(name, f"values of type {values.type}, which are not learnt", missing_share, notes)
        return ColumnSurvey(name, "text", missing_share, 0, sentence)
    distinct_count = compute.count_distinct(present_values).as_py() if len(present_values) else 0
    kind = _choose_kind(name, present_values, len(values), distinct_count)
    count = f"{'' if is_whole else 'at least '}{distinct_count:,}"
    sentence = _join_sentence(name, _describe_values(kind, present_values, count), missing_share, notes)
    return ColumnSurvey(name, kind, missing_share, distinct_count, sentence)


def _choose_kind(name: str, values: Any, row_count: int, distinct_count: int) -> ColumnKind:
    """The kind of a column of `row_count` rows, from the values that are there."""
    types = import_arrow("pyarrow.types")
    if distinct_count == 0 or (distinct_count == 1 and len(values) == row_count):
        return "constant"
    if types.is_boolean(values.type) or distinct_count == 1:
        return "category"
    if types.is_timestamp(values.type) or types.is_date(values.type):
        return "date"
    is_unique = distinct_count == row_count >= MIN_KEY_ROWS
    if types.is_integer(values.type):
        return _choose_integer_kind(name, values, is_unique)
    if types.is_time(values.type) or types.is_duration(values.type):
        return "integer"
    if types.is_floating(values.type) or types.is_decimal(values.type):
        return "integer" if _are_whole(values) else "number"
    return _choose_text_kind(values, is_unique, distinct_count)


def _choose_integer_kind(name: str, values: Any, is_unique: bool) -> ColumnKind:
    """Different whole numbers are a key if they count through, only rise or fall, or have a key's name."""
    compute = import_arrow("pyarrow.compute")
    low, high = (v.as_py() for v in compute.min_max(values).values())
    if max(abs(low), abs(high)) > EXACT_INTEGERS:
        return "key" if is_unique else "text"
    if is_unique:
        steps = compute.pairwise_diff(values.cast("int64")).drop_null()
        is_sorted = compute.all(compute.greater(steps, 0)).as_py() or compute.all(compute.less(steps, 0)).as_py()
        if is_sorted or high - low < 2 * len(values) or ID_NAME.search(name):
            return "key"
    return "integer"


def _are_whole(values: Any) -> bool:
    compute = import_arrow("pyarrow.compute")
    numbers = values.cast("float64")
    is_finite = compute.is_finite(numbers)
    return bool(compute.all(compute.equal(compute.floor(numbers), numbers).filter(is_finite)).as_py())


def _choose_text_kind(values: Any, is_unique: bool, distinct_count: int) -> ColumnKind:
    compute = import_arrow("pyarrow.compute")
    is_mostly_distinct = distinct_count > max(MIN_FREE_TEXTS, MAX_CATEGORY_SHARE * len(values))
    if not (is_mostly_distinct or is_unique):
        return "category"
    has_spaces = compute.any(compute.match_substring(compute.utf8_trim_whitespace(values), " ")).as_py()
    is_short = compute.mean(compute.utf8_length(values)).as_py() <= MAX_KEY_CHARACTERS
    if is_unique and is_short and not has_spaces:
        return "key"
    return "text" if is_mostly_distinct else "category"


def _describe_values(kind: ColumnKind, values: Any, count: str) -> str:
    compute = import_arrow("pyarrow.compute")
    if kind == "constant":
        return f"always {_shorten(values[0].as_py())}" if len(values) else "empty in all rows"
    if kind == "key":
        return "a key: each row has its own. It is not learnt, new ones are counted"
    if kind == "text":
        return f"free text, {count} different ones. It is not learnt, and stays empty"
    if kind == "category":
        pairs = compute.value_counts(values).to_pylist()
        top = Counter({pair["values"]: pair["counts"] for pair in pairs}).most_common(3)
        shares = ", ".join(f"{_shorten(value)} {times / len(values):.0%}" for value, times in top)
        return f"category of {count}: {shares}{', …' if len(pairs) > 3 else ''}"
    low, high = (_shorten(v.as_py()) for v in _find_ends(_lower_precision(values)))
    noun = {"integer": "whole numbers", "number": "numbers", "date": "dates"}[kind]
    return f"{noun} from {low} to {high}, {count} different ones"


def _find_ends(values: Any) -> Any:
    """The smallest and the largest value. pyarrow orders no durations, so their numbers are ordered."""
    types, compute = import_arrow("pyarrow.types"), import_arrow("pyarrow.compute")
    if types.is_duration(values.type):
        return (end.cast(values.type) for end in compute.min_max(values.cast("int64")).values())
    return compute.min_max(values).values()


def _lower_precision(values: Any) -> Any:
    """Times in microseconds: Python has none of nanoseconds."""
    arrow, types = import_arrow(), import_arrow("pyarrow.types")
    if types.is_timestamp(values.type) and values.type.unit == "ns":
        return values.cast(arrow.timestamp("us", values.type.tz), safe=False)
    if types.is_duration(values.type) and values.type.unit == "ns":
        return values.cast(arrow.duration("us"), safe=False)
    return values


def _shorten(value: object) -> str:
    text = repr(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 30 else f"{text[:29]}…"


def _join_sentence(name: str, description: str, missing_share: float, notes: Sequence[str]) -> str:
    missing = (
        f"{missing_share:.1%} missing" if 0.0005 <= missing_share < 1 else "a few missing" if 0 < missing_share < 1 else ""
    )
    return "; ".join(filter(None, (f"{name}: {description}", missing, *notes)))


def summarise_surveys(surveys: Sequence[ColumnSurvey], row_count: int) -> str:
    """ "1,204 rows, 4 columns: 2 categories, 1 number, 1 key" """
    counts = Counter(survey.kind for survey in surveys)
    kinds = ", ".join(f"{counts[kind]} {NOUNS[kind][counts[kind] > 1]}" for kind in NOUNS if counts[kind])
    return f"{row_count:,} rows, {len(surveys)} column{'s' if len(surveys) > 1 else ''}: {kinds}"
