"""Maps of labels: palette PNGs, gray indices and colours become one-hot; what is out of range is named."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from ganvas.configuration import from_json, to_json
from ganvas.data import Files
from ganvas.errors import GanvasError, SettingError
from ganvas.media import LabelMap, LabelMapCodec, SampleCondition

COLOURS = {"sky": (0, 0, 255), "road": (128, 64, 0), "tree": (0, 128, 0)}


def make_maps(count: int = 5, classes: int = 3, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    maps = [rng.integers(0, classes, (8, 12)).astype(np.uint8) for _ in range(count)]
    maps[0].flat[:classes] = range(classes)
    return maps


def write_maps(folder: Path, maps: list[np.ndarray], form: str) -> Path:
    folder.mkdir(exist_ok=True)
    for number, labels in enumerate(maps):
        if form == "colour":
            picture = Pillow.fromarray(np.array(list(COLOURS.values()), np.uint8)[labels])
        else:
            picture = Pillow.fromarray(labels)
            if form == "palette":
                picture.putpalette(np.random.default_rng(1).integers(0, 256, 768, dtype=np.uint8).tobytes())
        picture.save(folder / f"{number}.png")
    return folder


def write_palette(folder: Path, text: str | None = None) -> str:
    lines = [f"{name},{','.join(map(str, colour))}" for name, colour in COLOURS.items()]
    (folder / "classes.csv").write_text("\n".join(["name,red,green,blue", *lines]) if text is None else text, encoding="utf-8")
    return str(folder / "classes.csv")


def fit(folder: Path, **settings) -> tuple[LabelMapCodec, torch.Tensor]:
    items = Files(path=str(folder)).items(LabelMap().suffixes)
    codec = LabelMap(**{"size": "12x8", **settings}).fit(items)
    return codec, torch.from_numpy(np.stack([codec.encode(items[k]) for k in range(len(items))]))


@pytest.mark.parametrize("form", ["palette", "gray", "colour"])
def test_every_form_gives_the_same_one_hot_maps(tmp_path: Path, form: str) -> None:
    maps = make_maps()
    settings = {"palette": write_palette(tmp_path)} if form == "colour" else {}
    codec, stored = fit(write_maps(tmp_path / "maps", maps, form), **settings)
    assert stored.dtype == torch.uint8
    assert stored.shape == (5, 8, 12, 1)
    x = codec.load(stored, None)
    assert x.shape == (5, *codec.spec.shape) == (5, 3, 8, 12)
    assert torch.equal(x.argmax(1), torch.from_numpy(np.stack(maps)).long())
    assert torch.equal(x.sum(1), torch.ones(5, 8, 12))
    assert torch.equal(codec.store(x), stored)
    assert from_json(to_json(codec)) == codec
    if form == "colour":
        assert codec.names == ("sky", "road", "tree")


def test_colours_without_a_palette_are_classes_of_their_own(tmp_path: Path) -> None:
    maps = make_maps()
    codec, stored = fit(write_maps(tmp_path / "maps", maps, "colour"))
    assert codec.kind == "colour"
    order = np.argsort([0x0000FF, 0x804000, 0x008000])  # classes in the order of their colours
    expected = np.argsort(order)[np.stack(maps)]
    assert stored[..., 0].tolist() == expected.tolist()


def test_a_palette_file_is_read_by_its_colours_beside_a_table(tmp_path: Path) -> None:
    maps = make_maps()
    folder = tmp_path / "maps"
    folder.mkdir()
    for number, labels in enumerate(maps):
        picture = Pillow.fromarray(2 - labels)  # other indices, the same colours
        picture.putpalette(np.array(list(COLOURS.values())[::-1], np.uint8).tobytes())
        picture.save(folder / f"{number}.png")
    _, stored = fit(folder, palette=write_palette(tmp_path))
    assert stored[..., 0].tolist() == np.stack(maps).tolist()


def test_gaps_between_indices_make_no_empty_classes(tmp_path: Path) -> None:
    codec, stored = fit(
        write_maps(tmp_path / "maps", [np.array([0, 7, 255], np.uint8)[labels] for labels in make_maps()], "gray")
    )
    assert codec.values == (0, 7, 255)
    assert stored.max() == 2
    assert codec.spec.shape == (3, 8, 12)
    codec, _ = fit(write_maps(tmp_path / "few", make_maps(classes=2), "gray"), classes=6)
    assert codec.spec.shape == (6, 8, 12)


def test_resizing_takes_the_nearest_pixel_and_makes_no_new_label(tmp_path: Path) -> None:
    labels = np.array([[0, 9], [9, 0]], np.uint8).repeat(20, 0).repeat(20, 1)
    codec, stored = fit(write_maps(tmp_path / "maps", [labels, labels], "gray"), size=8)
    assert stored[0, ..., 0].tolist() == np.array([[0, 1], [1, 0]]).repeat(4, 0).repeat(4, 1).tolist()
    large = LabelMapCodec(size=80, values=codec.values).encode(labels)
    assert set(np.unique(large)) == {0, 1}


@pytest.mark.parametrize(
    ("form", "settings", "message"),
    [
        ("gray", {"classes": 2}, r"3\.png has the label 2, which is not among 0 to 1: correct the map, or give more classes"),
        ("palette", {"classes": 2}, r"3\.png has the label 2, which is not among 0 to 1"),
        (
            "colour",
            {"palette": "sky,0,0,255\nroad,128,64,0"},
            r"3\.png has the label #008000, which is not among its 2 colours",
        ),
        ("gray", {"palette": "sky,0,0,255\nroad,128,64,0"}, r"0\.png has the label #000000, which is not among its 2 colours"),
        ("colour", {"classes": 2}, r"0\.png has the label #0000ff, which is not among"),
    ],
)
def test_a_label_out_of_range_is_refused_with_its_file_and_value(tmp_path: Path, form: str, settings, message: str) -> None:
    maps = [*make_maps(classes=2)[:3], make_maps(classes=3)[0]]
    if "palette" in settings:
        settings = {"palette": write_palette(tmp_path, settings["palette"])}
    with pytest.raises(GanvasError, match=message):
        fit(write_maps(tmp_path / "maps", maps, form), **settings)


def test_mixed_forms_jpegs_and_smoothed_maps_are_refused(tmp_path: Path) -> None:
    folder = write_maps(tmp_path / "mixed", make_maps(), "gray")
    Pillow.new("RGB", (12, 8)).save(folder / "z.png")
    with pytest.raises(GanvasError, match=r"z\.png holds labels as colour, others before it as index: write all maps alike"):
        fit(folder)
    Pillow.new("L", (12, 8)).save(tmp_path / "mixed" / "a.jpg")
    with pytest.raises(GanvasError, match=r"a\.jpg is a JPEG, which changes labels at every edge: save maps of labels as PNG"):
        fit(folder)
    rng = np.random.default_rng(0)
    smoothed = tmp_path / "smoothed"
    smoothed.mkdir()
    for k in range(3):
        Pillow.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(smoothed / f"{k}.png")
    with pytest.raises(GanvasError, match=r"1\.png brings the labels to more than 256 different ones"):
        fit(smoothed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has 0 classes: a palette has 2 to 256"),
        ("sky,0,0,255", "has 1 classes: a palette has 2 to 256"),
        ("sky,0,0,255\nroad,0,0,300", r"the line road,0,0,300 is no class: write a name and a colour, such as tree,0,128,0"),
        ("sky,0,0,255\nroad,#0000ff", "the line road,#0000ff has a colour of another class"),
    ],
)
def test_palettes_that_do_not_fit_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(GanvasError, match=message):
        fit(write_maps(tmp_path / "maps", make_maps(), "colour"), palette=write_palette(tmp_path, text))


def test_settings_are_checked(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="classes must be from 2 to 256, got 1"):
        LabelMap(classes=1)
    with pytest.raises(SettingError, match="classes must be left out beside a palette"):
        LabelMap(classes=3, palette="classes.csv")
    with pytest.raises(GanvasError, match=r"nowhere\.csv cannot be read \(No such file or directory\)"):
        fit(write_maps(tmp_path / "maps", make_maps(), "colour"), palette="nowhere.csv")


@pytest.mark.parametrize("form", ["palette", "colour", "deep"])
def test_written_maps_read_as_the_same_labels(tmp_path: Path, form: str) -> None:
    maps = make_maps()
    if form == "deep":
        folder = tmp_path / "maps"
        folder.mkdir()
        for number, labels in enumerate(maps):
            Pillow.fromarray(np.array([0, 300, 60000], np.uint16)[labels]).save(folder / f"{number}.png")
    else:
        folder = write_maps(tmp_path / "maps", maps, form)
    codec, stored = fit(folder)
    paths = codec.write(stored, tmp_path / "new", 0, {"Generator": "ganvas"})
    again = np.stack([codec.encode(path.read_bytes()) for path in paths])
    assert again.tolist() == stored.tolist()
    assert Pillow.open(io.BytesIO(paths[0].read_bytes())).info["Generator"] == "ganvas"


def test_a_map_is_a_condition(tmp_path: Path) -> None:
    folder = write_maps(tmp_path / "maps", make_maps(), "palette")
    codec, stored = fit(folder)
    condition = codec.derive_condition(stored)
    assert isinstance(condition, SampleCondition)
    assert (condition.kind, condition.shape) == ("label map", (3, 8, 12))
    value = condition.parse(str(folder / "0.png"))
    assert torch.equal(value, codec.load(stored[:1], None)[0])
    assert condition.draw(4, torch.Generator().manual_seed(0)).shape == (4, 3, 8, 12)
