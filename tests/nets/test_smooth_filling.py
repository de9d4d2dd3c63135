"""Holes filled from their borders."""

import torch

from ganvas.nets.layers.smooth_filling import SmoothFilling


def cut_box(size: int, first: int, last: int) -> torch.Tensor:
    is_hole = torch.zeros(1, 1, size, size, dtype=torch.bool)
    is_hole[:, :, first:last, first:last] = True
    return is_hole


def test_known_pixels_stay_and_the_hole_is_not_seen() -> None:
    x, is_hole = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)), cut_box(32, 5, 20)
    fill = SmoothFilling(4, 2)
    filled = fill(x, is_hole)
    assert torch.equal(filled[~is_hole.expand_as(x)], x[~is_hole.expand_as(x)])
    assert torch.equal(fill(x.masked_fill(is_hole, torch.nan), is_hole), filled)


def test_an_even_picture_is_filled_evenly_and_a_slope_nearly_as_one() -> None:
    even, is_hole = torch.full((1, 1, 64, 64), 0.7), cut_box(64, 16, 40)
    torch.testing.assert_close(SmoothFilling(4, 2)(even, is_hole), even)
    slope = torch.linspace(-1, 1, 64).expand(1, 1, 64, 64)
    assert (SmoothFilling(4, 8)(slope, is_hole) - slope).abs().max() < 0.12  # of a rise of 0.76 across the hole


def test_a_filling_lies_between_the_known_pixels() -> None:
    x, is_hole = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)), cut_box(64, 10, 50)
    filled = SmoothFilling(5, 4)(x, is_hole)
    assert x.min() <= filled.min() <= filled.max() <= x.max()


def test_a_picture_without_a_known_pixel_becomes_zero() -> None:
    assert not SmoothFilling(3, 1)(torch.ones(1, 1, 16, 16), torch.ones(1, 1, 16, 16, dtype=torch.bool)).any()
