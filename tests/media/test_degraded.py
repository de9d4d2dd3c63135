"""Pictures with a source made from them: stored once, drawn by the batch, and the same in every evaluation."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from ganvas.configuration import from_json, to_json
from ganvas.data import EncodedDataset, Files, HeldOut
from ganvas.data.columns import load_conditions
from ganvas.data.dataset import open_data
from ganvas.data.items import build_array_items
from ganvas.errors import GanvasError
from ganvas.media import (
    Blur,
    Boxes,
    Degraded,
    DegradedCodec,
    Gray,
    Image,
    ImageCodec,
    MaskCodec,
    Noise,
    SampleCondition,
    Smaller,
    Strokes,
)  # fmt: skip


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """40 pictures of 32 x 16 px, each with a gradient of its own."""
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(40):
        Pillow.fromarray(rng.integers(0, 256, (16, 32, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    return folder


def open_photos(photos: Path, medium: Degraded, held_out: HeldOut | None = None) -> EncodedDataset:
    return open_data(Files(path=str(photos)), medium, is_quiet=True, held_out=held_out)[1]


def degraded(*by, flip: bool = False, **settings) -> Degraded:
    return Degraded(medium=Image(size="32x16", flip=flip, **settings), by=by)


def test_pictures_are_stored_once_and_share_the_cache_with_plain_ones(photos: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    plain = open_data(Files(path=str(photos)), Image(size="32x16"), is_quiet=True)[1]
    data = open_photos(photos, degraded(Smaller(factor=4), Boxes()))
    assert set(data.columns) == {"x"}
    assert data.byte_count == plain.byte_count == 40 * 16 * 32 * 3
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert torch.equal(data.columns["x"], plain.columns["x"])
    assert torch.equal(data.batch(3, 16)["x"], plain.batch(3, 16)["x"])


def test_a_batch_holds_sources_and_masks_that_follow_from_its_seed(photos: Path) -> None:
    data = open_photos(photos, degraded(Smaller(factor=2), Boxes(), flip=True))
    batch, again, other = data.batch(1, 16), data.batch(1, 16), data.batch(2, 16)
    assert {name: tuple(column.shape) for name, column in batch.items()} == {
        "x": (16, 3, 16, 32), "source": (16, 3, 8, 16), "mask": (16, 1, 8, 16),
    }  # fmt: skip
    assert all(torch.equal(batch[name], again[name]) for name in batch)
    assert not torch.equal(batch["mask"], other["mask"])


def test_the_source_is_mirrored_with_its_picture(photos: Path) -> None:
    data = open_photos(photos, degraded(Smaller(factor=2), flip=True))
    batch = data.batch(1, 64)
    expected = DegradedCodec(base=data.codec.base, by=(Smaller(factor=2),)).load_columns  # type: ignore[attr-defined]
    rows = {tuple(expected({"x": row[None]}, None)["x"].flatten().tolist()): row for row in data.columns["x"]}
    plain = [tuple(x.flatten().tolist()) in rows for x in batch["x"]]
    mirrored = [tuple(x.flip(2).flatten().tolist()) in rows for x in batch["x"]]
    assert all(one != other for one, other in zip(plain, mirrored, strict=True))
    assert 10 < sum(plain) < 54
    for x, source in zip(batch["x"], batch["source"], strict=True):
        shrunk = torch.nn.functional.interpolate(x[None], (8, 16), mode="bicubic", antialias=True).clamp(-1, 1)[0]
        torch.testing.assert_close(source, shrunk, atol=1.01 / 255, rtol=0)


@pytest.mark.parametrize("by", [(Noise(), Blur()), (Boxes(),), (Smaller(factor=2), Strokes())], ids=str)
def test_without_a_generator_the_source_follows_from_the_picture_alone(photos: Path, by) -> None:
    data = open_photos(photos, degraded(*by))
    stored, codec = data.columns["x"], data.codec
    assert isinstance(codec, DegradedCodec)
    whole = codec.load_columns({"x": stored}, None)
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    for rows in order.split(7):
        part = codec.load_columns({"x": stored[rows]}, None)
        assert all(torch.equal(part[name], whole[name][rows]) for name in whole)
    assert len({tuple(source.flatten().tolist()) for source in whole["source"]}) == 40
    conditions = load_conditions(codec, data.columns, data.spec.conditions)
    assert all(torch.equal(conditions[name], whole[name]) for name in conditions)
    assert set(conditions) == set(whole) - {"x"}


def test_sources_are_conditions_with_a_shape_and_examples(photos: Path) -> None:
    data = open_photos(photos, degraded(Gray(), Smaller(factor=2), Boxes()))
    source, mask = data.spec.conditions["source"], data.spec.conditions["mask"]
    assert isinstance(source, SampleCondition)
    assert isinstance(mask, SampleCondition)
    assert (source.shape, mask.shape) == ((1, 8, 16), (1, 8, 16))
    assert (source.kind, mask.kind) == ("image", "mask")
    drawn = source.draw(6, torch.Generator().manual_seed(0))
    assert drawn.shape == (6, 1, 8, 16)
    assert set(mask.draw(6, torch.Generator().manual_seed(0)).unique().tolist()) == {0.0, 1.0}
    again = from_json(to_json(source))
    assert again == source
    assert data.codec.spec.conditions == {}


def test_a_file_is_read_as_the_source_itself(photos: Path, tmp_path: Path) -> None:
    data = open_photos(photos, degraded(Gray(), Smaller(factor=2), Boxes()))
    Pillow.new("L", (16, 8), 100).save(tmp_path / "small.png")
    value = data.spec.conditions["source"].parse(str(tmp_path / "small.png"))
    assert value.shape == (1, 8, 16)
    assert ((value + 1) * 127.5).unique().round().tolist() == [100]  # without a hole, and no smaller


def test_held_out_pictures_never_come_into_a_batch(photos: Path) -> None:
    _, data, held_out = open_data(Files(path=str(photos)), degraded(Boxes()), is_quiet=True, held_out=HeldOut(share=0.25))
    assert held_out is not None
    scored = {tuple(x.flatten().tolist()) for x in held_out.codec.load(held_out.columns["x"], None)}
    assert len(scored) == 10
    assert not scored & {tuple(x.flatten().tolist()) for x in data.batch(0, 500)["x"]}
    conditions = load_conditions(data.codec, held_out.columns, ["source", "mask"])
    assert conditions["mask"].shape == (10, 1, 16, 32)


def test_scores_of_other_degradations_have_another_protocol(photos: Path) -> None:
    protocols = [open_photos(photos, degraded(*by)).codec.protocol() for by in ((Boxes(),), (Strokes(),), (Boxes(),))]
    assert protocols[0] == protocols[2] != protocols[1]
    assert protocols[0]["resize"] == "lanczos"


def test_the_codec_is_kept_as_json(photos: Path) -> None:
    codec = open_photos(photos, degraded(Smaller(factor=2), Noise())).codec
    assert from_json(to_json(codec)) == codec


@pytest.mark.parametrize(
    ("medium", "message"),
    [
        (degraded(Smaller(factor=3)), "pictures of 32x16 px cannot become 3 times smaller: set their size to 33x15"),
        (degraded(Smaller(factor=8)), "sources would be 4x2 px, less than 4: choose larger pictures or a smaller factor"),
        (degraded(Boxes(), Noise()), "Noise cannot follow a mask: put degradations with a mask last"),
        (degraded(Gray(), channels="gray"), "pictures of 1 channels have no colours to find again"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_stored(photos: Path, medium: Degraded, message: str) -> None:
    with pytest.raises(GanvasError, match=message):
        medium.fit(Files(path=str(photos)).items(medium.suffixes))


@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint8), (4, np.uint8), (6, np.uint8), (3, np.uint16), (5, np.uint16)])
def test_any_channels_and_16_bits(channels: int, dtype: type) -> None:
    array = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (6, 16, 16, channels), dtype=dtype)
    items = build_array_items(array, None, "x", "f", "x")
    medium = Image(size=16, channels="rgba" if channels == 4 else "auto")
    codec = Degraded(by=(Smaller(factor=2),), medium=medium).fit(items)
    stored = torch.from_numpy(np.stack([codec.encode(items[k]) for k in range(6)]))
    batch = codec.load_columns({"x": stored}, torch.Generator().manual_seed(0))
    assert batch["source"].shape == (6, channels, 8, 8)
    source_codec = codec.source_codecs["source"]
    assert isinstance(source_codec, ImageCodec)
    assert source_codec.depth == (8 if dtype == np.uint8 else 16)
    again = source_codec.load(source_codec.store(batch["source"]), None)
    torch.testing.assert_close(again, batch["source"], atol=1e-6, rtol=0)  # a source is what a file holds


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (np.array([[0, 255], [255, 0]]), [[0, 1], [1, 0]]),
        (np.array([[0, 1], [1, 0]]), [[0, 1], [1, 0]]),  # 0 and 1 in place of 0 and 255
        (np.array([[0, 0], [0, 0]]), [[0, 0], [0, 0]]),
        (np.array([[10, 200], [130, 120]]), [[0, 1], [1, 0]]),
        (np.array([[[0, 0, 0], [255, 0, 0]], [[0, 0, 255], [9, 9, 9]]]), [[0, 1], [1, 0]]),
        (np.array([[[9, 9, 9, 255], [9, 9, 9, 0]], [[9, 9, 9, 20], [0, 0, 0, 255]]]), [[0, 1], [1, 0]]),  # transparent is 1
        (np.array([[[255, 255, 255, 255], [0, 0, 0, 255]], [[0, 0, 0, 255], [255, 255, 255, 255]]]), [[1, 0], [0, 1]]),
    ],
)
def test_masks_are_understood_however_they_are_written(picture: np.ndarray, expected: list[list[int]]) -> None:
    large = picture.astype(np.uint8).repeat(8, 0).repeat(8, 1)
    codec = MaskCodec(size=4)
    stored = torch.from_numpy(codec.encode(large))[None]
    mask = codec.load(stored, None)
    assert mask[0, 0].tolist() == np.array(expected).repeat(2, 0).repeat(2, 1).tolist()
    assert torch.equal(codec.store(mask), stored)
