"""Which type a column of texts has: whole numbers, numbers, dates or texts. Every row is looked at, block by block."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, NamedTuple

from ...core import DECIMALS_KEY, FORMAT_KEY
from ...system.arrow import import_arrow

MISSING_TEXTS = ("", "NA", "N/A", "#N/A", "null", "Null", "NULL", "nan", "NaN", "NAN")
QUESTION_MARK = "?"  # a missing value where all others are numbers or dates
MAX_IMPOSSIBLE_SHARE = 0.01  # of a column of dates: days that no calendar has
INTEGER_PATTERN = r"^-?(0|[1-9][0-9]{0,17})$"  # 01234 is a code, and so is a longer one
NUMBER_PATTERN = r"^-?((0|[1-9][0-9]{0,17})(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
DAY_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y")
CLOCK_FORMATS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%SZ", "T%H:%M", "T%H:%M:%S", "T%H:%M:%SZ")
TextType = Literal["integer", "number", "date", "text"]


class TextPlan(NamedTuple):
    """How the texts of a column become values."""

    type: TextType
    format: str = ""  # of dates, as strftime says it
    decimals: int = 0  # that each number has; 0: they differ
    notes: tuple[str, ...] = ()  # for people: what is missing, doubtful or mixed

    def explain_texts(self) -> tuple[str, ...]:
        """What to say of a column whose type says that it holds texts, in a table that has types."""
        is_date = self.type == "date"
        return (f"its texts are dates ({self.format}): give them as dates to learn their order",) if is_date else ()

    def list_metadata(self) -> Mapping[bytes, bytes]:
        """How the values are written, for the field of an Arrow schema."""
        date_format = {FORMAT_KEY: self.format.encode()} if self.format else {}
        return date_format | ({DECIMALS_KEY: str(self.decimals).encode()} if self.decimals else {})


@cache
def list_date_patterns() -> Mapping[str, str]:
    """For each format of dates a regular expression. Days, months and hours may lack their leading zero."""
    digits = {"%Y": "[0-9]{4}"}
    formats = [day + clock for day in DAY_FORMATS for clock in CLOCK_FORMATS]
    return {
        f: "^" + re.sub("%[YmdHMS]", lambda m: digits.get(m[0], "[0-9]{1,2}"), f.replace(".", r"\.")) + "$" for f in formats
    }


@dataclass
class TypeGuess:
    """What the texts of one column have been so far."""

    can_be_integer: bool = True
    can_be_number: bool = True
    impossible_counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(list_date_patterns(), 0))
    value_count: int = 0
    number_count: int = 0  # values that are numbers
    question_count: int = 0
    decimals: set[int] = field(default_factory=set[int])

    def add(self, texts: Any) -> None:
        """Look at a block (pyarrow array of strings)."""
        if not (self.can_be_number or self.number_count or self.impossible_counts) and self.value_count:
            return  # texts, whatever comes
        compute = import_arrow("pyarrow.compute")
        values, counts = _count_values(texts)
        is_question = compute.equal(values, QUESTION_MARK)
        self.question_count += compute.sum(counts.filter(is_question)).as_py() or 0
        values, counts = (a.filter(compute.invert(is_question)) for a in (values, counts))
        if len(values):
            self.value_count += compute.sum(counts).as_py()
            self._check_numbers(values, counts)
            self._check_dates(values, counts)

    def _check_numbers(self, values: Any, counts: Any) -> None:
        compute = import_arrow("pyarrow.compute")
        if self.can_be_integer:
            self.can_be_integer = compute.all(compute.match_substring_regex(values, INTEGER_PATTERN)).as_py()
        if self.can_be_integer:
            self.number_count += compute.sum(counts).as_py()
            self.decimals.add(0)
            return
        if self.can_be_number or self.number_count:
            is_number = compute.match_substring_regex(values, NUMBER_PATTERN)
            self.number_count += compute.sum(counts.filter(is_number)).as_py() or 0
            self.can_be_number &= compute.all(is_number).as_py()
        if self.can_be_number and len(self.decimals) < 2:
            self.decimals |= set(_count_decimals(values).to_pylist())

    def _check_dates(self, values: Any, counts: Any) -> None:
        compute, patterns, first_value = import_arrow("pyarrow.compute"), list_date_patterns(), values[0].as_py()
        for date_format in list(self.impossible_counts):
            if (
                not re.match(patterns[date_format], first_value)
                or not compute.all(compute.match_substring_regex(values, patterns[date_format])).as_py()
            ):
                del self.impossible_counts[date_format]
                continue
            impossible_dates = compute.is_null(parse_dates(values, date_format))
            self.impossible_counts[date_format] += compute.sum(counts.filter(impossible_dates)).as_py() or 0

    def choose_plan(self) -> TextPlan:
        """The narrowest type that fits all values."""
        missing = (f'"?" in {self.question_count:,} rows counts as missing',) if self.question_count else ()
        if not self.value_count:
            return TextPlan("text")
        if self.can_be_integer:
            return TextPlan("integer", notes=missing)
        if self.can_be_number:
            return TextPlan("number", decimals=max(0, min(self.decimals)) if len(self.decimals) == 1 else 0, notes=missing)
        date_format = min(self.impossible_counts, key=lambda f: self.impossible_counts[f], default=None)
        if date_format is not None and self.impossible_counts[date_format] <= MAX_IMPOSSIBLE_SHARE * self.value_count:
            return TextPlan("date", date_format, notes=(*missing, *self._explain_dates(date_format)))
        if self.number_count:
            share = self.number_count / self.value_count
            return TextPlan("text", notes=(f"{share:.1%} of its values are numbers and the others texts: all count as texts",))
        return TextPlan("text")

    def _explain_dates(self, date_format: str) -> tuple[str, ...]:
        count = self.impossible_counts[date_format]
        rivals = [f for f, c in self.impossible_counts.items() if c == count and f != date_format]
        impossible = (f"{count:,} dates that no calendar has count as missing",) if count else ()
        return (*impossible, *(f"{rivals[0]} would fit as well as {date_format}" for _ in rivals[:1]))


def _count_values(texts: Any) -> tuple[Any, Any]:
    """The different values without missing ones, trimmed, and how many rows hold each."""
    arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
    pairs = compute.value_counts(texts)
    values, counts = compute.utf8_trim_whitespace(pairs.field("values")), pairs.field("counts")
    is_value = compute.invert(compute.is_in(values, value_set=arrow.array([*MISSING_TEXTS, None], values.type)))
    return values.filter(is_value), counts.filter(is_value)


def _count_decimals(values: Any) -> Any:
    """How many decimals each text has; of a text with an exponent, -1 (pyarrow array)."""
    compute = import_arrow("pyarrow.compute")
    places = compute.find_substring(values, ".")
    decimals = compute.subtract(compute.subtract(compute.utf8_length(values), places), 1)
    decimals = compute.if_else(compute.less(places, 0), 0, decimals)
    return compute.unique(compute.if_else(compute.match_substring(values, "e", ignore_case=True), -1, decimals))


def parse_dates(texts: Any, date_format: str) -> Any:
    """Timestamps in whole seconds (pyarrow array); null for days that no calendar has."""
    compute = import_arrow("pyarrow.compute")
    padded_texts = compute.replace_substring_regex(texts, pattern=r"\b([0-9])\b", replacement=r"0\1")
    times = compute.strptime(padded_texts, format=date_format, unit="s", error_is_null=True)
    is_same = compute.equal(compute.strftime(times, format=date_format), padded_texts)  # strptime takes 2024-02-31 for March 2
    return compute.if_else(compute.fill_null(is_same, False), times, None)


def parse_texts(texts: Any, plan: TextPlan) -> Any:
    """The values of a block (pyarrow array): int64, float64, timestamp[s] or string, and null where missing."""
    arrow, compute = import_arrow(), import_arrow("pyarrow.compute")
    trimmed_texts = compute.utf8_trim_whitespace(texts)
    missing_texts = MISSING_TEXTS if plan.type == "text" else (*MISSING_TEXTS, QUESTION_MARK)
    is_missing = compute.is_in(trimmed_texts, value_set=arrow.array(missing_texts, trimmed_texts.type))
    if plan.type == "text":
        return compute.if_else(is_missing, arrow.scalar(None, texts.type), texts)
    values = compute.if_else(is_missing, arrow.scalar(None, texts.type), trimmed_texts)
    if plan.type == "date":
        return parse_dates(values, plan.format)
    return values.cast(arrow.int64() if plan.type == "integer" else arrow.float64())


def build_text_schema(names: list[str], plans: list[TextPlan]) -> Any:
    """The schema (pyarrow.Schema) of columns that `parse_texts` makes."""
    arrow = import_arrow()
    types = {"integer": arrow.int64(), "number": arrow.float64(), "date": arrow.timestamp("s"), "text": arrow.string()}
    return arrow.schema(
        [arrow.field(name, types[plan.type], metadata=plan.list_metadata()) for name, plan in zip(names, plans, strict=True)]
    )
