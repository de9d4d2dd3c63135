"""What wraps any networks, against the original authors' values and by what it is for."""

import copy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ganvas.core import Spec
from ganvas.errors import GanvasError
from ganvas.nets import (
    DCGAN,
    MLP,
    SAGAN,
    SNGAN,
    AuxiliaryClassifier,
    BigGANDeep,
    Compact,
    Concatenation,
    MinibatchDiscrimination,
    Projection,
    VirtualBatchNorm,
    WithInitialisation,
    WithSpectralNorm,
)
from ganvas.nets.layers.spectral_norm import SpectralNorm
from ganvas.nets.residual import Attention
from ganvas.nets.wrappers.minibatch import Closeness
from small_recipes import IMAGE8, POINT, class_condition, vector_condition


@pytest.fixture
def golden(goldens: Path) -> dict[str, Tensor]:
    return load_file(goldens / "functional.safetensors")


def test_minibatch_discrimination_golden(golden: dict[str, Tensor]) -> None:
    layer = Closeness(12, 6, 5)
    layer.load_state_dict({"T": golden["in/mbd_T_effective"]})
    found, wanted = layer(golden["in/mbd_x"].float()), golden["out/mbd_without_self"]
    torch.testing.assert_close(found, wanted.float(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found + 1, golden["out/mbd_with_self"].float(), rtol=1e-4, atol=1e-5)


def test_spectral_norm_golden(golden: dict[str, Tensor]) -> None:
    norm = SpectralNorm(golden["in/sn_W"])
    norm.load_state_dict({"u": golden["in/sn_u"]})
    torch.testing.assert_close(norm(golden["in/sn_W"]), golden["out/sn_W_normalised"])
    torch.testing.assert_close(norm.u, golden["out/sn_u_new"])
    norm.eval()
    again = norm(golden["in/sn_W"])
    torch.testing.assert_close(norm.u, golden["out/sn_u_new"])  # evaluation leaves it
    for _ in range(100):
        norm.train()(golden["in/sn_W"])
    sigma = (golden["in/sn_W"] / norm(golden["in/sn_W"])).flatten()[0]
    assert sigma.item() == pytest.approx(golden["out/sn_sigma_exact"].item(), rel=1e-4)
    assert again.isfinite().all()


@pytest.mark.parametrize("nets", [DCGAN(width=4), Compact(), MLP()])
def test_spectral_layers_have_norm_1(nets: DCGAN | Compact | MLP) -> None:
    torch.manual_seed(0)
    built = WithSpectralNorm(nets=nets).build(Spec((1, 16, 16), (), {}))
    x = torch.randn(4, 1, 16, 16)
    for _ in range(60):
        built["D"](x)
    for layer in built["D"].modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1.0, rel=0.05)
    assert not any(isinstance(m, SpectralNorm) for m in built["G"].modules())


def test_spectral_layers_iterate_together_as_each_would() -> None:
    torch.manual_seed(0)
    built = WithSpectralNorm(nets=DCGAN(width=2), players=("G", "D")).build(Spec((1, 16, 16), (), {}))
    alone = copy.deepcopy(built)
    for net in alone.values():
        net._forward_pre_hooks.clear()
        net._forward_hooks.clear()
    z, x = torch.randn(4, 100), torch.randn(4, 1, 16, 16)
    for _ in range(2):
        torch.testing.assert_close(built["G"](z), alone["G"](z))
        torch.testing.assert_close(built["D"](x).logits, alone["D"](x).logits)
    for (key, ours), theirs in zip(built.state_dict().items(), alone.state_dict().values(), strict=True):
        torch.testing.assert_close(ours, theirs, msg=key)
    for nets in (built, alone):
        nets["D"](nets["G"](z)).logits.sum().backward()
    for (key, ours), theirs in zip(built.named_parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, msg=key)


def test_a_pass_that_fails_leaves_no_weights_behind() -> None:
    built = WithSpectralNorm(nets=DCGAN(width=2)).build(Spec((1, 16, 16), (), {}))
    with pytest.raises(RuntimeError):
        built["D"](torch.randn(4, 3, 16, 16))
    assert all(m.cached_weight is None for m in built.modules() if isinstance(m, SpectralNorm))


def labelled(spec: Spec, kind: str) -> tuple[Spec, Tensor]:
    if kind == "class":
        return spec._replace(conditions={"label": class_condition(3, (), (1 / 3,) * 3)}), torch.arange(6) % 3
    return spec._replace(conditions={"label": vector_condition(2, examples=((0.0, 1.0),))}), torch.rand(6, 2)


@pytest.mark.parametrize("kind", ["class", "vector"])
@pytest.mark.parametrize("form", [Concatenation, AuxiliaryClassifier, Projection])
@pytest.mark.parametrize("nets", [MLP(tanh=False), DCGAN(width=2), MinibatchDiscrimination(nets=MLP(), kernels=3)])
def test_conditioning_any_networks(kind: str, form: type, nets: MLP) -> None:
    for plain in (IMAGE8, POINT):
        if plain is POINT and isinstance(nets, DCGAN):
            continue
        spec, label = labelled(plain, kind)
        built = form(nets=nets).build(spec)
        z = torch.randn(1, built["G"].z_dim).expand(6, -1)
        built.eval()
        x = built["G"](z, label)
        assert x.shape == (6, *plain.shape)
        other = built["G"](z, label.roll(1, 0))
        assert not torch.equal(x, other)  # G hears it
        same = x[:1].expand_as(x)
        told = built["D"](same, label).logits
        assert torch.allclose(told, told[:1], atol=1e-6) == (form is AuxiliaryClassifier)  # and D, or it does not
        if form is AuxiliaryClassifier:
            assert built["D"].classify(built["D"](x, label).features).shape == (6, spec.conditions["label"].size)


def test_conditioning_needs_labels() -> None:
    with pytest.raises(GanvasError, match=r"subfolder for each class|labels\.csv"):
        Concatenation().build(IMAGE8)


def test_a_sample_under_virtual_norm_does_not_depend_on_its_neighbours() -> None:
    torch.manual_seed(0)
    G = VirtualBatchNorm(nets=MLP(), count=8).build(IMAGE8)["G"]
    z = torch.randn(5, G.z_dim)  # type: ignore[arg-type]
    torch.testing.assert_close(G(z)[:2], G(z[:2]))
    plain = MLP().build(IMAGE8)["G"]
    assert not torch.allclose(plain(z)[:2], plain(z[:2]))


def test_virtual_norm_by_hand() -> None:
    from ganvas.nets.wrappers.virtual import VirtualNorm

    x = torch.tensor([[1.0], [3.0], [8.0]])  # two of the reference, one other: w = 1/3
    found = VirtualNorm(nn.BatchNorm1d(1, eps=0.0), 2)(x)
    mean, square = 8 / 3 + 2 / 3 * 2, 64 / 3 + 2 / 3 * 5
    torch.testing.assert_close(found.flatten(), torch.tensor([-1.0, 1.0, (8 - mean) / (square - mean**2) ** 0.5]))


def test_virtual_norm_needs_a_norm() -> None:
    with pytest.raises(GanvasError, match="no batch norm"):
        VirtualBatchNorm(nets=MLP(batch_norm=False)).build(IMAGE8)


def test_initialisations() -> None:
    def first(how: str) -> Tensor:
        built = WithInitialisation(nets=MLP(g_hidden=(256, 256)), scheme=how).build(IMAGE8)  # type: ignore[arg-type]
        return next(m for m in built["G"].modules() if isinstance(m, nn.Linear) and m.in_features == 256).weight

    square = first("orthogonal")
    torch.testing.assert_close(square @ square.T, torch.eye(256), rtol=0, atol=1e-5)
    assert first("normal").std().item() == pytest.approx(0.02, rel=0.02)
    assert first("xavier").std().item() == pytest.approx((1 / 256) ** 0.5, rel=0.03)
    assert first("he").std().item() == pytest.approx((2 / 1.04 / 256) ** 0.5, rel=0.03)


def test_virtual_norm_under_bf16_is_as_without() -> None:
    from ganvas.nets.wrappers.virtual import VirtualNorm

    x = 3 + 0.05 * torch.randn(40, 6)
    norm = VirtualNorm(nn.BatchNorm1d(6), 8)
    with torch.autocast("cpu", torch.bfloat16):
        inside = norm(x)
    torch.testing.assert_close(inside, norm(x))


def test_weights_that_start_at_0_stay_so() -> None:
    labelled = IMAGE8._replace(conditions={"label": class_condition(3, (), (1 / 3,) * 3)})
    label = torch.arange(4) % 3
    for nets in (
        WithSpectralNorm(nets=Compact(), players=("G", "D")),
        WithSpectralNorm(nets=SNGAN(width=1), players=("G",)),
        SAGAN(width=1),
    ):
        G = nets.build(labelled)["G"]
        assert G(torch.randn(4, G.z_dim), label).isfinite().all()  # type: ignore[arg-type]
    built = WithInitialisation(nets=SNGAN(width=1, d_width=1)).build(labelled)
    assert built["G"].blocks[0].norms[0].gain.weight.eq(0).all()  # type: ignore[index, union-attr]


def test_initialisation_reaches_under_spectral_norm() -> None:
    layer = WithInitialisation(nets=WithSpectralNorm(nets=MLP()), scheme="normal").build(IMAGE8)["D"].layers[1]  # type: ignore[index]
    assert layer.parametrizations.weight.original.std().item() == pytest.approx(0.02, rel=0.05)


@pytest.mark.parametrize("nets", [SNGAN(width=1), BigGANDeep(width=1)])
def test_residual_networks_end_at_256_px(nets: SNGAN | BigGANDeep) -> None:
    with pytest.raises(GanvasError, match=r"from 8 to 256.*--medium\.size 256"):
        nets.build(Spec((3, 512, 512), (), {}))


def test_biggan_deep_halves_at_every_stage_from_64_px() -> None:
    D = BigGANDeep(width=1, d_width=2).build(Spec((3, 128, 128), (), {}))["D"]
    stem, *blocks = [block for block in D.blocks if not isinstance(block, Attention)]  # type: ignore[union-attr]
    assert sum(block.is_halving for block in blocks) == 5
    assert len(blocks) == 10
    assert stem.out_channels == 2


def test_labels_and_virtual_batch_norm_have_an_order() -> None:
    labelled = IMAGE8._replace(conditions={"label": class_condition(3, (), (1 / 3,) * 3)})
    with pytest.raises(GanvasError, match="inside of what makes them conditional"):
        VirtualBatchNorm(nets=Projection(nets=MLP())).build(labelled)
    assert Projection(nets=VirtualBatchNorm(nets=MLP())).build(labelled)["G"].conditions == ("label",)
