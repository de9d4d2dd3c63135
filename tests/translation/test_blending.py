"""`ganvas blend`: files of other sizes, depths and channels, and masks as people paint them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from ganvas import cli
from ganvas.errors import GanvasError
from ganvas.interop.converting import convert
from ganvas.media.image.picture import decode_picture
from ganvas.media.image.png import encode_png
from ganvas.nets import ResNet
from ganvas.translation.blending import blend
from ganvas.translation.paste_masks import understand_mask

SIDE, PART = 80, 40
SQUARE = (slice(10, 30), slice(8, 34))  # of the part's pixels


def save(path: Path, pixels: np.ndarray) -> Path:
    Pillow.fromarray(pixels).save(path)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    y, x = np.mgrid[:SIDE, :SIDE]
    colours = [120 + 40 * np.sin(x / 9 + k) + 30 * np.cos(y / 11 - k) for k in range(3)]
    return save(tmp_path / "target.png", np.stack(colours, 2).astype(np.uint8))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).integers(-20, 20, (PART, PART, 3))
    return save(tmp_path / "source.png", (60 + noise).astype(np.uint8))


def draw_mask(value: int, shape: tuple[int, ...] = (PART, PART)) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    mask[SQUARE] = value
    return mask


def read(path: Path) -> np.ndarray:
    return np.asarray(Pillow.open(path))


def test_all_ways_to_paint_a_mask_give_the_same_picture(tmp_path, target, source, capsys):
    rgba = np.full((PART, PART, 4), 200, np.uint8)
    rgba[..., 3] = draw_mask(255)
    masks = {
        "one": draw_mask(1),
        "white": draw_mask(255),
        "rgb": draw_mask(255, (PART, PART, 3)),
        "red": np.stack([draw_mask(255), draw_mask(0), draw_mask(0)], 2),
        "alpha": rgba,
    }
    results = {}
    for name, pixels in masks.items():
        mask, out = save(tmp_path / f"mask-{name}.png", pixels), tmp_path / f"{name}.png"
        words = ["blend", str(source), str(target), "--mask", str(mask), "--at", "20,30", "--out", str(out)]
        assert cli.main(words) == 0
        results[name] = read(out)
        said = capsys.readouterr().err
        expected = {"one": "0 and 1", "alpha": "transparency", "red": "whatever its colours"}.get(name, "white is inside")
        assert expected in said
        assert "32.5% of the picture" in said
    assert all((picture == results["white"]).all() for picture in results.values())
    changed = (results["white"] != read(target)).any(2)
    assert changed[40:60, 28:54].mean() > 0.9  # the square, at 20,30
    changed[40:60, 28:54] = False
    assert not changed.any()
    assert Pillow.open(tmp_path / "white.png").text["Comment"].startswith("edited")


def test_a_mask_of_the_targets_size_says_where_in_the_target(tmp_path, target, source):
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[35:50, 30:45] = 255
    said: list[str] = []
    blended = blend(source, target, mask=save(tmp_path / "mask.png", mask), at=(20, 30), say=said.append)
    assert ((blended != read(target)).any(2) <= (mask > 0)).all()
    assert any("the target's size" in line for line in said)


def test_a_larger_mask_of_the_sources_shape_is_resized_and_the_place_is_the_middle(tmp_path, target, source):
    said: list[str] = []
    mask = save(tmp_path / "mask.png", draw_mask(255).repeat(3, 0).repeat(3, 1))
    plain = save(tmp_path / "plain.png", draw_mask(255))
    blended = blend(source, target, mask=mask, say=said.append)
    assert (blended == blend(source, target, mask=plain, at=(20, 20))).all()
    assert any("placed in the middle, at 20,20" in line for line in said)
    assert any("resized to the source's 40 x 40" in line for line in said)


def test_transparency_of_the_source_is_a_mask_and_the_part_may_stick_out(tmp_path, target):
    pixels = np.dstack([np.full((PART, PART, 3), 90, np.uint8), draw_mask(255)])
    blended = blend(save(tmp_path / "part.png", pixels), target, at=(-12, 60))
    changed = (blended != read(target)).any(2)
    assert changed[70:, :22].mean() > 0.9
    changed[70:, :22] = False
    assert not changed.any()


def test_sixteen_bits_and_transparency_of_the_target_are_kept(tmp_path, source):
    from PIL.PngImagePlugin import PngInfo

    rng = np.random.default_rng(1)
    deep = rng.integers(20_000, 40_000, (SIDE, SIDE, 4), np.uint16)
    (tmp_path / "deep.png").write_bytes(encode_png(deep, PngInfo()))
    mask = save(tmp_path / "mask.png", draw_mask(255))
    blended = blend(source, tmp_path / "deep.png", mask=mask, at=(20, 30), out=tmp_path / "out.png")
    assert blended.dtype == np.uint16
    is_inside = np.zeros((SIDE, SIDE), bool)
    is_inside[40:60, 28:54] = True
    assert (blended[~is_inside] == deep[~is_inside]).all()
    assert (blended[is_inside][:, 3] == 65535).all()
    assert (np.asarray(decode_picture((tmp_path / "out.png").read_bytes())) == blended).all()


def test_a_grey_source_in_a_coloured_target(tmp_path, target):
    grey = save(tmp_path / "grey.png", np.full((PART, PART), 90, np.uint8))
    blended = blend(grey, target, mask=save(tmp_path / "mask.png", draw_mask(255)))
    assert blended.shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize(
    ("mask", "at", "message"),
    [
        (np.zeros((PART, PART), np.uint8), None, "black everywhere: paint white"),
        (np.full((PART, PART), 7, np.uint8), None, "the same colour everywhere"),
        (draw_mask(255, (PART, PART + 20)), None, "make the mask as large as the source, or as the target"),
        (draw_mask(255), (500, 0), "lies outside the target of 80 x 80 px at 500,0"),
        (None, None, "give --mask"),
    ],
)
def test_what_cannot_be_blended_is_said(tmp_path, target, source, mask, at, message):
    path = None if mask is None else save(tmp_path / "mask.png", mask)
    with pytest.raises(GanvasError, match=message):
        blend(source, target, mask=path, at=at)


def test_wrong_words(tmp_path, target, source, capsys):
    assert cli.main(["blend", str(source)]) == 2
    assert cli.main(["blend", str(source), str(target), "--at", "here"]) == 1
    assert "--at is COLUMN,ROW" in capsys.readouterr().err
    assert cli.main(["blend", str(source), str(target), "--out", "x.jpg"]) == 1
    assert ".png" in capsys.readouterr().err
    assert cli.main(["blend", str(tmp_path / "none.png"), str(target)]) == 1


def test_a_run_chooses_the_colours_at_large(tmp_path, target, source):
    """A translator that makes everything dark, whatever it sees: its colours come through, the target's stay outside."""
    G = ResNet(width=4, blocks=1).build_generator((3, 32, 32), 3)
    weights = G.state_dict()
    names = {"first": "1", "down1": "4", "down2": "7", "up1": "11", "up2": "14", "last": "18"}
    theirs = {f"model.{names[n.split('.')[1]]}.{n.split('.')[-1]}": v for n, v in weights.items() if "block" not in n}
    theirs |= {f"model.10.conv_block.{k}.{leaf}": torch.zeros(*shape) for k in (1, 5) for leaf, shape in
               (("weight", (16, 16, 3, 3)), ("bias", (16,)))}  # fmt: skip
    theirs["model.18.weight"], theirs["model.18.bias"] = torch.zeros(3, 4, 7, 7), torch.full((3,), -0.8)
    torch.save(theirs, tmp_path / "dark.pth")
    run = convert(tmp_path / "dark.pth", tmp_path / "run")
    mask = save(tmp_path / "mask.png", draw_mask(255))
    plain = blend(source, target, mask=mask, at=(20, 30))
    dark = blend(source, target, mask=mask, at=(20, 30), run=run)
    is_inside = np.zeros((SIDE, SIDE), bool)
    is_inside[40:60, 28:54] = True
    assert (dark[~is_inside] == read(target)[~is_inside]).all()
    assert dark[45:55, 35:47].mean() < plain[45:55, 35:47].mean() - 10


def test_a_mask_is_what_is_brighter_than_half():
    soft = np.array([[0, 100, 140, 255]], np.uint8)[..., None]
    assert understand_mask(soft, "m").is_inside.tolist() == [[False, False, True, True]]
