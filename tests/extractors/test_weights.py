"""Weights of published networks: nothing but the file that was published is opened, and folding changes no output."""

import hashlib

import pytest
import torch
from torch import nn

from ganvas.errors import GanvasError
from ganvas.nets.pretrained.weights import fold_batch_norm, read_published_weights


def test_the_published_file_is_read(tmp_path):
    torch.save({"a": torch.arange(3.0)}, tmp_path / "w.pth")
    sha = hashlib.sha256((tmp_path / "w.pth").read_bytes()).hexdigest()
    assert torch.equal(read_published_weights(tmp_path / "w.pth", sha)["a"], torch.arange(3.0))


def test_another_file_is_not_opened(tmp_path, monkeypatch):
    (tmp_path / "w.pth").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("opened"))
    with pytest.raises(GanvasError, match=r"w\.pth is not the weights file .* not with 00000000"):
        read_published_weights(tmp_path / "w.pth", "0" * 64)
    with pytest.raises(GanvasError, match=r"none\.pth cannot be read: no such file"):
        read_published_weights(tmp_path / "none.pth", "0" * 64)


def test_folding_batch_norm_changes_nothing():
    torch.manual_seed(0)
    conv, norm = nn.Conv2d(4, 6, 3, groups=2, bias=False), nn.BatchNorm2d(6, eps=1e-3).eval()
    for value in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
        value.data.uniform_(0.5, 2)
    x = torch.randn(2, 4, 9, 9)
    parts = {f"c.{k}": v for k, v in conv.state_dict().items()} | {f"n.{k}": v for k, v in norm.state_dict().items()}
    weight, bias = fold_batch_norm(parts, "c", "n", eps=1e-3)
    torch.testing.assert_close(nn.functional.conv2d(x, weight, bias, groups=2), norm(conv(x)))
