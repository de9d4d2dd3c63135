"""Sizes of pictures: how they are written, which one is chosen for some data, and frames that are not square."""

import io
import json
from math import prod

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from ganvas.configuration import from_json, to_json
from ganvas.data.items import ItemList, build_array_items
from ganvas.errors import GanvasError, SettingError
from ganvas.media import Image, ImageCodec
from ganvas.media.image.sizes import PictureSize, choose_size, parse_size

SIDES = st.integers(1, 5000)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


# ---------------------------------------------------------------- how they are written


@pytest.mark.parametrize(
    ("text", "size", "setting"),
    [
        (64, (64, 64), 64),
        ("64", (64, 64), 64),
        ("96x64", (96, 64), "96x64"),
        (" 96 X 64 ", (96, 64), "96x64"),
        ("40×72", (40, 72), "40x72"),
        ("64x64", (64, 64), 64),
        ("096x64", (96, 64), "96x64"),
    ],
)
def test_a_size_has_one_form_however_it_is_written(text: int | str, size: tuple[int, int], setting: int | str) -> None:
    assert parse_size(text) == size
    for make in (Image, ImageCodec):
        assert make(size=text).size == setting
        assert from_json(json.loads(json.dumps(to_json(make(size=text))))) == make(size=setting)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("96x", "a number such as 64, or WIDTHxHEIGHT such as 96x64, got 96x$"),
        ("x64", "a number such as 64, or WIDTHxHEIGHT"),
        ("96x64x3", "a number such as 64, or WIDTHxHEIGHT"),
        ("large", "a number such as 64, or WIDTHxHEIGHT"),
        ("9" * 5000, "a number such as 64, or WIDTHxHEIGHT"),
        ("0x64", "from 4 to 2048 px on both sides, got 0x64$"),
        ("64x2049", "from 4 to 2048 px on both sides, got 64x2049$"),
        ("-96x64", "from 4 to 2048 px on both sides, got -96x64$"),
    ],
)
def test_other_texts_are_refused(text: str, message: str) -> None:
    for make in (Image, ImageCodec):
        with pytest.raises(SettingError, match=f"^size must be {message}"):
            make(size=text)


# ---------------------------------------------------------------- which one is chosen


@pytest.mark.parametrize(
    ("picture", "size"),
    [
        ((28, 28), (32, 32)),
        ((48, 48), (48, 48)),
        ((96, 64), (96, 64)),
        ((40, 72), (40, 72)),
        ((72, 72), (72, 72)),
        ((80, 80), (64, 64)),
        ((1000, 1000), (64, 64)),
        ((1000, 1500), (64, 96)),  # 2:3
        ((640, 480), (72, 56)),
        ((1920, 1080), (88, 48)),
        ((1000, 1050), (64, 64)),
        ((4000, 500), (192, 24)),
        ((9000, 100), (192, 24)),
        ((4, 4), (8, 8)),
    ],
)
def test_a_size_for_pictures_of_one_size(picture: tuple[int, int], size: tuple[int, int]) -> None:
    assert choose_size([picture]).size == size
    assert choose_size([picture[::-1]] * 5).size == size[::-1]


def test_one_in_ten_pictures_may_have_another_shape() -> None:
    portraits = [(1000 + k, 1500 - k) for k in range(9)]
    assert choose_size([*portraits, (500, 500)]).size == (64, 96)
    choice = choose_size([*portraits, (500, 500), (700, 500)])
    assert choice.size == (64, 64)
    assert choice.reason == (
        "pictures become 64x64 (width x height): square, because their shapes differ, shrunk to about 4,096 pixels each"
    )


def test_pictures_of_many_shapes_and_one_short_side_keep_it() -> None:
    assert choose_size([(48, 60), (100, 48), (48, 48)]).size == (48, 48)


def test_what_stays_is_said_to_stay() -> None:
    assert choose_size([(96, 64)] * 3).reason == "pictures stay 96x64 (width x height)"
    assert choose_size([(300, 200)]).reason == (
        "pictures become 96x64 (width x height): nearly all have about this shape (width / height 1.50), "
        "shrunk to about 4,096 pixels each"
    )


def test_without_pictures_nothing_can_be_chosen() -> None:
    with pytest.raises(GanvasError, match="no sizes"):
        choose_size([])


@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=12), st.integers(16, 512))
@settings(max_examples=60, deadline=None)
def test_a_chosen_size_can_be_halved_and_has_about_the_pixels_asked_for(pictures: list[tuple[int, int]], side: int) -> None:
    size = choose_size(pictures, side**2).size
    assert all(8 <= n <= 2048 and n % 8 == 0 for n in size)
    assert max(size) <= 9 * min(size)
    assert prod(size) <= max(1.5 * side**2, 64 * 8)
    assert choose_size(pictures[::-1], side**2).size == size
    Image(size=size.setting)


@given(st.integers(1, 32), st.integers(1, 32))
def test_a_usable_size_stays(columns: int, rows: int) -> None:
    own = (8 * columns, 8 * rows)
    assert choose_size([own] * 10 + [(7, 9)], pixels=prod(own)).size == own


@given(st.integers(200, 2000), st.integers(200, 2000), st.sampled_from([64, 128, 256]))
@settings(deadline=None)
def test_large_pictures_keep_their_shape(width: int, height: int, side: int) -> None:
    if max(width / height, height / width) > 4:
        return
    size = choose_size([(width, height)], side**2).size
    cut = 1 - min(size.width / size.height * height / width, size.height / size.width * width / height)
    assert cut < 0.1
    if min(width, height) >= 2 * side:
        assert 1 / 1.5 - 1e-9 <= prod(size) / side**2 <= 1.5 + 1e-9


# ---------------------------------------------------------------- frames that are not square


def test_fit_says_what_it_chose_unless_it_was_told() -> None:
    items = build_array_items(noise(6, 64, 96, 3), None, "x", "f", "x")
    codec, reasons = Image().fit_with_reasons(items)
    assert codec == ImageCodec(size="96x64")
    assert codec.spec.shape == (3, 64, 96)
    assert reasons == ["pictures stay 96x64 (width x height)"]
    assert Image(size="72x40").fit_with_reasons(items) == (ImageCodec(size="72x40"), [])


def test_fit_reads_the_sizes_of_files() -> None:
    file = io.BytesIO()
    Pillow.fromarray(noise(300, 200, 3)).save(file, "PNG")
    items = ItemList(["0.png", "1.png"], [file.getvalue(), b"broken"].__getitem__, "f", "x")
    assert Image().inspect_items(items).picture_sizes == [(200, 300)]
    assert Image().fit(items) == ImageCodec(size="64x96")


@pytest.mark.parametrize(("channels", "depth"), [(1, 8), (3, 8), (5, 8), (3, 16)])
def test_a_crop_takes_the_middle_and_nothing_is_resized_that_fits(channels: int, depth: int) -> None:
    pixels = noise(8, 12, channels) if depth == 8 else noise(8, 12, channels).astype(np.uint16) * 257
    codec = ImageCodec(size="12x8", channels=channels, depth=depth)
    assert (codec.encode(pixels) == pixels).all()
    wide, high = np.pad(pixels, ((0, 0), (4, 4), (0, 0))), np.pad(pixels, ((3, 3), (0, 0), (0, 0)))
    for picture in (wide, high):  # Lanczos without a change of scale changes nothing
        assert (codec.encode(picture) == pixels).all()


def test_pad_shows_all_in_the_middle_and_stretch_fills() -> None:
    dark = np.zeros((8, 8, 3), np.uint8)
    padded = ImageCodec(size="16x8", framing="pad", background=9).encode(dark)
    assert padded.shape == (8, 16, 3)
    assert (padded[:, 4:12] == 0).all()
    assert (padded[:, :4] == 9).all()
    assert (padded[:, 12:] == 9).all()
    assert (ImageCodec(size="16x8", framing="stretch").encode(dark) == np.zeros((8, 16, 3))).all()


def test_stored_pictures_come_back_and_encode_at_once() -> None:
    codec = ImageCodec(size="16x8", channels=3, flip=True)
    array = noise(5, 8, 16, 3)
    assert codec.encode_all(array) is not None
    assert codec.encode_all(noise(5, 16, 8, 3)) is None
    x = codec.load(torch.from_numpy(array), None)
    assert x.shape == (5, *codec.spec.shape) == (5, 3, 8, 16)
    assert (codec.store(x).numpy() == array).all()


def test_preview_keeps_the_shape_and_each_pictures_place() -> None:
    codec = ImageCodec(size="16x8", channels=1)
    stored = torch.full((4, 8, 16, 1), 50, dtype=torch.uint8)
    stored[1] = 200  # upper right
    grid = np.asarray(codec.preview(stored))  # zoom 16
    assert grid.shape == (2 * 128 + 2, 2 * 256 + 2)
    assert (grid[:128, 258:] == 200).all()
    assert (grid[130:] != 200).all()
    assert np.asarray(codec.preview(stored[:1])).shape == (128, 256)


def test_files_have_the_size(tmp_path) -> None:
    (path,) = ImageCodec(size="16x8").write(torch.zeros(1, 8, 16, 3, dtype=torch.uint8), tmp_path, 0, {})
    with Pillow.open(path) as picture:
        assert picture.size == PictureSize(16, 8)


def test_a_long_small_picture_gets_fewer_pixels_rather_than_too_many() -> None:
    assert choose_size([(12, 37)], 22**2).size == (8, 32)  # 16 x 48 has more than half as many again as asked for
