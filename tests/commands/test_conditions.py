"""What `--conditions NAME=VALUE` takes."""

import pytest

from ganvas.commands import collect_conditions
from ganvas.errors import GanvasError


def test_names_are_those_of_columns() -> None:
    wishes = ("hair colour=red", "cloth-colour=blue", "text=1 = 1")
    assert collect_conditions(None, wishes) == {"hair colour": "red", "cloth-colour": "blue", "text": "1 = 1"}
    assert collect_conditions("bag", (), "a red house") == {"label": "bag", "text": "a red house"}


@pytest.mark.parametrize("wish", ["red", "=red", " =red", ""])
def test_a_wish_without_a_name_is_refused(wish: str) -> None:
    with pytest.raises(GanvasError, match="a condition is NAME=VALUE"):
        collect_conditions(None, (wish,))
