"""A run whose pictures come from two sources: trained, resumed, scored and used, from the run alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import ganvas
from ganvas import cli
from ganvas.data import Columns, Pairs
from ganvas.errors import GanvasError
from ganvas.evaluation.evaluator import build_run_evaluator
from ganvas.interop import plain
from ganvas.losses import LeastSquares
from ganvas.media import Image
from ganvas.methods import Adversarial
from ganvas.nets import ImageToImage, PatchGAN, Residual, ResNet
from ganvas.optim import Adam
from ganvas.recipe import Evaluation, Recipe, Train
from ganvas.sampling.generator import open_sampler
from ganvas.translation.opening import find_source_shape


def draw(seed: int, side: int = 16, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, channels), dtype=np.uint8)


def write(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> "ganvas.Run":
    """People and clothes of 16 px, trained for a moment."""
    folder = tmp_path_factory.mktemp("several")
    for k in range(24):
        for number, name in enumerate(("people", "clothes", "dressed")):
            write(folder / "data" / name / f"{k}.png", draw(100 * number + k))
    rows = [f"people/{k}.png,clothes/{k}.png,dressed/{k}.png" for k in range(24)]
    for name, lines in (("pairs.csv", rows[:20]), ("pairs_test.csv", rows[20:])):
        (folder / "data" / name).write_text("\n".join(["source,clothes,target", *lines]))
    recipe = Recipe(
        name="test_several",
        data=Pairs(path=str(folder / "data")),
        medium=Columns(media={"x": Image(), "source": Image()}),
        nets=ImageToImage(generator=Residual(generator=ResNet(width=4, blocks=1)), critic=PatchGAN(width=4, layers=1)),
        method=Adversarial(objective=LeastSquares()),
        optim={"G": Adam(lr=1e-2), "D": Adam(lr=1e-3)},
        train=Train(samples=64, batch=8, snapshots=2, precision="fp32"),
        evaluation=Evaluation(samples=4, snapshot_samples=4),
    )
    return ganvas.train(recipe, out=folder / "run", quiet=True)


def test_the_result_depends_on_both_pictures(run: Any, tmp_path: Path) -> None:
    person, shirt = draw(1), draw(2)
    result = run.translate(person, sources={"clothes": shirt})
    assert (result.shape, result.dtype) == ((16, 16, 3), np.uint8)
    assert not np.array_equal(result, run.translate(person, sources={"Clothes": draw(3)}))
    assert not np.array_equal(result, run.translate(draw(4), sources={"clothes": shirt}))
    by_file = run.translate(write(tmp_path / "p.png", person), sources={"clothes": write(tmp_path / "s.png", shirt)})
    assert np.array_equal(result, by_file)


def test_a_picture_is_stacked_as_in_training(run: Any) -> None:
    person, shirt = draw(1), draw(2)
    sampler = open_sampler(run)
    stack = torch.from_numpy(np.concatenate([person, shirt], 2)).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.no_grad():
        stored = sampler.codec.store(sampler.method.render(sampler.nets, {"source": stack}))
    result = run.translate(person, sources={"clothes": shirt})
    assert np.abs(stored[0].numpy().astype(int) - result.astype(int)).max() <= 1


def test_with_a_file_or_a_folder(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for k in range(2):
        write(tmp_path / "people" / f"{k}.png", draw(k))
        write(tmp_path / "shirts" / f"{k}.bmp", draw(10 + k))
    write(tmp_path / "people" / "naked.png", draw(5))
    start = ["translate", str(run.path), str(tmp_path / "people")]
    assert cli.main([*start, "--with", f"clothes={tmp_path / 'shirts'}", "--out", str(tmp_path / "each")]) == 1
    assert "naked.png has no clothes:" in capsys.readouterr().err
    assert cli.main([*start, "--with", f"clothes={tmp_path / 'shirts' / '0.bmp'}", "--out", str(tmp_path / "one")]) == 0
    each, one = ([np.asarray(Pillow.open(tmp_path / name / f"{k}.png")) for k in range(2)] for name in ("each", "one"))
    assert np.array_equal(each[0], one[0])
    assert not np.array_equal(each[1], one[1])
    assert np.array_equal(each[1], run.translate(draw(1), sources={"clothes": draw(11)}))


def test_what_is_missing_or_too_much_is_said(run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = write(tmp_path / "p.png", draw(0))
    for given, message in (
        (None, r"needs the clothes: --with clothes=FILE"),
        ({"clothes": picture, "pose": picture}, r"takes no pose, but clothes: --with clothes=FILE"),
        ({"clothes": tmp_path / "gone.png"}, r"there is no clothes at .*gone\.png: give a file"),
        ({"clothes": draw(0, 20)}, r"source of 16 x 16, clothes of 20 x 20 px\): bring all of them to one size"),
    ):
        with pytest.raises(GanvasError, match=message):
            run.translate(picture, sources=given)
    for words, message in ((["--with", "clothes"], "NAME=FILE"), (["--with", "a=1", "--with", "A=2"], "gives a twice")):
        assert cli.main(["translate", str(run.path), str(picture), *words]) != 0
        assert message in capsys.readouterr().err


def test_resize_brings_both_to_one_size(run: Any, tmp_path: Path) -> None:
    picture, shirt = write(tmp_path / "p.png", draw(0, 40)), write(tmp_path / "s.png", draw(1, 24))
    report = ganvas.translate(run, picture, tmp_path / "out", sources={"clothes": shirt}, resize=True)
    assert np.asarray(Pillow.open(report.written[0])).shape == (16, 16, 3)


def test_the_run_is_resumed_and_scored_by_itself(run: Any) -> None:
    card = ganvas.evaluate(run, n=4)
    assert {"identity", "moments"} <= set(card["baselines"])
    longer = ganvas.resume(run.path, samples=96, quiet=True)
    assert find_source_shape(longer.read_spec()) == (6, 16, 16)
    assert longer.translate(draw(1), sources={"clothes": draw(2)}).shape == (16, 16, 3)
    assert json.loads((run.path / "codec.json").read_text())["source_names"] == ["source", "clothes"]


def test_rows_show_every_source(run: Any) -> None:
    evaluator = build_run_evaluator(run)
    assert evaluator.sources is not None
    people, clothes = (evaluator.sources.draw_sources(4, number) for number in range(2))
    shown = [
        [np.asarray(tile.resize((16, 16), Pillow.Resampling.BOX)).tobytes() for tile in pair]
        for pair in zip(people, clothes, strict=True)
    ]
    assert sorted(shown) == sorted([draw(row).tobytes(), draw(100 + row).tobytes()] for row in range(20, 24))
    sampler = open_sampler(run)
    lone = evaluator.sources.draw(evaluator.draw_fakes(sampler.method, sampler.nets, 4), has_truth=False)
    both = evaluator.sources.draw(evaluator.draw_fakes(sampler.method, sampler.nets, 4), has_truth=True)
    assert both.width / lone.width == pytest.approx(4 / 3, rel=0.05)


def test_an_exported_run_takes_each_picture_from_a_file(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exported = plain.Generator(ganvas.export(run, tmp_path / "out"))
    person, shirt = draw(1), draw(2)
    files = [str(write(tmp_path / f"{name}.png", pixels)) for name, pixels in (("person", person), ("shirt", shirt))]
    monkeypatch.chdir(tmp_path)
    plain.translate_file(exported, *files)
    expected = run.translate(person, sources={"clothes": shirt})
    with Pillow.open("translated.png") as picture:
        assert np.abs(np.asarray(picture).astype(int) - expected.astype(int)).max() <= 1
    with pytest.raises(SystemExit, match=r"which pictures\? python load\.py source\.png clothes\.png"):
        plain.translate_file(exported, files[0])
    with pytest.raises(SystemExit, match="pictures have different sizes"):
        plain.translate_file(exported, files[0], str(write(tmp_path / "small.png", draw(3, 12))))
