"""Pictures with captions: every format, what is said of them, and what is refused."""

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from PIL import Image as Pillow

from ganvas.data import Captioned, prepare_dataset
from ganvas.data.columns import ColumnsCodec
from ganvas.data.items import ItemList
from ganvas.errors import GanvasError
from ganvas.media import Image, ImageCodec

SUFFIXES = Image().suffixes
NAMES = [f"{k:03d}.png" for k in range(8)]
COLOURS = ["red", "blue"]
CAPTIONS = [f"a {COLOURS[k % 2]} house number {k}" for k in range(8)]


def write_pictures(top: Path, names: Sequence[str] = NAMES) -> Path:
    for k, name in enumerate(names):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        Pillow.new("RGB", (16, 16), (k, 0, 0)).save(top / name)
    return top


def write_files(top: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return top


def pack_zip(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.*")):
            archive.write(file, file.relative_to(folder))
    return path


def read_items(path: Path) -> ItemList:
    return Captioned(path=str(path)).items(SUFFIXES)


def list_captions(items: ItemList) -> list[list[str]]:
    return [json.loads(items[k]["text"].decode()) for k in range(len(items))]


def format_table(rows: Sequence[Sequence[object]], delimiter: str = ",") -> str:
    return "".join(delimiter.join(map(str, row)) + "\n" for row in rows)


PAIRS = list(zip(NAMES, CAPTIONS, strict=True))
JSON_LINES = "".join(json.dumps({"file_name": name, "text": text}) + "\n" for name, text in PAIRS)
FORMATS: Mapping[str, Mapping[str, str | bytes]] = {
    "texts": {name.replace(".png", ".txt"): f"{text}\n" for name, text in PAIRS},
    "texts named after the whole file": {f"{name}.txt": text for name, text in PAIRS},
    "captions.csv": {"captions.csv": format_table([("file_name", "text"), *PAIRS])},
    "other columns": {"captions.csv": format_table([("Caption", "image"), *[(text, name) for name, text in PAIRS]])},
    "no names": {"captions.csv": format_table(PAIRS)},
    "caption.tsv": {"caption.tsv": format_table([("file", "caption"), *PAIRS], "\t")},
    "Flickr8k": {"captions.txt": format_table([("image", "caption"), *PAIRS])},
    "UTF-16": {"captions.csv": format_table([("file_name", "text"), *PAIRS]).encode("utf-16")},
    "metadata.jsonl": {"metadata.jsonl": JSON_LINES},
    "metadata.csv": {"metadata.csv": format_table([("file_name", "caption"), *PAIRS])},
}


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("files", FORMATS.values(), ids=FORMATS)
def test_formats(tmp_path: Path, files: Mapping[str, str | bytes], kind: str) -> None:
    top = write_files(write_pictures(tmp_path / "set"), files)
    items = read_items(top if kind == "folder" else pack_zip(top))
    assert items.names == NAMES
    assert list_captions(items) == [[text] for text in CAPTIONS]
    assert items[3]["x"] == (top / NAMES[3]).read_bytes()
    assert any(note.startswith("8 captions, all distinct, from ") for note in items.notes)


def test_attributes_follow_the_pictures(tmp_path: Path) -> None:
    rows = [(name, text, COLOURS[k % 2], k) for k, (name, text) in enumerate(PAIRS)]
    top = write_files(write_pictures(tmp_path), {"captions.csv": format_table([("file_name", "text", "colour", "id"), *rows])})
    (top / NAMES[2]).write_bytes(b"broken")
    write_pictures(top, [f"more/{k}.png" for k in range(30)])
    more = [(f"more/{k}.png", "a door", "blue", 100 + k) for k in range(30)]
    write_files(top, {"captions.csv": format_table([("file_name", "text", "colour", "id"), *rows, *more])})
    items = read_items(top)
    assert items.attributes == (("colour", ("blue", "red")),)
    codec = ColumnsCodec(columns={"x": ImageCodec(size=16, channels=3, framing="crop", background=255, flip=False)})
    data = prepare_dataset(items, codec, None, quiet=True)
    assert len(data) == 37
    assert data.attributes == items.attributes
    expected = [int(k % 2 == 0) for k in range(8) if k != 2] + [0] * 30
    assert data.columns["attributes"].flatten().tolist() == expected
    limited = Captioned(path=str(top), limit=10).items(SUFFIXES)
    whole = dict(zip(items.names, items.attribute_values.tolist(), strict=True))
    assert [whole[name] for name in limited.names] == limited.attribute_values.tolist()


def test_nothing_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GanvasError, match=r"has no pictures with captions: write 0001\.txt beside 0001\.png"):
        read_items(write_pictures(tmp_path))


def write_coco(names: Sequence[str], captions: Sequence[tuple[int, str]]) -> str:
    images = [{"id": 100 + k, "file_name": name} for k, name in enumerate(names)]
    annotations = [{"id": k, "image_id": 100 + number, "caption": text} for k, (number, text) in enumerate(captions)]
    return json.dumps({"info": {}, "images": images, "annotations": annotations})


@pytest.mark.parametrize("kind", ["folder", "zip", "file"])
def test_coco(tmp_path: Path, kind: str) -> None:
    top = tmp_path / "coco"
    training = [(k % 4, f"text {k}") for k in range(8)]
    write_files(
        top,
        {
            "annotations/captions_train2017.json": write_coco([*NAMES[:4], "gone.png"], [*training, (4, "of no picture")]),
            "annotations/captions_val2017.json": write_coco(NAMES[:2], [(0, "held out"), (1, "and this")]),
            "annotations/instances_train2017.json": "{}",
        },
    )
    write_pictures(top, [f"train2017/{name}" for name in NAMES[:4]])
    write_pictures(top, [f"val2017/{name}" for name in NAMES[:2]])
    path = {"folder": top, "zip": top.with_suffix(".zip"), "file": top / "annotations/captions_train2017.json"}[kind]
    if kind == "zip":
        pack_zip(top)
    items = read_items(path)
    assert items.names == [f"train2017/{name}" for name in NAMES[:4]]
    assert list_captions(items) == [[f"text {k}", f"text {k + 4}"] for k in range(4)]
    assert "1 row of captions without a picture left out (gone.png)" in items.notes
    held_out = Captioned(path=str(path)).held_out(SUFFIXES)
    if kind == "file":
        assert held_out is None
    else:
        assert held_out is not None
        assert list_captions(held_out) == [["held out"], ["and this"]]
        assert held_out[0]["x"] == (top / "val2017" / NAMES[0]).read_bytes()


@pytest.mark.parametrize("column", ["caption", "captions"])
def test_parquet(tmp_path: Path, column: str) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pictures = [(write_pictures(tmp_path / "pictures") / name).read_bytes() for name in NAMES]
    texts = CAPTIONS if column == "caption" else [[text, f"{text} again"] for text in CAPTIONS]
    for part, rows in (("train", slice(0, 6)), ("test", slice(6, 8))):
        table = {"image": [{"bytes": data, "path": "p"} for data in pictures], column: texts, "colour": COLOURS * 4}
        (tmp_path / "set" / part).mkdir(parents=True)
        cut = {name: values[rows] for name, values in table.items()}
        parquet.write_table(arrow.table(cut), tmp_path / "set" / part / "0.parquet", row_group_size=4)
    items = read_items(tmp_path / "set")
    expected = [[text] if isinstance(text, str) else text for text in texts]
    assert list_captions(items) == expected[:6]
    assert [items[k]["x"] for k in range(6)] == pictures[:6]
    assert (items.attributes, items.attribute_values.flatten().tolist()) == ((("colour", ("blue", "red")),), [1, 0] * 3)
    held_out = Captioned(path=str(tmp_path / "set")).held_out(SUFFIXES)
    assert held_out is not None
    assert (list_captions(held_out), held_out.attribute_values.flatten().tolist()) == (expected[6:], [1, 0])


SEVERAL: Mapping[str, Mapping[str, str]] = {
    "lines": {name.replace(".png", ".txt"): f"one of {name}\r\ntwo\n\n" for name in NAMES},
    "rows": {"captions.csv": format_table([("image", "text"), *[(n, t) for n in NAMES for t in (f"one of {n}", "two")]])},
    "lists": {
        "metadata.jsonl": "\n".join(json.dumps({"file_name": n, "text": [f"one of {n}", "two"]}) for n in NAMES),
    },
    "columns": {
        "captions.csv": format_table([("image", "caption_0", "caption_1"), *[(n, f"one of {n}", "two") for n in NAMES]])
    },
}


@pytest.mark.parametrize("files", SEVERAL.values(), ids=SEVERAL)
def test_several_captions_of_a_picture(tmp_path: Path, files: Mapping[str, str]) -> None:
    items = read_items(write_files(write_pictures(tmp_path), files))
    assert list_captions(items) == [[f"one of {name}", "two"] for name in NAMES]
    assert any(note.startswith("16 captions, 9 of them distinct, from ") for note in items.notes)


def test_captions_are_brought_to_one_form_and_counted(tmp_path: Path) -> None:
    files = dict(FORMATS["texts"])
    files["000.txt"] = "\ufeffa\tred\0 house \n\na red house\n" + "long " * 200 + "\ncafe\u0301\n"
    files["001.txt"] = "".join(f"caption {k}\n" for k in range(18))
    items = read_items(write_files(write_pictures(tmp_path), files))
    captions = list_captions(items)
    assert captions[0] == ["a red house", ("long " * 102).strip(), "caf\u00e9"]
    assert captions[1] == [f"caption {k}" for k in range(16)]
    assert items.notes[1:] == (
        "1 empty caption left out",
        "1 caption left out: the picture has the same one already",
        "1 caption cut to 512 characters",
        "2 captions left out: at most 16 of a picture are used",
    )


def test_parts_are_folders(tmp_path: Path) -> None:
    names = [f"{part}/{name}" for part in ("train", "test") for name in NAMES[:3]]
    lines = {
        f"{part}/metadata.jsonl": "".join(
            json.dumps({"file_name": name, "text": f"{part} {name}", "kind": part}) + "\n" for name in NAMES[:3]
        )
        for part in ("train", "test")
    }
    top = write_files(write_pictures(tmp_path, names), lines)
    items, held_out = read_items(top), Captioned(path=str(top)).held_out(SUFFIXES)
    assert held_out is not None
    assert list_captions(items) == [[f"train {name}"] for name in NAMES[:3]]
    assert list_captions(held_out) == [[f"test {name}"] for name in NAMES[:3]]
    assert items.attributes == held_out.attributes == (("kind", ("test", "train")),)
    assert (items.attribute_values.flatten().tolist(), held_out.attribute_values.flatten().tolist()) == ([1] * 3, [0] * 3)


def test_pictures_without_a_caption_are_few(tmp_path: Path) -> None:
    names = [f"{k:03d}.png" for k in range(40)]
    rows = [(name, f"picture {k}") for k, name in enumerate(names)]
    top = write_files(write_pictures(tmp_path, names), {"captions.csv": format_table([("file_name", "text"), *rows[:-2]])})
    items = read_items(top)
    assert (len(items), items.names[-1]) == (38, "037.png")
    assert f"2 pictures of 40 in {tmp_path.name}/ have no caption (038.png, 039.png): left out" in items.notes
    write_files(top, {"captions.csv": format_table([("file_name", "text"), *rows[:-3], ("gone.png", "x")])})
    with pytest.raises(GanvasError, match=r"3 pictures of 40 in .* have no caption .*write their captions, or remove"):
        read_items(top)


def test_a_path_in_a_table_is_never_another_folders_picture(tmp_path: Path) -> None:
    top = write_pictures(tmp_path, [f"dogs/{name}" for name in NAMES])
    table = format_table([("file_name", "text"), *[(f"cats/{name}", "a cat") for name in NAMES]])
    with pytest.raises(GanvasError, match="8 pictures of 8"):
        read_items(write_files(top, {"captions.csv": table}))
    plain = format_table([("file_name", "text"), *[(name, "a dog") for name in NAMES]])  # Flickr8k's pictures lie in Images/
    assert list_captions(read_items(write_files(top, {"captions.csv": plain}))) == [["a dog"]] * 8


BAD: Mapping[str, tuple[Mapping[str, str | bytes], str]] = {
    "Latin letters": ({"captions.csv": "file_name,text\n000.png,caf\xe9\n".encode("latin-1")}, "is not text in UTF-8 .* save"),
    "no caption column": (
        {"captions.csv": "file_name,colour\n000.png,red\n"},
        "captions.csv has no captions: name its",
    ),
    "a comma": ({"captions.csv": "file_name,text\n000.png,red, blue\n"}, "3 cells, not 2, in the line of '000.png': put"),
    "two columns alike": ({"captions.csv": "file_name,text,text\n000.png,red,blue\n"}, "columns of the same name"),
    "a broken quotation": ({"captions.csv": 'file_name,text\n000.png,"red\n'}, "captions.csv cannot be read"),
    "a huge caption": ({"captions.csv": f"file_name,text\n000.png,{'x' * 140_000}\n"}, "captions.csv cannot be read .*limit"),
    "broken JSON": ({"metadata.jsonl": JSON_LINES + '{"file_name": "0'}, "metadata.jsonl cannot be read"),
    "a list": ({"metadata.jsonl": "[1]\n"}, "a line that is no JSON object"),
    "a huge file": ({**FORMATS["texts"], "000.txt": "x" * 70_000}, "000.txt has 70,000 bytes, more than 65,536"),
    "COCO's objects": ({"captions_val.json": '{"images": [{"id": 1, "file_name": "000.png"}]}'}, "not in COCO's format"),
    "COCO's pictures elsewhere": ({"captions_val.json": write_coco(["a.png"], [(0, "x")])}, "names no picture of"),
    "broken COCO": ({"captions_val.json": "{"}, "captions_val.json cannot be read"),
    "an empty table": ({"captions.csv": ""}, "captions.csv has no captions"),
    "names of columns alone": ({"captions.csv": "file_name,text\n"}, "captions.csv has no line below its first one: write"),
}


@pytest.mark.parametrize(("files", "message"), BAD.values(), ids=BAD)
def test_bad_captions_are_refused(tmp_path: Path, files: Mapping[str, str | bytes], message: str) -> None:
    with pytest.raises(GanvasError, match=message):
        read_items(write_files(write_pictures(tmp_path), files))


@pytest.mark.parametrize(
    ("name", "fault"), [("missing", "does not exist"), ("a.wav", "is no folder, zip or table of captions")]
)
def test_a_wrong_path_is_refused(tmp_path: Path, name: str, fault: str) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with pytest.raises(GanvasError, match=f"{fault}.*: give a folder of pictures, and write"):
        read_items(tmp_path / name)


def test_numbers_beside_pictures_are_no_captions(tmp_path: Path) -> None:
    boxes = {name.replace(".png", ".txt"): "0 0.5 0.5 0.1 0.2\n" for name in NAMES}
    with pytest.raises(GanvasError, match="has no pictures with captions"):
        read_items(write_files(write_pictures(tmp_path), boxes))


def test_the_fingerprint_follows_the_captions(tmp_path: Path) -> None:
    top = write_files(write_pictures(tmp_path), FORMATS["texts"])
    before = read_items(top).fingerprint
    assert read_items(top).fingerprint == before
    write_files(top, {"003.txt": CAPTIONS[3].upper()})
    assert read_items(top).fingerprint != before
