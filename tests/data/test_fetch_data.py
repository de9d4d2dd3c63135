"""What scripts/fetch_data.py makes of the packages it has fetched."""

import importlib.util
import io
from pathlib import Path

import pytest
from PIL import Image as Pillow

SCRIPT = Path(__file__).parents[2] / "scripts" / "fetch_data.py"
SPEC = importlib.util.spec_from_file_location("fetch_data", SCRIPT)
assert SPEC is not None
assert SPEC.loader is not None
fetch_data = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fetch_data)


def record(path: str, side: int) -> bytes:
    data = io.BytesIO()
    Pillow.new("P", (side, side)).save(data, "PNG")
    return f"IMAGE {len(data.getvalue())} {path}\n".encode() + data.getvalue()


def test_sprites_of_one_size_go_into_folders_by_kind(tmp_path, capsys):
    records = [record("./arch/monster/giant/Bk.x11", 32), record("./arch/wall/w.111", 64), record("./arch/wall/w.112", 32)]
    (tmp_path / "base").write_bytes(b"".join(records))
    for _ in range(2):  # the second time they are there
        fetch_data.unpack(tmp_path / "out", tmp_path / "base", fetch_data.sprites)
    found = sorted(p for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert [str(p.relative_to(tmp_path / "out")) for p in found] == ["monster/giant-Bk.x11.png", "wall/w.112.png"]
    assert all(records[2 * i].endswith(p.read_bytes()) for i, p in enumerate(found))
    assert "1 sprites of other sizes" in capsys.readouterr().out


def test_words_are_those_of_lower_case_letters(tmp_path, capsys):
    (tmp_path / "dictionary").write_text("A\nABC's\noak\noak's\néclair\nelm\n", encoding="utf-8")
    fetch_data.write_words(tmp_path / "dictionary", tmp_path / "words.txt")
    assert (tmp_path / "words.txt").read_text() == "oak\nelm\n"
    fetch_data.write_words(tmp_path / "none", tmp_path / "no.txt")
    assert "no.txt is left out" in capsys.readouterr().out


def test_emoji_are_drawn_with_their_transparency():
    pytest.importorskip("resvg_py")
    square = '{"icons": {"a": {"body": "<rect width=\'64\' height=\'128\' fill=\'#f00\'/>"}}, "width": 128, "height": 128}'
    ((name, png),) = fetch_data.emoji(square.encode())
    picture = Pillow.open(io.BytesIO(png))
    assert (name, picture.mode, picture.size) == ("a.png", "RGBA", (64, 64))
    assert picture.getpixel((10, 10)) == (255, 0, 0, 255)
    assert picture.getpixel((50, 10)) == (0, 0, 0, 0)
