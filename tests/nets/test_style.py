"""StyleGAN to StyleGAN3, Progressive GAN and R3GAN against the original code's numbers, and closed forms."""

import json
import re
from collections.abc import Callable
from math import log, sqrt
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate

from ganvas.core import Architecture, Clock, Field, Spec
from ganvas.errors import GanvasError
from ganvas.interop.foreign import r3gan as r3
from ganvas.interop.foreign import stylegan2 as style2
from ganvas.interop.foreign import stylegan3 as style3
from ganvas.losses import R1, R2, PathLength
from ganvas.losses.objectives import RelativisticPairing
from ganvas.nets import R3GAN, ProGAN, StyleGAN, StyleGAN2, StyleGAN3, progan, r3gan, stylegan, stylegan2, stylegan3
from ganvas.nets.layers.equalised import append_deviation
from ganvas.nets.layers.style import MappingNetwork, mix_styles
from small_recipes import class_condition

CLOCK = Clock(0, 0, 1)
HE = sqrt(2)


def close(found: Tensor, wanted: Tensor) -> None:
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() <= 1e-4 * wanted.std()


def renamed(golden: dict[str, Tensor], ours: Callable[[str], str], without: str = "^$") -> dict[str, Tensor]:
    """The original's weights under our names."""
    return {ours(k[2:]): v for k, v in golden.items() if k.startswith("w/") and not re.search(without, k)}


# ---------------------------------------------------------------- StyleGAN2


@pytest.fixture
def g2(goldens: Path) -> tuple[nn.Module, dict[str, Tensor]]:
    golden = load_file(goldens / "stylegan2_G.safetensors")
    G = stylegan2.Generator(MappingNetwork(64, 64, 8), 64, [64, 64, 64, 32], 3, mixing=0.9)
    G.load_state_dict(renamed(golden, style2.rename_stylegan2_g_weight, "resample_filter"))
    return G.eval(), golden


def test_stylegan2_g(goldens: Path, g2: tuple[nn.Module, dict[str, Tensor]]) -> None:
    G, golden = g2
    z = golden["in/z"]
    assert sum(p.numel() for p in G.parameters()) == json.loads((goldens / "stylegan2_G.json").read_text())["param_count"]
    close(G.map_to_styles(z), golden["out/ws"])
    close(G(z), golden["out/image"])
    close(G(z, truncation=torch.full((4,), 0.7)), golden["out/image_psi0.7"])
    close(G.map_to_styles(z, truncation=torch.tensor([0.5] * 4 + [1.0] * 4).expand(4, 8)), golden["out/ws_psi0.5_cutoff4"])
    G.train()
    G.mapping(z)
    close(G.mapping.middle, golden["out/w_avg_after_train_step"])


def test_path_lengths(g2: tuple[nn.Module, dict[str, Tensor]], monkeypatch: pytest.MonkeyPatch) -> None:
    G, golden = g2
    penalty = PathLength(weight=2.0)
    nets = nn.ModuleDict({"G": G})
    nets["PathLength"] = penalty.state(nets)
    nets["PathLength"].length.fill_(golden["in/pl_mean_before"].item())
    monkeypatch.setattr(torch, "randn_like", lambda x: golden["in/pl_y"])
    turn = penalty(nets, {"z": golden["in/z"][:2]})
    close(turn.terms["G/PathLength"], 2 * golden["loss/pl_penalty"])
    assert turn.statistics["G/path"].item() == pytest.approx(golden["loss/pl_lengths"].mean().item(), rel=1e-4)
    turn.terms["G/PathLength"].mean().backward()
    close(G.start.grad, golden["loss/pl_param_grad/synthesis.b4.const"])
    power = G.ups[0].convolution.weight.grad.square().sum()
    assert power.item() == pytest.approx(golden["loss/pl_param_grad_sqnorm/synthesis.b8.conv0.weight"].item(), rel=1e-3)
    penalty.after(nets, turn.statistics, CLOCK)
    assert nets["PathLength"].length.item() == pytest.approx(golden["loss/pl_mean_after"].item(), rel=1e-5)


def test_path_lengths_want_styles() -> None:
    with pytest.raises(GanvasError, match="G has no styles"):
        PathLength().state(nn.ModuleDict({"G": nn.Linear(1, 1)}))


def test_stylegan2_d(goldens: Path) -> None:
    golden = load_file(goldens / "stylegan2_D.safetensors")

    D = stylegan2.Discriminator([64, 64, 64, 32], 3, 0, 64, 8)
    D.load_state_dict(renamed(golden, lambda name: style2.rename_stylegan2_d_weight(name, 32), "resample_filter"))
    assert sum(p.numel() for p in D.parameters()) == json.loads((goldens / "stylegan2_D.json").read_text())["param_count"]
    x = golden["in/x"]
    for count, name in ((8, "logits"), (4, "logits_batch4"), (2, "logits_batch2")):
        close(D(x[:count]).logits, golden[f"out/{name}"].flatten())
    penalty = R1(gamma=2.0)(lambda samples: D(samples).logits, x[:4], None, CLOCK)
    torch.testing.assert_close(penalty, golden["loss/r1_penalty"].flatten(), rtol=1e-3, atol=0)
    (5 * penalty.mean()).backward()
    assert D.end.weight.grad is not None
    found = D.end.weight.grad.square().sum().item()
    assert found == pytest.approx(golden["loss/r1_param_grad_sqnorm/b4.conv.weight"].item(), rel=1e-3)


@pytest.mark.parametrize("upward", [False, True])
def test_modulation_equals_a_convolution_of_each_samples_own_weights(upward: bool) -> None:
    """Karras et al. 2020a, eqs. 1 and 3, by the letter."""
    torch.manual_seed(0)
    layer = stylegan2.ModulatedConv(3, 5, upward)
    x, s = torch.randn(4, 3, 8, 8), torch.randn(4, 3)
    weight = layer.weight[None] * s[:, None, :, None, None]
    weight = weight / (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).sqrt()
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    plain = x
    if upward:  # zeros between the pixels, the filter of gain 4, and a true convolution, over all that is not zero
        spread = torch.zeros(4, 3, 16, 16)
        spread[:, :, ::2, ::2] = x
        kernel = (taps[:, None] * taps / 16).expand(3, 1, 4, 4)
        plain = conv2d(torch.nn.functional.pad(spread, [3, 2, 3, 2]), kernel, groups=3)
        weight = weight.flip(3, 4)
    grouped = conv2d(plain.flatten(0, 1)[None], weight.flatten(0, 1), padding=0 if upward else 1, groups=4)
    found = layer(x, s) * layer.compute_demodulation(s)[:, :, None, None]
    torch.testing.assert_close(found, grouped.unflatten(1, (4, 5))[0], rtol=1e-4, atol=1e-5)


def test_styles_are_mixed_from_a_layer_on() -> None:
    torch.manual_seed(0)
    ws, other = torch.zeros(400, 6, 2), torch.ones(400, 2)
    found = mix_styles(ws, other, 0.9)[:, :, 0]
    assert (found.diff(dim=1) >= 0).all()  # never back
    assert (found[:, 0] == 0).all()  # the first layer is always its own
    assert 0.85 < found[:, -1].mean() < 0.95
    assert torch.equal(mix_styles(ws, other, 0.0), ws)


# ---------------------------------------------------------------- StyleGAN3


@pytest.mark.parametrize("which", ["T", "R"])
@torch.no_grad()
def test_stylegan3(goldens: Path, which: str, monkeypatch: pytest.MonkeyPatch) -> None:
    golden, about = (
        load_file(goldens / f"stylegan3_{which}_G.safetensors"),
        json.loads((goldens / f"stylegan3_{which}_G.json").read_text()),
    )
    constructor = about["constructor"]
    found = stylegan3.compute_bands(32, 8, constructor["channel_base"], constructor["channel_max"], 3)
    G = stylegan3.Generator(MappingNetwork(64, 64, 2, mean_decay=0.998), 64, found, 3 if which == "T" else 1, which == "R", 0.0)
    for layer, band, known in zip(G.body, found, about["layers"], strict=True):
        assert (band.channels, band.size) == (known["out_channels"], known["out_size"][0])
        assert [*layer.padding] == known["padding"][:2]

    layers = {theirs: f"body.{k}" for k, theirs in enumerate(about["layer_names"])}
    theirs, designed = renamed(golden, lambda name: style3.rename_stylegan3_weight(name, layers)), G.state_dict()
    for name in theirs:  # our filters are theirs
        if name.endswith((".up", ".down")):
            torch.testing.assert_close(designed[name], theirs[name], rtol=0, atol=1e-6)
    G.load_state_dict(theirs)
    assert sum(p.numel() for p in G.parameters()) == about["param_count"]
    G.eval()
    z = golden["in/z"]
    close(G.map_to_styles(z), golden["out/ws"])
    close(G.input(G.map_to_styles(z)[:1, 0]), golden["out/input_features"])
    close(G(z), golden["out/image"])
    close(G(z, truncation=torch.full((3,), 0.7)), golden["out/image_psi0.7"])
    G.train()
    monkeypatch.setattr(stylegan3, "HALF_LIFE_SAMPLES", 3 * log(0.5) / log(0.999))  # as theirs is outside of training
    close(G(z), golden["out/image_update_emas"])
    close(G.mapping.middle, golden["out/w_avg_after"])
    close(torch.stack([layer.magnitude for layer in G.body]), golden["out/magnitude_ema_after"])


@torch.no_grad()
def test_stylegan3_moves_what_it_makes() -> None:
    """Equivariance to translation: a shift of the input by eight pixels is one of the image, also of an untrained network."""
    torch.manual_seed(0)
    nets = StyleGAN3(z_dim=8, w_dim=8, layers=6, width=16, base=1024, d_width=2).build(image(64))
    G = nets["G"].eval()
    z = torch.randn(2, 8)
    before = G(z)
    G.input.transform[0, 2] = -8 / 64
    after = G(z)
    inner = (..., slice(8, -8), slice(16, -8))
    moved = before.roll(8, 3)
    error = (after - moved)[inner].square().mean() / before.var()
    assert error < 1e-3  # 30 dB; without filters a few
    assert (after - before)[inner].square().mean() / before.var() > 0.1


@torch.no_grad()
@pytest.mark.parametrize("rotation", [True, False])
def test_stylegan3_r_turns_what_it_makes(rotation: bool) -> None:
    """Equivariance to rotation: the input turned by a quarter is the image turned; configuration T's 3x3 kernels are not so."""
    torch.manual_seed(0)
    nets = StyleGAN3(z_dim=8, w_dim=8, layers=6, width=16, base=1024, d_width=2, rotation=rotation).build(image(64))
    G = nets["G"].eval()
    z = torch.randn(2, 8)
    before = G(z)
    G.input.transform[:2, :2] = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    error = min((G(z) - before.rot90(turns, (2, 3))).square().mean() / before.var() for turns in (1, 3))
    assert error < 1e-3 if rotation else error > 0.1


# ---------------------------------------------------------------- R3GAN


@pytest.fixture
def r3nets(goldens: Path) -> tuple[nn.ModuleDict, dict[str, Tensor]]:
    golden = load_file(goldens / "r3gan.safetensors")

    def ours(name: str) -> str:
        player, name = name[0], name[2:].removeprefix("Model.")
        return f"{player}.{r3.rename_r3gan_weight(name, player, dict.fromkeys(range(4), 1 if player == 'G' else 0))}"

    G, D = r3gan.Generator(64, (48, 48, 32, 32), 3, 1, 16, 0), r3gan.Discriminator((32, 32, 48, 48), 3, 1, 16, 0)
    nets = nn.ModuleDict({"G": G, "D": D})
    nets.load_state_dict(renamed(golden, ours, "Kernel"))
    return nets, golden


def test_r3gan(goldens: Path, r3nets: tuple[nn.ModuleDict, dict[str, Tensor]]) -> None:
    nets, golden = r3nets
    for player, count in json.loads((goldens / "r3gan.json").read_text())["param_count"].items():
        assert sum(p.numel() for p in nets[player].parameters()) == count
    fake = nets["G"](golden["in/z"])
    close(fake, golden["out/image"])
    real, judged = nets["D"](golden["in/real"]).logits, nets["D"](fake.detach()).logits
    close(real, golden["out/logits_real"])
    close(judged, golden["out/logits_fake"])
    loss = RelativisticPairing()
    close(loss.d(real, judged), golden["loss/D_adv"])
    close(loss.g(nets["D"](fake).logits, lambda: real), golden["loss/G_adv"])
    critic = lambda x: nets["D"](x).logits  # noqa: E731
    penalties = [R(gamma=0.6)(critic, x, None, CLOCK) for R, x in ((R1, golden["in/real"]), (R2, fake))]
    total = (loss.d(real, judged) + penalties[0] + penalties[1]).mean()
    assert total.item() == pytest.approx(golden["loss/D_total"].item(), rel=1e-4)
    total.backward()
    known = golden["loss/D_grad_sqnorm/Model.ExtractionLayer.Layer.weight"].item()
    assert nets["D"].first.weight.grad.square().sum().item() == pytest.approx(known, rel=1e-3)


def test_r3gan_starts_as_its_shortcuts() -> None:
    """Fixup: residual branches end at 0, so that only resampling and 1x1 convolutions act."""
    nets = R3GAN(widths=(8,), blocks=2, group=4).build(image(16))
    x = torch.randn(2, 8, 4, 4)
    assert torch.equal(nets["G"].stages[0](x), x)


def test_r3gan_at_its_published_size() -> None:
    """Huang et al. 2024, appendix D, CIFAR-10: the counts by hand from widths, blocks and groups of 16."""
    nets = r3gan.Generator(64, (768,) * 4, 3, 2, 16, 0)
    block = 768 * 1536 + 1536 + 1536 * 16 * 9 + 1536 + 1536 * 768
    assert sum(p.numel() for p in nets.parameters()) == 8 * block + 768 * 16 + 64 * 768 + 768 * 3


# ---------------------------------------------------------------- Progressive GAN and StyleGAN


@pytest.fixture
def pro(goldens: Path) -> tuple[nn.ModuleDict, dict[str, Tensor]]:
    """The zoo's weights, for our scale after which biases come, and for the paper's gains."""
    golden = load_file(goldens / "progan.safetensors")
    nets = nn.ModuleDict({"G": progan.Generator(32, [32, 24, 16], 3), "D": progan.Discriminator([32, 24, 16], 3)})

    def put(layer: nn.Module, name: str, gain: float = HE) -> None:
        weight = golden[f"w/{name}.module.weight"]
        layer.weight.copy_(weight * HE / gain)
        layer.bias.copy_(golden[f"w/{name}.module.bias"] * HE / sqrt(weight[0].numel()))

    G, D = nets["G"], nets["D"]
    with torch.no_grad():
        put(G.first, "G.formatLayer", HE / 4)
        put(G.start, "G.groupScale0.0")
        for k in range(2):
            for player, net in (("G", G), ("D", D)):
                put(net.blocks[k].first, f"{player}.scaleLayers.{k}.0")
                put(net.blocks[k].second, f"{player}.scaleLayers.{k}.1")
        for k in range(3):
            put(G.to_image[k], f"G.toRGBLayers.{k}", 1.0)
            put(D.from_image[k], f"D.fromRGBLayers.{k}")
        for layer, name, gain in ((D.end, "Zero.0", HE), (D.dense, "Zero.1", HE)):
            put(layer, f"D.groupScale{name}", gain)
        put(D.last, "D.decisionLayer", 1.0)
    return nets, golden


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@torch.no_grad()
def test_progan(pro: tuple[nn.ModuleDict, dict[str, Tensor]], alpha: float) -> None:
    """alpha is the weight of the old path there; groups of consecutive samples, whose deviations are unbiased."""
    nets, golden = pro
    for net in nets.values():
        net.depth = 2 - alpha
    close(nets["G"](golden["in/z"]), golden[f"out/image_alpha{alpha:.2f}"])
    nets["D"].end.weight[:, -1] *= sqrt(4 / 3)
    order = torch.tensor([0, 4, 1, 5, 2, 6, 3, 7])
    logits = torch.empty(8)
    logits[order] = nets["D"](golden["in/x"][order]).logits
    close(logits, golden[f"out/logits_alpha{alpha:.2f}"].flatten())


@torch.no_grad()
def test_progan_at_a_smaller_size(pro: tuple[nn.ModuleDict, dict[str, Tensor]]) -> None:
    nets, golden = pro
    nets["G"].depth = 0.7
    close(nets["G"](golden["in/z"]), golden["out/image_8px_alpha0.30"])


def test_progan_has_table_2s_size() -> None:
    """Karras et al. 2018, table 2: 23.1 million parameters each at 1024 px."""
    with torch.device("meta"):
        nets = ProGAN().build(image(1024))
    assert [round(sum(p.numel() for n, p in nets[k].named_parameters() if unread(n)) / 1e6, 1) for k in "GD"] == [23.1, 23.1]


@pytest.mark.parametrize(
    ("nets", "size", "millions"),
    [
        (StyleGAN(), 1024, [26.2, 23.1]),  # Karras et al. 2019: 26.2 million
        (StyleGAN2(base=32768), 1024, [30.4, 29.0]),  # the published networks for FFHQ
        (StyleGAN2(), 256, [24.8, 24.0]),  # Karras et al. 2020b
        (StyleGAN3(), 1024, [22.3, 24.0]),  # Karras et al. 2021, configuration T
        (StyleGAN3(base=16384), 256, [23.3, 24.0]),  # at 256 px
        (StyleGAN3(base=16384, rotation=True), 256, [15.8, 24.0]),  # configuration R
    ],
)
def test_style_networks_have_the_published_sizes(nets: Architecture, size: int, millions: list[float]) -> None:
    with torch.device("meta"):
        built = nets.build(image(size))
    assert [round(sum(p.numel() for p in built[k].parameters()) / 1e6, 1) for k in "GD"] == millions


def unread(name: str) -> bool:
    """Not of an image layer that is only used while growing; those of table 2 are at the image's size."""
    return not re.match(r"(to|from)_image\.[0-7]\.", name)


@pytest.mark.parametrize("kind", [ProGAN, StyleGAN])
@torch.no_grad()
def test_fading_ends_are_the_sizes_themselves(kind: type) -> None:
    """At the start of a fade images are the old ones doubled, at its end the new ones."""
    torch.manual_seed(0)
    nets = kind(width=4, base=64, z_dim=4).build(image(16))
    z, x = torch.randn(4, 4), torch.randn(4, 3, 8, 8)
    made: dict[float, Tensor] = {}
    said: dict[float, Tensor] = {}
    for net in nets.values():
        net.eval()
    for depth in (0.0, 1e-6, 1 - 1e-6, 1.0, 2.0):
        nets["G"].depth = nets["D"].depth = depth
        made[depth] = nets["G"](z)
        size = 4 * 2 ** (1 if depth else 0)
        if depth < 2:
            said[depth] = nets["D"](interpolate(x, size=size, mode="area")).logits
    assert [made[d].shape[-1] for d in made] == [4, 8, 8, 8, 16]
    torch.testing.assert_close(made[1 - 1e-6], made[1.0], rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(said[1 - 1e-6], said[1.0], rtol=1e-3, atol=1e-4)
    if kind is ProGAN:  # StyleGAN's filter sees zeros beyond the border
        torch.testing.assert_close(made[1e-6], interpolate(made[0.0], scale_factor=2), rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(said[1e-6], said[0.0], rtol=1e-3, atol=1e-4)


def test_adain_takes_the_styles_statistics() -> None:
    """Karras et al. 2019, eq. 1."""
    torch.manual_seed(0)
    layer = stylegan.AdaIN(3, 5, 8).eval()
    w = torch.randn(2, 5)
    found = layer(torch.randn(2, 3, 8, 8) * 4 + 1, w)
    gain, bias = layer.style(w).chunk(2, 1)
    torch.testing.assert_close(found.mean((2, 3)), bias, rtol=0, atol=1e-5)
    torch.testing.assert_close(found.std((2, 3), correction=0), (1 + gain).abs(), rtol=1e-4, atol=1e-5)


def test_deviation_is_that_of_interleaved_groups() -> None:
    x = torch.zeros(8, 2, 4, 4)
    x[0::2] = torch.tensor([1.0, -1.0, 1.0, -1.0])[:, None, None, None]
    plane = append_deviation(x)[:, 2, 0, 0]
    torch.testing.assert_close(plane, torch.tensor([1.0, 1e-4] * 4))
    assert append_deviation(x[:6])[:, 2, 0, 0].unique().numel() == 2  # groups of three, where four do not divide
    assert append_deviation(x[:1]).shape == (1, 3, 4, 4)


@pytest.mark.parametrize("kind", [StyleGAN2, StyleGAN3, R3GAN])
def test_labels_reach_both_networks(kind: type) -> None:
    torch.manual_seed(0)
    nets = kind().smallest()
    nets = type(nets)(**{**vars(nets), **({"widths": (8,)} if kind is R3GAN else {"width": 8, "w_dim": 8, "z_dim": 8})})
    built = nets.build(image(16, classes=3)).eval()
    z, x, label = torch.randn(2, built["G"].z_dim), torch.randn(2, 3, 16, 16), torch.tensor([0, 0])
    assert not torch.allclose(built["G"](z, label), built["G"](z, label + 1))
    assert not torch.allclose(built["D"](x, label).logits, built["D"](x, label + 1).logits)


def image(size: int, classes: int = 0) -> Spec:
    label = {"label": class_condition(classes, (), (1 / classes,) * classes)} if classes else {}
    return Spec((3, size, size), (Field("image", 3),), label)
