"""rules.toml: what is read and written, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganvas.errors import GanvasError
from ganvas.media import (
    AtMost,
    Bounds,
    Decimals,
    Dependence,
    FixedCombinations,
    MissingTogether,
    Total,
    Unique,
    read_rules,
    write_rules_toml,
)
from ganvas.media.table.rules import Rule

EXAMPLE = """
[[at_most]]
lows = "start"
high = "end"

[[in_order]]
columns = ["ordered", "sent", "arrived"]

[[total]]
total = "price"
parts = ["net", "tax"]

[[total]]
total = "value"
parts = ["count", "price"]
operation = "product"

[[dependence]]
parents = ["city"]
child = "country"

[fixed_combinations]
columns = ["make", "model"]

[[missing_together]]
columns = ["street", "zip"]

[[bounds]]
column = "age"
lowest = 0
highest = 120.5

[[bounds]]
column = "born"
lowest = 1900-01-01
highest = 2024-01-31T12:00:00

[[decimals]]
column = "price"
decimals = 2

[[unique]]
column = "id"
"""
RULES: tuple[Rule, ...] = (
    AtMost(lows=("start",), high="end"),
    AtMost(lows=("ordered",), high="sent"),
    AtMost(lows=("sent",), high="arrived"),
    Total(total="price", parts=("net", "tax")),
    Total(total="value", parts=("count", "price"), operation="product"),
    Dependence(parents=("city",), child="country"),
    FixedCombinations(columns=("make", "model")),
    MissingTogether(columns=("street", "zip")),
    Bounds(column="age", lowest=0.0, highest=120.5),
    Bounds(column="born", lowest="1900-01-01", highest="2024-01-31 12:00:00"),
    Decimals(column="price", decimals=2),
    Unique(column="id"),
)


def read_text(folder: Path, text: str, names: list[str] | None = None) -> tuple[Rule, ...]:
    (folder / "rules.toml").write_text(text, encoding="utf-8")
    return read_rules(folder / "rules.toml", names)


def test_each_rule_is_read(tmp_path: Path) -> None:
    assert read_text(tmp_path, EXAMPLE) == RULES


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    text = write_rules_toml(RULES)
    assert read_text(tmp_path, text) == RULES
    assert "[[at_most]]  # start <= end" in text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), min_size=3, max_size=3, unique=True))
def test_any_names_are_written_and_read_back(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    rules = (AtMost(lows=(names[0], names[1]), high=names[2]), MissingTogether(columns=tuple(names)), Unique(column=names[0]))
    assert read_text(tmp_path_factory.mktemp("rules"), write_rules_toml(rules)) == rules


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[at_mots]]\nlows='a'\nhigh='b'", "there is no rule 'at_mots': did you mean 'at_most'?"),
        ("[[zzz]]", "there is no rule 'zzz'; there are at_most, in_order"),
        ("[[at_most]]\nlows='a'\nhigh='x'", "[[at_most]]: high: there is no column 'x'; there are a, b, price"),
        ("[[at_most]]\nlows=['a', 'pric']\nhigh='b'", "lows: there is no column 'pric': did you mean 'price'?"),
        ("[[at_most]]\nlows='a'", "[[at_most]] lacks high: add it"),
        ("[[at_most]]\nlows='a'\nhigh='b'\nstep=3", "has no setting 'step'"),
        (
            "[[at_most]]\nlows='a'\nhigh='b'\n[[at_most]]\nlows=3\nhigh='b'",
            "[[at_most]] number 2: lows must be names of columns",
        ),
        ("[[at_most]]\nlows='a'\nhigh='a'", "[[at_most]]: high must be another column than lows, got a"),
        ("[[at_most]]\nlows=[]\nhigh='a'", "lows must be names of columns"),
        ("at_most = 3", "[[at_most]] is 3: write a table with lows, high"),
        ("[[total]]\ntotal='a'\nparts=['b']\noperation='mean'", "operation must be sum or product, got mean"),
        ("[[total]]\ntotal='a'\nparts=['a', 'b']", "total must be no part of itself"),
        ("[[decimals]]\ncolumn='a'\ndecimals=1.5", "decimals must be a whole number, got 1.5"),
        ("[[decimals]]\ncolumn='a'\ndecimals=true", "decimals must be a whole number, got True"),
        ("[[bounds]]\ncolumn='a'", "lowest must be a bound, or else highest"),
        ("[[bounds]]\ncolumn='a'\nlowest=[1]", "lowest must be a number or a date, got [1]"),
        ("[[bounds]]\ncolumn='a'\nlowest=inf", "lowest must be a number or a date, got inf"),
        ("[[in_order]]\ncolumns=['a']", "columns must be two or more, got 1"),
        ("[[unique]]\ncolumn=['a']", "column must be the name of a column, in quotes, got ['a']"),
        ("[[unique]\n", "is no TOML file"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(GanvasError) as caught:
        read_text(tmp_path, text, ["a", "b", "price"])
    assert words in str(caught.value)
    assert str(tmp_path / "rules.toml") in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(GanvasError, match="no such file"):
        read_rules(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"# \xe4")
    with pytest.raises(GanvasError, match=r"latin\.toml is no TOML file"):
        read_rules(tmp_path / "latin.toml")


def test_every_rule_has_a_word() -> None:
    from ganvas.media.table import rules as package
    from ganvas.media.table.rules.rules_file import WORDS

    classes: list[Any] = [getattr(package, name) for name in package.__all__]
    assert {cls for cls in classes if hasattr(cls, "mark_broken_rows")} - {Rule} == {entry.rule for entry in WORDS.values()}
