"""Pictures in Parquet files: columns, shards and their parts, labels by the schema, one row group at a time."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from ganvas.data import Files, encoding, prepare_dataset
from ganvas.data.formats import parquet
from ganvas.data.items import ItemList
from ganvas.errors import GanvasError
from ganvas.media import Image, ImageCodec
from small_recipes import class_condition, vector_condition

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
CODEC = ImageCodec(size=8, channels=1)


def pngs(n: int, start: int = 0) -> list[bytes]:
    """Pictures whose level is their number."""
    from io import BytesIO

    from PIL import Image as Pillow

    found = []
    for level in range(start, start + n):
        file = BytesIO()
        Pillow.new("L", (8, 8), level % 256).save(file, "PNG")
        found.append(file.getvalue())
    return found


def as_struct(files: list[bytes | None]) -> pa.Array:
    return pa.array([{"bytes": data, "path": f"{i}.png"} for i, data in enumerate(files)], STRUCT)


def write(path: Path, images: pa.Array, labels=None, names=None, group: int = 7, column: str = "image", label: str = "label"):
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {"more": pa.array(range(len(images))), column: images} | ({} if labels is None else {label: labels})
    table = pa.table(columns)
    if names:
        features = {label: {"names": names, "_type": "ClassLabel"}, column: {"_type": "Image"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path, row_group_size=group)
    return path


def items(path: Path, **settings) -> ItemList:
    return Files(path=str(path), **settings).items((".png",))


@pytest.mark.parametrize("column", ["image", "img"])
@pytest.mark.parametrize("kind", [as_struct, pa.array, lambda files: pa.array(files, pa.large_binary())])
def test_files_in_a_column_are_read(tmp_path, kind, column):
    found = items(write(tmp_path / "a.parquet", kind(pngs(20)), column=column))
    assert [found[i] for i in (19, 0, 7, 6)] == [pngs(20)[i] for i in (19, 0, 7, 6)]
    assert (len(found), found.labels, found.title) == (20, None, "a.parquet (20 rows)")
    assert found.names[:2] + found.names[-1:] == ["a.parquet[0:0]", "a.parquet[0:1]", "a.parquet[2:5]"]


def test_labels_are_named_by_the_schema(tmp_path):
    labels = pa.array([i % 2 for i in range(20)])
    found = items(write(tmp_path / "a.parquet", as_struct(pngs(20)), labels, ["cat", "dog", "fox"]))
    assert found.condition == class_condition(3, ("cat", "dog", "fox"), (0.5, 0.5, 0.0))
    assert found.labels.tolist() == [0, 1] * 10
    assert found.labels.dtype == np.int64


def test_without_a_schema_labels_name_themselves(tmp_path):
    images = as_struct(pngs(4))
    assert items(write(tmp_path / "a.parquet", images, pa.array([7, 5, 7, 5]))).classes == ("5", "7")
    assert items(write(tmp_path / "b.parquet", images, pa.array(["b", "a", "b", "a"]))).labels.tolist() == [1, 0, 1, 0]
    rows = items(write(tmp_path / "c.parquet", images, pa.array([[1, 0], [0, 1], [1, 1], [0, 0]]), label="labels"))
    assert rows.condition == vector_condition(2, ("0", "1"), examples=((1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0)))


def test_why_there_are_no_labels_is_said(tmp_path):
    (note,) = items(write(tmp_path / "a.parquet", as_struct(pngs(4)), pa.array([0, 1, 0, 1]), label="kind")).label_notes
    assert note == "no labels: it has no column label or labels or fine_label, and more, kind are not used"
    (note,) = items(write(tmp_path / "b.parquet", as_struct(pngs(4)), pa.array([-1] * 4), ["a"])).label_notes
    assert note == "no labels: its column label holds -1 alone"
    assert items(write(tmp_path / "c.parquet", as_struct(pngs(4)), pa.array([0, 1, 0, 1]))).label_notes == ()


@pytest.mark.parametrize(
    "labels", [pa.array([1.0, 0.0, 1.0, 1.0]), pa.array([[1], [0], [1], [1]]), pa.array([1, 0, 1, 1], pa.uint8())]
)
def test_labels_in_another_dress_have_their_names(tmp_path, labels):
    found = items(write(tmp_path / "a.parquet", as_struct(pngs(4)), labels, ["cat", "dog"]))
    assert (found.classes, found.labels.tolist()) == (("cat", "dog"), [1, 0, 1, 1])


def test_shards_follow_one_another_and_parts_are_kept_apart(tmp_path):
    for k in range(3):
        labels = pa.array([k] * 10, pa.int32())
        write(tmp_path / f"train-0000{k}-of-00003.parquet", as_struct(pngs(10, 10 * k)), labels, ["a", "b", "c"])
    write(tmp_path / "validation-00000-of-00001.parquet", as_struct(pngs(5, 100)), pa.array([2] * 5), ["a", "b", "c"])
    found = items(tmp_path)
    assert [found[i] for i in range(30)] == pngs(30)
    assert found.labels.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    held_out = Files(path=str(tmp_path)).held_out((".png",))
    assert [held_out[i] for i in range(5)] == pngs(5, 100)
    assert (held_out.classes, held_out.labels.tolist()) == (found.classes, [2] * 5)
    write(tmp_path / "test-00000-of-00001.parquet", as_struct(pngs(5, 200)), pa.array([-1] * 5), ["a", "b", "c"])
    held_out = Files(path=str(tmp_path)).held_out((".png",))
    assert (held_out[0], held_out.labels) == (pngs(1, 200)[0], None)
    assert items(tmp_path, limit=4).labels.tolist() == [int(name[10]) for name in items(tmp_path, limit=4).names]


def test_shards_without_parts_are_all_for_training(tmp_path):
    for k in range(2):
        write(tmp_path / f"{k}.parquet", as_struct(pngs(10, 10 * k)))
    assert len(items(tmp_path)) == 20
    assert Files(path=str(tmp_path)).held_out((".png",)) is None


@pytest.mark.parametrize("slow", [0.0, 1e9])
def test_each_row_group_is_read_once_in_order_and_few_are_kept(tmp_path, monkeypatch, slow):
    monkeypatch.setattr(encoding, "SLOW_ITEM_SECONDS", slow)
    monkeypatch.setattr(parquet, "CONCURRENT_ROWS", 400)
    loads: list[int] = []
    real = parquet._read_row_group
    monkeypatch.setattr(parquet, "_read_row_group", lambda shard, group: loads.append(group) or real(shard, group))
    found = items(write(tmp_path / "a.parquet", as_struct(pngs(2000)), group=50))
    assert loads == []
    data = prepare_dataset(found, CODEC, None, quiet=True)
    assert torch.equal(data.columns["x"][:, 0, 0, 0], torch.arange(2000).remainder(256).to(torch.uint8))
    assert sorted(loads) == list(range(40))
    loads.clear()
    assert Image().fit(found).channels == 1
    assert len(loads) <= 40
    assert len(found.read_item.__self__.cached_groups) == 10


def test_a_fingerprint_changes_with_the_file(tmp_path):
    first = items(write(tmp_path / "a.parquet", as_struct(pngs(4)))).fingerprint
    assert items(write(tmp_path / "a.parquet", as_struct(pngs(4, 1)))).fingerprint != first


# ---------------------------------------------------------------- as repositories have them


def repository(folder: Path, *shards: str) -> Path:
    """Shards of 4 rows each with labels, and what lies beside them."""
    for k, name in enumerate(shards):
        write(folder / name, as_struct(pngs(4, 10 * k)), pa.array([0, 1, 0, 1]), ["a", "b"])
    (folder / "README.md").write_text("# a set")
    (folder / "preview.png").write_bytes(pngs(1)[0])
    return folder


@pytest.mark.parametrize("at", ["data", "plain_text", "deep/er"])
def test_a_repository_is_read_as_it_is_downloaded(tmp_path, at):
    place = repository(tmp_path / "r", f"{at}/train-00000-of-00001.parquet", f"{at}/test-00000-of-00001.parquet")
    (place / at / "._train-00000-of-00001.parquet").write_bytes(b"a shadow of macOS's")
    found, held_out = items(place), Files(path=str(place)).held_out((".png",))
    assert [found[i] for i in range(4)] == pngs(4)
    assert found.classes == ("a", "b")
    assert found.notes == (f"read from {place / at}",)
    assert found.title == f"r/{at.split('/')[-1]} (4 rows)"
    assert [held_out[i] for i in range(4)] == pngs(4, 10)


def test_folders_may_be_parts(tmp_path):
    place = repository(tmp_path / "r", "default/train/0000.parquet", "default/train/0001.parquet", "default/test/0000.parquet")
    for path in (place, place / "default"):
        assert len(items(path)) == 8
        assert Files(path=str(path)).held_out((".png",))[0] == pngs(1, 20)[0]
    assert len(items(place / "default" / "test")) == 4


def test_several_sets_are_asked_for_one(tmp_path):
    place = repository(tmp_path / "r", "small/train-0.parquet", "large/train-0.parquet")
    with pytest.raises(GanvasError, match=r"r holds several sets: give one of them, .*r/large, .*r/small$"):
        items(place)


def test_pictures_in_numbers_go_before_a_table_beside_them(tmp_path):
    place = repository(tmp_path / "r", "more/facts.parquet")
    for i in range(30):
        (place / f"{i}.png").write_bytes(pngs(1)[0])
    write(place / "metadata.parquet", as_struct(pngs(4)))
    assert items(place).notes == ("2 files passed over: 2 .parquet; samples are .png",)
    assert len(items(place)) == 31


def test_shards_of_no_part_are_named(tmp_path):
    place = repository(tmp_path / "r", "train-0.parquet", "val-0.parquet", "unsupervised-0.parquet", "value.parquet")
    assert items(place).notes == ("2 shards of other parts not used: unsupervised-0.parquet, value.parquet",)
    assert Files(path=str(place)).held_out((".png",))[0] == pngs(1, 10)[0]


# ---------------------------------------------------------------- what is refused


def test_without_pyarrow_what_to_install_is_said(tmp_path, monkeypatch):
    path = write(tmp_path / "a.parquet", as_struct(pngs(4)))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(GanvasError, match=r"pip install 'ganvas\[parquet\]'"):
        items(path)


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        (pa.array([0.5] * 4), None, "labels of shape .4,. and type float64"),
        (pa.array([0, 1, None, 1]), None, "type object"),
        (pa.array([0, 1, 2, 1]), ["a", "b"], "labels from 0 to 2, but names for 2"),
        (pa.array([0, 1, -1, 1]), ["a", "b"], "labels from -1 to 1, but names for 2"),
        (pa.array(["a " * 300] * 4), None, "texts of more than 256 characters for labels"),
        (pa.array([[1], [1, 2], [], [1]]), None, "labels of different lengths in the column label"),
    ],
)
def test_labels_that_do_not_fit_are_refused(tmp_path, labels, names, message):
    with pytest.raises(GanvasError, match=message) as caught:
        items(write(tmp_path / "a.parquet", as_struct(pngs(4)), labels, names))
    assert len(str(caught.value).splitlines()) == 1


def test_shards_of_two_kinds_are_refused(tmp_path):
    write(tmp_path / "a.parquet", as_struct(pngs(4)), pa.array([0, 1, 0, 1]), ["a", "b"])
    write(tmp_path / "b.parquet", as_struct(pngs(4)), pa.array([0, 1, 0, 1]), ["b", "a"])
    with pytest.raises(GanvasError, match=r"has files with labels unlike a.parquet"):
        items(tmp_path)


def test_files_that_are_no_pictures_are_refused(tmp_path):
    numbers = write(tmp_path / "numbers.parquet", pa.array(range(4)))
    with pytest.raises(GanvasError, match="has no files in a column image or img; it has more, image: rename"):
        items(numbers)
    whole = write(tmp_path / "a.parquet", as_struct(pngs(40))).read_bytes()
    for damaged in (b"", b"hello", whole[: len(whole) // 2], whole[:-9] + b"\xff" * 5 + b"PAR1"):
        (tmp_path / "a.parquet").write_bytes(damaged)
        with pytest.raises(GanvasError, match=r"a.parquet cannot be read .*: fetch it again") as caught:
            items(tmp_path / "a.parquet")
        assert len(str(caught.value).splitlines()) == 1


def test_rows_that_cannot_be_read_are_reasons(tmp_path, monkeypatch):
    files: list[bytes | None] = [*pngs(39), None]
    path = write(tmp_path / "a.parquet", as_struct(files), group=40)
    found = items(path)
    with pytest.raises(GanvasError, match=r"^has no bytes: the file of pictures holds only their paths"):
        found[39]
    assert prepare_dataset(found, CODEC, None, quiet=True).skipped_count == 1
    monkeypatch.setattr(parquet, "MAX_ROW_GROUP_BYTES", 100)
    with pytest.raises(GanvasError, match=r"^lies in a row group of 0.0 GB, more than 0 GB"):
        items(path)[0]


def test_damaged_pages_are_reasons_and_no_crash(tmp_path):
    path = write(tmp_path / "a.parquet", as_struct(pngs(200)), group=200)
    data = bytearray(path.read_bytes())
    for at in range(40, len(data) // 2, 40):
        data[at] ^= 255
    path.write_bytes(data)
    with pytest.raises(GanvasError, match=r"cannot be read|no image"):
        prepare_dataset(items(path), CODEC, None, quiet=True)
