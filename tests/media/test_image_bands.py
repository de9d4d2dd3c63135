"""Pictures of 16 bits or many channels: kept to the bit from file to file, in PNG and TIFF; fitted, framed and shown."""

import io
import json
import logging
import struct
import sys
import zlib
from contextlib import suppress

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from ganvas.configuration import from_json, to_json
from ganvas.data import Files, prepare_dataset
from ganvas.data.items import ItemList, build_array_items
from ganvas.errors import GanvasError
from ganvas.media import Image, ImageCodec
from ganvas.media.image.bands import convert_channels, convert_depth
from ganvas.media.image.picture import decode_picture, open_picture
from ganvas.media.image.tiff import scale_to_full_range

NOTE = {"Software": "ganvas", "Comment": "künstlich"}


def noise(*shape: int, depth: int = 16, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).integers(0, 2**depth, shape)
    return values.astype(np.uint8 if depth == 8 else np.uint16)


def tiff(values: np.ndarray, **options) -> bytes:
    data = io.BytesIO()
    tifffile.imwrite(data, values, **{"metadata": None} | options)
    return data.getvalue()


def items(*values) -> ItemList:
    return ItemList([f"{i}.tif" for i in range(len(values))], values.__getitem__, "f", "a test")


def paeth(a: int, b: int, c: int) -> int:
    return min((a, b, c), key=lambda v: abs(a + b - c - v))


def png(values: np.ndarray, interlaced: bool = False) -> bytes:
    """A 16-bit PNG [H, W, C], by the standard: the five filters in turn."""
    height, width, channels = values.shape
    rows = values.astype(">u2").view(np.uint8).reshape(height, -1).astype(int)
    step, out, above = 2 * channels, b"", np.zeros(rows.shape[1], int)
    for i, row in enumerate(rows):
        left, corner = (np.concatenate([np.zeros(step, int), r[:-step]]) for r in (row, above))
        guess = [0 * row, left, above, (left + above) // 2, np.array([*map(paeth, left, above, corner)])][i % 5]
        out += bytes([i % 5]) + ((row - guess) % 256).astype(np.uint8).tobytes()
        above = row
    header = struct.pack(">IIBBBBB", width, height, 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(out)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


# ---------------------------------------------------------------- there and back


@pytest.mark.parametrize(
    ("channels", "depth"), [(1, 8), (3, 8), (4, 8), (1, 16), (2, 16), (3, 16), (4, 16), (5, 8), (5, 16), (2, 8), (64, 16)]
)
def test_from_file_to_network_to_file_is_exact_to_the_bit(tmp_path, channels, depth):
    values = noise(2, 16, 16, channels, depth=depth)
    values[0, 0, 0], values[0, 0, 1] = 0, 2**depth - 1
    codec = ImageCodec(size=16, channels=channels, depth=depth)
    first = codec.write(torch.from_numpy(values), tmp_path / "first", 3, NOTE)
    fitted = Image(size=16, channels="rgba" if channels == 4 else "auto").fit(
        Files(path=str(tmp_path / "first")).items((".png", ".tif"))
    )
    assert fitted == codec
    stored = torch.from_numpy(np.stack([codec.encode(path.read_bytes()) for path in first]))
    assert stored.dtype == (torch.uint8 if depth == 8 else torch.uint16)
    assert (stored.numpy() == values).all()
    x = codec.load(stored, None)
    assert x.dtype == torch.float32
    assert x.shape == (2, channels, 16, 16)
    assert (x.min(), x.max()) == (-1, 1)
    second = codec.write(codec.store(x), tmp_path / "second", 3, NOTE)
    assert [p.read_bytes() for p in second] == [p.read_bytes() for p in first]
    assert {p.suffix for p in first} == {".png" if channels in (1, 3, 4) else ".tif"}
    assert from_json(json.loads(json.dumps(to_json(codec)))) == codec


def test_all_65536_levels_survive():
    codec = ImageCodec(size=256, channels=1, depth=16)
    levels = torch.from_numpy(np.arange(65536, dtype=np.uint16).reshape(1, 256, 256, 1))
    assert torch.equal(codec.store(codec.load(levels, None)), levels)
    beyond = torch.tensor([-7.0, 7.0]).reshape(2, 1, 1, 1).expand(2, 1, 256, 256)
    assert codec.store(beyond).to(torch.int32).unique().tolist() == [0, 65535]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_deep_png_by_others_is_read_exactly(channels):
    values = noise(11, 9, channels)
    wanted = values[..., [0, 0, 0, 1]] if channels == 2 else values  # gray with transparency is RGBA
    assert (decode_picture(png(values)) == wanted).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_deep_png_is_read_by_others(tmp_path, channels):
    values = noise(1, 16, 16, channels)
    (path,) = ImageCodec(size=16, channels=channels, depth=16).write(torch.from_numpy(values), tmp_path, 0, NOTE)
    with Pillow.open(path) as picture:
        assert picture.text == NOTE
        assert (np.asarray(picture).reshape(16, 16, channels) == (values[0] if channels == 1 else values[0] >> 8)).all()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((8, 9), {}),
        ((8, 9, 3), {"photometric": "rgb"}),
        ((8, 9, 4), {"photometric": "rgb"}),
        ((8, 9, 5), {"photometric": "minisblack", "planarconfig": "contig"}),
        ((8, 9, 2), {"photometric": "minisblack", "planarconfig": "contig", "compression": "zlib"}),
    ],
)
@pytest.mark.parametrize("depth", [8, 16])
def test_tiff_by_others_is_read_exactly(shape, options, depth, order):
    values = noise(*shape, depth=depth)
    assert (
        np.asarray(decode_picture(tiff(values, byteorder=order, **options)))
        == values.reshape(shape if depth == 8 or len(shape) == 3 else (*shape, 1))
    ).all()


def test_planes_and_stacks():
    values = noise(5, 8, 9)
    assert (decode_picture(tiff(values[:3], photometric="rgb", planarconfig="separate")) == values[:3].transpose(1, 2, 0)).all()
    assert (decode_picture(tiff(values, imagej=True, metadata={"axes": "CYX"})) == values.transpose(1, 2, 0)).all()
    small = noise(5, 8, 9, depth=8)
    ome = tiff(small, ome=True, photometric="minisblack", metadata={"axes": "CYX"})
    assert (decode_picture(ome) == small.transpose(1, 2, 0)).all()
    film = noise(4, 5, 8, 9)
    assert (decode_picture(tiff(film, imagej=True, metadata={"axes": "TCYX"})) == film[0].transpose(1, 2, 0)).all()
    pages = decode_picture(tiff(values, photometric="minisblack"))  # that say nothing of each other
    assert (pages == values[0][..., None]).all()


def test_white_may_be_zero():
    values = noise(8, 8)
    assert (decode_picture(tiff(values, photometric="miniswhite"))[..., 0] == 65535 - values).all()


@pytest.mark.parametrize(("bits", "dtype"), [(4, np.uint8), (12, np.uint16), (8, np.uint8), (16, np.uint16)])
def test_few_bits_reach_as_far_as_many(bits, dtype):
    values = np.array([0, 1, 2**bits - 2, 2**bits - 1], dtype)
    found = scale_to_full_range(values, bits)
    assert found.dtype == dtype
    top = np.iinfo(dtype).max
    assert found.tolist() == [round(v * top / (2**bits - 1)) for v in values.tolist()]


def test_plain_tiff_needs_no_tifffile(monkeypatch):
    monkeypatch.setitem(sys.modules, "tifffile", None)
    colour, deep, file = noise(8, 8, 3, depth=8), noise(8, 8), io.BytesIO()
    Pillow.fromarray(colour).save(file, "TIFF", compression="tiff_lzw")
    assert (np.asarray(decode_picture(file.getvalue())) == colour).all()
    file = io.BytesIO()
    Pillow.fromarray(deep).save(file, "TIFF")
    assert (decode_picture(file.getvalue())[..., 0] == deep).all()


def test_without_tifffile_what_to_install_is_said(monkeypatch, tmp_path):
    data = tiff(noise(8, 8, 3), photometric="rgb")
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(
        GanvasError, match=r"is a TIFF file that is read by tifffile, which is missing: pip install 'ganvas\[tiff\]'"
    ):
        decode_picture(data)
    with pytest.raises(GanvasError, match=r"pip install 'ganvas\[tiff\]'"):
        ImageCodec(size=8, channels=5).write(torch.zeros(1, 8, 8, 5, dtype=torch.uint8), tmp_path, 0, {})


# ---------------------------------------------------------------- a deep file is read as its shallow twin

ORIENTATIONS = range(1, 9)


def as_bands(data: bytes) -> np.ndarray:
    """What is decoded, as [H, W, C] of 16 bits, gray as RGB."""
    values = np.asarray(decode_picture(data))
    values = values[..., None] if values.ndim == 2 else values
    return convert_depth(values.repeat(3, 2) if values.shape[2] == 1 else values, 16)


def marked_png(values: np.ndarray, kind: bytes, content: bytes, at_end: bool = False) -> bytes:
    """A PNG with one more chunk, of 16 bits or, for uint8, of 8."""
    file = io.BytesIO()
    if values.dtype == np.uint8:
        Pillow.fromarray(values[..., 0] if values.shape[2] == 1 else values).save(file, "PNG")
    data = file.getvalue() or png(values)
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    at = len(data) - 12 if at_end else 33
    return data[:at] + chunk + data[at:]


def exif(orientation: int) -> bytes:
    return b"II*\0\x08\0\0\0\x01\0" + struct.pack("<HHIHH", 274, 3, 1, orientation, 0) + b"\0\0\0\0"


def turned(values: np.ndarray, orientation: int) -> np.ndarray:
    """By the standard's words: where the first row and the first column of what is stored come to."""
    rows = {1: "tl", 2: "tr", 3: "br", 4: "bl", 5: "lt", 6: "rt", 7: "rb", 8: "lb"}[orientation]
    found = values if rows[0] in "tb" else values.transpose(1, 0, 2)
    return found[:: -1 if "b" in rows else 1, :: -1 if "r" in rows else 1]


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("at_end", [False, True])
def test_deep_png_is_turned_as_shallow_png(channels, orientation, at_end):
    values = noise(6, 9, channels, depth=8)
    shallow = as_bands(marked_png(values, b"eXIf", exif(orientation), at_end))
    deep = as_bands(marked_png(values.astype(np.uint16) * 257, b"eXIf", exif(orientation), at_end))
    assert (deep == shallow).all()
    wanted = turned(convert_depth(values, 16), orientation)
    assert (deep == (wanted.repeat(3, 2) if channels == 1 else wanted)).all()


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(
    ("channels", "options"),
    [
        (1, {"photometric": "minisblack"}),
        (1, {"photometric": "miniswhite"}),
        (2, {"photometric": "minisblack", "planarconfig": "contig", "extrasamples": ["unassalpha"]}),
        (3, {"photometric": "rgb"}),
        (3, {"photometric": "rgb", "planarconfig": "separate"}),
        (4, {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
        (4, {"photometric": "separated"}),
    ],
)
def test_deep_tiff_is_turned_and_understood_as_shallow_tiff(channels, options, orientation):
    values = noise(6, 9, channels, depth=8)
    values = values[..., 0] if channels == 1 else values
    values = values.transpose(2, 0, 1) if options.get("planarconfig") == "separate" else values
    marks = {"extratags": [(274, 3, 1, orientation, True)]}
    shallow, deep = tiff(values, **options, **marks), tiff(values.astype(np.uint16) * 257, **options, **marks)
    assert np.abs(as_bands(deep).astype(int) - as_bands(shallow)).max() <= (257 if channels == 4 else 0)  # Pillow cuts ink
    assert as_bands(deep).shape[:2] == ((9, 6) if orientation >= 5 else (6, 9))
    assert open_picture(deep).size == as_bands(deep).shape[1::-1]


def test_colours_that_were_multiplied_with_their_transparency_are_divided():
    values = noise(6, 9, 4, depth=8)
    values[..., :3] = (values[..., :3].astype(int) * values[..., 3:] / 255).round()
    values[0, 0] = 0
    options = {"photometric": "rgb", "extrasamples": ["assocalpha"]}
    shallow, deep = as_bands(tiff(values, **options)), as_bands(tiff(values.astype(np.uint16) * 257, **options))
    assert np.abs(deep.astype(int) - shallow).max() <= 257
    assert (deep[0, 0] == 0).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_the_colour_that_a_deep_png_leaves_out_is_transparent(channels):
    values = noise(6, 9, channels)
    values[0, 0], values[2, 3] = values[5, 8], values[5, 8] ^ 1  # the same, and nearly
    data = marked_png(values, b"tRNS", b"".join(struct.pack(">H", int(v)) for v in values[5, 8]))
    found = decode_picture(data)
    assert found.shape == (6, 9, 4)
    assert open_picture(data).channels == 4
    assert (found[..., :3] == (values.repeat(3, 2) if channels == 1 else values)).all()
    assert (found[..., 3] == np.where((values == values[5, 8]).all(2), 0, 65535)).all()
    assert (found[..., 3] == 0).sum() == 2


@pytest.mark.parametrize("depth", [8, 16])
def test_colours_that_nobody_here_can_convert_are_refused(depth):
    data = tiff(noise(8, 8, 3, depth=depth), photometric="cielab")
    with pytest.raises(GanvasError, match="has colours of the kind CIELab: save it as gray or RGB"):
        decode_picture(data)


# ---------------------------------------------------------------- depth and channels


def test_eight_bits_are_kept_where_asked_for():
    deep = noise(8, 8, 1, depth=8).astype(np.uint16) * 257
    assert Image().fit(items(png(deep))).depth == 16
    codec = Image(depth=8).fit(items(png(deep)))
    assert codec.depth == 8
    assert (codec.encode(png(deep)) == deep // 257).all()
    assert (ImageCodec(size=8, depth=8).encode(png(noise(8, 8, 3))) == (noise(8, 8, 3) / 257).round()).all()


def test_shallow_samples_among_deep_ones_are_scaled():
    shallow, file = noise(8, 8, depth=8), io.BytesIO()
    Pillow.fromarray(shallow).save(file, "PNG")
    codec = Image().fit(items(file.getvalue(), png(noise(8, 8, 1))))
    assert (codec.channels, codec.depth) == (1, 16)
    assert (codec.encode(file.getvalue())[..., 0] == shallow.astype(np.uint16) * 257).all()


@pytest.mark.parametrize(
    ("shapes", "depth", "channels"),
    [
        ([(8, 8, 3)], 16, 3),
        ([(8, 8, 1), (8, 8, 3)], 16, 3),
        ([(8, 8, 4), (8, 8, 3)], 16, 4),
        ([(8, 8, 2)], 8, 2),
        ([(8, 8, 5), (9, 9, 5)], 8, 5),
        ([(8, 8, 4)], 8, 3),  # RGBA: over the background, as ever
    ],
)
def test_fit_takes_the_channels_of_the_data(shapes, depth, channels):
    codec = Image().fit(items(*[noise(*shape, depth=depth) for shape in shapes]))
    assert (codec.channels, codec.depth) == (channels, depth)


def test_fit_sees_gray_in_deep_colours_and_refuses_a_mixture():
    assert Image().fit(items(noise(8, 8, 1).repeat(3, 2))).channels == 1
    with pytest.raises(GanvasError, match="images in a test have 3 to 5 channels: give one kind"):
        Image().fit(items(noise(8, 8, 3), noise(8, 8, 5)))
    with pytest.raises(GanvasError, match="has 5 channels, not 3: all samples need the same"):
        ImageCodec(size=8, depth=16).encode(noise(8, 8, 5))


def test_four_channels_that_are_not_called_transparent_are_kept():
    values = noise(8, 8, 4, depth=8)
    data = tiff(values, photometric="rgb", extrasamples=["unspecified"])
    codec = Image(size=8).fit(items(data))
    assert codec.channels == 4
    assert (codec.encode(data) == values).all()


@given(have=st.sampled_from([1, 3, 4]), want=st.sampled_from([1, 3, 4]), background=st.integers(0, 255))
@settings(max_examples=40, deadline=None)
def test_channels_become_others_as_with_pillow(have, want, background):
    values = noise(8, 8, have, depth=8, seed=background)
    shallow = ImageCodec(size=8, channels=want, background=background).encode(values)
    deep = convert_channels(convert_depth(values, 16), want, background)
    assert np.abs(deep / 257 - shallow).max() <= 1.5  # Pillow rounds in 8 bits, and twice


@pytest.mark.parametrize(("width", "height"), [(20, 12), (12, 20), (16, 16)])
@pytest.mark.parametrize("framing", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("size", [8, 32])
def test_framing_is_that_of_pictures(framing, width, height, size):
    values = noise(height, width, depth=8) // 2 + 60
    plain = ImageCodec(size=size, channels=1, framing=framing, background=7).encode(values)
    many = ImageCodec(size=size, channels=5, framing=framing, background=7).encode(np.stack([values] * 5, 2))
    assert (many == plain).all()
    deep = ImageCodec(size=size, channels=1, framing=framing, background=7, depth=16).encode(values.astype(np.uint16) * 257)
    assert np.abs(deep / 257 - plain).max() <= 1.25  # Pillow rounds 8 bits after each direction


def test_lanczos_overshoot_is_clipped():
    edge = np.zeros((16, 16, 1), np.uint16)
    edge[:, 8:] = 65535
    found = ImageCodec(size=8, channels=1, depth=16).encode(edge)
    assert (found.min(), found.max()) == (0, 65535)


# ---------------------------------------------------------------- arrays, batches, previews


@pytest.mark.parametrize("order", ["<u2", ">u2"])
@pytest.mark.parametrize("shape", [(30, 16, 16, 5), (30, 16, 16), (30, 5, 16, 16), (30, 16, 16, 3)])
def test_deep_arrays_come_to_batches(tmp_path, shape, order):
    values = noise(*shape)
    np.save(tmp_path / "a.npy", values.astype(order))
    found = Files(path=str(tmp_path / "a.npy")).items(())
    codec = Image(flip=True).fit(found)
    assert codec.depth == 16
    data = prepare_dataset(found, codec, tmp_path / "cache", quiet=True)
    last = values.transpose(0, 2, 3, 1) if shape[1] == 5 else values.reshape(30, 16, 16, -1)
    assert (data.columns["x"].numpy() == last).all()
    again = prepare_dataset(found, codec, tmp_path / "cache", quiet=True)
    assert torch.equal(data.columns["x"], again.columns["x"])
    batch = data.batch(1, 8)["x"]
    assert batch.shape == (8, codec.channels, 16, 16)
    for picture in codec.store(batch).numpy():
        assert any((picture == p).all() or (picture == p[:, ::-1]).all() for p in last)
    assert torch.cat([data.columns["x"], data.columns["x"]]).shape[0] == 60


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "L"), (3, "RGB"), (4, "RGB"), (5, "RGB")])
@pytest.mark.parametrize("depth", [8, 16])
def test_previews_show_the_first_channels(channels, mode, depth):
    top = 2**depth - 1
    values = np.zeros((1, 8, 8, channels), np.uint8 if depth == 8 else np.uint16)
    values[..., 0] = top
    if channels == 4:
        values[..., 3] = top
    grid = ImageCodec(size=8, channels=channels, depth=depth).preview(torch.from_numpy(values))
    assert grid.mode == mode
    assert grid.getpixel((5, 5)) == (255 if mode == "L" else (255, 0, 0))


def test_the_gaps_of_a_coloured_preview_are_white():
    grid = ImageCodec(size=8).preview(torch.zeros(4, 8, 8, 3, dtype=torch.uint8))
    assert [grid.getpixel((x, 5)) for x in (255, 256, 257, 258)] == [(0, 0, 0), (255, 255, 255), (255, 255, 255), (0, 0, 0)]


def test_a_note_is_in_a_tiff(tmp_path):
    (path,) = ImageCodec(size=8, channels=5).write(torch.zeros(1, 8, 8, 5, dtype=torch.uint8), tmp_path, 7, NOTE)
    assert path.name == "000007.tif"
    with tifffile.TiffFile(path) as file:
        assert json.loads(file.pages[0].description) == NOTE


def test_fitting_deep_arrays():
    assert Image().fit(build_array_items(noise(20, 28, 28), None, "x", "f", "x")) == ImageCodec(size=32, channels=1, depth=16)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (tiff(np.zeros((8, 8), np.float32)), "has 1 channels of float32: save it with 8 or 16 bits"),
        (tiff(np.zeros((8, 8), np.int32)), "has 1 channels of int32"),
        (tiff(np.full((8, 8), -5, np.int16)), "has 1 channels of int16: save it with 8 or 16 bits, without a sign"),
        (tiff(np.full((8, 8), -5, np.int8)), "has 1 channels of int8"),
        (tiff(np.full((8, 8, 3), -5, np.int8), photometric="rgb"), "has 3 channels of int8"),
        (tiff(np.full((8, 8, 3), -5, np.int16), photometric="rgb"), "has 3 channels of int16"),
        (tiff(np.full((8, 8), 5, np.uint32)), "has 1 channels of uint32"),
        (tiff(np.zeros((8, 8), np.float16)), "has 1 channels of float16"),
        (tiff(np.zeros((2, 8, 8), np.int16), ome=True, photometric="minisblack"), "has .* channels of int16"),
        (tiff(np.zeros((8, 8, 65), np.uint8), photometric="minisblack", planarconfig="contig"), "has 65 channels of uint8"),
        (tiff(np.zeros((3, 9, 5), np.uint16), photometric="minisblack", planarconfig="contig"), "9 x 3 px is too small"),
        (tiff(noise(8, 8, 5), photometric="minisblack", planarconfig="contig")[:200], "broken image|truncated"),
        (b"II*\0" + b"\xff" * 60, "broken image|truncated"),
        (png(noise(8, 8, 3))[:-200], "truncated|broken"),
    ],
)
def test_what_cannot_be_read_is_refused(data, message):
    with pytest.raises(GanvasError, match=message) as caught:
        ImageCodec(size=8, depth=16).encode(data)
    assert len(str(caught.value).splitlines()) == 1


def test_a_sign_is_seen_without_tifffile(monkeypatch):
    data = tiff(np.full((8, 8), -5, np.int16))
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(GanvasError, match="has 1 channels of int16"):
        decode_picture(data)


def test_a_packing_that_takes_more_is_said():
    data, file = noise(64, 64, 3, depth=8), io.BytesIO()
    Pillow.fromarray(data).save(file, "TIFF", compression="tiff_lzw")
    with tifffile.TiffFile(io.BytesIO(file.getvalue())) as opened:
        assert opened.pages[0].compression == 5
    changed = bytearray(tiff(noise(64, 64, 3), photometric="rgb"))
    at = changed.index(struct.pack("<HHI", 259, 3, 1))
    changed[at + 8] = 5
    with pytest.raises(GanvasError, match="has a compression that needs another package: pip install imagecodecs"):
        decode_picture(bytes(changed))


def test_a_bomb_of_many_channels_is_refused_before_it_is_decoded():
    whole = bytearray(tiff(noise(8, 8, 5), photometric="minisblack", planarconfig="contig"))
    for tag in (256, 257):  # width and length
        at = (
            whole.index(struct.pack("<HHI", tag, 3, 1))
            if struct.pack("<HHI", tag, 3, 1) in whole
            else whole.index(struct.pack("<HHI", tag, 4, 1))
        )
        whole[at + 2 : at + 12] = struct.pack("<HII", 4, 1, 10_000)
    with pytest.raises(GanvasError, match=r"has 10000 x 10000 = 100,000,000 pixels, more than 89,478,485: refused"):
        decode_picture(bytes(whole))


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_files_are_read_or_refused_but_never_crash(data):
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    kind = data.draw(st.sampled_from(["png", "tiff", "many"]))
    options = {"photometric": "minisblack", "planarconfig": "contig"}
    whole = bytearray(png(noise(8, 8, 3)) if kind == "png" else tiff(noise(8, 8, 3 if kind == "tiff" else 5), **options))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, min(300, len(whole) - 1)))] = data.draw(st.integers(0, 255))
    with suppress(GanvasError):
        ImageCodec(size=8, channels=3, depth=16).encode(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
