"""SNGAN, SAGAN and BigGAN against the original code's numbers and the papers' sizes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ganvas.core import Field, Spec
from ganvas.interop.foreign import biggan
from ganvas.losses.orthogonal import collect_weights, measure_non_orthogonality
from ganvas.nets import SAGAN, SNGAN, BigGAN, BigGANDeep
from ganvas.nets.layers.spectral_norm import SpectralNorm, add_spectral_norm
from ganvas.nets.residual import Discriminator, Generator, build_down_blocks
from small_recipes import class_condition


@pytest.fixture
def golden(goldens: Path) -> dict[str, Tensor]:
    return load_file(goldens / "biggan.safetensors")


@pytest.fixture
def nets(golden: dict[str, Tensor]) -> nn.ModuleDict:
    """The original's networks with its weights."""
    torch.manual_seed(0)
    G = Generator(64, [64] * 4, 3, 10, shared_dim=32, is_split=True, attention_blocks=[1], eps=1e-4)
    D = Discriminator(build_down_blocks([64] * 4, 3, 2, attention_blocks=range(4)), 64, 10)
    built = add_spectral_norm(nn.ModuleDict({"G": G, "D": D}), eps=1e-6, excluded_layers=[G.shared])
    theirs = {ours(name[2:], built): value for name, value in golden.items() if name.startswith("w/") and "sv0" not in name}
    theirs = {name: value.squeeze(0) if name.endswith(".u") else value for name, value in theirs.items()}
    missing, unknown = built.load_state_dict(theirs, strict=False)
    assert not unknown
    assert all("num_batches" in name for name in missing)
    return built


def ours(name: str, built: nn.ModuleDict) -> str:
    """G's by the reader of its files; D's beside it."""
    player, inner = name[0], name[2:]
    if player == "G":
        name = f"G.{biggan.rename_biggan_weight(inner)}"
    else:
        inner = re.sub(r"^blocks\.(\d)\.([01])\.", lambda m: f"blocks.{2 * int(m[1]) + int(m[2])}.", inner)
        for theirs, mine in (("linear.", "last."), ("embed.", "label."), ("conv1.", "first."), ("conv2.", "second.")):
            inner = inner.replace(theirs, mine)
        name = f"D.{inner.replace('conv_sc.', 'beside.')}"
    module, leaf = name.rsplit(".", 1)
    if leaf == "u0":
        return f"{module}.parametrizations.weight.0.u"
    if leaf == "weight" and hasattr(built.get_submodule(module), "parametrizations"):
        return f"{module}.parametrizations.weight.original"
    return name


def close(found: Tensor, wanted: Tensor) -> None:
    assert (found - wanted).abs().max() <= 1e-4 * wanted.std()


def test_sizes_are_the_originals(goldens: Path, nets: nn.ModuleDict) -> None:
    known = json.loads((goldens / "biggan.json").read_text())["param_count"]
    for player in "GD":
        assert sum(p.numel() for p in nets[player].parameters()) == known[player]


def test_biggan_in_evaluation(golden: dict[str, Tensor], nets: nn.ModuleDict) -> None:
    nets.eval()
    z, y, x = golden["in/z"], golden["in/y"], golden["in/x"]
    close(nets["G"](z, y), golden["out/image_eval"])
    close(nets["D"](x, y).logits, golden["out/logits_real_eval"].flatten())
    close(nets["D"](x, golden["in/y2"]).logits, golden["out/logits_real_eval_y2"].flatten())
    close(nets["D"](golden["out/image_eval"], y).logits, golden["out/logits_fake_eval"].flatten())
    raw = nets["D"].blocks[0].first.parametrizations.weight.original  # type: ignore[union-attr]
    (gradient,) = torch.autograd.grad(nets["D"](x, y).logits.sum(), raw)
    close(gradient, golden["loss/grad_logitsum_eval/D.blocks.0.0.conv1.weight"])


def test_biggan_in_training(golden: dict[str, Tensor], nets: nn.ModuleDict) -> None:
    nets.train()
    close(nets["G"](golden["in/z"], golden["in/y"]), golden["out/image_train"])
    close(nets["D"](golden["in/x"], golden["in/y"]).logits, golden["out/logits_real_train"].flatten())
    states = nets.state_dict()
    for name, value in golden.items():
        if name.startswith("out/after_train/") and not name.endswith("sv0"):
            found = states[ours(name.removeprefix("out/after_train/"), nets)]
            assert (found - value.squeeze(0)).abs().max() <= 1e-5 + 1e-4 * value.abs().max(), name


def test_orthogonal_regularisation(golden: dict[str, Tensor], nets: nn.ModuleDict) -> None:
    G = nets["G"]
    found = collect_weights(G)
    total = 1e-4 * sum(map(measure_non_orthogonality, found), torch.zeros(()))
    raw = G.blocks[1].second.parametrizations.weight.original  # type: ignore[union-attr]
    gradients = torch.autograd.grad(total, found)
    assert torch.stack([g.square().sum() for g in gradients]).sum().item() == pytest.approx(
        golden["loss/ortho_grad_sqnorm_total"].item(), rel=1e-3
    )
    (gradient,) = torch.autograd.grad(1e-4 * measure_non_orthogonality(raw.flatten(1)), raw)
    close(gradient, golden["loss/ortho_grad_strength1e-4/G.blocks.1.0.conv2.weight"])


def image(size: int, classes: int = 0) -> Spec:
    label = {"label": class_condition(classes, (), (1 / classes,) * classes)} if classes else {}
    return Spec((3, size, size), (Field("image", 3),), label)


def test_shapes_alone_go_through_spectral_norm() -> None:
    """`ganvas compare` counts networks without values."""
    with torch.device("meta"):
        D = SNGAN().build(Spec((3, 32, 32), (Field("image", 3),), {}))["D"]
        for _ in range(2):
            assert D(torch.empty(4, 3, 32, 32)).logits.shape == (4,)


def test_sngan_has_the_papers_widths_at_32_px() -> None:
    """Miyato et al. 2018, table 3: G 256 throughout, D 128 throughout; counts by hand from the table."""
    nets = SNGAN().build(image(32))
    conv = {(i, o, k): i * o * k * k + o for i, o, k in ((256, 256, 3), (256, 256, 1), (3, 128, 3), (3, 128, 1), (128, 128, 3))}
    block = 2 * conv[256, 256, 3] + conv[256, 256, 1] + 2 * 2 * 256
    assert count(nets["G"]) == 129 * 4096 + 3 * block + 2 * 256 + 256 * 27 + 3
    first = conv[3, 128, 3] + conv[128, 128, 3] + conv[3, 128, 1]
    second = 2 * conv[128, 128, 3] + 128 * 129
    assert count(nets["D"]) == first + second + 2 * 2 * conv[128, 128, 3] + 129
    assert not any(isinstance(m, SpectralNorm) for m in nets["G"].modules())


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


ALL = [
    SNGAN(width=1, d_width=1),
    SAGAN(width=2, d_width=2),
    BigGAN(z_dim=24, width=2, d_width=2),
    BigGANDeep(width=4, d_width=4),
]


@pytest.mark.parametrize("architecture", ALL)
@pytest.mark.parametrize("size", [8, 32, 64])
@pytest.mark.parametrize("classes", [0, 3])
def test_any_size_with_and_without_classes(architecture: Any, size: int, classes: int) -> None:
    nets = architecture.build(image(size, classes))
    z, label = torch.randn(4, nets["G"].z_dim), torch.arange(4) % 3  # type: ignore[call-overload]
    given = {"label": label} if classes else {}
    x = nets["G"](z, **given)
    assert x.shape == (4, 3, size, size)
    assert nets["D"](x, **given).logits.shape == (4,)


def test_attention_is_at_first_not_there() -> None:
    nets = SAGAN(width=2, d_width=2).build(image(32))
    (attention,) = nets["G"].attention.values()  # type: ignore[operator, union-attr]
    x = torch.randn(2, 8, 16, 16)
    assert torch.equal(attention(x), x)
