"""Adaptive augmentation: nothing at p = 0, the exact changes at p = 1, and p where it should go."""

import pytest
import torch
from torch import Tensor, nn

from ganvas.augment import ADA, AdaptiveStrength, RisingStrength
from ganvas.augment.colours import add_noise, build_octave_filters, filter_octaves, jitter_colours, rotate_about_gray
from ganvas.augment.geometry import (
    build_rotation,
    build_scaling,
    build_translation,
    draw_pixel_moves,
    draw_shape_changes,
    warp_samples,
)
from ganvas.core import Clock
from ganvas.errors import GanvasError

X = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(0)).clamp(-1, 1)
SMOOTH = torch.nn.functional.interpolate(X[..., :4, :4], size=16, mode="bicubic")
NONE, SURE = torch.zeros(()), torch.ones(())
ONE = torch.ones(6)


def with_memory(part: ADA, p: float = 0.0) -> nn.ModuleDict:
    nets = nn.ModuleDict({"ADA": part.state(nn.ModuleDict())})
    nets["ADA"].p.fill_(p)
    return nets


def test_at_p_0_it_changes_nothing() -> None:
    part = ADA(filters=1.0, noise=1.0, cutout=1.0)
    torch.testing.assert_close(part(X, Clock(0, 0, 1), with_memory(part)), X, rtol=0, atol=2e-5)


@pytest.mark.parametrize(
    ("inverse", "wanted"),
    [
        (build_translation(2 * ONE, 0 * ONE), X.roll(2, 3)),
        (build_translation(0 * ONE, -3 * ONE), X.roll(-3, 2)),
        (build_translation(-1 * ONE, 4 * ONE), X.roll((-1, 4), (3, 2))),
    ],
)
def test_shifts_by_pixels_are_exact(inverse: Tensor, wanted: Tensor) -> None:
    inner = (..., slice(4, -4), slice(4, -4))
    torch.testing.assert_close(warp_samples(X, inverse)[inner], wanted[inner], rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("inverse", "wanted"),
    [
        (build_scaling(-ONE, ONE), SMOOTH.flip(3)),
        (build_rotation(ONE * torch.pi / 2), SMOOTH.rot90(-1, (2, 3))),
        (build_rotation(ONE * torch.pi), SMOOTH.flip(2, 3)),
    ],
    ids=["mirror", "quarter", "half"],
)
def test_mirror_images_and_turns_are_all_but_exact(inverse: Tensor, wanted: Tensor) -> None:
    """The wavelet is not quite symmetric, and what is fine comes out a little different the other way round."""
    assert (warp_samples(SMOOTH, inverse) - wanted).square().mean().sqrt() < 0.03 * SMOOTH.std()


LONG = torch.nn.functional.interpolate(X[..., :3, :6], size=(16, 32), mode="bicubic")
SWAP = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def test_rows_and_columns_of_long_images_are_treated_alike() -> None:
    """Swapping the axes of an image and of its transform swaps those of the outcome."""
    torch.manual_seed(1)
    inverse = draw_pixel_moves(SURE, SURE, SURE, 6, (16, 32)) @ draw_shape_changes(SURE, 6, (16, 32))
    changed = warp_samples(LONG, inverse)
    assert changed.shape == LONG.shape
    assert (changed - LONG).abs().max() > 0.1
    torch.testing.assert_close(warp_samples(LONG.mT, SWAP @ inverse @ SWAP).mT, changed, rtol=0, atol=1e-4)


def test_the_middle_of_a_long_image_is_turned() -> None:
    middle = (..., slice(0, 16), slice(8, 24))
    turned = warp_samples(LONG, build_rotation(ONE * torch.pi / 2))[middle]
    assert (turned - LONG[middle].rot90(-1, (2, 3))).square().mean().sqrt() < 0.03 * LONG.std()


def test_long_images_move_by_up_to_an_eighth_of_each_side() -> None:
    torch.manual_seed(0)
    moves = draw_pixel_moves(NONE, NONE, SURE, 2000, (16, 64))[:, :2, 2].abs()
    assert moves.max(0).values.tolist() == [8, 2]  # right and left, down and up


def test_beyond_the_border_is_the_mirror_image() -> None:
    ramp = torch.arange(24.0).expand(1, 1, 24, 24)
    found = warp_samples(ramp, build_translation(torch.tensor([20.0]), torch.tensor([0.0])))[0, 0, 12]
    torch.testing.assert_close(found, torch.tensor([*range(20, 0, -1), 0, 1, 2, 3]).float(), rtol=0, atol=0.6)


def test_scaling_is_about_the_middle() -> None:
    rows = torch.linspace(-1, 1, 64).expand(1, 1, 64, 64)
    found = warp_samples(rows, build_scaling(torch.tensor([2.0]), torch.tensor([1.0])))
    torch.testing.assert_close(found[..., 16:-16], (rows / 2)[..., 16:-16], rtol=0, atol=1e-3)


def test_each_change_comes_with_its_probability() -> None:
    torch.manual_seed(0)
    half = torch.tensor(0.5)
    moves = draw_pixel_moves(half, NONE, NONE, 4000, (16, 16))
    assert (moves[:, 0, 0] < 0).float().mean().item() == pytest.approx(0.25, abs=0.03)  # half of half is mirrored
    shifted = draw_pixel_moves(NONE, NONE, half, 4000, (64, 64))[:, :2, 2].abs().amax(1) > 0
    assert shifted.float().mean().item() == pytest.approx(0.5, abs=0.03)
    assert torch.equal(draw_pixel_moves(NONE, NONE, NONE, 9, (16, 16)), torch.eye(3).expand(9, 3, 3))
    assert torch.equal(draw_shape_changes(NONE, 9, (16, 16)), torch.eye(3).expand(9, 3, 3))
    found = draw_shape_changes(half, 4000, (16, 16))
    turned = (found[:, :2, :2] - torch.eye(2)).abs().amax((1, 2)) > 1e-6
    assert turned.float().mean().item() == pytest.approx(1 - 0.5**3, abs=0.03)  # scaled, stretched or turned
    assert (found[:, :2, 2].abs().amax(1) > 0).float().mean().item() == pytest.approx(0.5, abs=0.03)


def test_hue_and_saturation_keep_luma() -> None:
    gray = torch.full((3,), 3**-0.5)
    turn = rotate_about_gray(torch.tensor([0.7]))[0]
    torch.testing.assert_close(turn @ gray, gray)
    torch.testing.assert_close(turn @ turn.t(), torch.eye(3))
    torch.testing.assert_close(
        rotate_about_gray(torch.tensor([2 * torch.pi / 3]))[0], torch.eye(3).roll(1, 0), atol=1e-6, rtol=0
    )


def test_colours_change_and_gray_images_stay_gray() -> None:
    torch.manual_seed(0)
    gray = X[:, :1].expand(6, 3, 16, 16)
    assert jitter_colours(X[:, :1], SURE).shape == (6, 1, 16, 16)
    found = jitter_colours(gray, SURE)
    torch.testing.assert_close(found[:, 0], found[:, 2], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(found, gray)


def test_the_bank_of_filters_changes_nothing_together() -> None:
    whole = torch.tensor(build_octave_filters()).view(4, -1).sum(0)
    middle = torch.zeros_like(whole)
    middle[len(whole) // 2] = 1
    torch.testing.assert_close(whole, middle, rtol=0, atol=1e-6)
    torch.manual_seed(0)
    torch.testing.assert_close(filter_octaves(X, NONE), X, rtol=0, atol=1e-5)
    assert not torch.allclose(filter_octaves(X, SURE), X, atol=0.1)


def test_noise_has_a_strength_of_its_own_for_each_sample() -> None:
    torch.manual_seed(0)
    strengths = (add_noise(torch.zeros(2000, 1, 8, 8), SURE)).std((1, 2, 3))
    assert strengths.square().mean().sqrt().item() == pytest.approx(0.1, rel=0.05)
    assert torch.equal(add_noise(X, NONE), X)


def test_p_follows_how_sure_d_is() -> None:
    part = ADA(strength=AdaptiveStrength(target=0.6, kimg=1.0, every=2))
    nets = with_memory(part, 0.5)
    p: list[float] = []
    for step, sign in enumerate([0.9, 0.9, 0.9, 0.9, 0.9, -0.9, -0.9, -0.9, -0.9]):
        part.after("D", nets, {"D/sign": torch.tensor(sign)}, Clock(step, 10 * step, 1000))
        p.append(round(nets["ADA"].p.item(), 3))
    assert p == [0.5, 0.5, 0.52, 0.52, 0.54, 0.54, 0.52, 0.52, 0.5]  # 20 images of 1,000, every other step
    for step in range(10, 2000, 2):
        part.after("D", nets, {"D/sign": torch.tensor(1.0)}, Clock(step, 10 * step, 1000))
    assert nets["ADA"].p.item() == 1.0


def test_p_rises_by_a_schedule() -> None:
    part = ADA(strength=RisingStrength(final=0.4, kimg=1.0))
    nets = with_memory(part)
    for images, wanted in ((0, 0.0), (500, 0.2), (1000, 0.4), (5000, 0.4)):
        part.after("D", nets, {}, Clock(1, images, 9999))
        assert nets["ADA"].p.item() == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("wrong", [{"mirror": 1.5}, {"cutout": -0.1}])
def test_shares_are_shares(wrong: dict[str, float]) -> None:
    with pytest.raises(GanvasError, match="in \\[0, 1\\]"):
        ADA(**wrong)


def test_gradients_pass_twice() -> None:
    """R1 is taken through the augmentation, and differentiated again."""
    torch.manual_seed(0)
    part, x = ADA(), X.clone().requires_grad_()
    seen = part(x, Clock(0, 0, 1), with_memory(part, 1.0))
    (first,) = torch.autograd.grad((seen**3).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), x)
    assert second.isfinite().all()
    assert second.abs().sum() > 0
