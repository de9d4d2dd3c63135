"""Baselines of translators: what they make of small sources, and where they apply."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from ganvas.configuration import from_json, to_json
from ganvas.core import Baseline, Spec
from ganvas.data.conditions import VectorCondition
from ganvas.metrics.baselines import (
    Enlargement,
    Histograms,
    Identity,
    MeanChroma,
    MeanFill,
    MeanPicture,
    Moments,
    NearestSource,
    OpenCVFill,
    choose_baselines,
)
from ganvas.metrics.pairs import PSNR, SSIM


class Shaped:
    kind, size, names, codec = "image", 1, (), None

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def parse(self, text):
        raise NotImplementedError

    def draw(self, n, generator):
        raise NotImplementedError

    def describe(self):
        return "a picture"


def spec_of(x: tuple[int, ...], source: tuple[int, ...], mask: bool = False) -> Spec:
    return Spec(x, (), {"source": Shaped(*source)} | ({"mask": Shaped(1, *x[1:])} if mask else {}))


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def batch_of(source, x, **columns) -> dict[str, torch.Tensor]:
    return {"source": source, "x": x, **columns}


def names(spec: Spec, has_pairs: bool) -> list[str]:
    return [baseline.name for baseline in choose_baselines(spec, has_pairs)]


def test_baselines_are_chosen_by_the_data():
    pairs, grey, small = spec_of((3, 8, 8), (3, 8, 8)), spec_of((3, 8, 8), (1, 8, 8)), spec_of((3, 8, 8), (3, 2, 2))
    assert names(pairs, True) == ["identity", "nearest", "mean", "moments", "histograms"]
    assert names(pairs, False) == ["identity", "moments", "histograms"]
    assert names(grey, True) == ["identity", "mean-chroma", "nearest", "mean", "moments", "histograms"]
    assert names(small, True) == ["lanczos", "bicubic", "identity", "nearest", "mean"]
    assert "mean-fill" in names(spec_of((3, 8, 8), (3, 8, 8), mask=True), True)
    for other in (
        Spec((2,), (), {}),
        Spec((3, 8, 8), (), {}),
        Spec((3, 8, 8), (), {"source": VectorCondition(examples=((1.0,),))}),
    ):
        assert names(other, True) == []


def test_every_baseline_survives_json_and_keeps_the_shape():
    source, x = random(5, 3, 8, 8), random(5, 3, 8, 8, seed=1)
    mask = torch.zeros(5, 1, 8, 8)
    for baseline in choose_baselines(spec_of((3, 8, 8), (3, 8, 8), mask=True), True):
        assert isinstance(baseline, Baseline)
        assert from_json(json.loads(json.dumps(to_json(baseline)))) == baseline
        result = baseline.fit(batch_of(source, x, mask=mask))({"source": source[:2], "mask": mask[:2]})
        assert result.shape == (2, 3, 8, 8)
        assert result.abs().max() <= 1


@pytest.mark.parametrize(
    ("source", "channels", "expected"),
    [
        ((0.5,), 3, (0.5, 0.5, 0.5)),
        ((0.5, 0.1, -0.3), 1, (0.299 * 0.5 + 0.587 * 0.1 - 0.114 * 0.3,)),
        ((0.5, 0.1, -0.3), 4, (0.5, 0.1, -0.3, 1.0)),
        ((0.5, 0.1, -0.3, 0.0), 3, (0.5, 0.1, -0.3)),
        ((0.5,), 2, (0.5, 1.0)),
        ((0.5, 0.1), 5, (0.5, 0.1, 0.5, 0.1, 0.5)),
    ],
)
def test_identity_adapts_channels(source, channels, expected):
    pixels = torch.tensor(source).view(1, -1, 1, 1).expand(2, -1, 4, 4)
    result = Identity().fit({"x": torch.zeros(1, channels, 4, 4)})({"source": pixels})
    torch.testing.assert_close(result, torch.tensor(expected).view(1, -1, 1, 1).expand(2, -1, 4, 4))


def test_identity_interpolates_other_sizes():
    flat = torch.full((1, 3, 4, 6), 0.25)
    result = Identity().fit({"x": torch.zeros(1, 3, 9, 13)})({"source": flat})
    torch.testing.assert_close(result, torch.full((1, 3, 9, 13), 0.25))


@pytest.mark.parametrize("kind", ["bilinear", "bicubic", "lanczos"])
def test_enlargements_are_pillows(kind):
    pixels = np.random.default_rng(0).integers(70, 186, (1, 12, 9, 3), np.uint8)  # Pillow clips between its two passes
    expected = Pillow.fromarray(pixels[0]).resize((36, 48), getattr(Pillow.Resampling, kind.upper()))
    source = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1
    result = Enlargement(filter=kind).fit({"x": torch.zeros(1, 3, 48, 36)})({"source": source})
    difference = (result[0].permute(1, 2, 0) + 1) * 127.5 - torch.from_numpy(np.array(expected)).float()
    assert difference.abs().max() < 1.6  # and rounds there


def test_nearest_finds_the_sample_of_the_source_that_it_was_given():
    source, x = random(6, 1, 20, 20), random(6, 3, 20, 20, seed=1)
    order = torch.tensor([3, 0, 5])
    noisy = source[order] + 0.01 * random(3, 1, 20, 20, seed=2)
    assert torch.equal(NearestSource().fit(batch_of(source, x))({"source": noisy}), x[order])


def test_mean_is_the_mean_whatever_the_source():
    x = random(6, 3, 4, 4)
    result = MeanPicture().fit(batch_of(x, x))({"source": random(2, 1, 4, 4)})
    torch.testing.assert_close(result, x.mean(0).expand(2, -1, -1, -1))


def test_moments_and_histograms_undo_a_change_of_colours():
    x = random(40, 3, 16, 16) * torch.tensor([0.6, 0.4, 0.2]).view(1, 3, 1, 1)
    gain, shift = torch.tensor([0.5, 1.3, 2.0]).view(1, 3, 1, 1), torch.tensor([0.3, -0.2, 0.1]).view(1, 3, 1, 1)
    source = x * gain + shift
    other = random(2, 3, 16, 16, seed=3) * 0.2
    for baseline, tolerance in ((Moments(), 1e-4), (Histograms(), 0.03)):
        result = baseline.fit(batch_of(source, x))({"source": other * gain + shift})
        torch.testing.assert_close(result, other, atol=tolerance, rtol=0)


def test_histograms_follow_a_curve_that_moments_cannot():
    x = random(60, 1, 16, 16)
    source = x**3
    test = random(4, 1, 16, 16, seed=5)
    errors = [(b.fit(batch_of(source, x))({"source": test**3}) - test).abs().mean() for b in (Histograms(), Moments())]
    assert errors[0] < 0.03
    assert errors[0] < errors[1] / 4


def test_mean_chroma_colours_what_depends_on_brightness_alone():
    luma = random(30, 1, 12, 12) * 0.5
    x = torch.cat([luma + 0.2, luma - 0.299 * 0.2 / 0.587, luma], 1)  # its luma is `luma`: the red is paid by the green
    result = MeanChroma().fit(batch_of(luma, x))({"source": luma[:3]})
    torch.testing.assert_close(result, x[:3], atol=2e-3, rtol=0)


def test_fills_leave_what_is_known_and_fill_the_rest():
    source = torch.full((2, 3, 16, 16), 0.5)
    mask = torch.zeros(2, 1, 16, 16)
    mask[:, :, 5:9, 6:11] = 1
    broken = torch.where(mask > 0, -1.0, source)
    result = MeanFill().fit({"x": source})({"source": broken, "mask": mask})
    torch.testing.assert_close(result, source)
    pytest.importorskip("cv2")
    exact = broken + 1e-3 * (1 - mask)
    for algorithm in ("telea", "navier-stokes"):
        result = OpenCVFill(algorithm=algorithm).fit({"x": source})({"source": exact, "mask": mask})
        assert torch.equal(result * (1 - mask), exact * (1 - mask))
        torch.testing.assert_close(result, source, atol=0.02, rtol=0)


DATA = Path(__file__).parents[2] / "data" / "translation"


def load_pictures(name: str) -> torch.Tensor:
    """[N, 3, 64, 64] in [-1, 1]."""
    files = sorted((DATA / name).glob("*.png"))
    if not files:
        pytest.skip("needs make data-translation")
    return torch.from_numpy(np.stack([np.asarray(Pillow.open(file)) for file in files])).permute(0, 3, 1, 2).float() / 127.5 - 1


@pytest.mark.slow
def test_held_back_data_give_the_figures_that_recipes_have_to_beat():
    """Issue 18's table of baselines, which another program measured."""
    truth, drawings = load_pictures("openmoji/testB"), load_pictures("openmoji/testA")
    training = batch_of(load_pictures("openmoji/trainA"), load_pictures("openmoji/trainB"))
    results = {b.name: b.fit(training)({"source": drawings}) for b in (Identity(), NearestSource(), MeanPicture())}
    decibels = {name: PSNR()(x, truth)["psnr"].mean().item() for name, x in results.items()}
    assert decibels == pytest.approx({"identity": 17.41, "nearest": 12.31, "mean": 11.37}, abs=0.07)
    assert SSIM()(results["identity"], truth)["ssim"].mean().item() == pytest.approx(0.872, abs=0.001)


@pytest.mark.slow
def test_recoloured_satellite_pictures_and_emoji():
    for name, expected in (("relief", {"moments": 20.24, "histograms": 20.39}), ("noto", {"histograms": 11.57})):
        source, x, test, truth = (load_pictures(f"{name}/{part}") for part in ("trainA", "trainB", "testA", "testB"))
        for baseline in (b for b in (Moments(), Histograms()) if b.name in expected):
            result = baseline.fit(batch_of(source, x))({"source": test})
            assert PSNR()(result, truth)["psnr"].mean().item() == pytest.approx(expected[baseline.name], abs=0.06)
