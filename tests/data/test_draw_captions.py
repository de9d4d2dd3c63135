"""What the scripts that draw captioned pictures make of packages: sentences that name attributes, titles, squares."""

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
SVG = """<svg xmlns="http://www.w3.org/2000/svg" {size}><metadata>
<rdf:RDF xmlns:cc="http://web.resource.org/cc/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><cc:Work>
<dc:creator><cc:Agent><dc:title>Somebody</dc:title></cc:Agent></dc:creator>{title}</cc:Work></rdf:RDF></metadata>
<rect x="20" y="40" width="10" height="20" fill="{colour}"/></svg>"""


def load(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    for script in ("fetch_data", "draw_clothes", name):
        monkeypatch.delitem(sys.modules, script, raising=False)
    return importlib.import_module(name)


def drawing(title: str = "", size: str = 'viewBox="0 0 100 100"', colour: str = "#f00") -> str:
    return SVG.format(title=f"<dc:title>{title}</dc:title>" if title else "", size=size, colour=colour)


def test_a_sentence_names_each_attribute_and_always_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    draw_avatars = load("draw_avatars", monkeypatch)
    avatars = list(draw_avatars.list_avatars(300))
    assert avatars == list(draw_avatars.list_avatars(300))
    assert len({avatar.text for avatar in avatars}) > 290
    for avatar in avatars:
        named = [word for word in avatar.words.values() if word != "none"]
        assert all(word in avatar.text for word in named), avatar
        assert (avatar.words["colour"] == "none") == (avatar.words["hair"] == "none") == ("no hair" in avatar.text)
    assert {avatar.words["mouth"] for avatar in avatars} == set(draw_avatars.WORDS["mouth"].values())


def test_titles_of_works_are_read_and_names_of_collections_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_captions = load("draw_captions", monkeypatch)
    (tmp_path / "animals").mkdir()
    files = {"animals/cat_01": "Clipart by A B - black_cat", "dog": " a\n dog ", "none": "", "blank": "x"}
    for name, title in files.items() | {f"theme{k}": "Lemon theme" for k in range(21)}.items():
        (tmp_path / f"{name}.svg").write_text(drawing(title))
    found = {listed.name: listed.text for listed in draw_captions.list_clipart(tmp_path)}
    assert found == {"animals-cat_01": "black cat", "dog": "a dog", "blank": "x"}


def test_a_set_is_written_once_with_captions_beside_what_can_be_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("resvg_py")
    draw_captions = load("draw_captions", monkeypatch)
    texts = {
        "red": drawing(),
        "white": drawing(colour="#fff"),
        "again": drawing("a title"),
        "broken": "<svg",
        "page": drawing(size='width="210mm" height="297mm"'),
    }
    listed = [draw_captions.Drawing(name, f"a {name}", lambda svg=svg: svg, 128) for name, svg in texts.items()]
    for write, place in ((draw_captions.write_text, tmp_path / "a"), (draw_captions.write_line, tmp_path / "b")):
        draw_captions.write_set(place, lambda: listed, write)
        draw_captions.write_set(place, lambda: pytest.fail("it is there"), write)
        assert {file.name for file in place.glob("*.png")} == {"red.png", "page.png"}
    assert (tmp_path / "a" / "red.txt").read_text() == "a red\n"
    rows = [json.loads(line) for line in (tmp_path / "b" / "metadata.jsonl").read_text().splitlines()]
    assert rows == [{"file_name": f"{name}.png", "text": f"a {name}"} for name in ("red", "page")]
    assert "2 pictures with 2 captions; 3 repeat another or could not be drawn" in capsys.readouterr().out


def test_a_drawing_fills_the_square_without_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("resvg_py")
    picture = load("draw_captions", monkeypatch).draw_square(drawing(), 384)
    assert (picture.size, picture.mode) == ((64, 64), "RGB")
    assert picture.getpixel((32, 32)) == (255, 0, 0)
    assert picture.getpixel((32, 3)) == (255, 0, 0)  # twice as high as wide: 60 px by 30 px in the middle
    assert picture.getpixel((12, 32)) == picture.getpixel((32, 0)) == (255, 255, 255)
