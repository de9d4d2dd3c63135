"""Rules as a TOML file, which people write and read: one table for each rule."""

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from ....errors import GanvasError, SettingError
from ....system.files import explain_os_errors
from .at_most import AtMost
from .bounds import Bounds
from .decimals import Decimals
from .dependence import Dependence
from .fixed_combinations import FixedCombinations
from .missing_together import MissingTogether
from .rule import Rule
from .total import Total
from .unique import Unique


class RuleWord(NamedTuple):
    """What a rule is called in a file, and what it says there."""

    rule: type[Any]
    needed: Mapping[str, str]  # its settings, and what each one is: see READERS
    optional: Mapping[str, str] = {}


WORDS: Mapping[str, RuleWord] = {
    "at_most": RuleWord(AtMost, {"lows": "columns", "high": "column"}),
    "in_order": RuleWord(AtMost, {"columns": "columns"}),
    "total": RuleWord(Total, {"total": "column", "parts": "columns"}, {"operation": "word"}),
    "dependence": RuleWord(Dependence, {"parents": "columns", "child": "column"}),
    "fixed_combinations": RuleWord(FixedCombinations, {"columns": "columns"}),
    "missing_together": RuleWord(MissingTogether, {"columns": "columns"}),
    "bounds": RuleWord(Bounds, {"column": "column"}, {"lowest": "bound", "highest": "bound"}),
    "decimals": RuleWord(Decimals, {"column": "column"}, {"decimals": "count"}),
    "unique": RuleWord(Unique, {"column": "column"}),
}


def read_rules(path: str | Path, names: Sequence[str] | None = None) -> tuple[Rule, ...]:
    """The rules of a TOML file. `names`: the table's columns, if they are known.

    Raises:
        GanvasError: a file that is no TOML, an unknown word or column, or a setting that is missing or of a wrong type.
    """
    path = Path(path).expanduser()
    with explain_os_errors("reading", path):
        data = path.read_bytes()
    try:
        return parse_rules(tomllib.loads(data.decode("utf-8")), str(path), names)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GanvasError(f"{path} is no TOML file ({error}): correct it there") from error


def parse_rules(tables: Mapping[str, Any], title: str, names: Sequence[str] | None = None) -> tuple[Rule, ...]:
    """The rules of a TOML file's tables. `title` names the file in messages."""
    rules = list[Rule]()
    for word, entries in tables.items():
        if word not in WORDS:
            raise GanvasError(f"{title}: there is no rule {word!r}{_suggest(word, WORDS)}")
        entries = entries if isinstance(entries, list) else [entries]
        for number, entry in enumerate(entries, 1):
            rules += _parse_entry(word, entry, f"{title}: [[{word}]]{f' number {number}' if len(entries) > 1 else ''}", names)
    return tuple(rules)


def _parse_entry(word: str, entry: Any, place: str, names: Sequence[str] | None) -> list[Rule]:
    rule, needed, optional = WORDS[word]
    if not isinstance(entry, dict):
        raise GanvasError(f"{place} is {entry!r}: write a table with {', '.join(needed)}")
    for key in entry:
        if key not in {**needed, **optional}:
            raise GanvasError(f"{place} has no setting {key!r}{_suggest(key, [*needed, *optional])}")
    for key in needed:
        if key not in entry:
            raise GanvasError(f"{place} lacks {key}: add it")
    kinds = {**needed, **optional}
    settings = {key: _read_setting(value, kinds[key], f"{place}: {key}", names) for key, value in entry.items()}
    try:
        if word != "in_order":
            return [rule(**settings)]
        columns = settings["columns"]
        if len(columns) < 2:
            raise GanvasError(f"{place}: columns must be two or more, got {len(columns)}: name the columns in their order")
        return [AtMost(lows=(low,), high=high) for low, high in pairwise(columns)]
    except SettingError as error:
        raise GanvasError(f"{place}: {error}") from error


def _read_setting(value: Any, kind: str, place: str, names: Sequence[str] | None) -> Any:
    """A setting's value from what the file says. Raises GanvasError for another type, or an unknown column."""
    noun, read = READERS[kind]
    setting = read(value)
    if setting is None:
        raise GanvasError(f"{place} must be {noun}, got {value!r}")
    for name in (setting if kind == "columns" else [setting] if kind == "column" else []) if names is not None else []:
        if name not in (names or []):
            raise GanvasError(f"{place}: there is no column {name!r}{_suggest(name, names or [])}")
    return setting


def _read_text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _read_texts(value: Any) -> tuple[str, ...] | None:
    texts = [value] if isinstance(value, str) else value
    return tuple(texts) if isinstance(texts, list) and texts and all(map(_read_text, texts)) else None


def _read_count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _read_bound(value: Any) -> float | str | None:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")
    return float(value) if is_number else _read_text(value)


READERS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {  # what a setting has to be, and what reads it or gives None
    "column": ("the name of a column, in quotes", _read_text),
    "columns": ('names of columns: ["a", "b"]', _read_texts),
    "count": ("a whole number", _read_count),
    "word": ("a word in quotes", _read_text),
    "bound": ("a number or a date", _read_bound),
}


def _suggest(word: str, known: Iterable[str]) -> str:
    words = list(known)
    near = get_close_matches(word, words, 1)
    return f": did you mean {near[0]!r}?" if near else f"; there are {', '.join(words[:12])}"


def write_rules_toml(rules: Iterable[Rule]) -> str:
    """The text of a TOML file that `read_rules` reads back. A comment says each rule in words."""
    parts = [_write_rule(rule) for rule in rules]
    return "\n".join(["# Rules that all rows keep. Delete those that hold by chance only.", "", *parts])


def _write_rule(rule: Rule) -> str:
    word = next(word for word, entry in WORDS.items() if entry.rule is type(rule))
    settings = {key: getattr(rule, key) for key in {**WORDS[word].needed, **WORDS[word].optional}}
    lines = [f"{key} = {_write_value(value)}" for key, value in settings.items() if value is not None]
    return "\n".join([f"[[{word}]]  # {_clean_comment(rule.describe())}", *lines, ""])


def _write_value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_write_value, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") if isinstance(value, str) else repr(value)


def _clean_comment(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
