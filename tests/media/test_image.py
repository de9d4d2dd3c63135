"""Images: what is decoded and what is refused, framing to the pixel, and the way to networks and back."""

import io
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from ganvas.data import Files
from ganvas.data.items import ItemList, build_array_items
from ganvas.errors import GanvasError
from ganvas.media import Image, ImageCodec
from ganvas.media.image.picture import MAX_PICTURE_PIXELS
from ganvas.system.signatures import SIGNATURE_BYTES, guess_suffix

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def packed(picture, kind="PNG", **options) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()


def noise(*shape, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def items(*values) -> ItemList:
    return ItemList([f"{i}.png" for i in range(len(values))], values.__getitem__, "f", "a test")


# ---------------------------------------------------------------- decoding


@pytest.mark.parametrize("kind", ["PNG", "BMP", "WEBP"])
def test_lossless_files_come_back_exactly(kind):
    pixels = noise(8, 8, 3)
    data = packed(Pillow.fromarray(pixels), kind, **({"lossless": True} if kind == "WEBP" else {}))
    assert (ImageCodec(size=8).encode(data) == pixels).all()


def test_jpeg_comes_back_nearly():
    ramp = np.repeat(np.arange(0, 256, 8, dtype=np.uint8)[None, :, None], 32, 0).repeat(3, 2)
    found = ImageCodec(size=32).encode(packed(Pillow.fromarray(ramp), "JPEG", quality=95))
    assert np.abs(found.astype(int) - ramp).max() <= 6


def test_sixteen_bits_are_scaled_to_eight():
    deep = (noise(8, 8).astype(np.uint16)) * 257
    found = ImageCodec(size=8, channels=1).encode(packed(Pillow.fromarray(deep)))
    assert (found[..., 0] == deep // 257).all()


@pytest.mark.parametrize(("mode", "channels"), [("1", 1), ("L", 1), ("P", 3), ("RGB", 3), ("RGBA", 4), ("LA", 4)])
def test_every_mode_of_png_is_read(mode, channels):
    picture = Pillow.fromarray(noise(8, 8, 3)).convert(mode)
    wanted = np.asarray(picture.convert({1: "L", 3: "RGB", 4: "RGBA"}[channels])).reshape(8, 8, channels)
    assert (ImageCodec(size=8, channels=channels).encode(packed(picture)) == wanted).all()


def test_cmyk_jpeg_is_read():
    picture = Pillow.new("CMYK", (8, 8), (0, 255, 255, 0))
    found = ImageCodec(size=8).encode(packed(picture, "JPEG"))
    assert np.abs(found.astype(int) - RED).max() < 12


def test_a_palette_with_transparency_is_composited():
    picture = Pillow.new("P", (8, 8), 0)
    picture.putpalette([*RED, *BLUE])
    picture.paste(1, (4, 0, 8, 8))
    found = ImageCodec(size=8, background=9).encode(packed(picture, transparency=0))
    assert found[0, 0].tolist() == [9, 9, 9]
    assert found[0, 7].tolist() == list(BLUE)


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Pillow.new("RGB", (8, 8), colour) for colour in (RED, GREEN)]
    for kind in ("GIF", "PNG", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = packed(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert ImageCodec(size=8).encode(data)[0, 0].tolist() == list(RED), kind


def test_exif_orientation_is_applied():
    picture = Pillow.new("RGB", (16, 16), BLUE)
    picture.paste(RED, (0, 0, 16, 8))  # red above
    exif = Pillow.Exif()
    exif[0x0112] = 6  # to be turned clockwise: what is above comes to the right
    found = ImageCodec(size=16).encode(packed(picture, "JPEG", exif=exif, quality=95))
    assert found[8, 12, 0] > 200 > 50 > found[8, 3, 0]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_is_no_reason_to_refuse():
    data = packed(Pillow.new("RGB", (16, 16), RED), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert ImageCodec(size=16).encode(data).shape == (16, 16, 3)


@given(alpha=st.integers(0, 255), level=st.integers(0, 255), background=st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_transparency_is_mixed_with_the_background(alpha, level, background):
    pixels = np.full((8, 8, 4), level, np.uint8)
    pixels[..., 3] = alpha
    found = ImageCodec(size=8, channels=1, background=background).encode(pixels)
    assert np.abs(found - (alpha * level + (255 - alpha) * background) / 255).max() <= 1.0


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (1, 8, 8)])
def test_arrays_may_have_channels_first_or_last(shape):
    pixels = noise(*shape)
    assert (ImageCodec(size=8, channels=1).encode(pixels)[..., 0] == pixels.reshape(8, 8)).all()
    colour = noise(3, 8, 8)
    assert (ImageCodec(size=8).encode(colour) == colour.transpose(1, 2, 0)).all()


def test_every_suffix_is_of_a_kind_that_is_read(tmp_path):
    kinds = {"PNG": (".png", ".apng"), "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"), "WEBP": (".webp",), "BMP": (".bmp", ".dib")}
    kinds |= {"GIF": (".gif",), "TIFF": (".tif", ".tiff")}
    assert sorted(Image().suffixes) == sorted(suffix for suffixes in kinds.values() for suffix in suffixes)
    for kind, suffixes in kinds.items():
        data = packed(Pillow.new("RGB", (8, 8), RED), kind)
        assert guess_suffix(data[:SIGNATURE_BYTES]) in suffixes
        assert ImageCodec(size=8).encode(data)[0, 0, 0] > 200
        for k, suffix in enumerate(suffixes):
            (tmp_path / f"{k}{suffix.upper()}").write_bytes(data)
    (tmp_path / "no suffix").write_bytes(data)
    assert len(Files(path=str(tmp_path)).items(Image().suffixes)) == 13
    assert guess_suffix(b"") == guess_suffix(b"%PDF-1.7") == guess_suffix(b"RIFF....WAVEfmt ") == ""


# ---------------------------------------------------------------- refusals


def bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [15_000, 100_000])  # on either side of where Pillow itself raises
def test_bombs_are_refused_before_they_are_decoded(side):
    assert side**2 > MAX_PICTURE_PIXELS
    with pytest.raises(GanvasError, match=rf"has {side} x {side} = {side**2:,} pixels, more than 178,956,970: refused"):
        ImageCodec(size=8).encode(bomb(side, side))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF"])
def test_truncated_files_are_refused(kind):
    data = packed(Pillow.fromarray(noise(64, 64, 3)), kind)
    with pytest.raises(GanvasError, match="truncated"):
        ImageCodec(size=64).encode(data[: len(data) // 2])


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_files_are_read_or_refused_but_never_crash(data):
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "BMP", "GIF", "WEBP"]))
    whole = bytearray(packed(Pillow.fromarray(noise(16, 16, 3)), kind))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(GanvasError):
        ImageCodec(size=16).encode(bytes(whole[: data.draw(st.integers(0, len(whole)))]))


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (b"hello, I am a text\n", "is not an image that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "is not an image that can be read"),
        (b"", "is empty"),
        (packed(Pillow.new("RGB", (1, 1))), "1 x 1 px is too small: at least 4 x 4 are needed"),
        (packed(Pillow.new("RGB", (100, 3))), "100 x 3 px is too small"),
        (np.zeros((8, 8), np.float32), "float32 values, not uint8"),
        (np.zeros((8, 8, 2), np.uint8), "has 2 channels, not 3: all samples need the same"),
        (np.zeros((80, 80, 65), np.uint8), r"shape \(80, 80, 65\), not an image: .* \[H, W, up to 64\]"),
        (np.zeros((8, 8), np.int16), "int16 values, not uint8 or uint16"),
        (np.zeros((8,), np.uint8), r"shape \(8,\), not an image"),
        (np.zeros((0, 8), np.uint8), "not an image"),
    ],
)
def test_what_is_no_image_is_refused(item, message):
    with pytest.raises(GanvasError, match=message):
        ImageCodec(size=8).encode(item)


@pytest.mark.parametrize("size", [2, -1, 4096])
def test_sizes_out_of_range_are_refused(size):
    for make in (Image, ImageCodec):
        with pytest.raises(GanvasError, match=rf"^size must be from 4 to 2048 px, got {size}$"):
            make(size=size)
    with pytest.raises(GanvasError, match=r"^background must be from 0 to 255, got 256$"):
        Image(background=256)


# ---------------------------------------------------------------- framing


def striped() -> np.ndarray:
    """32 wide, 16 high: red, green, green, blue."""
    return np.repeat(np.repeat(np.array([[RED, GREEN, GREEN, BLUE]], np.uint8), 16, 0), 8, 1)


def test_crop_keeps_the_centre():
    found = ImageCodec(size=16).encode(striped())
    assert (found == GREEN).all()
    assert (ImageCodec(size=16).encode(striped().transpose(1, 0, 2)) == GREEN).all()


def test_pad_keeps_all_and_fills_with_the_background():
    found = ImageCodec(size=32, framing="pad", background=7).encode(striped())
    assert (found[8:24] == striped()).all()
    assert (found[:8] == 7).all()
    assert (found[24:] == 7).all()


def test_padding_of_rgba_is_transparent():
    found = ImageCodec(size=32, channels=4, framing="pad").encode(striped())
    assert set(found[:8, :, 3].ravel()) == {0}
    assert set(found[8:24, :, 3].ravel()) == {255}


def test_stretch_keeps_all_and_fills_the_square():
    found = ImageCodec(size=16, framing="stretch").encode(striped())
    assert np.abs(found[8, 1].astype(int) - RED).max() <= 2
    assert np.abs(found[8, 14].astype(int) - BLUE).max() <= 2


def test_resizing_is_pillows_lanczos():
    pixels = noise(28, 28)
    wanted = np.asarray(Pillow.fromarray(pixels).resize((32, 32), Pillow.Resampling.LANCZOS))
    assert (ImageCodec(size=32, channels=1).encode(pixels)[..., 0] == wanted).all()


# ---------------------------------------------------------------- fitting


@pytest.mark.parametrize(("side", "size"), [(28, 32), (4, 8), (11, 8), (13, 16), (48, 48), (500, 64)])
def test_fit_takes_a_size_near_the_short_side_of_pictures_of_several_shapes(side, size):
    codec = Image().fit(items(noise(side, side), noise(side, 2 * side), noise(2 * side, side)))
    assert (codec.size, codec.channels) == (size, 1)


def test_fit_finds_out_whether_all_is_gray():
    gray = packed(Pillow.fromarray(noise(8, 8)).convert("RGB"))
    assert Image().fit(items(gray, gray)).channels == 1
    assert Image().fit(items(gray, packed(Pillow.fromarray(noise(8, 8, 3))))).channels == 3
    assert Image(channels="rgba").fit(items(gray)).channels == 4


def test_fit_passes_over_what_cannot_be_read_unless_that_is_all():
    assert Image().fit(items(b"broken", noise(16, 16))).size == 16
    with pytest.raises(GanvasError, match=r"no image in a test can be read: [01].png is "):
        Image().fit(items(b"", b"broken"))
    with pytest.raises(GanvasError, match="a test is empty"):
        Image().fit(items())


# ---------------------------------------------------------------- to networks and back


@given(channels=st.sampled_from([1, 3, 4]), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_store_undoes_load(channels, seed):
    codec = ImageCodec(size=16, channels=channels)
    stored = torch.from_numpy(noise(2, 16, 16, channels, seed=seed))
    x = codec.load(stored, None)
    assert x.dtype == torch.float32
    assert x.shape == (2, channels, 16, 16)
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(codec.store(x), stored)


def test_all_levels_and_the_ends_of_the_range():
    codec = ImageCodec(size=16, channels=1)
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1)
    x = codec.load(levels, None)
    assert (x.min().item(), x.max().item()) == (-1.0, 1.0)
    assert torch.equal(codec.store(x), levels)
    assert codec.store(torch.tensor([-7.0, 7.0]).reshape(2, 1, 1, 1).expand(2, 1, 16, 16)).unique().tolist() == [0, 255]


def test_flips_mirror_about_half_and_only_with_a_generator():
    codec = ImageCodec(size=8, channels=1, flip=True)
    stored = torch.from_numpy(noise(400, 8, 8, 1))
    plain = codec.load(stored, None)
    assert torch.equal(codec.store(plain), stored)
    x = codec.load(stored, torch.Generator().manual_seed(1))
    same = (x == plain).flatten(1).all(1)
    mirrored = (x == plain.flip(3)).flatten(1).all(1)
    assert (same ^ mirrored).all()
    assert 150 < mirrored.sum() < 250
    assert torch.equal(x, codec.load(stored, torch.Generator().manual_seed(1)))
    assert x.is_contiguous(memory_format=torch.channels_last)


def test_encoding_all_at_once_is_encoding_each():
    codec = ImageCodec(size=8, channels=1)
    array = noise(5, 8, 8)
    found = codec.encode_all(array)
    assert found is not None
    assert (found == np.stack([codec.encode(a) for a in array])).all()
    assert codec.encode_all(noise(5, 9, 9)) is None
    assert codec.encode_all(array.astype(np.float32)) is None
    assert ImageCodec(size=8).encode_all(noise(5, 8, 8, 3)) is not None
    assert ImageCodec(size=8).encode_all(noise(5, 3, 8, 8)) is None


# ---------------------------------------------------------------- files


def test_preview_is_a_grid_with_gaps_enlarged_by_a_whole_number():
    codec = ImageCodec(size=8, channels=1)
    stored = torch.zeros(10, 8, 8, 1, dtype=torch.uint8)
    grid = np.asarray(codec.preview(stored))  # 4 columns, 3 rows, zoom 31
    tile = 8 * 31
    assert grid.shape == (3 * tile + 4, 4 * tile + 6)
    assert grid.shape[1] <= 1024
    assert (grid[:tile, :tile] == 0).all()
    assert (grid[:, tile : tile + 2] == 255).all()
    assert (grid[2 * (tile + 2) :, 2 * (tile + 2) :] == 255).all()  # two places stay empty


def test_preview_of_rgba_is_over_the_background():
    codec = ImageCodec(size=8, channels=4, background=77)
    assert np.unique(np.asarray(codec.preview(torch.zeros(1, 8, 8, 4, dtype=torch.uint8)))).tolist() == [77]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_written_files_hold_the_pixels_and_the_note(tmp_path, channels):
    codec = ImageCodec(size=8, channels=channels)
    stored = torch.from_numpy(noise(2, 8, 8, channels))
    paths = codec.write(stored, tmp_path / "out", 5, {"Software": "ganvas", "Comment": "generiert – künstlich"})
    assert [p.name for p in paths] == ["000005.png", "000006.png"]
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [p.name for p in paths]
    for path, pixels in zip(paths, stored, strict=True):
        with Pillow.open(path) as picture:
            assert picture.text == {"Software": "ganvas", "Comment": "generiert – künstlich"}
        assert (codec.encode(path.read_bytes()) == pixels.numpy()).all()


def test_writing_where_that_cannot_be_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(GanvasError, match="writing failed at"):
        ImageCodec(size=8, channels=1).write(torch.zeros(1, 8, 8, 1, dtype=torch.uint8), tmp_path / "file", 0, {})


def test_fitting_arrays_of_a_source():
    assert Image().fit(build_array_items(noise(20, 28, 28), None, "x", "f", "x")) == ImageCodec(size=32, channels=1)
