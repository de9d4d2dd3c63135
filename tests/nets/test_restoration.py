"""Networks that start from a picture, and their critics: published sizes, and the values of the original authors' code."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ganvas.core import Clock, Spec
from ganvas.data import VectorCondition
from ganvas.errors import GanvasError, SettingError
from ganvas.interop.converting import fill_weights
from ganvas.interop.foreign import basicsr
from ganvas.interop.foreign.lama import convert_lama
from ganvas.interop.foreign.pix2pixhd import convert_scales_critic
from ganvas.interop.foreign.renaming import RenamedNetwork
from ganvas.interop.foreign.stargan import convert_stargan_critic, convert_stargan_generator
from ganvas.losses import R1, Hinge, LeastSquares, NonSaturating, RelativisticAverage, Wasserstein
from ganvas.methods import Adversarial
from ganvas.nets import (
    SRVGG,
    GatedInpainting,
    ImageToImage,
    LaMa,
    MSRResNet,
    ResNet,
    RRDBNet,
    ScalesCritic,
    SRResNet,
    StarGAN,
    UNetCritic,
    VGGCritic,
)
from ganvas.nets.critics import CriticDesign
from ganvas.nets.critics.unet_critic import Discriminator as UNetDiscriminator
from ganvas.nets.layers.fourier import FourierUnit
from ganvas.nets.translation import GeneratorDesign
from small_recipes import image_condition

PHOTO = (3, 128, 128)  # the shape of a picture


def count(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(
    ("design", "parameters"),
    [
        (SRResNet(), 1_547_350),
        (MSRResNet(), 1_517_571),
        (RRDBNet(), 16_697_987),
        (RRDBNet(scale=2), 16_703_171),
        (RRDBNet(blocks=6), 4_467_779),
        (SRVGG(), 621_424),
        (SRVGG(layers=32), 1_213_296),
        (LaMa(), 27_048_835),
    ],
)
def test_generators_have_the_published_sizes(design: GeneratorDesign, parameters: int) -> None:
    with torch.device("meta"):
        assert count(design.build_generator(PHOTO, 3)) == parameters


def test_critics_have_the_published_sizes() -> None:
    with torch.device("meta"):
        assert count(VGGCritic().build_critic(PHOTO, {})) == 14_499_401
        assert count(UNetCritic().build_critic(PHOTO, {})) == 4_376_897
        assert count(ScalesCritic().build_critic(PHOTO, {"source": 36})) == 5_603_202


def test_stargan_has_the_published_size() -> None:
    with torch.device("meta"):
        label = VectorCondition(examples=((0.0,) * 5,))
        assert count(StarGAN().build(Spec(PHOTO, (), {"label": label}))["G"]) == 8_430_528


# ---------------------------------------------------------------- goldens


def agree(found: Tensor, wanted: Tensor) -> bool:
    return bool((found - wanted).abs().max() <= 1e-4 * wanted.std())


def load_golden(goldens: Path, name: str) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Any]]:
    """(the golden, its weights by the authors' names, its description)."""
    golden = load_file(goldens / f"{name}.safetensors")
    weights = {key.removeprefix("w/"): value for key, value in golden.items() if key.startswith("w/")}
    return golden, weights, json.loads((goldens / f"{name}.json").read_text())


def build_generator(renamed: RenamedNetwork) -> nn.Module:
    assert isinstance(renamed.design, GeneratorDesign)
    G = renamed.design.build_generator((renamed.input_channels, 16, 16), renamed.channels)
    fill_weights(G, renamed.state, renamed.origin)
    return G.eval()


def build_critic(renamed: RenamedNetwork, side: int) -> nn.Module:
    assert isinstance(renamed.design, CriticDesign)
    D = renamed.design.build_critic((renamed.channels, side, side), {})
    fill_weights(D, renamed.state, renamed.origin)
    return D.eval()


def old_esrgan_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """RRDBNet's weights as ESRGAN's later code called them."""
    changes = {"conv_body": "trunk_conv", "body.": "RRDB_trunk.", "rdb": "RDB", "conv_up": "upconv", "conv_hr": "HRconv"}
    renamed: dict[str, Tensor] = {}
    for name, value in weights.items():
        for new, old in changes.items():
            name = name.replace(new, old)
        renamed[name] = value
    return renamed


def oldest_esrgan_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """RRDBNet's weights as ESRGAN's first release called them, with two blocks."""
    places = {"conv_first": 0, "conv_up1": 3, "conv_up2": 6, "conv_hr": 8, "conv_last": 10}
    renamed: dict[str, Tensor] = {}
    for name, value in weights.items():
        module, _, leaf = name.rpartition(".")
        if module in places:
            renamed[f"model.{places[module]}.{leaf}"] = value
        elif module == "conv_body":
            renamed[f"model.1.sub.2.{leaf}"] = value
        else:
            renamed[f"model.1.sub.{module.removeprefix('body.').replace('rdb', 'RDB')}.0.{leaf}"] = value
    return renamed


@pytest.mark.parametrize("rename", [dict, old_esrgan_names, oldest_esrgan_names])
@pytest.mark.parametrize("name", ["rrdbnet_x1", "rrdbnet_x2", "rrdbnet_x4"])
def test_rrdbnet(goldens: Path, name: str, rename: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]) -> None:
    golden, weights, description = load_golden(goldens, name)
    renamed = basicsr.convert_rrdbnet(rename(weights))
    assert renamed.design == RRDBNet(width=16, growth=8, blocks=2, scale=int(name[-1]))  # type: ignore[arg-type]
    G = build_generator(renamed)
    assert count(G) == description["param_count"]
    with torch.no_grad():
        assert agree((G(golden["in/x"] * 2 - 1) + 1) / 2, golden["out/y"])


@pytest.mark.parametrize("name", ["msrresnet_x2", "msrresnet_x4"])
def test_msrresnet(goldens: Path, name: str) -> None:
    golden, weights, description = load_golden(goldens, name)
    renamed = basicsr.convert_msrresnet(weights)
    assert renamed.design == MSRResNet(width=16, blocks=2, scale=int(name[-1]))  # type: ignore[arg-type]
    G = build_generator(renamed)
    assert count(G) == description["param_count"]
    with torch.no_grad():
        assert agree((G(golden["in/x"] * 2 - 1) + 1) / 2, golden["out/y"])


def test_unet_critic(goldens: Path) -> None:
    golden, weights, description = load_golden(goldens, "unet_disc_sn")
    D = build_critic(basicsr.convert_unet_critic(weights), 64)
    assert isinstance(D, UNetDiscriminator)
    assert count(D) == description["param_count"]
    x = golden["in/x"] * 2 - 1
    with torch.no_grad():
        assert agree(D(x).logits, golden["out/logits_eval"])
        D.has_skips = False
        assert agree(D(x).logits, golden["out/logits_eval_noskip"])
        D.has_skips = True
        assert agree(D.train()(x).logits, golden["out/logits_train"])
    norm = D.downs[0].parametrizations.weight[0]  # type: ignore[union-attr, index]
    wanted = golden["out/after_train/conv1.weight_v"]
    torch.testing.assert_close(norm.u, golden["out/after_train/conv1.weight_u"])
    torch.testing.assert_close(norm.v, basicsr.reorder_right_vector(wanted, weights["conv1.weight_orig"]))


def test_vgg_critic(goldens: Path) -> None:
    golden, weights, description = load_golden(goldens, "vgg_disc")
    D = build_critic(basicsr.convert_vgg_critic(weights), 128)
    assert count(D) == description["param_count"]
    x = golden["in/x"] * 2 - 1
    with torch.no_grad():
        assert agree(D(x).logits[:, None], golden["out/logits_eval"])
        assert agree(D.train()(x).logits[:, None], golden["out/logits_train"])
    last_norm = D.blocks[4][4]  # type: ignore[index]
    torch.testing.assert_close(last_norm.running_mean, golden["out/after_train/bn4_1.running_mean"], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(last_norm.running_var, golden["out/after_train/bn4_1.running_var"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "objective", "factor"),
    [("vanilla", NonSaturating(), 1), ("lsgan", LeastSquares(), 2), ("wgan", Wasserstein(), 1), ("hinge", Hinge(), 1)],
)
def test_objectives_on_maps_of_logits(goldens: Path, kind: str, objective: Any, factor: int) -> None:
    """BasicSR's losses; it does not halve squares, and its weight of 0.1 holds for G."""
    golden = load_file(goldens / "basicsr_ganloss.safetensors")
    real, fake = golden["in/real"], golden["in/fake"]
    wanted = golden[f"loss/{kind}/D_real"] + golden[f"loss/{kind}/D_fake"]
    torch.testing.assert_close(factor * objective.d(real, fake).mean(), wanted)
    torch.testing.assert_close(0.1 * factor * objective.g(fake, lambda: real).mean(), golden[f"loss/{kind}/G"])


def test_the_relativistic_average_is_twice_basicsrs(goldens: Path) -> None:
    golden = load_file(goldens / "basicsr_ganloss.safetensors")
    real, fake = golden["in/real"], golden["in/fake"]
    torch.testing.assert_close(RelativisticAverage().d(real, fake).mean() / 2, golden["loss/ragan/D"])
    torch.testing.assert_close(RelativisticAverage().g(fake, lambda: real).mean() / 2, golden["loss/ragan/G"])


# ---------------------------------------------------------------- names of networks without goldens


def test_srvgg_by_its_authors_names() -> None:
    shapes = {"body.0": (4, 3, 3, 3), "body.2": (4, 4, 3, 3), "body.4": (4, 4, 3, 3), "body.6": (48, 4, 3, 3)}
    weights = {f"{name}.weight": torch.randn(shape) for name, shape in shapes.items()}
    weights |= {f"{name}.bias": torch.randn(shape[0]) for name, shape in shapes.items()}
    weights |= {f"body.{k}.weight": torch.rand(4) for k in (1, 3, 5)}
    renamed = basicsr.convert_srvgg(weights)
    assert renamed.design == SRVGG(width=4, layers=2, scale=4)
    build_generator(renamed)


def list_norm(name: str, width: int) -> dict[str, Tensor]:
    leaves = {leaf: torch.rand(width) for leaf in ("weight", "bias", "running_mean", "running_var")}
    return {f"{name}.{leaf}": value for leaf, value in leaves.items()} | {f"{name}.num_batches_tracked": torch.tensor(3)}


def list_lama_block(name: str, near: int, far: int) -> dict[str, Tensor]:
    """A fast Fourier convolution from both parts to both."""
    half = far // 2
    weights = {
        f"{name}.ffc.convl2l.weight": torch.randn(near, near, 3, 3),
        f"{name}.ffc.convl2g.weight": torch.randn(far, near, 3, 3),
        f"{name}.ffc.convg2l.weight": torch.randn(near, far, 3, 3),
        f"{name}.ffc.convg2g.conv1.0.weight": torch.randn(half, far, 1, 1),
        f"{name}.ffc.convg2g.fu.conv_layer.weight": torch.randn(2 * half, 2 * half, 1, 1),
        f"{name}.ffc.convg2g.conv2.weight": torch.randn(far, half, 1, 1),
    }
    weights |= list_norm(f"{name}.ffc.convg2g.conv1.1", half) | list_norm(f"{name}.ffc.convg2g.fu.bn", 2 * half)
    return weights | list_norm(f"{name}.bn_l", near) | list_norm(f"{name}.bn_g", far)


@pytest.mark.parametrize("prefix", ["", "generator."])
def test_lama_by_its_authors_names(prefix: str) -> None:
    weights = {
        "model.1.ffc.convl2l.weight": torch.randn(4, 4, 7, 7),
        "model.2.ffc.convl2l.weight": torch.randn(8, 4, 3, 3),
        "model.3.ffc.convl2l.weight": torch.randn(4, 8, 3, 3),
        "model.3.ffc.convl2g.weight": torch.randn(12, 8, 3, 3),
        "model.7.weight": torch.randn(16, 8, 3, 3),
        "model.7.bias": torch.randn(8),
        "model.10.weight": torch.randn(8, 4, 3, 3),
        "model.10.bias": torch.randn(4),
        "model.14.weight": torch.randn(3, 4, 7, 7),
        "model.14.bias": torch.randn(3),
    }
    weights |= list_norm("model.1.bn_l", 4) | list_norm("model.2.bn_l", 8)
    weights |= list_norm("model.3.bn_l", 4) | list_norm("model.3.bn_g", 12)
    weights |= list_lama_block("model.4.conv1", 4, 12) | list_lama_block("model.4.conv2", 4, 12)
    weights |= list_lama_block("model.5.conv1", 4, 12) | list_lama_block("model.5.conv2", 4, 12)
    # 6 joins the parts
    weights |= list_norm("model.8", 8) | list_norm("model.11", 4)
    renamed = convert_lama({f"{prefix}{name}": value for name, value in weights.items()})
    assert renamed.design == LaMa(width=4, levels=2, blocks=2, global_share=0.75)
    G = build_generator(renamed)
    for ours, theirs in {
        "ups.3.weight": "model.10.weight",
        "body.1.second.far_to_far.unit.norm.weight": "model.5.conv2.ffc.convg2g.fu.bn.weight",
        "downs.1.near_to_far.weight": "model.3.ffc.convl2g.weight",
    }.items():
        assert torch.equal(G.state_dict()[ours], weights[theirs])


def list_conv(name: str, *shape: int, outputs: int | None = None) -> dict[str, Tensor]:
    return {f"{name}.weight": torch.randn(shape), f"{name}.bias": torch.randn(shape[0] if outputs is None else outputs)}


def test_pix2pixhds_critics_by_their_authors_names() -> None:
    weights: dict[str, Tensor] = {}
    for scale in range(2):
        for k, (outputs, inputs) in enumerate(((4, 6), (8, 4), (16, 8), (32, 16), (1, 32))):
            weights |= list_conv(f"scale{scale}_layer{k}.0", outputs, inputs, 4, 4)
    renamed = convert_scales_critic(weights)
    assert renamed.design == ScalesCritic(width=4)
    D = build_critic(renamed, 32)
    assert torch.equal(D.state_dict()["scales.0.layers.4.bias"], weights["scale1_layer4.0.bias"])  # the picture at full size


def test_stargan_by_its_usual_names() -> None:
    """The label of 5 attributes, at 8 px with two halvings in D."""
    convs = {0: (2, 8, 7, 7), 3: (4, 2, 4, 4), 6: (8, 4, 4, 4), 10: (8, 4, 4, 4), 13: (4, 2, 4, 4)}
    weights = {f"main.{k}.weight": torch.randn(shape) for k, shape in convs.items()}
    weights["main.16.weight"] = torch.randn(3, 2, 7, 7)
    for name, width in {"main.1": 2, "main.4": 4, "main.7": 8, "main.11": 4, "main.14": 2}.items():
        weights |= list_norm(name, width)
    weights |= {f"main.9.main.{k}.weight": torch.randn(8, 8, 3, 3) for k in (0, 3)}
    weights |= list_norm("main.9.main.1", 8) | list_norm("main.9.main.4", 8)
    critic = list_conv("main.0", 4, 3, 4, 4) | list_conv("main.2", 8, 4, 4, 4)
    critic |= {"conv1.weight": torch.randn(1, 8, 3, 3), "conv2.weight": torch.randn(5, 8, 2, 2)}
    renamed, renamed_critic = convert_stargan_generator(weights), convert_stargan_critic(critic)
    assert renamed.design == StarGAN(width=2, blocks=1)
    assert renamed_critic.design == StarGAN(d_width=4, d_levels=2)
    label = VectorCondition(examples=((0.0,) * 5,))
    built = StarGAN(width=2, blocks=1, d_width=4, d_levels=2).build(Spec((3, 8, 8), (), {"label": label}))
    fill_weights(built["G"], renamed.state, "G")
    fill_weights(built["D"], renamed_critic.state, "D")
    x = torch.rand(2, 3, 8, 8)
    h = built["D"].layers(x)
    wanted = torch.nn.functional.conv2d(h, critic["conv2.weight"])[:, :, 0, 0]
    torch.testing.assert_close(built["D"].classify(built["D"](x).features), wanted)


def test_a_weight_that_no_rule_knows_is_named() -> None:
    with pytest.raises(GanvasError, match=r"extra\.weight"):
        basicsr.convert_srvgg({"body.0.weight": torch.zeros(4, 3, 3, 3), "extra.weight": torch.zeros(1)})


# ---------------------------------------------------------------- what they do


def test_a_fourier_unit_works_on_real_and_imaginary_parts_in_turn() -> None:
    """A convolution that exchanges both parts of the first channel, and leaves the second: numpy's transform says the same."""
    unit, x = FourierUnit(2).eval(), torch.randn(1, 2, 6, 5, generator=torch.Generator().manual_seed(0))
    unit.conv.weight.data = torch.eye(4)[[1, 0, 2, 3]][:, :, None, None]
    spectrum = np.fft.rfft2(x.numpy(), norm="ortho")
    spectrum[0, 0] = spectrum[0, 0].imag + 1j * spectrum[0, 0].real
    positive = np.maximum(spectrum.real, 0) + 1j * np.maximum(spectrum.imag, 0)
    wanted = torch.from_numpy(np.fft.irfft2(positive, (6, 5), norm="ortho")).float() / (1 + unit.norm.eps) ** 0.5
    torch.testing.assert_close(unit(x), wanted)


def test_a_fourier_unit_mixes_every_place_with_every_other() -> None:
    torch.manual_seed(0)
    unit, x = FourierUnit(2).eval(), torch.randn(1, 2, 6, 5, requires_grad=True)
    (gradient,) = torch.autograd.grad(unit(x)[0, 0, 2, 3], x)
    assert (gradient.abs() > 1e-6).all()


def test_a_hole_is_not_seen() -> None:
    for design in (LaMa().smallest(), GatedInpainting().smallest()):
        G = design.build_generator((3, 16, 16), 3).eval()
        source, mask = torch.rand(2, 3, 16, 16), torch.zeros(2, 1, 16, 16)
        mask[:, :, 4:9, 4:12] = 1
        with torch.no_grad():
            x = G(source, mask)
            assert torch.equal(x, G(torch.where(mask == 1, torch.randn(()), source), mask))
            assert not torch.equal(x, G(source, torch.zeros_like(mask)))


def test_residual_generators_start_near_the_enlarged_source() -> None:
    """Weights a tenth as large: the details are small beside the picture."""
    torch.manual_seed(0)
    G = MSRResNet(width=16, blocks=2).build_generator((3, 16, 16), 3)
    source = torch.rand(2, 3, 16, 16) * 2 - 1
    enlarged = torch.nn.functional.interpolate(source, scale_factor=4, mode="bilinear", align_corners=False)
    with torch.no_grad():
        assert (G(source) - enlarged).abs().mean() < 0.01


def test_features_of_all_scales_hold_the_matching_loss() -> None:
    """The sum of absolute differences is the mean over scales of the layers' mean differences, eq. 4."""
    D = ScalesCritic(width=2, halvings=2).build_critic((3, 32, 32), {})
    a, b = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32)
    found = (D(a).features - D(b).features).abs().sum()
    wanted = torch.zeros(())
    for layers, shrink in zip(D.scales, (nn.Identity(), nn.AvgPool2d(3, 2, 1, count_include_pad=False)), strict=True):
        maps = zip(layers(shrink(a))[:-1], layers(shrink(b))[:-1], strict=True)
        wanted = wanted + sum((p - q).abs().mean() for p, q in maps) / 2
    torch.testing.assert_close(found, wanted)


def test_every_scale_has_the_same_weight_in_a_mean_of_logits() -> None:
    D = ScalesCritic(width=2, halvings=2).build_critic((3, 32, 32), {})
    logits = D(torch.rand(2, 3, 32, 32)).logits
    assert logits.shape == (2, 2, 11, 11)
    assert len(logits[0, 1].unique()) <= 7 * 7  # enlarged by repeating


@pytest.mark.parametrize(
    ("architecture", "source", "x", "words"),
    [
        (
            ImageToImage(generator=RRDBNet(scale=1).smallest()),
            (3, 66, 66),
            (3, 66, 66),
            "RRDBNet takes .* multiples of 4 ",
        ),
        (
            ImageToImage(generator=LaMa(width=2, blocks=1)),
            (3, 20, 20),
            (3, 20, 20),
            "multiples of 8 from .*`size` to 24",
        ),
        (ImageToImage(generator=LaMa(width=2, blocks=1)), (3, 8, 8), (3, 8, 8), "multiples of 8 from 16 px, got 8x8"),
        (ImageToImage(generator=MSRResNet(), critic_sees=()), (1, 8, 8), (3, 32, 32), "as many channels, got 1 .* and 3"),
        (
            ImageToImage(generator=ResNet(width=2), critic=UNetCritic()),
            (3, 36, 36),
            (3, 36, 36),
            "UNetCritic takes .* of 8",
        ),
        (ImageToImage(), (3, 16, 16), (2,), "makes images"),
    ],
)
def test_data_that_does_not_fit_is_refused(
    architecture: ImageToImage, source: tuple[int, ...], x: tuple[int, ...], words: str
) -> None:
    with pytest.raises(GanvasError, match=words):
        architecture.build(Spec(x, (), {"source": image_condition(source)}))


def test_stargans_critic_refuses_sizes_that_it_cannot_halve() -> None:
    with pytest.raises(GanvasError, match="d_levels"):
        StarGAN(width=2).build(Spec((3, 48, 48), (), {"label": VectorCondition(examples=((0.0,),))}))


@pytest.mark.parametrize(
    ("cls", "settings"),
    [
        (RRDBNet, {"scale": 3}),
        (SRVGG, {"scale": 9}),
        (LaMa, {"global_share": 0.0}),
        (LaMa, {"levels": 0}),
        (VGGCritic, {"width": 0}),
    ],
)
def test_settings_out_of_range_are_refused(cls: Any, settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        cls(**settings)


@pytest.mark.parametrize(
    "architecture",
    [
        ImageToImage(generator=SRResNet(width=2, blocks=1, scale=2), critic=VGGCritic().smallest(), critic_sees=()),
        ImageToImage(generator=RRDBNet(width=2, growth=2, blocks=1, scale=2), critic=UNetCritic(width=2), critic_sees=()),
        ImageToImage(
            generator=LaMa(width=2, levels=1, blocks=1), critic=ScalesCritic(width=2, halvings=1), critic_sees=("mask",)
        ),
        ImageToImage(generator=ResNet(width=2, halvings=1, blocks=1), critic=ScalesCritic(width=2, halvings=1)),
        StarGAN(width=2, blocks=1, d_width=2, d_levels=1),
    ],
)
def test_the_adversarial_method_plays_with_sources_in_place_of_latents(architecture: Any) -> None:
    small = 16 // getattr(getattr(architecture, "generator", None), "scale", 1)
    conditions = {"label": VectorCondition(examples=((0.0, 1.0),)), "source": image_condition((3, small, small))}
    nets = architecture.build(Spec((3, 16, 16), (), conditions))
    batch = {"x": torch.rand(4, 3, 16, 16), "source": torch.rand(4, 3, small, small), "label": torch.rand(4, 2)}
    batch["mask"] = (torch.rand(4, 1, 16, 16) < 0.3).float()
    method = Adversarial(objective=RelativisticAverage(), penalties=(R1(),))
    assert method.traits(nets).latent is None
    for player, play in {"G": method.play_g, "D": method.play_d}.items():
        nets.zero_grad()
        turn = play(nets, batch, Clock(0, 0, 100))
        torch.stack([term.mean() for term in turn.terms.values()]).sum().backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in nets[player].parameters() if not is_head(nets, p))


def is_head(nets: nn.ModuleDict, parameter: nn.Parameter) -> bool:
    """Whether it belongs to D's classifier, which only the loss Classification uses."""
    return any(parameter is p for p in getattr(nets["D"], "classify", nn.Module()).parameters())
