"""Scores of pairs against closed forms and scikit-image."""

import math

import numpy as np
import pytest
import torch

from ganvas.errors import GanvasError, SettingError
from ganvas.metrics.pairs import PSNR, SSIM, Colourfulness, summarise_pairs


def from_pixels(pixels: np.ndarray) -> torch.Tensor:
    """uint8 [N, H, W, C] -> [-1, 1]."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1


def random_pixels(seed: int, n: int = 4, height: int = 40, width: int = 56) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = np.repeat(np.repeat(rng.integers(0, 256, (n, height // 8, width // 8, 3)), 8, 1), 8, 2)
    return np.clip(coarse + rng.integers(-30, 30, coarse.shape), 0, 255).astype(np.uint8)


def test_psnr_of_a_known_error():
    x = np.full((1, 8, 8, 3), 100, np.uint8)
    y = x.copy()
    y[0, :, :4] = 110  # half of the pixels by 10: MSE 50
    (value,) = PSNR()(from_pixels(x), from_pixels(y))["psnr"].tolist()
    assert value == pytest.approx(10 * math.log10(255**2 / 50), abs=1e-9)
    assert PSNR()(from_pixels(x), from_pixels(x))["psnr"].tolist() == [60.0]


def test_psnr_in_a_hole_counts_the_hole_alone():
    x, y = random_pixels(0, 2), random_pixels(0, 2)
    y[:, :10, :20] = 255 - y[:, :10, :20]
    hole = torch.zeros(2, 1, 40, 56)
    hole[:, :, :10, :20] = 1
    values = PSNR()(from_pixels(x), from_pixels(y), where=hole)["psnr"]
    errors = (x.astype(float) - y)[:, :10, :20] ** 2
    assert values.tolist() == pytest.approx((10 * np.log10(255**2 / errors.mean((1, 2, 3)))).tolist())
    whole = PSNR()(from_pixels(x), from_pixels(y))["psnr"]
    torch.testing.assert_close(whole - values, torch.full_like(values, 10 * math.log10(40 * 56 / 200)))


def test_psnr_of_luma_without_the_border():
    x, y = random_pixels(1), random_pixels(2)
    found = PSNR(luma=True, shave=4)(from_pixels(x), from_pixels(y))["psnr_y"]
    luma = [16 + p[:, 4:-4, 4:-4] @ np.array([65.481, 128.553, 24.966]) / 255 for p in (x.astype(float), y.astype(float))]
    expected = 10 * np.log10(255**2 / ((luma[0] - luma[1]) ** 2).mean((1, 2)))
    assert found.tolist() == pytest.approx(expected.tolist())
    with pytest.raises(GanvasError, match="luma to False"):
        PSNR(luma=True)(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8))
    with pytest.raises(GanvasError, match="leaves nothing"):
        PSNR(shave=4)(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8))
    with pytest.raises(SettingError):
        PSNR(bits=20)(torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8))


def test_more_bits_round_less():
    x = torch.full((1, 3, 4, 4), 0.1)
    y = x + 0.3 / 127.5  # less than half a step of 8 bits from it
    assert PSNR()(x, y)["psnr"].item() == 60 or PSNR()(x, y)["psnr"].item() == pytest.approx(48.13, abs=0.01)
    assert PSNR(bits=16)(x, y)["psnr"].item() == pytest.approx(20 * math.log10(255 / 0.3), abs=0.02)


def test_psnr_and_ssim_agree_with_scikit_image():
    metrics = pytest.importorskip("skimage.metrics")
    x, y = random_pixels(3), random_pixels(4)
    y[0] = np.clip(x[0].astype(int) + 9, 0, 255)
    psnr, ssim = PSNR()(from_pixels(x), from_pixels(y))["psnr"], SSIM()(from_pixels(x), from_pixels(y))["ssim"]
    for i in range(len(x)):
        assert psnr[i].item() == pytest.approx(metrics.peak_signal_noise_ratio(x[i], y[i], data_range=255), abs=1e-9)
        settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
        expected = metrics.structural_similarity(x[i], y[i], channel_axis=2, **settings)
        assert ssim[i].item() == pytest.approx(expected, abs=1e-9)


def test_ssim_of_flat_pictures_is_the_closed_form():
    x, y = (from_pixels(np.full((1, 12, 12, 3), value, np.uint8)) for value in (100, 150))
    constant = (0.01 * 255) ** 2
    expected = (2 * 100 * 150 + constant) / (100**2 + 150**2 + constant)
    assert SSIM()(x, y)["ssim"].item() == pytest.approx(expected, abs=1e-9)
    with pytest.raises(GanvasError, match="11 px"):
        SSIM()(x[..., :10], y[..., :10])


def test_colourfulness_of_two_colours_is_the_closed_form():
    pixels = np.zeros((1, 2, 2, 3), np.uint8)
    pixels[0, 0] = (255, 0, 0)  # rg: 255, 255, 0, 0; yb: 127.5, 127.5, 0, 0
    values = Colourfulness()(from_pixels(pixels), torch.zeros(1, 3, 2, 2))
    spread, mean = math.hypot(127.5, 63.75), math.hypot(127.5, 63.75)
    assert values["colourfulness"].item() == pytest.approx(spread + 0.3 * mean)
    assert values["true_colourfulness"].item() == pytest.approx(0, abs=1e-9)
    grey = torch.zeros(2, 1, 4, 4)
    assert Colourfulness()(grey, grey)["colourfulness"].tolist() == [0, 0]


def test_a_summary_has_the_interval_of_the_normal_law_for_many_values():
    values = np.random.default_rng(0).normal(5, 2, 400)
    summary = summarise_pairs(torch.from_numpy(values))
    assert summary.mean == pytest.approx(values.mean())
    half = 1.96 * values.std() / 20
    assert (summary.mean - summary.low, summary.high - summary.mean) == pytest.approx((half, half), rel=0.1)
    assert summarise_pairs(values) == summary
    assert summarise_pairs(np.array([3.0])) == (3.0, 3.0, 3.0)
    with pytest.raises(GanvasError, match="one score for each pair"):
        summarise_pairs(np.array([]))
