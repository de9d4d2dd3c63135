"""What `--conditions NAME=VALUE` takes."""

from typing import Any

import pytest

from ganvas.commands import collect_conditions, generate, interpolate
from ganvas.commands.parsing import parse_settings
from ganvas.errors import GanvasError


def test_names_are_those_of_columns() -> None:
    wishes = ("hair colour=red", "cloth-colour=blue", "text=1 = 1")
    assert collect_conditions(None, wishes) == {"hair colour": "red", "cloth-colour": "blue", "text": "1 = 1"}
    assert collect_conditions("bag", (), "a red house") == {"label": "bag", "text": "a red house"}


@pytest.mark.parametrize("wish", ["red", "=red", " =red", ""])
def test_a_wish_without_a_name_is_refused(wish: str) -> None:
    with pytest.raises(GanvasError, match="a condition is NAME=VALUE"):
        collect_conditions(None, (wish,))


@pytest.mark.parametrize("command", [generate, interpolate])
def test_the_flag_once_for_each_keeps_all(command: Any) -> None:
    words = ["--conditions", "hair=afro", "--n=3", "--conditions", "glasses=none"]
    words = words if command is generate else [word for word in words if word != "--n=3"]
    arguments = parse_settings(command.Arguments, command.Arguments(), words, "ganvas")
    assert arguments.sampling_options["conditions"] == {"hair": "afro", "glasses": "none"}


@pytest.mark.parametrize(
    ("label", "text", "wishes"), [(None, None, ("a=1", "a=2")), ("1", None, ("label=2",)), (None, "b", ("text=b",))]
)
def test_a_name_that_comes_twice_is_refused(label: str | None, text: str | None, wishes: tuple[str, ...]) -> None:
    with pytest.raises(GanvasError, match=r"is asked for twice, .*: name each condition once"):
        collect_conditions(label, wishes, text)
