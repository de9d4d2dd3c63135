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
