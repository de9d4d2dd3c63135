"""Names come to one form: from archives of other systems, from folders, and in tables of labels."""

import unicodedata
import zipfile
from pathlib import Path

import pytest
from PIL import Image as Pillow

from ganvas.data import Files
from ganvas.data.items import ItemList
from ganvas.data.names import is_hidden, normalise_name

TAKEN_APART = unicodedata.normalize("NFD", "café")


def png(tmp_path: Path, level: int) -> bytes:
    Pillow.new("L", (8, 8), level).save(tmp_path / "one.png")
    return (tmp_path / "one.png").read_bytes()


def zipped(tmp_path: Path, *names: str, table: str | None = None) -> ItemList:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for i, name in enumerate(names):
            file.writestr(name, b"" if name.endswith(("\\", "/")) else png(tmp_path, i))
        if table is not None:
            file.writestr("labels.csv", table)
    return Files(path=str(tmp_path / "a.zip")).items((".png",))


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("set\\cat\\1.png", "set/cat/1.png"),
        ("./a/./b//c.png", "a/b/c.png"),
        ("a/...b/.c", "a/...b/.c"),
        ("../../etc/1.png", "../../etc/1.png"),
        ("/root/2.png", "/root/2.png"),
        (TAKEN_APART, "café"),
    ],
)
def test_one_form(name, wanted):
    assert normalise_name(name) == wanted
    assert normalise_name(wanted) == wanted


def test_zips_with_backslashes_keep_their_folders_and_shadows_stay_out(tmp_path):
    names = [
        "set\\",
        "set\\dog\\1.png",
        "set\\cat\\1.png",
        "set\\cat\\2.png",
        "__MACOSX\\set\\cat\\._1.png",
        "set\\.git\\3.png",
    ]
    found = zipped(tmp_path, *names)
    assert found.names == ["set/cat/1.png", "set/cat/2.png", "set/dog/1.png"]
    assert [found.classes[k] for k in found.labels] == ["cat", "cat", "dog"]
    assert [found[i] for i in range(3)] == [png(tmp_path, level) for level in (2, 3, 1)]


@pytest.mark.parametrize("name", ["x\\1.png", "./x/1.png", "x//1.png"])
def test_a_table_finds_files_however_they_are_named(tmp_path, name):
    found = zipped(tmp_path, name, "y/2.png", table="x/1.png,cat\ny\\2.png,dog\n")
    assert found.names == ["x/1.png", "y/2.png"]
    assert [found.classes[k] for k in found.labels] == ["cat", "dog"]


def test_letters_that_macos_takes_apart_are_one_class(tmp_path):
    found = zipped(tmp_path, f"{TAKEN_APART}/1.png", "café/2.png", "thé/3.png")
    assert found.classes == ("café", "thé")
    (tmp_path / "test" / TAKEN_APART).mkdir(parents=True)
    (tmp_path / "test" / "thé").mkdir()
    for at in (TAKEN_APART, "thé"):
        (tmp_path / "test" / at / "1.png").write_bytes(png(tmp_path, 9))
    held_out = Files(path=str(tmp_path / "a.zip"), test=str(tmp_path / "test")).held_out((".png",))
    assert held_out.labels.tolist() == [0, 1]
    assert held_out[0] == png(tmp_path, 9)


def test_names_in_utf8_that_do_not_say_so_are_read_as_that(tmp_path):
    zipped(tmp_path, "café/1.png", "thé/2.png")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    for head, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = data.find(head)
        while start >= 0:
            data[start + at + 1] &= ~8  # the flag 0x800
            start = data.find(head, start + 1)
    (tmp_path / "a.zip").write_bytes(data)
    assert zipfile.ZipFile(tmp_path / "a.zip").namelist()[0] != "café/1.png"
    found = Files(path=str(tmp_path / "a.zip")).items((".png",))
    assert found.classes == ("café", "thé")
    assert found[0] == png(tmp_path, 0)


def test_a_folder_unpacked_with_backslashes_in_its_names(tmp_path):
    (tmp_path / "a").mkdir()
    for i, name in enumerate(("set\\cat\\1.png", "set\\dog\\1.png")):
        (tmp_path / "a" / name).write_bytes(png(tmp_path, i))
    found = Files(path=str(tmp_path / "a")).items((".png",))
    assert found.classes == ("cat", "dog")
    assert [found[0], found[1]] == [png(tmp_path, 0), png(tmp_path, 1)]


def test_what_is_hidden():
    assert all(map(is_hidden, (".git/a", "a/.b", "__MACOSX/a", "a/@eaDir/b.jpg", "$RECYCLE.BIN/c.png")))
    assert not any(map(is_hidden, ("a/b", "../a", "./a", "a.b")))
