"""Lines of a text file, and what is said of files that hold none."""

from pathlib import Path

import pytest

from ganvas.core import Source
from ganvas.data import Lines
from ganvas.data.lines import is_text_path
from ganvas.errors import GanvasError
from ganvas.training.tasks import choose_recipe


def write(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    return str(path)


def test_each_line_is_a_sample(tmp_path: Path) -> None:
    source = Lines(path=write(tmp_path / "words.txt", b"\xef\xbb\xbfoak\r\n\n  beech \r\n" + "bu\u0308che".encode()))
    items = source.items(())
    assert isinstance(source, Source)
    assert [items[k].decode() for k in range(len(items))] == ["oak", "beech", "büche"]
    assert items.names[2] == "words.txt line 3"
    assert items.title == "words.txt (3 lines)"
    assert items.notes == ("1 empty lines are left out",)
    assert source.held_out(()) is None


def test_another_file_is_held_out_and_a_limit_is_the_same_each_time(tmp_path: Path) -> None:
    train, test = write(tmp_path / "a.txt", b"a\nb\nc\nd\n"), write(tmp_path / "b.txt", b"e\nf\n")
    held_out = Lines(path=train, test=test).held_out(())
    assert held_out is not None
    assert [held_out[k] for k in range(len(held_out))] == [b"e", b"f"]
    few, again = (Lines(path=train, limit=2).items(()) for _ in range(2))
    assert len(few) == 2
    assert [few[0], few[1]] == [again[0], again[1]]


def test_a_change_changes_the_fingerprint(tmp_path: Path) -> None:
    before = Lines(path=write(tmp_path / "a.txt", b"oak\nelm\n")).items(()).fingerprint
    assert Lines(path=write(tmp_path / "a.txt", b"oak\nash\n")).items(()).fingerprint != before


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "holds no line of text: give one sample a line, at least 2"),
        (b"\n \n", "holds no line"),
        (b"oak\n", "holds 1 line"),
        (b"oak\nb\xfcche\n", "line 2 is no UTF-8: save it as UTF-8"),
        (b"oak\n\0\0\n", "zero bytes, so it is no text"),
    ],
)
def test_what_is_no_list_of_texts_is_refused(data: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(GanvasError, match=reason):
        Lines(path=write(tmp_path / "words.txt", data)).items(())


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GanvasError, match="does not exist: give a text file"):
        Lines(path=str(tmp_path / "none.txt")).items(())
    with pytest.raises(GanvasError, match="is a folder: give a text file"):
        Lines(path=str(tmp_path)).items(())


def test_a_text_file_without_a_recipe_is_letters(tmp_path: Path) -> None:
    path = write(tmp_path / "words.txt", b"oak\nelm\n")
    recipe, sentence = choose_recipe(path)
    assert (recipe.name, recipe.data, sentence) == ("letters", Lines(path=path), "")
    assert not is_text_path(str(tmp_path))
