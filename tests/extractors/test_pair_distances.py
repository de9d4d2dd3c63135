"""Scores of pairs by a trained network."""

import pytest
import torch

from ganvas.errors import SettingError
from ganvas.extractors.pair_distances import ContentKept, PerceptualDistance, remove_colour
from ganvas.extractors.perceptual import build_distance


def pictures(seed: int, n: int = 4) -> torch.Tensor:
    """Coarse blots in colours; another seed has another grid too."""
    coarse = torch.rand(n, 3, 5 + seed, 5 + seed, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    return torch.nn.functional.interpolate(coarse, size=(64, 64), mode="nearest")


def round_to_files(x: torch.Tensor) -> torch.Tensor:
    return ((x + 1) * 127.5).round() / 127.5 - 1


def test_the_perceptual_distance_is_that_of_projection_without_its_pixel_error():
    x, other = round_to_files(pictures(0, 1)), round_to_files(pictures(1, 1))
    expected = build_distance("efficientnet", other)(x) - (x - other).square().mean((1, 2, 3))
    torch.testing.assert_close(PerceptualDistance()(x, other)["perceptual"], expected, atol=1e-4, rtol=1e-4)
    assert PerceptualDistance()(x, x)["perceptual"].item() == 0
    with pytest.raises(SettingError, match="features"):
        PerceptualDistance(features="vgg")


def test_content_is_kept_by_new_colours_and_lost_by_another_picture():
    source = pictures(2)
    tinted = source * torch.tensor([0.9, 0.5, 0.3]).view(1, 3, 1, 1) + torch.tensor([0.1, 0.2, -0.3]).view(1, 3, 1, 1)
    brighter = source * 0.5 + 0.4
    changes = {"same": source, "tinted": tinted, "brighter": brighter}
    kept = {name: ContentKept()(x, source)["content"] for name, x in changes.items()}
    lost = ContentKept()(pictures(4), source)["content"]
    assert kept["same"].tolist() == pytest.approx([1] * 4, abs=1e-4)
    assert kept["brighter"].min() > 0.9
    assert kept["tinted"].min() > 0.6
    assert lost.max() < kept["tinted"].min() - 0.15
    grey = torch.full((1, 3, 64, 64), 0.3)
    assert torch.isfinite(ContentKept()(grey, source[:1])["content"]).all()


def test_removing_colours_leaves_brightness_of_one_mean_and_contrast():
    x = remove_colour(pictures(5) * 0.4 + 0.2)
    assert x.shape == (4, 1, 64, 64)
    torch.testing.assert_close(x.mean((2, 3)), torch.zeros(4, 1), atol=1e-5, rtol=0)
    torch.testing.assert_close(x.std((2, 3), correction=0), torch.full((4, 1), 0.5))
