"""A component's error gets the flag in front that the user typed."""

import pytest

from ganvas.commands.parsing import name_typed_flags, parse_settings
from ganvas.commands.train import Arguments
from ganvas.errors import GanvasError, SettingError
from ganvas.recipes import find_recipe


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("--method.penalties.0.gamma -1", "--method.penalties.0.gamma: gamma must be 0 or more, got -1"),
        ("--method.penalties.0.gamma=-1", "--method.penalties.0.gamma: gamma must be 0 or more, got -1"),
        ("--a.gamma 2 --b.gamma -1", "--b.gamma: gamma must be 0 or more, got -1"),
        ("--a.gamma -1 --b.gamma -1", "--a.gamma: gamma must be 0 or more, got -1"),
        ("--a.gamma 2 --b.gamma 3", "gamma must be 0 or more, got -1"),
        ("--a.gammas -1 --gamma.a -1 gamma", "gamma must be 0 or more, got -1"),
        ("", "gamma must be 0 or more, got -1"),
    ],
)
def test_a_wrong_field_gets_the_flag_that_set_it(words: str, shown: str) -> None:
    with pytest.raises(GanvasError) as caught, name_typed_flags(words.split()):
        raise SettingError("gamma must be 0 or more, got -1", "gamma", -1)
    assert str(caught.value) == shown


@pytest.mark.parametrize("flag", ["--nets.g-width", "--nets.g_width"])
def test_fields_with_underscores_are_found(flag: str) -> None:
    with pytest.raises(GanvasError, match=f"^{flag}: g_width must be"), name_typed_flags([flag, "0"]):
        raise SettingError("g_width must be from 1 to 65536, got 0", "g_width", 0)


def test_a_field_of_several_words_is_found_by_its_values() -> None:
    words = ["--optim.G.betas", "0.0", "0.9", "--optim.D.betas", "1.0", "0.9"]
    with pytest.raises(GanvasError, match=r"^--optim\.D\.betas: betas must be in \[0, 1\), got \(1\.0, 0\.9\)$"):
        parse_settings(Arguments, Arguments(recipe=find_recipe("auto")), words, "ganvas train auto")


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(GanvasError, match=r"^gone$") as caught, name_typed_flags(["--gamma", "1"]):
        raise GanvasError("gone")
    assert caught.value.__cause__ is None
