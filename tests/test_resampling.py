"""Filters against plain convolutions, and against what a filter has to do."""

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from ganvas import resampling
from ganvas.resampling import (
    blur_by_binomial,
    design_lowpass,
    double_size,
    downsample_by_filter,
    halve_size,
    upsample_by_filter,
)

TAPS = torch.tensor([1.0, 3.0, 3.0, 1.0])


def plain(x: Tensor, padding: list[int], up: int = 1, down: int = 1, gain: float = 1.0) -> Tensor:
    """Zeros between pixels, zeros around them, a filter of two dimensions, and every `down`-th pixel."""
    n, c, h, w = x.shape
    spread = torch.zeros(n, c, h * up, w * up)
    spread[:, :, ::up, ::up] = x
    kernel = (TAPS[:, None] * TAPS / 64 * gain).expand(c, 1, 4, 4)
    return conv2d(pad(spread, padding), kernel, groups=c, stride=down)


def test_binomial_resampling_is_the_papers() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 9, 9)
    torch.testing.assert_close(blur_by_binomial(x, 1, gain=4), plain(x, [1] * 4, gain=4))
    torch.testing.assert_close(blur_by_binomial(x, 2), plain(x, [2] * 4))
    torch.testing.assert_close(double_size(x), plain(x, [2, 1, 2, 1], up=2, gain=4))
    torch.testing.assert_close(halve_size(x[..., :8, :8]), plain(x[..., :8, :8], [1] * 4, down=2))


@pytest.mark.parametrize("most", [8, 3])
@pytest.mark.parametrize(("factor", "padding"), [(2, (2, 1)), (2, (5, 4)), (4, (1, 0))])
def test_upsampling_and_downsampling(factor: int, padding: tuple[int, int], most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As matrices, and as convolutions where images are large."""
    monkeypatch.setattr(resampling, "MAX_MATRIX_PIXELS", most)
    torch.manual_seed(0)
    x = torch.randn(2, 3, 8, 6)
    sides = [*padding, *padding]
    torch.testing.assert_close(upsample_by_filter(x, TAPS / 8, factor, padding), plain(x, sides, up=factor, gain=factor**2))
    torch.testing.assert_close(downsample_by_filter(x, TAPS / 8, factor), plain(x, [0] * 4, down=factor))
    square = TAPS[:, None] * TAPS / 64
    torch.testing.assert_close(downsample_by_filter(x, square, factor), downsample_by_filter(x, TAPS / 8, factor))


def test_matrices_equal_convolutions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a filter that is not symmetric."""
    torch.manual_seed(0)
    x, taps = torch.randn(2, 3, 9, 7), torch.randn(4)
    found = upsample_by_filter(x, taps, 2, (2, -1)), downsample_by_filter(x, taps, 2)
    monkeypatch.setattr(resampling, "MAX_MATRIX_PIXELS", 2)
    torch.testing.assert_close(found, (upsample_by_filter(x, taps, 2, (2, -1)), downsample_by_filter(x, taps, 2)))


def test_halves_are_of_their_inputs_precision() -> None:
    x = torch.randn(2, 3, 8, 8, dtype=torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        found = halve_size(x)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found, halve_size(x.float()).bfloat16())


@pytest.mark.parametrize("radial", [False, True])
def test_a_lowpass_passes_what_is_low(radial: bool) -> None:
    taps = design_lowpass(48, cutoff=4.0, width=2.0, rate=32.0, radial=radial).double()
    line = taps.sum(1) if radial else taps
    places = (torch.arange(48) - 23.5) / 32
    gain = {f: (line * torch.cos(2 * torch.pi * f * places)).sum().item() for f in (0.0, 2.0, 4.0, 6.5, 10.0)}
    assert gain[0.0] == pytest.approx(1)
    assert gain[2.0] == pytest.approx(1, abs=0.02)
    assert gain[4.0] == pytest.approx(0.5, abs=0.05)
    assert abs(gain[6.5]) < 0.02
    assert abs(gain[10.0]) < 0.02
