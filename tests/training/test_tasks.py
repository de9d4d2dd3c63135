"""The recipe that the data asks for, and what is said of it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from ganvas.data import Columns, Pairs, Tiles, prepare_dataset
from ganvas.data.columns import fit_medium
from ganvas.data.dataset import open_data
from ganvas.errors import GanvasError
from ganvas.media import Degraded, Image
from ganvas.nets.translation.source_generator import SourceGenerator
from ganvas.recipes import list_recipes
from ganvas.training.resuming import replace_data
from ganvas.training.tasks import choose_recipe


def write_pairs(top: Path, source_size: tuple[int, int], size: tuple[int, int], count: int = 4) -> Path:
    rng = np.random.default_rng(0)
    for folder, (width, height) in (("A", source_size), ("B", size)):
        (top / folder).mkdir(parents=True)
        for k in range(count):
            Pillow.fromarray(rng.integers(256, size=(height, width, 3), dtype=np.uint8)).save(top / folder / f"{k}.png")
    return top


@pytest.mark.parametrize(("scale", "sizes"), [(4, ((3, 64, 64), (3, 16, 16))), (3, ((3, 63, 63), (3, 21, 21)))])
def test_pairs_of_two_sizes_are_enlarged_by_their_factor(
    tmp_path: Path, scale: int, sizes: tuple[tuple[int, ...], ...]
) -> None:
    path = write_pairs(tmp_path, (16, 16) if scale == 4 else (32, 32), (64, 64) if scale == 4 else (96, 96))
    recipe, sentence = choose_recipe(path)
    assert f"{scale} times larger than the sources" in sentence
    medium = recipe.medium
    assert isinstance(medium, Columns)
    if scale == 3:  # it chooses 64 px, which 3 does not divide
        medium = Columns(media={name: Image(pixels=64 * 64) for name in medium.media})
    items = recipe.data.items(Image().suffixes)
    codec, reasons = fit_medium(medium, items)
    data = prepare_dataset(items, codec, None, quiet=True)
    assert (data.spec.shape, data.spec.conditions["source"].shape) == sizes  # type: ignore[attr-defined]
    assert any(
        f"source: pictures become {sizes[1][1]}x{sizes[1][1]} (width x height), {scale} times smaller" in r for r in reasons
    )
    G = recipe.nets.build(data.spec)["G"]
    assert isinstance(G, SourceGenerator)
    batch = data.batch(0, 2)
    with torch.inference_mode():
        assert G(source=batch["source"]).shape == batch["x"].shape


def test_larger_sources_are_shrunk_and_the_sentence_says_so(tmp_path: Path) -> None:
    recipe, sentence = choose_recipe(write_pairs(tmp_path, (48, 48), (16, 16)))
    assert (recipe.name, type(recipe.data)) == ("translator", Pairs)
    assert sentence.endswith(
        "sources 3 times larger. They are shrunk to the size of the targets. To learn to enlarge, exchange A and B"
    )
    codec, reasons = fit_medium(recipe.medium, recipe.data.items(Image().suffixes))
    data = prepare_dataset(recipe.data.items(Image().suffixes), codec, None, quiet=True)
    assert data.columns["source"].shape == data.columns["x"].shape == (4, 16, 16, 3)
    assert reasons == [
        "x: pictures stay 16x16 (width x height)",
        "source: pictures become 16x16 (width x height), the size of x; the files are 3 times larger, and shrunk",
    ]


def test_wide_pictures_are_pairs_but_the_way_to_plain_training_is_named(tmp_path: Path) -> None:
    for k in range(3):
        Pillow.new("RGB", (32, 16), (k, 0, 0)).save(tmp_path / f"{k}.png")
    recipe, sentence = choose_recipe(tmp_path)
    assert recipe.name == "translator"
    assert sentence.endswith(f"name the recipe: ganvas train auto --data {tmp_path}")


def test_one_kind_of_pictures_and_equal_pairs_stay_as_they_are(tmp_path: Path) -> None:
    (recipe, sentence), plain = choose_recipe(write_pairs(tmp_path, (16, 16), (16, 16))), choose_recipe(tmp_path / "A")
    assert (recipe.name, plain[0].name, plain[1]) == ("translator", "auto", "")
    assert "recipe" not in sentence
    with pytest.raises(GanvasError, match="no whole number of times"):
        choose_recipe(write_pairs(tmp_path / "odd", (16, 16), (24, 24)))


def test_sources_take_the_size_of_their_targets_even_where_their_shapes_would_choose_another(tmp_path: Path) -> None:
    """Sizes that are a pixel apart choose different ones by themselves."""
    source = Pairs(path=str(write_pairs(tmp_path, (95, 95), (96, 96), 3)))
    items = source.items(Image().suffixes)
    codec = Columns(media={"x": Image(pixels=96 * 96), "source": Image(pixels=96 * 96)}).fit(items)
    assert codec.columns["source"].spec.shape == codec.columns["x"].spec.shape == (3, 96, 96)


def test_restoration_learns_from_tiles_of_photographs_and_shrinks_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for k in range(4):
        Pillow.fromarray(rng.integers(256, size=(300, 420, 3), dtype=np.uint8)).save(tmp_path / f"{k}.png")
    chosen, _ = choose_recipe(tmp_path, "x4")
    recipe = replace_data(chosen, tmp_path)
    codec, training_set, held_out = open_data(recipe.data, recipe.medium, None, True, recipe.batches, recipe.held_out)
    assert (codec.spec.shape, len(training_set)) == ((3, 128, 128), 3 * 2 * 3)
    assert held_out is not None
    assert (len(held_out), held_out.is_taken_from_training) == (6, False)
    photographs = [np.asarray(Pillow.open(tmp_path / f"{k}.png")) for k in range(4)]
    tile = training_set.columns["x"][0].numpy()
    assert any(np.array_equal(photograph[22:150, 18:146], tile) for photograph in photographs)
    larger = Degraded(medium=Image(size=256), by=())
    with pytest.raises(GanvasError, match="tiles of 128 px, which would be enlarged to 256x256: set the size of the data"):
        larger.fit(recipe.data.items(larger.suffixes))


def test_recipes_with_tiles_have_a_medium_of_the_same_size() -> None:
    names = []
    for name, build in list_recipes().items():
        recipe = build()
        if isinstance(recipe.data, Tiles):
            names.append(name)
            assert isinstance(recipe.medium, Degraded)
            picture = recipe.medium.medium
            assert recipe.data.size in (picture.size, picture.pixels**0.5 if picture.size is None else None), name
    assert {"srresnet_small", "srgan", "esrgan", "realesrgan", "restore", "inpaint_small"} <= set(names)
    assert "colourise" not in names


def write_palette(path: Path, colours: list[int], labels: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.arange(32 * 32, dtype=np.uint8).reshape(32, 32) % labels
    picture = Pillow.fromarray(pixels, mode="P")
    picture.putpalette(colours)
    picture.save(path)


def test_palette_maps_of_labels_take_their_own_recipe_and_drawings_of_few_colours_do_not(tmp_path: Path) -> None:
    colours = [[10, 20, 30, 200, 100, 0, 0, 0, 255], [0, 20, 30, 200, 100, 0, 0, 0, 255]]
    for k in range(4):
        write_palette(tmp_path / "maps" / "A" / f"{k}.png", colours[0], labels=3)
        write_palette(tmp_path / "drawings" / "A" / f"{k}.png", colours[k % 2], labels=3)
        for name in ("maps", "drawings"):
            (tmp_path / name / "B").mkdir(exist_ok=True)
            Pillow.new("RGB", (32, 32), (k, 0, 0)).save(tmp_path / name / "B" / f"{k}.png")
    recipe, sentence = choose_recipe(tmp_path / "maps")
    assert recipe.name == "spade_small"
    assert "sources are maps of 3 labels" in sentence
    assert sentence.endswith(f"name the recipe: ganvas train translator --data {tmp_path / 'maps'}")
    assert choose_recipe(tmp_path / "drawings")[0].name == "translator"
