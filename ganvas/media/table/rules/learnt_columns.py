"""The columns that are learnt: those of the table, without those that rules decide, and with those that rules add."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ....core import ColumnKind, ColumnSurvey
from .rule import Rule


class LearntColumn(NamedTuple):
    """A column of the reduced table: what it is, and a sentence for people."""

    name: str
    kind: ColumnKind
    sentence: str


def list_learnt_columns(
    surveys: Sequence[ColumnSurvey], kinds: Mapping[str, ColumnKind], rules: Sequence[Rule], sample: Any
) -> list[LearntColumn]:
    """The columns of a reduced sample (pyarrow.Table), in its order. `kinds` are those that people set."""
    columns = {survey.name: _describe_own_column(survey, kinds.get(survey.name)) for survey in surveys}
    for rule in rules:
        for name, kind in rule.kinds.items():
            columns[name] = _change_kind(columns[name], kind) if name in columns else _describe_new_column(name, kind, rule)
    return [columns[name] for name in (sample.schema.names if rules else [survey.name for survey in surveys])]


def _describe_own_column(survey: ColumnSurvey, kind: ColumnKind | None) -> LearntColumn:
    if kind is None or kind == survey.kind:
        return LearntColumn(survey.name, survey.kind, survey.sentence)
    return LearntColumn(survey.name, kind, f"{survey.sentence}; taken as {kind}, as you asked")


def _change_kind(column: LearntColumn, kind: ColumnKind) -> LearntColumn:
    if column.kind in (kind, "constant"):
        return column
    return column._replace(kind=kind, sentence=f"{column.sentence}; taken as {kind}, for a rule")


def _describe_new_column(name: str, kind: ColumnKind, rule: Rule) -> LearntColumn:
    return LearntColumn(name, kind, f"{name}: learnt in place of {', '.join(rule.decided_columns)}")
