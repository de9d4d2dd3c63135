"""Which data counts as captioned, what is said of it, and that pictures which share a caption are held out together."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from ganvas.core import Codec
from ganvas.data import Captioned, ColumnsCodec, EncodedDataset, Files, HeldOut, Pairs, prepare_dataset
from ganvas.data.copies import PEEKED_BYTES, find_equal_captions, join_groups
from ganvas.data.held_out import MIN_HELD_OUT
from ganvas.data.items import build_array_items
from ganvas.data.tasks import recognise_captions, recognise_table
from ganvas.media import Image, ImageCodec
from ganvas.training.tasks import choose_recipe

SUFFIXES = Image().suffixes
TITLES = [f"emoji number {k}" if k % 2 else f"emoji{k}" for k in range(70)]  # half of them with spaces
NAMES = [f"{k:03d}.png" for k in range(70)]


def write_set(top: Path, table: str, header: Sequence[str], texts: Sequence[str] = TITLES) -> Path:
    top.mkdir(exist_ok=True)
    for k, name in enumerate(NAMES[: len(texts)]):
        Pillow.new("RGB", (16, 12), (k, 0, 0)).save(top / name)
    lines = [",".join(header), *[f"{name},{text}" for name, text in zip(NAMES, texts, strict=False)]]
    if table.endswith(".jsonl"):
        lines = [json.dumps(dict(zip(header, line.split(","), strict=True))) for line in lines[1:]]
    (top / table).write_text("\n".join(lines) + "\n")
    return top


def test_the_sentence(tmp_path: Path) -> None:
    top = write_set(tmp_path / "set", "captions.csv", ("file_name", "text"), [*TITLES[:60], *TITLES[:10]])
    for path in (top, top / "captions.csv"):
        task = recognise_captions(str(path), SUFFIXES)
        assert task is not None
        assert (task.kind, task.source) == ("captioned", Captioned(path=str(path)))
        assert task.sentence == "70 pictures with 70 captions, 60 of them distinct, 16 x 12 RGB"


def test_the_recipe_follows(tmp_path: Path) -> None:
    recipe, sentence = choose_recipe(write_set(tmp_path / "set", "captions.csv", ("file_name", "text")))
    assert (recipe.name, recipe.data) == ("text2image", Captioned(path=str(tmp_path / "set")))
    assert sentence == "text to image: 70 pictures with 70 captions, all distinct, 16 x 12 RGB"


@pytest.mark.parametrize("table", ["labels.csv", "metadata.csv", "metadata.jsonl"])
def test_captions_are_never_classes(tmp_path: Path, table: str) -> None:
    top = write_set(tmp_path / "set", table, ("file_name", "label"))
    items = Files(path=str(top)).items(SUFFIXES)
    assert items.labels is None
    assert items.label_notes == (
        f"{table} is not used: it holds captions and no classes: most texts differ. The recipe text2image learns from them",
    )
    task = recognise_captions(str(top), SUFFIXES)
    assert task is not None
    assert task.sentence.startswith("70 pictures with 70 captions")


def test_captions_in_a_column_of_parquet_are_never_classes(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    picture = (write_set(tmp_path / "set", "labels.csv", ("file_name", "label"), TITLES[:1]) / NAMES[0]).read_bytes()
    path = tmp_path / "p.parquet"
    parquet.write_table(arrow.table({"image": [{"bytes": picture, "path": "p"}] * 70, "label": TITLES}), path)
    items = Files(path=str(path)).items(SUFFIXES)
    assert items.labels is None
    assert "holds captions and no classes" in items.label_notes[0]
    assert recognise_captions(str(path), SUFFIXES) is not None


@pytest.mark.parametrize(
    "texts",
    [
        [f"class of {k % 34}" for k in range(70)],  # fewer than half differ
        [f"identity{k}" for k in range(70)],  # no spaces
        TITLES[:64],
    ],
)
def test_many_classes_stay_classes(tmp_path: Path, texts: list[str]) -> None:
    top = write_set(tmp_path / "set", "labels.csv", ("file", "label"), texts)
    items = Files(path=str(top)).items(SUFFIXES)
    assert len(items.classes) == len(set(texts))
    assert recognise_captions(str(top), SUFFIXES) is None


def test_other_data_is_not_captioned(tmp_path: Path) -> None:
    top = write_set(tmp_path / "plain", "readme.md", ("a", "b"))
    assert recognise_captions(str(top), SUFFIXES) is None
    assert recognise_captions(str(tmp_path / "missing"), SUFFIXES) is None
    table = tmp_path / "values.csv"
    table.write_text("name,text,age\na,some words,3\nb,more words,4\n")
    assert recognise_captions(str(table), SUFFIXES) is None
    assert recognise_table(str(table)) is not None
    pairs = write_set(tmp_path / "pairs", "pairs.csv", ("source", "target"), TITLES[:3]) / "pairs.csv"
    pairs.write_text("000.png,001.png\n001.png,002.png\n")
    assert recognise_captions(str(pairs), SUFFIXES) is None
    assert len(Pairs(path=str(pairs)).items(SUFFIXES)) == 2


class CaptionBytes:
    """A codec of captions without an encoder."""

    spec = medium = noun = None
    is_visual, preview_count = False, 1

    def encode(self, item: bytes) -> np.ndarray:
        rows = np.zeros((3, 40), np.uint8)
        for k, text in enumerate(json.loads(item)):
            rows[k, : len(text)] = np.frombuffer(text.encode(), np.uint8)
        return rows


def build_dataset(captions: Sequence[Sequence[str]]) -> EncodedDataset:
    pictures = np.arange(len(captions), dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2)
    plain = build_array_items(pictures, None, "x", "fingerprint", "pictures")
    plain.read_item = lambda k: {"x": pictures[k], "text": json.dumps(captions[k]).encode()}  # type: ignore[assignment,return-value]
    plain.array = None
    picture = ImageCodec(size=4, channels=1, framing="crop", background=255, flip=False)
    text: Codec = CaptionBytes()  # type: ignore[assignment]
    return prepare_dataset(plain, ColumnsCodec(columns={"x": picture, "text": text}), None, quiet=True)


def list_texts(data: EncodedDataset) -> set[bytes]:
    return {row.numpy().tobytes() for sample in data.columns["text"] for row in sample if row.any()}


@pytest.mark.parametrize("key", ["a", "b", "c"])
def test_pictures_that_share_a_caption_are_held_out_together(key: str) -> None:
    captions = [[f"caption {k // 2}", f"other {k}", *(["of four"] if k // 4 == 5 else [])] for k in range(100)]
    training, held_out = build_dataset(captions).hold_out(HeldOut(share=0.2), key)
    assert held_out is not None
    assert 16 <= len(held_out) <= 20
    assert not list_texts(training) & list_texts(held_out)
    assert len(training) + len(held_out) == 100


def test_a_caption_of_very_many_pictures_stays_in_training() -> None:
    captions = [["the same"] if k < 50 else [f"caption {k}"] for k in range(100)]
    training, held_out = build_dataset(captions).hold_out(HeldOut(), "key")
    assert held_out is not None
    assert len(held_out) == 5 >= MIN_HELD_OUT
    assert (training.columns["text"][:, 0, 0] > 0).sum() == 95
    assert all(not text.startswith(b"the same") for text in list_texts(held_out))


def test_equal_captions_have_one_number() -> None:
    stored = np.zeros((4, 2, PEEKED_BYTES + 10), np.uint8)
    stored[0, 0, :2], stored[1, 1, :2], stored[2, 0, :2], stored[3, 0, :2] = (5, 1), (5, 1), (5, 1), (5, 2)
    stored[2, 0, -1] = 9  # beyond what is looked at first
    numbers = find_equal_captions(stored, np.array([3, 1, 0, 2]))
    assert numbers[[0, 1, 2, 3], [0, 0, 1, 1]].tolist() == [0, -1, -1, -1]
    assert numbers[1, 1] == numbers[2, 0]
    assert len({int(numbers[0, 0]), int(numbers[1, 1]), int(numbers[3, 0])}) == 3


def test_groups_are_joined_through_any_member() -> None:
    groups = np.array([0, 0, 1, 2, 3, 4])
    members = np.array([[7, -1], [8, -1], [8, 9], [9, -1], [-1, -1], [10, -1]])
    assert join_groups(groups, members).tolist() == [0, 0, 0, 0, 1, 2]
