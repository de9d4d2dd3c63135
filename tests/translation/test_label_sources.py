"""A run whose sources are maps of labels: `translate` reads labels as training does, not as colours."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import ganvas
from ganvas import cli
from ganvas.data import Columns, Pairs
from ganvas.interop import plain
from ganvas.losses import LeastSquares
from ganvas.media import Image, LabelMap
from ganvas.methods import Adversarial
from ganvas.nets import SPADE, ImageToImage, PatchGAN
from ganvas.optim import Adam
from ganvas.recipe import Evaluation, Recipe, Train
from ganvas.sampling.generator import open_sampler
from ganvas.translation.opening import open_translator
from ganvas.translation.tiling import TilingSettings
from ganvas.translation.windows import SourcePicture

SIDE, LABELS = 16, (0, 3, 7, 9)  # with gaps, and four: as many as RGBA has channels


def draw_map(seed: int, height: int = SIDE, width: int = SIDE) -> np.ndarray:
    blocks = np.random.default_rng(seed).integers(0, 4, (height // 4, width // 4))
    return np.array(LABELS, np.uint8)[blocks.repeat(4, 0).repeat(4, 1)]


def write_map(path: Path, values: np.ndarray, colours: int = 0) -> Path:
    picture = Pillow.fromarray(values)
    picture.putpalette(np.random.default_rng(colours).integers(0, 256, 768, dtype=np.uint8).tobytes())
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)
    return path


def read_size(path: Path) -> tuple[int, int]:
    with Pillow.open(path) as picture:
        return picture.size


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> "ganvas.Run":
    folder = tmp_path_factory.mktemp("labels")
    for k in range(16):
        write_map(folder / "data" / "A" / f"{k}.png", draw_map(k))
        (folder / "data" / "B").mkdir(exist_ok=True)
        Pillow.fromarray(np.random.default_rng(k).integers(0, 256, (SIDE, SIDE, 3), np.uint8)).save(folder / f"data/B/{k}.png")
    recipe = Recipe(
        name="test_labels",
        data=Pairs(path=str(folder / "data")),
        medium=Columns(media={"x": Image(size=SIDE), "source": LabelMap(size=SIDE)}),
        nets=ImageToImage(generator=SPADE(width=4, levels=2, hidden=4), critic=PatchGAN(width=4, layers=1)),
        method=Adversarial(objective=LeastSquares()),
        optim={"G": Adam(lr=1e-2), "D": Adam(lr=1e-3)},
        train=Train(samples=16, batch=8, snapshots=1, precision="fp32"),
        evaluation=Evaluation(samples=4, snapshot_samples=4),
    )
    return ganvas.train(recipe, out=folder / "run", quiet=True)


def test_a_map_is_translated_as_in_training_whatever_its_palette(run: Any, tmp_path: Path) -> None:
    labels = draw_map(99)
    sampler = open_sampler(run)
    one_hot = torch.stack([torch.from_numpy(labels == value) for value in LABELS])[None].float()
    with torch.no_grad():
        expected = sampler.codec.store(sampler.method.render(sampler.nets, {"source": one_hot}))[0].numpy()
    for colours in (0, 1):
        result = run.translate(write_map(tmp_path / f"{colours}.png", labels, colours))
        assert (result.shape, result.dtype) == ((SIDE, SIDE, 3), np.uint8)
        assert np.abs(result.astype(int) - expected.astype(int)).max() <= 1
    assert np.array_equal(run.translate(labels), result)
    assert not np.array_equal(run.translate(draw_map(98)), result)


def test_maps_of_other_sizes_and_by_the_command_line(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_map(tmp_path / "maps" / "large.png", draw_map(5, 28, 40))
    (tmp_path / "maps" / "clip.mp4").write_bytes(b"no film")
    write_map(tmp_path / "maps" / "unknown.png", np.full((16, 16), 200, np.uint8))
    Pillow.new("RGB", (16, 16), "red").save(tmp_path / "maps" / "colours.png")
    out = tmp_path / "out"
    assert cli.main(["translate", str(run.path), str(tmp_path / "maps"), "--out", str(out)]) == 1
    assert [path.name for path in out.iterdir()] == ["large.png"]
    assert read_size(out / "large.png") == (40, 28)
    text = capsys.readouterr().err
    assert "unknown.png has the label 200, which is not among 0 to 9" in text
    assert "colours.png holds colours, not indices" in text
    assert "clip.mp4 is a film, and this run translates maps of labels" in text
    assert cli.main(["translate", str(run.path), str(tmp_path / "maps" / "large.png"), "--resize", "--out", str(out)]) == 0
    assert read_size(out / "large.png") == (SIDE, SIDE)


def test_tiles_of_a_map_equal_the_whole(run: Any) -> None:
    classes = np.random.default_rng(0).integers(0, 4, (160, 160, 1), dtype=np.uint8)
    whole, tiled = (open_translator(run, tiling=TilingSettings(tile, True)).translator for tile in ("off", 32))
    assert len(tiled.plan_tiling(160, 160).tiles) > 1
    assert np.abs(tiled.translate(classes).astype(int) - whole.translate(classes).astype(int)).max() <= 1


def test_a_smaller_copy_of_a_map_holds_no_new_classes() -> None:
    picture = SourcePicture(np.repeat(np.array([[0], [3]], np.uint8), 8, 0)[..., None], classes=4)
    assert set(np.unique(picture.resize(1, 5).pixels)) == {0, 3}


def test_an_exported_run_reads_labels_too(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exported, labels = plain.Generator(ganvas.export(run, tmp_path / "out")), draw_map(99, 20, 36)
    expected = run.translate(labels)
    assert np.abs(exported.translate(labels).astype(int) - expected.astype(int)).max() <= 1
    path = write_map(tmp_path / "map.png", labels)
    monkeypatch.chdir(tmp_path)
    plain.translate_file(exported, str(path))
    with Pillow.open("translated.png") as picture:
        assert np.abs(np.asarray(picture).astype(int) - expected.astype(int)).max() <= 1
    with pytest.raises(ValueError, match="has the label 5, which is not among"):
        exported.translate(np.full((16, 16), 5, np.uint8))
