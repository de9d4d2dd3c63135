"""Pictures of any size through every generator that starts from a picture: whole, in tiles, exactly."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from torch import Tensor, nn

from ganvas import nets
from ganvas.core import Spec
from ganvas.errors import GanvasError
from ganvas.nets import SRVGG, GatedInpainting, LaMa, ResNet, StarGAN, UNet
from ganvas.nets.layers.instance_norm import InstanceNorm
from ganvas.nets.translation import SourceGenerator
from ganvas.translation import translator as translating
from ganvas.translation.mirroring import list_mirrored_indices
from ganvas.translation.tiling import TilingSettings
from ganvas.translation.translator import Translator
from small_recipes import class_condition, components

ALL: dict[str, Any] = {name: design.smallest() for name, design in components(nets, "build_generator", "smallest").items()}
MORE = {
    "ResNet without norm": ResNet(width=2, blocks=1, norm="none"),
    "ResNet of 3 halvings": ResNet(width=2, halvings=3, blocks=1),
    "UNet of instance norms": UNet(width=2, depth=3, norm="instance", dropout=False),
    "StarGAN": StarGAN().smallest(),
}
FORMS = {**ALL, **MORE}
LEVEL = 2 / 255  # of 8 bits, in the range of 2


def build(design: Any, channels: int = 3) -> SourceGenerator:
    """Its weights are larger than at the start, so that results differ from place to place."""
    torch.manual_seed(0)
    if isinstance(design, StarGAN):
        G: Any = design.build(Spec((channels, 16, 16), (), {"label": class_condition(3)}))["G"]
    else:
        G = design.build_generator((channels, 16, 16), channels)
    for layer in G.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.kaiming_normal_(layer.weight)
    return G.eval()


def open_design(design: Any, channels: int = 3, **settings: Any) -> Translator:
    G = build(design, channels)
    inputs = {"label": torch.tensor([1])} if "label" in G.conditions else {}
    return Translator(G, channels, channels, TilingSettings(**settings), inputs=inputs)


def draw_picture(height: int, width: int, channels: int = 3, dtype: Any = np.uint16) -> np.ndarray:
    """Waves, so that parts of it differ in their statistics."""
    rows, columns = np.mgrid[:height, :width].astype(float)
    waves = [np.sin(rows / 7 + k) * np.cos(columns * (k + 1) / 11) * rows / height for k in range(channels)]
    noise = np.random.default_rng(0).normal(0, 0.1, (height, width, channels))
    top = np.iinfo(dtype).max
    return ((np.stack(waves, 2) + noise + 1.5) / 3 * top).clip(0, top).astype(dtype)


def draw_hole(translator: Translator, height: int, width: int) -> np.ndarray | None:
    hole = np.zeros((height, width), bool)
    hole[height // 4 : height // 2, width // 3 :] = True
    return hole if translator.takes_hole else None


def compare(first: np.ndarray, second: np.ndarray) -> float:
    """The largest difference, as a share of the range."""
    return float(np.abs(first.astype(float) - second).max() / np.iinfo(first.dtype).max)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("size", [(5, 4), (33, 47)])
def test_any_size_gives_scale_times_the_size(name: str, size: tuple[int, int]) -> None:
    translator = open_design(FORMS[name])
    result = translator.translate(draw_picture(*size), draw_hole(translator, *size))
    scale = translator.G.scale
    assert (result.shape, result.dtype) == ((scale * size[0], scale * size[1], 3), np.uint16)
    assert result.std() > 10


@pytest.mark.parametrize("name", FORMS)
def test_a_picture_that_fits_goes_through_as_it_is(name: str) -> None:
    """Padding adds nothing to a picture whose sides fit: the result is the network's own output."""
    translator = open_design(FORMS[name])
    G, pixels = translator.G, draw_picture(48, 64)
    hole = draw_hole(translator, 48, 64)
    source = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None] / 32767.5 - 1
    inputs: dict[str, Tensor] = {"source": source, **translator.inputs}
    if hole is not None:
        inputs["mask"] = torch.from_numpy(hole)[None, None].float()
    with torch.no_grad():
        x = G(**inputs)
    if hole is not None:
        x = torch.where(inputs["mask"] > 0, x, source)
    expected = (x[0].permute(1, 2, 0).clamp(-1, 1).numpy() + 1) * 32767.5
    assert np.abs(translator.translate(pixels, hole) - expected).max() < 1.5


NEAR_REACH = 90  # pixels: forms that see farther want larger pictures
REACHES = {name: build(form).convolutional_reach for name, form in FORMS.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, reach in REACHES.items() if reach is not None and reach > NEAR_REACH])
def test_tiles_of_far_seeing_networks_equal_the_whole(name: str) -> None:
    check_tiles(name, (1003, 19))


@pytest.mark.parametrize("name", [name for name, reach in REACHES.items() if reach is not None and reach <= NEAR_REACH])
def test_tiles_equal_the_whole(name: str) -> None:
    check_tiles(name, (203, 19))


def check_tiles(name: str, size: tuple[int, int]) -> None:
    """Exactly, without a norm over the whole or with --exact."""
    whole = open_design(FORMS[name], tile="off")
    has_norm = any(isinstance(layer, InstanceNorm) for layer in whole.G.modules())
    tiled = open_design(FORMS[name], tile=24, is_exact=has_norm)
    tiles = tiled.plan_tiling(*size).tiles
    assert len(tiles) > 4
    assert all(tile.window_rows.length < size[0] for tile in tiles)  # none sees it all
    assert tiled.describe_tiling(*size) is None
    pixels, hole = draw_picture(*size), draw_hole(whole, *size)
    expected = whole.translate(pixels, hole)
    assert expected.std() > 10
    assert compare(tiled.translate(pixels, hole), expected) < (1e-4 if has_norm else 1e-3)


@pytest.mark.parametrize("name", ["ResNet of 3 halvings", "UNet of instance norms", "StarGAN"])
def test_without_exact_statistics_the_difference_is_said(name: str) -> None:
    whole, exact, tiled = (open_design(FORMS[name], tile=tile, is_exact=is_exact) for tile, is_exact in TILINGS)
    pixels = draw_picture(100, 80)
    expected = whole.translate(pixels)
    assert "statistics of a copy at" in (tiled.describe_tiling(100, 80) or "")
    assert "--exact" in (tiled.describe_tiling(100, 80) or "")
    difference = compare(tiled.translate(pixels), expected)
    assert difference > 1e-4
    assert compare(exact.translate(pixels), expected) < 1e-4
    mean = np.abs(tiled.translate(pixels).astype(float) - expected).mean() / 65535
    assert mean < 0.15  # random weights make much of small differences


TILINGS: list[tuple[Any, bool]] = [("off", False), (16, True), (16, False)]


def test_a_copy_of_the_whole_size_gives_the_whole_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """If the memory holds the whole picture once, its statistics are exact."""
    monkeypatch.setattr(Translator, "_choose_copy_factor", lambda *_: 1.0)
    pixels = draw_picture(101, 67)
    whole, tiled = (open_design(MORE["UNet of instance norms"], tile=tile) for tile in ("off", 16))
    assert compare(tiled.translate(pixels), whole.translate(pixels)) < 1e-4


def test_norms_are_as_before_after_tiles() -> None:
    translator = open_design(MORE["StarGAN"], tile=16, is_exact=True)
    before = translator.G(torch.ones(1, 3, 16, 16), torch.tensor([1]))
    translator.translate(draw_picture(64, 64))
    assert torch.equal(translator.G(torch.ones(1, 3, 16, 16), torch.tensor([1])), before)


def test_what_sees_everything_is_not_tiled(monkeypatch: pytest.MonkeyPatch) -> None:
    picture, hole = draw_picture(300, 300), np.ones((300, 300), bool)
    with pytest.raises(GanvasError, match="sees the whole picture at once, so tiles would change"):
        open_design(LaMa().smallest(), tile=64).translate(picture, hole)
    monkeypatch.setattr(translating, "measure_free_bytes", lambda _: 2**20)
    with pytest.raises(GanvasError, match=r"300 x 300 px need about .* and 0\.0 GiB are free.*tiles cannot help"):
        open_design(LaMa().smallest()).translate(picture, hole)


def test_too_little_memory_for_the_smallest_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translating, "measure_free_bytes", lambda _: 2**14)
    with pytest.raises(GanvasError, match=r"even in the smallest tiles.*close other programs, or make the picture smaller"):
        open_design(SRVGG().smallest()).translate(draw_picture(300, 300))


@pytest.mark.parametrize("free", [2**30, 2**24, 2**22])
def test_tiles_follow_from_the_memory(free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less memory gives more tiles, and each window fits half of what is free."""
    monkeypatch.setattr(translating, "measure_free_bytes", lambda _: free)
    translator = open_design(SRVGG(width=8, layers=2, scale=1))
    tiling = translator.plan_tiling(600, 500)
    per_pixel = translator._bytes_per_pixel
    assert 8 * 4 * 2 < per_pixel < 8 * 4 * 20  # bytes: a few maps of 8 channels
    largest = max(tile.window_rows.length * tile.window_columns.length for tile in tiling.tiles)
    assert largest * per_pixel <= free / 2
    assert tiling.is_whole == (600 * 500 * per_pixel <= free / 2)
    assert largest * per_pixel > free / 8 or tiling.is_whole


def test_the_tile_limit_holds_for_copies_only_by_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """With instance norm a picture goes through whole as long as it fits, because tiles are not the same."""
    monkeypatch.setattr("ganvas.translation.tiling.MAX_TILE_BYTES", 2**22)
    monkeypatch.setattr(translating, "measure_free_bytes", lambda _: 2**30)
    assert open_design(ResNet(width=2, blocks=1)).plan_tiling(500, 500).is_whole
    assert not open_design(ResNet(width=2, blocks=1, norm="none")).plan_tiling(500, 500).is_whole


@pytest.mark.parametrize(("side", "expected"), [(4, "0123210123210"), (2, "0101010101010"), (1, "0000000000000")])
def test_beyond_its_border_a_picture_is_mirrored(side: int, expected: str) -> None:
    assert "".join(map(str, list_mirrored_indices(0, 13, side))) == expected


class Echo(SourceGenerator):
    """Gives back its source, each pixel `scale` times, as `channels` channels."""

    def __init__(self, channels: int = 3, scale: int = 1) -> None:
        super().__init__()
        self.channels, self.scale, self.multiple = channels, scale, 4
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, source: Tensor) -> Tensor:
        x = source.repeat_interleave(self.scale, 2).repeat_interleave(self.scale, 3)
        return x[:, :1].repeat(1, self.channels, 1, 1) if x.shape[1] != self.channels else x


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4, 7])
def test_an_identity_keeps_every_bit(channels: int, dtype: Any) -> None:
    pixels = draw_picture(21, 18, channels, dtype)
    result = Translator(Echo(channels), channels, channels).translate(pixels)
    assert result.dtype == dtype
    assert np.array_equal(result, pixels)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_stays_and_edges_do_not_change(dtype: Any) -> None:
    """The network sees transparency over the background, and the result over the background is its output again."""
    pixels = draw_picture(20, 16, 4, dtype)
    pixels[:4, :, 3], pixels[4:8, :, 3] = 0, np.iinfo(dtype).max
    result = Translator(Echo(), 3, 3).translate(pixels)
    assert np.array_equal(result[..., 3], pixels[..., 3])
    assert np.array_equal(result[4:8], pixels[4:8])
    assert (result[:4, :, :3] == np.iinfo(dtype).max).all()  # invisible: the background
    assert np.abs(result[8:].astype(int) - pixels[8:]).max() <= (1 if dtype == np.uint8 else 40)


def test_alpha_is_enlarged_by_lanczos() -> None:
    pixels = draw_picture(20, 16, 4, np.uint8)
    pixels[..., 3] = np.where(np.arange(16) < 8, 0, 255)
    result = Translator(Echo(scale=2), 3, 3).translate(pixels)
    assert result.shape == (40, 32, 4)
    assert (result[:, :12, 3] < 20).all()
    assert (result[:, 20:, 3] > 235).all()


def test_gray_stays_gray_unless_the_network_colours() -> None:
    pixels = draw_picture(20, 16, 1, np.uint8)
    assert np.array_equal(Translator(Echo(), 3, 3).translate(pixels), pixels)
    assert Translator(Echo(channels=3), 1, 3).translate(pixels).shape == (20, 16, 3)  # a network from gray to colours
    coloured = Translator(Echo(), 3, 3, render=lambda inputs: inputs["source"] * torch.tensor([1, 0.5, 0]).view(3, 1, 1))
    assert coloured.translate(pixels).shape == (20, 16, 3)


def test_colours_become_gray_for_a_gray_network() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8) + np.array([255, 0, 0], np.uint8)
    assert Translator(Echo(1), 1, 1).translate(pixels)[..., 0] == pytest.approx(np.full((8, 8), 76))


def test_other_channels_are_refused() -> None:
    with pytest.raises(GanvasError, match="has 5 channels, but the run translates pictures of 3"):
        Translator(Echo(), 3, 3).translate(draw_picture(8, 8, 5))


def test_known_pixels_stay_and_the_hole_is_filled() -> None:
    translator = open_design(replace(GatedInpainting().smallest(), width=4))
    pixels, hole = draw_picture(41, 30), draw_hole(open_design(GatedInpainting().smallest()), 41, 30)
    assert hole is not None
    result = translator.translate(pixels, hole)
    assert np.array_equal(result[~hole], pixels[~hole])
    assert (result[hole] != pixels[hole]).any(1).mean() > 0.9
    changed = np.where(hole[..., None], 0, pixels).astype(np.uint16)
    assert np.array_equal(translator.translate(changed, hole), result)  # what is in the hole does not matter


@pytest.mark.parametrize(
    ("design", "hole", "message"),
    [
        (GatedInpainting(), None, "has no hole to fill: give a mask"),
        (GatedInpainting(), np.ones((9, 8), bool), "is 16 x 12 px, but its mask is 8 x 9: both need the same size"),
        (SRVGG(), np.ones((12, 16), bool), "this run fills no holes: leave out --mask"),
    ],
)
def test_holes_that_do_not_fit(design: Any, hole: np.ndarray | None, message: str) -> None:
    with pytest.raises(GanvasError, match=message):
        open_design(design.smallest()).translate(draw_picture(12, 16), hole)


@pytest.mark.slow
def test_a_hundred_megapixels_take_less_than_4_gib(tmp_path: Any) -> None:
    """From file to file, in a process of its own, whose largest memory is read at its end."""
    Pillow.fromarray(np.zeros((10_000, 10_000, 3), np.uint8)).save(tmp_path / "a.png", compress_level=1)
    environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(nets.__file__).parents[2])}
    out = subprocess.run(
        [sys.executable, "-c", LARGE, str(tmp_path)], capture_output=True, text=True, check=True, env=os.environ | environment
    )
    size, kilobytes = out.stdout.split()
    assert size == "10000x10000"
    assert int(kilobytes) * 1024 < 4 * 2**30


LARGE = """
import resource, sys
from pathlib import Path
from ganvas.nets import UNet
from ganvas.translation.picture_files import read_picture_file, write_result
from ganvas.translation.translator import Translator

folder = Path(sys.argv[1])
G = UNet(width=8, depth=4, dropout=False).build_generator((3, 16, 16), 3).eval()
file = read_picture_file(folder / "a.png")
result = Translator(G, 3, 3).translate(file.pixels)
write_result(folder / "b.png", result, file._replace(pixels=result), {"Software": "test"})
print(f"{result.shape[1]}x{result.shape[0]}", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
