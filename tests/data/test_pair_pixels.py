"""Pairs of any channels, depths and kinds of files; both sides are cut and mirrored alike, maps of labels too."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from ganvas.data import Columns, EncodedDataset, Pairs, prepare_dataset
from ganvas.data.side_by_side import read_picture_size
from ganvas.errors import GanvasError
from ganvas.media import Image, LabelMap

tifffile = pytest.importorskip("tifffile")
SUFFIXES = Image().suffixes
KINDS = {"gray16": (1, np.uint16), "rgba": (4, np.uint8), "tiff5": (5, np.uint8), "tiff16": (6, np.uint16)}


def write_pairs(top: Path, kind: str, count: int = 4) -> list[np.ndarray]:
    """Sources as PNG; targets as files of a kind, whose values are returned."""
    rng = np.random.default_rng(0)
    targets: list[np.ndarray] = []
    for folder in "AB":
        (top / folder).mkdir(parents=True, exist_ok=True)
    for k in range(count):
        Pillow.fromarray(rng.integers(0, 256, (16, 24, 3), dtype=np.uint8)).save(top / "A" / f"{k}.png")
        channels, dtype = KINDS[kind]
        values = rng.integers(0, np.iinfo(dtype).max, (16, 24, channels), dtype=dtype)
        if kind == "rgba":
            Pillow.fromarray(values).save(top / "B" / f"{k}.png")
        elif kind == "gray16":
            Pillow.fromarray(values[..., 0]).save(top / "B" / f"{k}.png")
        else:
            tifffile.imwrite(top / "B" / f"{k}.tif", values, photometric="minisblack", planarconfig="contig")
        targets.append(values)
    return targets


def read_pairs(top: Path, **media) -> EncodedDataset:
    items = Pairs(path=str(top)).items(SUFFIXES)
    return prepare_dataset(items, Columns(media={"x": Image(), "source": Image(), **media}).fit(items), None, True)


@pytest.mark.parametrize("kind", ["gray16", "rgba", "tiff5", "tiff16"])
def test_pairs_keep_channels_depth_and_alpha(tmp_path: Path, kind: str) -> None:
    targets = write_pairs(tmp_path, kind)
    data = read_pairs(tmp_path, x=Image(channels="rgba" if kind == "rgba" else "auto"))
    for stored, target in zip(data.columns["x"], targets, strict=True):
        np.testing.assert_array_equal(stored.numpy(), target)
    channels = targets[0].shape[2]
    batch = data.batch(0, 8)
    assert batch["x"].shape == (8, channels, 16, 24)
    assert batch["source"].shape == (8, 3, 16, 24)


def test_floating_point_pairs_are_refused_as_in_any_data_set(tmp_path: Path) -> None:
    write_pairs(tmp_path, "rgba")
    for k in range(4):
        (tmp_path / "B" / f"{k}.png").unlink()
        tifffile.imwrite(
            tmp_path / "B" / f"{k}.tif", np.random.default_rng(k).random((16, 24, 3), np.float32), photometric="rgb"
        )
    with pytest.raises(GanvasError, match="has 3 channels of float32: save it with 8 or 16 bits, without a sign"):
        read_pairs(tmp_path)


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("shape", [(20, 30, 5), (20, 30)])
def test_the_size_of_any_tiff_is_read_from_its_head(tmp_path: Path, bigtiff: bool, shape: tuple[int, ...]) -> None:
    for dtype in (np.uint8, np.uint16, np.float32):
        settings = {"bigtiff": bigtiff, **({"planarconfig": "contig"} if len(shape) == 3 else {})}
        tifffile.imwrite(tmp_path / "x.tif", np.zeros(shape, dtype), photometric="minisblack", **settings)
        assert read_picture_size((tmp_path / "x.tif").read_bytes()) == (30, 20)
    with pytest.raises(GanvasError, match="is no image that can be read"):
        read_picture_size(b"II*\0broken")


def test_a_wrong_shape_among_many_channels_is_found(tmp_path: Path) -> None:
    write_pairs(tmp_path, "tiff5")
    tifffile.imwrite(tmp_path / "B" / "3.tif", np.zeros((24, 24, 5), np.uint8), photometric="minisblack", planarconfig="contig")
    with pytest.raises(GanvasError, match=r"A/3\.png is 24 x 16 px, but B/3\.tif is 24 x 24: a pair shows the same place"):
        read_pairs(tmp_path)


@pytest.mark.parametrize("framing", ["crop", "pad", "stretch"])
def test_maps_of_labels_are_framed_and_mirrored_with_their_pictures(tmp_path: Path, framing) -> None:
    """Each picture's gray level is 50 times its label, so both must agree everywhere but at edges, which are smoothed."""
    rng = np.random.default_rng(0)
    for folder in "AB":
        (tmp_path / folder).mkdir()
    for k in range(6):
        labels = rng.integers(0, 5, (6, 9)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
        Pillow.fromarray(labels).save(tmp_path / "A" / f"{k}.png")
        Pillow.fromarray(labels * 50).save(tmp_path / "B" / f"{k}.png")
    medium = {"framing": framing, "flip": True, "size": "24x24"}
    batch = read_pairs(tmp_path, x=Image(background=0, **medium), source=LabelMap(**medium)).batch(4, 64)
    assert batch["source"].shape == (64, 5, 24, 24)
    labels, levels = batch["source"].argmax(1), (batch["x"][:, 0] + 1) * 127.5
    agreement = ((levels - 50 * labels).abs() < 25).flatten(1).float().mean(1)
    assert agreement.min() > 0.7
    mirrored_agreement = ((levels - 50 * labels.flip(2)).abs() < 25).flatten(1).float().mean(1)
    assert mirrored_agreement.mean() < agreement.mean() - 0.2
    assert len(torch.unique(batch["source"].argmax(1), dim=0)) == 12  # six maps, each also mirrored
