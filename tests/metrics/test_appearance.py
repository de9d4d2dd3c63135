"""What networks overlook, in numbers that follow by hand."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ganvas.core import Features
from ganvas.errors import GanvasError
from ganvas.extractors import Appearance
from ganvas.metrics import AppearanceGap
from ganvas.metrics.appearance import MEASURES
from small_recipes import both

SIZE = 16


def gray(values: torch.Tensor) -> torch.Tensor:
    """[N, H, W] in [0, 1] as stored images."""
    return (values * 255).round().to(torch.uint8)[..., None]


def measure(stored: torch.Tensor) -> dict[str, np.ndarray]:
    features = Appearance()(stored).features
    return dict(zip(MEASURES, features.T, strict=False))


def compare(real: torch.Tensor, fake: torch.Tensor) -> dict[str, float]:
    return AppearanceGap()(both(Appearance()(real)), Appearance()(fake))


def checkerboard(amplitude: float, n: int = 2) -> torch.Tensor:
    sign = 1 - 2 * ((torch.arange(SIZE)[:, None] + torch.arange(SIZE)) % 2)
    return (0.5 + amplitude * sign).expand(n, -1, -1)


def noise(n: int, seed: int = 0, size: int = SIZE) -> torch.Tensor:
    return torch.rand(n, size, size, generator=torch.Generator().manual_seed(seed))


def wave(cycles: int, amplitude: float = 0.25) -> torch.Tensor:
    return (0.5 + amplitude * torch.cos(2 * torch.pi * cycles * torch.arange(SIZE) / SIZE)).expand(2, SIZE, SIZE)


def test_power_of_a_checkerboard_in_closed_form():
    """All its power, a² per pixel, lies at (0.5, 0.5): a²·H·W over the number of frequencies in the band."""
    frequencies = np.abs(np.fft.fftfreq(SIZE))
    band = (np.maximum(frequencies[:, None], frequencies) >= 0.375).sum()
    assert band == SIZE**2 - 11**2  # 11 of 16 frequencies are below
    stored = checkerboard(0.2).float()[..., None]
    measured = Appearance()(stored).features
    np.testing.assert_allclose(measured[:, 0], 0.2**2 * SIZE**2 / band, rtol=1e-5)
    np.testing.assert_allclose(measured[:, 1], 0, atol=1e-9)


@pytest.mark.parametrize(
    ("cycles", "fine", "middle"),
    [(1, False, False), (2, False, False), (3, False, True), (5, False, True), (6, True, False), (8, True, False)],
)
def test_each_band_sees_its_own_waves(cycles: int, fine: bool, middle: bool):
    """Of 16 px: 3/16 = 0.1875 starts the middle band, and 6/16 = 0.375 the fine one."""
    measured = Appearance()(wave(cycles)[..., None]).features[0]
    assert (measured[0] > 1e-4, measured[1] > 1e-4) == (fine, middle)


def test_white_noise_has_its_variance_everywhere():
    measured = measure(noise(400)[..., None])
    assert measured["fine_power"].mean() == pytest.approx(1 / 12, rel=0.02)
    assert measured["middle_power"].mean() == pytest.approx(1 / 12, rel=0.02)
    assert measured["brightness"].mean() == pytest.approx(0.5, abs=0.01)
    diversity = AppearanceGap()(both(Appearance()(noise(9)[..., None])), Appearance()(noise(400)[..., None]))["diversity"]
    assert diversity == pytest.approx((2 / 12) ** 0.5, rel=0.02)


def test_ratios_of_an_overlaid_checkerboard_and_of_a_blur():
    real, other = 0.25 + 0.5 * noise(2000), 0.25 + 0.5 * noise(2000, seed=1)
    same = compare(gray(real), gray(other))
    assert same["fine_detail"] == pytest.approx(1, abs=0.03)
    assert same["middle_detail"] == pytest.approx(1, abs=0.03)
    assert same["gap"] < 0.05
    amplitude, band = 0.2, SIZE**2 - 11**2
    overlaid = compare(gray(real), gray(other + checkerboard(amplitude)[:1] - 0.5))
    expected = 1 + amplitude**2 * SIZE**2 / band / (0.25 / 12)
    assert overlaid["fine_detail"] == pytest.approx(expected, rel=0.03)
    assert overlaid["middle_detail"] == pytest.approx(1, abs=0.03)
    assert overlaid["gap"] > same["gap"]
    blurred = F.avg_pool2d(F.pad(other[:, None], (1, 1, 1, 1), mode="circular"), 3, 1)[:, 0]
    scores = compare(gray(real), gray(blurred))
    assert scores["fine_detail"] < 0.2
    assert scores["fine_detail"] < scores["middle_detail"] < 1
    assert scores["gap"] > same["gap"]


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (2.31, "2.3 times the fine detail of real pictures: a checkerboard or noise"),
        (0.12, "0.12 times the fine detail of real pictures: blur"),
        (1.04, "1 times the fine detail of real pictures: about as sharp as they are"),
    ],
)
def test_the_ratio_in_words(ratio: float, words: str):
    assert AppearanceGap().explain({"fine_detail": ratio}) == words


def test_constant_pictures_are_all_zeros_and_ones():
    white = compare(gray(torch.ones(5, 8, 8)), gray(torch.ones(3, 8, 8)))
    assert white == {
        "gap": 0, "fine_detail": 1, "middle_detail": 1, "brightness": 1, "brightness_spread": 0, "colourfulness": 0,
        "colourfulness_spread": 0, "diversity": 0, "saturated": 1,
    }  # fmt: skip
    half = compare(gray(torch.ones(4, 8, 8)), gray(torch.stack([torch.ones(8, 8), torch.full((8, 8), 0.2)])))
    assert half["brightness"] == pytest.approx(0.6)
    assert half["brightness_spread"] == pytest.approx(0.4)
    assert half["saturated"] == 0.5
    assert half["diversity"] == pytest.approx(0.8)  # the difference of the only pair


def test_colourfulness_by_hand():
    """Pure red: rg = 1, yb = 0.5, no spread: 0.3·√1.25. Half red, half green: σ(rg) = 1, μ(rg) = 0, yb = 0.5."""
    red = torch.zeros(1, 4, 4, 3, dtype=torch.uint8)
    red[..., 0] = 255
    mixed = red.clone()
    mixed[:, :2] = torch.tensor([0, 255, 0], dtype=torch.uint8)
    assert measure(red)["colourfulness"] == pytest.approx(0.3 * 1.25**0.5)
    assert measure(mixed)["colourfulness"] == pytest.approx(1 + 0.3 * 0.5)
    assert measure(red)["brightness"] == pytest.approx(0.299)
    assert measure(red[..., :1].expand(-1, -1, -1, 3))["colourfulness"] == pytest.approx(0)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
def test_depths_agree_and_any_number_of_channels_is_measured(channels: int):
    eight = torch.randint(0, 256, (3, 8, 12, channels), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    expected = Appearance()(eight).features
    assert expected.shape == (3, len(MEASURES) + 8 * 12 * (3 if channels == 4 else channels))
    deep = (eight.int() * 257).to(torch.uint16)
    for same in (deep, eight.float() / 255, eight.double() / 255):
        np.testing.assert_allclose(Appearance()(same).features, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(Appearance(batch=2)(eight).features, expected, rtol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_odd_sizes(size: int):
    stored = gray(noise(3, size=size))
    scores = compare(stored, stored)
    assert scores["fine_detail"] == scores["middle_detail"] == 1
    assert Appearance()(stored).features.shape[1] == len(MEASURES) + min(size, 16) ** 2


def test_what_it_cannot_take():
    with pytest.raises(GanvasError, match=r"appearance-v1: needs images .* got int64 \[2, 4, 4, 1\]: use Pixels"):
        Appearance()(torch.zeros(2, 4, 4, 1, dtype=torch.int64))
    with pytest.raises(GanvasError, match="of another extractor: use it with Appearance"):
        AppearanceGap()(both(Features(np.ones((4, 5)))), Features(np.ones((4, 5))))
