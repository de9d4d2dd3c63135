"""Degradations: their numbers against Pillow and closed forms, their draws, their masks, and what is refused."""

import io
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from torch import Tensor

from ganvas.configuration import from_json, to_json
from ganvas.errors import GanvasError, SettingError
from ganvas.media import (
    Blur,
    Boxes,
    Gray,
    Jpeg,
    Noise,
    OneOf,
    Pasted,
    Sinc,
    Smaller,
    Strokes,
    Twice,
    Unchanged,
    parse_degradation,
)  # fmt: skip
from ganvas.media.degradations import Degradation, degrade
from ganvas.media.degradations.blur import blur_each, build_gaussian_kernels
from ganvas.media.degradations.degradation import filter_each, filter_rows_and_columns, round_to_levels

ALL = (
    Smaller(factor=4), Blur(), Blur(stretched=1.0), Noise(), Noise(poisson=0.5, gray=0.5), Jpeg(), Gray(), Sinc(),
    Twice(factor=2), Boxes(), Strokes(), Pasted(), OneOf(choices=(Boxes(), Strokes())), Unchanged(),
)  # fmt: skip


def blur_rows(values: np.ndarray, sigma: float, axis: int) -> np.ndarray:
    """A Gaussian filter along one axis, cut off at 3 sigma; borders are mirrored without their last pixel."""
    offsets = np.arange(-np.ceil(3 * sigma), np.ceil(3 * sigma) + 1)
    taps = np.exp(-(offsets**2) / (2 * sigma**2))
    width = [(0, 0)] * values.ndim
    width[axis] = (len(taps) // 2, len(taps) // 2)
    padded = np.pad(values, width, mode="reflect")
    return np.apply_along_axis(np.convolve, axis, padded, taps / taps.sum(), "valid")


def make_pictures(count: int = 4, channels: int = 3, height: int = 32, width: int = 48) -> Tensor:
    """Smooth pictures with some detail, in [-1, 1] on levels of 255."""
    noise = np.random.default_rng(0).standard_normal((count, channels, height, width))
    pictures = blur_rows(blur_rows(noise, 1.0, 2), 1.0, 3) * 3
    return round_to_levels(torch.from_numpy(pictures).float(), 255)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def run(degradation: Degradation, x: Tensor, seed: int = 0) -> Mapping[str, Tensor]:
    return degradation(x, seeded(seed))


@pytest.mark.parametrize("degradation", ALL, ids=str)
def test_a_degradation_follows_from_its_generator_and_keeps_the_range(degradation: Degradation) -> None:
    x = make_pictures()
    before = x.clone()
    first, again, other = run(degradation, x), run(degradation, x), run(degradation, x, 1)
    assert torch.equal(x, before)
    assert set(first) <= {"source", "mask"}
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert first["source"].dtype == torch.float32
    if not isinstance(degradation, (Sinc, Blur)):  # which clip when the source is rounded
        assert first["source"].abs().max() <= 1
    is_random = not isinstance(degradation, (Smaller, Gray, Unchanged))
    assert torch.equal(first["source"], other["source"]) != is_random
    assert degradation == from_json(to_json(degradation))
    if "mask" in first:
        assert first["mask"].shape == (4, 1, 32, 48)
        assert set(first["mask"].unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("channels", [1, 3, 4, 6])
@pytest.mark.parametrize("degradation", [d for d in ALL if not isinstance(d, Gray)], ids=str)
def test_any_number_of_channels(degradation: Degradation, channels: int) -> None:
    x = make_pictures(2, channels)
    source = run(degradation, x)["source"]
    assert source.shape[:2] == (2, channels)
    if channels == 4 and isinstance(degradation, (Noise, Jpeg, Pasted)):
        assert torch.equal(source[:, 3], x[:, 3])  # alpha is no colour


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_smaller_is_pillows_bicubic_filter(factor: int) -> None:
    x = make_pictures(1, 1, 36, 48)
    expected = Pillow.fromarray(x[0, 0].numpy()).resize((48 // factor, 36 // factor), Pillow.Resampling.BICUBIC)
    found = run(Smaller(factor=factor), x)["source"][0, 0]
    torch.testing.assert_close(found, torch.from_numpy(np.array(expected)).clamp(-1, 1), atol=2e-6, rtol=0)


def test_smaller_on_levels_is_pillows_but_for_rounding() -> None:
    x = round_to_levels(make_pictures(1, 3, 36, 48) / 2, 255)  # Pillow clips between its two passes, so nothing may overshoot
    levels = ((x[0].permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()
    expected = np.asarray(Pillow.fromarray(levels).resize((12, 9), Pillow.Resampling.BICUBIC)).astype(int)
    source = degrade(x, (Smaller(factor=4),), seeded(), 255)["source"]
    found = ((source[0].permute(1, 2, 0) + 1) * 127.5).round().numpy().astype(int)
    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize(
    ("size", "advice"), [((36, 50), "50x36 px .* 6 times smaller: set their size to 48x36"), ((8, 2), "6x6")]
)
def test_a_size_that_does_not_divide_is_refused_with_one_that_does(size: tuple[int, int], advice: str) -> None:
    with pytest.raises(GanvasError, match=advice):
        run(Smaller(factor=6), torch.zeros(1, 3, *size))


@pytest.mark.parametrize("sigma", [0.4, 1.0, 2.0])
def test_blur_is_a_gaussian(sigma: float) -> None:
    x = make_pictures(2, 3, 32, 48)
    expected = blur_rows(blur_rows(x.double().numpy(), sigma, 2), sigma, 3)
    found = run(Blur(sigma=(sigma, sigma)), x)["source"]
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_stretched_blurs_have_the_moments_of_two_widths() -> None:
    x = torch.zeros(50, 1, 41, 41)
    x[:, :, 20, 20] = 1
    response = run(Blur(sigma=(1.0, 3.0), stretched=1.0), x)["source"][:, 0]
    offsets = torch.arange(41.0) - 20
    torch.testing.assert_close(response.sum((1, 2)), torch.ones(50))
    down, across = (response.sum(2) * offsets**2).sum(1), (response.sum(1) * offsets**2).sum(1)
    mixed = (response * offsets[:, None] * offsets[None, :]).sum((1, 2))
    widths = torch.linalg.eigvalsh(torch.stack([torch.stack([down, mixed], 1), torch.stack([mixed, across], 1)], 2)).sqrt()
    assert widths.min() > 0.9
    assert widths.max() < 3.05
    assert (widths[:, 1] - widths[:, 0]).mean() > 0.4  # of two draws from 1 to 3: 0.67
    assert (mixed.abs() > 0.1).float().mean() > 0.5  # turned


def test_blurs_differ_from_picture_to_picture() -> None:
    x = make_pictures(1).expand(8, -1, -1, -1)
    sources = run(Blur(sigma=(0.2, 3.0)), x)["source"]
    roughness = (sources[..., 1:] - sources[..., :-1]).abs().mean((1, 2, 3))
    assert roughness.max() > 1.3 * roughness.min()


def test_small_pictures_take_wide_blurs() -> None:
    assert run(Blur(sigma=(3.0, 3.0)), torch.rand(1, 3, 4, 8))["source"].shape == (1, 3, 4, 8)


def test_a_sinc_filter_stops_what_lies_above_its_cutoff() -> None:
    columns = torch.arange(96.0)
    for frequency, gain in ((0.4, 1.0), (2.6, 0.0)):
        x = torch.cos(frequency * columns).expand(1, 1, 96, 96).contiguous()
        source = run(Sinc(cutoff=(1.5, 1.5), radius=(10, 10)), x)["source"][..., 30:66, 30:66]
        torch.testing.assert_close(source.square().mean().sqrt(), torch.tensor(gain * 0.5**0.5), atol=0.08, rtol=0)
    flat = torch.full((1, 1, 32, 32), 0.25)
    torch.testing.assert_close(run(Sinc(), flat)["source"], flat)


def test_gaussian_noise_has_its_standard_deviation() -> None:
    x = torch.zeros(2, 3, 128, 128)
    source = run(Noise(sigma=(12.75, 12.75)), x)["source"]  # a twentieth of 255
    torch.testing.assert_close(source.std(), torch.tensor(0.1), atol=0.002, rtol=0)
    assert abs(float(source.mean())) < 0.002
    gray = run(Noise(sigma=(12.75, 12.75), gray=1.0), x)["source"]
    assert torch.equal(gray[:, 0], gray[:, 2])
    assert float(torch.corrcoef(torch.stack([source[:, 0].flatten(), source[:, 2].flatten()]))[0, 1]) < 0.03


def test_poisson_noise_grows_with_light() -> None:
    noise = Noise(poisson=1.0, grain=(0.5, 0.5))
    deviations = [float(run(noise, torch.full((1, 1, 128, 128), x))["source"].std()) for x in (-0.9, -0.5, 0.5)]
    expected = [2 * 0.5 * ((x + 1) / 2 / 255) ** 0.5 for x in (-0.9, -0.5, 0.5)]  # a Poisson variable's variance is its mean
    np.testing.assert_allclose(deviations, expected, rtol=0.04)


@pytest.mark.parametrize("quality", [10, 75])
def test_jpeg_is_pillows(quality: int) -> None:
    x = make_pictures(2)
    source = run(Jpeg(quality=(quality, quality)), x)["source"]
    for picture, found in zip(x, source, strict=True):
        buffer = io.BytesIO()
        levels = ((picture.permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()
        Pillow.fromarray(levels).save(buffer, "JPEG", quality=quality)
        expected = torch.from_numpy(np.array(Pillow.open(buffer))).permute(2, 0, 1) / 127.5 - 1
        torch.testing.assert_close(found, expected)


def test_unchanged_pictures_are_their_own_sources() -> None:
    x = make_pictures()
    torch.testing.assert_close(degrade(x, (Unchanged(),), seeded(), 255)["source"], x, rtol=0, atol=1e-6)


def test_gray_is_pillows_luma() -> None:
    x = make_pictures()
    source = degrade(x, (Gray(),), seeded(), 255)["source"]
    assert source.shape == (4, 1, 32, 48)
    expected = np.asarray(Pillow.fromarray(((x[0].permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()).convert("L"))
    found = ((source[0, 0] + 1) * 127.5).round().numpy()
    assert np.abs(found - expected).max() <= 1
    with pytest.raises(GanvasError, match="pictures of 1 channels have no colours to find again: give RGB pictures"):
        run(Gray(), make_pictures(channels=1))


@pytest.mark.parametrize("degradation", [Boxes(), Strokes(), OneOf(choices=(Boxes(), Strokes()))], ids=str)
def test_holes_are_zero_and_everything_else_stays(degradation: Degradation) -> None:
    x = make_pictures(64)
    result = run(degradation, x)
    mask = result["mask"]
    assert torch.equal(result["source"], torch.where(mask > 0, torch.zeros(()), x))
    shares = mask.mean((1, 2, 3))
    assert shares.min() > 0.02
    assert shares.max() < 0.6
    assert len({tuple(one.flatten().tolist()) for one in mask}) > 60  # each picture has its own


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**30), height=st.integers(8, 70), width=st.integers(8, 70))
def test_a_box_is_one_rectangle_of_its_size_inside(seed: int, height: int, width: int) -> None:
    mask = run(Boxes(side=(0.25, 0.5)), torch.ones(3, 1, height, width), seed)["mask"][:, 0]
    for one in mask:
        rows, columns = one.any(1), one.any(0)
        assert torch.equal(one > 0, rows[:, None] & columns[None, :])
        for inside, side in ((rows, height), (columns, width)):
            places = inside.nonzero().flatten()
            assert int(places[-1] - places[0]) + 1 == len(places)
            assert round(0.25 * side) - 1 <= len(places) <= round(0.5 * side) + 1


def test_boxes_reach_every_pixel() -> None:
    assert run(Boxes(), torch.ones(400, 1, 16, 16))["mask"].amax(0).min() == 1


def test_a_paste_changes_colours_inside_its_mask_alone() -> None:
    x = make_pictures(16)
    result = run(Pasted(), x)
    is_inside = (result["mask"] > 0).expand_as(x)
    assert torch.equal(result["source"][~is_inside], x[~is_inside])
    assert (result["source"] - x)[is_inside].abs().mean() > 0.05
    assert torch.allclose(run(Pasted(strength=0.0), x)["source"], x, atol=1e-6)
    areas = result["mask"].mean((1, 2, 3))
    assert areas.min() > 0.06  # π 0.15²: 0.07
    assert areas.max() < 0.40  # π 0.35²: 0.38


def test_one_of_takes_all_its_choices() -> None:
    holes = run(OneOf(choices=(Boxes(), Strokes())), torch.ones(60, 1, 32, 32))["mask"][:, 0] > 0
    are_boxes = [bool(torch.equal(hole, hole.any(1)[:, None] & hole.any(0)[None, :])) for hole in holes]
    assert 15 < sum(are_boxes) < 45


def test_the_realistic_chain_gives_small_damaged_pictures() -> None:
    x = make_pictures(12, 3, 64, 64)
    source = degrade(x, (Twice(factor=4),), seeded(), 255)["source"]
    clean = degrade(x, (Smaller(factor=4),), seeded(), 255)["source"]
    assert source.shape == clean.shape == (12, 3, 16, 16)
    errors = (source - clean).square().mean((1, 2, 3)).sqrt()
    assert 0.02 < errors.median() < 0.6
    plain = degrade(x, (Twice(factor=4, final_sinc=0.0),), seeded(), 255)["source"]
    assert not torch.equal(plain, source)
    with pytest.raises(GanvasError, match="62x64 px cannot become 4 times smaller: set their size to 64x64"):
        run(Twice(factor=4), torch.zeros(1, 3, 64, 62))


def test_degradations_follow_one_another_and_masks_add_up() -> None:
    x = make_pictures()
    chain = degrade(x, (Blur(sigma=(1, 1)), Gray(), Smaller(factor=2), Boxes(), Strokes()), seeded(), 255)
    assert chain["source"].shape == (4, 1, 16, 24)
    assert chain["mask"].shape == (4, 1, 16, 24)
    assert (chain["source"][chain["mask"] > 0] == 0).all()
    alone = degrade(x, (Blur(sigma=(1, 1)), Gray(), Smaller(factor=2), Boxes()), seeded(), 255)
    assert (chain["mask"] >= alone["mask"]).all()
    assert chain["mask"].sum() > alone["mask"].sum()
    with pytest.raises(GanvasError, match="Jpeg cannot follow a mask: put degradations with a mask last"):
        degrade(x, (Boxes(), Jpeg()), seeded(), 255)


def test_sources_lie_on_the_levels_of_a_file() -> None:
    levels = (degrade(make_pictures(), (Blur(),), seeded(), 255)["source"] + 1) * 127.5
    torch.testing.assert_close(levels, levels.round(), atol=2e-5, rtol=0)
    assert torch.equal(degrade(make_pictures(), (), seeded(), 255)["source"], make_pictures())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x4", (Smaller(factor=4),)),
        ("gray", (Gray(),)),
        ("jpeg+noise+blur", (Jpeg(), Noise(), Blur())),
        ("mask", (OneOf(choices=(Boxes(), Strokes())),)),
        ("mask=boxes", (Boxes(),)),
        ("mask=strokes", (Strokes(),)),
        ("realistic x4", (Twice(factor=4),)),
        (" Realistic  X2 ", (Twice(factor=2),)),
        ("paste", (Pasted(),)),
        ("mask=boxes + gray", (Gray(), Boxes())),
        ("blur+×2", (Blur(), Smaller(factor=2))),
    ],
)
def test_degradations_by_their_names(text: str, expected: tuple[Degradation, ...]) -> None:
    assert parse_degradation(text) == expected


@pytest.mark.parametrize("text", ["", "x", "fog", "gray+", "mask=circles", "x4 x4"])
def test_unknown_names_are_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(GanvasError, match=r"there is no degradation .*: give x2 to x16, realistic x4, gray, blur, noise, jpeg"):
        parse_degradation(text)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Smaller(factor=1), "factor must be from 2 to 16, got 1"),
        (lambda: parse_degradation("x99"), "factor must be from 2 to 16, got 99"),
        (lambda: Blur(sigma=(3, 1)), "sigma must be two rising numbers"),
        (lambda: Noise(sigma=(-1, 1)), "sigma must be two rising numbers"),
        (lambda: Noise(poisson=2), "poisson must be from 0 to 1"),
        (lambda: Jpeg(quality=(0, 50)), "quality must be two rising numbers from 1 to 100"),
        (lambda: Boxes(side=(0.5, 1.0)), "side must be two rising numbers between 0 and 1"),
        (lambda: Strokes(count=0), "count must be from 1 to 50"),
        (lambda: Pasted(radius=(0.0, 0.2)), "radius must be two rising numbers"),
        (lambda: Sinc(cutoff=(1.0, 4.0)), "cutoff must be two rising numbers"),
        (lambda: OneOf(choices=()), "choices must be one degradation or more"),
        (lambda: Twice(factor=0), "factor must be from 1 to 16"),
    ],
)
def test_settings_out_of_range_are_refused(build, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        build()


def test_filters_of_few_and_of_many_pictures_agree_with_one_convolution_each() -> None:
    """Few pictures go through in strips, whose number rarely divides the height."""
    for count, height, width in ((1, 13, 9), (2, 17, 8), (7, 12, 31)):
        x, kernels = make_pictures(count, 3, height, width), torch.rand(count, 7, 7, generator=seeded())
        mirrored = torch.nn.functional.pad(x.double(), [3] * 4, mode="reflect")
        for k in range(count):
            expected = torch.nn.functional.conv2d(mirrored[k][:, None], kernels[k].double()[None, None])[:, 0]
            found = filter_each(x, kernels)[k]
            torch.testing.assert_close(found.double(), expected, atol=2e-5, rtol=0)


def test_a_filter_along_both_axes_is_that_of_the_outer_product() -> None:
    x, kernels = make_pictures(3, 3, 20, 33), torch.rand(3, 5, generator=seeded())
    expected = filter_each(x, kernels[:, :, None] * kernels[:, None, :])
    torch.testing.assert_close(filter_rows_and_columns(x, kernels), expected, atol=2e-5, rtol=0)


def test_blurs_of_both_kinds_in_one_batch_are_those_of_each_picture() -> None:
    x = make_pictures(6)
    sigmas, angles = torch.rand(6, 2, generator=seeded()) + 0.5, torch.rand(6, generator=seeded(1))
    is_stretched = torch.tensor([True, False, True, True, False, False])
    sigmas[~is_stretched, 1] = sigmas[~is_stretched, 0]
    found = blur_each(x, sigmas, angles, is_stretched, 5)
    expected = filter_each(x, build_gaussian_kernels(sigmas, angles, 5))
    torch.testing.assert_close(found, expected, atol=2e-6, rtol=0)


def test_the_realistic_chain_draws_as_if_each_picture_came_alone() -> None:
    """The last steps of all pictures go together. Draws stay in their order, so one picture after another is the same."""
    x, generator = make_pictures(12, 3, 32, 48), seeded(4)
    together = run(Twice(factor=2), x, 4)["source"]
    one_by_one = torch.cat([Twice(factor=2)(picture[None], generator)["source"] for picture in x])
    assert (together - one_by_one).abs().gt(1e-4).float().mean() < 0.01  # JPEG rounds, and may round otherwise
    assert (together - one_by_one).abs().mean() < 1e-3
