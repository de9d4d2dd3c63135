"""Extractors: exact values, shapes, repeatability, and a classifier that tells real classes apart."""

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.errors import GanvasError
from ganvas.extractors import Coordinates, FashionClassifier, Pixels
from ganvas.metrics import Frechet
from small_recipes import both


@pytest.fixture(scope="module")
def images(fashion) -> torch.Tensor:
    """The fashion images as ganvas's image medium stores them at 32 px: uint8 [200, 32, 32, 1]."""
    resized = [np.asarray(Image.fromarray(p).resize((32, 32), Image.Resampling.LANCZOS)) for p in fashion[0][..., 0]]
    return torch.from_numpy(np.stack(resized))[..., None]


def test_pixels():
    scored = Pixels()(torch.tensor([[[0, 51]], [[255, 102]]], dtype=torch.uint8))
    np.testing.assert_array_equal(scored.features, [[0, 0.2], [1, 0.4]])
    assert scored.features.dtype == np.float64
    assert scored.logits is None
    np.testing.assert_array_equal(Pixels()(torch.tensor([[[-3.5]], [[2.0]]])).features, [[-3.5], [2.0]])


def test_coordinates():
    scored = Coordinates()(torch.tensor([[1.5, -2.0]]))
    np.testing.assert_array_equal(scored.features, [[1.5, -2.0]])
    assert scored.features.dtype == np.float64


@pytest.mark.parametrize(
    ("extractor", "stored"),
    [
        (Pixels(), torch.zeros(4)),
        (Coordinates(), torch.zeros(4, 8, 8, 1, dtype=torch.uint8)),
        (FashionClassifier(), torch.zeros(4, 8, 8, 1)),
        (FashionClassifier(), torch.zeros(4, 64, dtype=torch.uint8)),
    ],
)
def test_samples_it_cannot_take(extractor, stored):
    with pytest.raises(GanvasError, match=r"got .*\[4"):
        extractor(stored)


def test_classifier_names_real_clothes(images, fashion):
    scored = FashionClassifier()(images)
    assert scored.features.shape == (200, 128)
    assert scored.logits is not None
    assert (scored.logits.argmax(1) == fashion[1]).mean() > 0.85


def test_classifier_resizes(fashion):
    logits = FashionClassifier()(torch.from_numpy(fashion[0])).logits
    assert logits is not None
    assert (logits.argmax(1) == fashion[1]).mean() > 0.85


def test_classifier_features_separate_classes_and_noise(images, fashion):
    extractor, labels = FashionClassifier(), fashion[1]
    order = np.random.default_rng(0).permutation(200)
    halves = [extractor(images[order[i::2]]) for i in (0, 1)]
    noise = torch.randint(0, 256, images.shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    floor = Frechet()(both(halves[0]), halves[1])["frechet"]
    assert Frechet()(both(halves[0]), extractor(noise))["frechet"] > 5 * floor
    assert Frechet()(both(halves[0]), extractor(images[labels == 0]))["frechet"] > 1.5 * floor


def test_classifier_features_are_alive(images):
    features = FashionClassifier()(images).features
    assert features.min() >= 0  # after the ReLU
    assert (features.std(0) > 0).mean() > 0.95


def test_classifier_repeats_itself_whatever_the_batch(images):
    whole = FashionClassifier()(images)
    again = FashionClassifier()(images)
    np.testing.assert_array_equal(whole.features, again.features)
    for batch in (1, 64, 199):
        parts = FashionClassifier(batch=batch)(images)
        np.testing.assert_allclose(parts.features, whole.features, atol=1e-5)
        np.testing.assert_allclose(parts.logits, whole.logits, atol=1e-4)


def test_classifier_takes_channels_one_by_one(images):
    grey = FashionClassifier()(images[:6])
    mixed = torch.cat([images[0:2], images[2:4], images[4:6]], 3)  # three images as one picture's channels
    alpha = torch.full_like(mixed[..., :1], 128)
    for stored in (mixed, torch.cat([mixed, alpha], 3)):
        scored = FashionClassifier()(stored)
        assert scored.features.shape == (2, 384)
        np.testing.assert_allclose(scored.features[1], grey.features[1::2].ravel(), atol=1e-5)
        np.testing.assert_allclose(scored.logits[1], grey.logits[1::2].mean(0), atol=1e-4)


def test_classifier_leaves_the_global_generator_alone(images):
    from ganvas.extractors.small import load_fashion_classifier

    load_fashion_classifier.cache_clear()
    before = torch.get_rng_state()
    FashionClassifier()(images[:2])
    assert torch.equal(torch.get_rng_state(), before)


def test_no_samples_give_no_features():
    assert FashionClassifier()(torch.zeros(0, 32, 32, 3, dtype=torch.uint8)).features.shape == (0, 384)
