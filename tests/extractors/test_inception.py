"""Inception: torch-fidelity's outputs for made-up weights, TensorFlow 1's resize, and a file that may be missing."""

import hashlib
import urllib.request
import zlib
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch

from ganvas.errors import GanvasError
from ganvas.extractors import Inception, inception
from ganvas.extractors.inception import build_inception_with_weights, resize_as_tensorflow1
from ganvas.extractors.inception_v3 import build_inception_v3

# What torch-fidelity 0.4.0's FeatureExtractorInceptionV3 gave for `made_up` weights and `images`: every 300th of its
# features "2048", every 150th of its "logits_unbiased".
FEATURES = [
    [0.0881552, 0.5188207, 0.9694966, 1.1292121, 1.1468232, 5.3025093, 2.2772372],
    [0.0813117, 0.5059525, 1.0322379, 1.2537937, 1.1357608, 5.3977566, 2.3569155],
]
LOGITS = [
    [1.5489783, 1.2532926, 4.4849777, 6.3688678, -3.5816460, -2.6242275, -3.5862098],
    [1.6060248, 1.3412642, 4.5542498, 6.4699697, -3.5575614, -2.6874125, -3.6132607],
]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def drawn(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    z = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape, dtype=np.float32)
    if len(shape) > 1:
        return torch.from_numpy(z * np.float32((2 / np.prod(shape[1:])) ** 0.5))
    return torch.from_numpy(np.exp(np.float32(0.2) * z) if name.endswith(("running_var", "bn.weight")) else np.float32(0.2) * z)


@pytest.fixture(scope="module")
def made_up() -> dict[str, torch.Tensor]:
    """A weights file's tensors, each drawn by its name: the network agrees with another only if all names do."""
    tensors = {"fc.weight": drawn("fc.weight", (1008, 2048)), "fc.bias": drawn("fc.bias", (1008,))}
    with torch.device("meta"):
        net = build_inception_v3()
    for path, module in net.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            block, layer = path.split(".")[0], path.split(".")[-1]
            name = block if block == layer else f"{block}.{layer}"
            tensors[f"{name}.conv.weight"] = drawn(f"{name}.conv.weight", tuple(module.weight.shape))
            for part in ("weight", "bias", "running_mean", "running_var"):
                tensors[f"{name}.bn.{part}"] = drawn(f"{name}.bn.{part}", (len(module.weight),))
    return tensors


@pytest.fixture
def images() -> torch.Tensor:
    i, y, x, c = np.meshgrid(np.arange(2), np.arange(20), np.arange(24), np.arange(3), indexing="ij")
    return torch.from_numpy(((37 * i + 11 * y + 7 * x * (i + 1) + 83 * c + x * y) % 256).astype(np.uint8))


@pytest.fixture(autouse=True)
def no_weights(tmp_path, monkeypatch):
    """A machine that has never seen the file, and no network."""
    monkeypatch.delenv(inception.INCEPTION_VARIABLE, raising=False)
    monkeypatch.setenv("GANVAS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: pytest.fail("the network was asked"))


def test_agrees_with_torch_fidelity(made_up, images, tmp_path, monkeypatch):
    torch.save(made_up, tmp_path / "made_up.pth")
    monkeypatch.setattr(inception, "INCEPTION_SHA256", digest(tmp_path / "made_up.pth"))
    scored = Inception(path=str(tmp_path / "made_up.pth"))(images)
    assert (scored.features.shape, scored.logits.shape) == ((2, 2048), (2, 1008))
    np.testing.assert_allclose(scored.features[:, ::300], FEATURES, rtol=1e-4)
    np.testing.assert_allclose(scored.logits[:, ::150], LOGITS, rtol=1e-4)


def test_parameters():
    """The published count without its auxiliary classifier, 23,834,568, and 8 logits more."""
    with torch.device("meta"):
        net = build_inception_v3()
    convolutions = [m for m in net.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(convolutions) == 94
    folded_away = sum(len(c.weight) for c in convolutions)
    assert sum(p.numel() for p in net.parameters()) + folded_away == 23_834_568 + 8 * 2049


def test_loading_draws_nothing(made_up):
    before = torch.get_rng_state()
    build_inception_with_weights(made_up)
    assert torch.equal(torch.get_rng_state(), before)


# ---------------------------------------------------------------- TensorFlow 1's resize


def test_resize_by_hand():
    row = torch.tensor([[[[0.0, 10.0, 40.0]]]])
    np.testing.assert_allclose(resize_as_tensorflow1(row, 6)[0, 0, 0], [0, 5, 10, 25, 40, 40])
    np.testing.assert_array_equal(resize_as_tensorflow1(torch.arange(8.0)[None, None, :, None], 4)[0, 0, :, 0], [0, 2, 4, 6])


@pytest.mark.parametrize(("height", "width"), [(28, 28), (64, 32), (299, 299), (640, 480)])
def test_resize_of_a_ramp(height, width):
    """On a ramp interpolation is exact: the value at i is i·length/299, held at the last pixel's."""
    ramp = torch.arange(height, dtype=torch.float32)[:, None] * 2 + torch.arange(width, dtype=torch.float32)
    y, x = (np.minimum(np.arange(299) * length / 299, length - 1) for length in (height, width))
    np.testing.assert_allclose(resize_as_tensorflow1(ramp[None, None], 299)[0, 0], 2 * y[:, None] + x, atol=1e-3)


# ---------------------------------------------------------------- the file


def test_missing_weights_are_explained(images):
    with pytest.raises(GanvasError, match=r"6726825d\.pth \(96 MB\).*`download`.*GANVAS_INCEPTION.*extractor `efficientnet`"):
        Inception()(images)
    with pytest.raises(GanvasError, match=r"there is no file /none\.pth: correct path"):
        Inception(path="/none.pth")(images)
    with pytest.raises(GanvasError, match=r"got float32 \[2, 2\]"):
        Inception()(torch.zeros(2, 2))


def test_the_environment_names_the_file(images, tmp_path, monkeypatch):
    monkeypatch.setenv(inception.INCEPTION_VARIABLE, str(tmp_path / "mine.pth"))
    with pytest.raises(GanvasError, match="correct GANVAS_INCEPTION"):
        Inception()(images)
    (tmp_path / "mine.pth").write_bytes(b"not the weights")
    assert Inception().find_weights_file() == tmp_path / "mine.pth"
    with pytest.raises(GanvasError, match=r"mine\.pth is not the weights file .* not with 6726825d"):
        Inception()(images)


@pytest.mark.parametrize("name", [inception.INCEPTION_FILE, "weights-inception-2015-12-05-6726825d.pth"])
def test_what_torch_hub_has_kept_is_found(tmp_path, name):
    kept = tmp_path / "torch" / "hub" / "checkpoints" / name
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"")
    assert Inception().find_weights_file() == kept


class Answer:
    """What a server sends, in pieces."""

    def __init__(self, content: bytes) -> None:
        self.left = content

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, size: int) -> bytes:
        block, self.left = self.left[:size], self.left[size:]
        return block


def test_download_when_told(tmp_path, monkeypatch):
    content, asked = bytes(3 * 2**20), []
    monkeypatch.setattr(inception, "INCEPTION_SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(
        inception, "read_published_weights", lambda path, sha: digest(path) == sha or pytest.fail(f"{path} is another file")
    )
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: (asked.append(url), Answer(content))[1])
    kept = Inception(download=True).find_weights_file()
    assert kept == tmp_path / "cache" / inception.INCEPTION_FILE
    assert kept.read_bytes() == content
    assert Inception(download=True).find_weights_file() == Inception().find_weights_file() == kept
    assert asked == [inception.INCEPTION_URL]


def test_a_download_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: Answer(b"a page that says not found"))
    with pytest.raises(GanvasError, match="is not the weights file"):
        Inception(download=True).find_weights_file()

    def offline(*_, **__):
        raise URLError("Temporary failure in name resolution")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    with pytest.raises(GanvasError, match=r"could not be fetched .*name resolution.*GANVAS_INCEPTION"):
        Inception(download=True).find_weights_file()
    assert list((tmp_path / "cache").iterdir()) == []


def test_more_than_was_published_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(inception, "INCEPTION_BYTES", 2**20)
    endless = Answer(b"")
    endless.read = lambda size: bytes(size)  # type: ignore[method-assign]
    monkeypatch.setattr(urllib.request, "urlopen", lambda *_, **__: endless)
    with pytest.raises(GanvasError, match="is not the weights file"):
        Inception(download=True).find_weights_file()
