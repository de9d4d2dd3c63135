"""pix2pix's, CycleGAN's and CUT's networks: the original code's numbers, parameter counts, features by name, sizes refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ganvas.core import Spec
from ganvas.errors import GanvasError
from ganvas.interop.foreign.cyclegan import read_critic, read_translator, rename_head_weights
from ganvas.losses import LeastSquares, NonSaturating, PatchNCE, Wasserstein
from ganvas.nets import CUT, CycleGAN, ImageToImage, MSRResNet, PatchGAN, PixelGAN, ResNet, SRResNet, UNet
from ganvas.nets.critics import CriticDesign
from ganvas.nets.layers.instance_norm import InstanceNorm, Norm
from ganvas.nets.translation import GeneratorDesign, ProjectionHead, draw_places
from ganvas.nets.translation.projection_head import scale_to_unit_length, take_places
from ganvas.nets.translation.source_generator import build_fitting_generator
from small_recipes import image_condition

CUT_FEATURES = ("pad", "down1", "down2", "block1", "block5")


def close(found: Tensor, wanted: Tensor) -> None:
    assert found.shape == wanted.shape
    assert (found - wanted).abs().max() <= 1e-4 * wanted.std()


def count_parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def load_golden(goldens: Path, name: str) -> tuple[dict[str, Tensor], dict[str, Tensor], int]:
    """(the original's weights, inputs and outputs, how many parameters it has)."""
    tensors = load_file(goldens / f"{name}.safetensors")
    weights = {key[2:]: value for key, value in tensors.items() if key.startswith("w/")}
    return weights, tensors, json.loads((goldens / f"{name}.json").read_text())["param_count"]


def load_translator(weights: dict[str, Tensor], size: int = 32) -> tuple[nn.Module, GeneratorDesign]:
    found = read_translator(weights)
    assert found is not None
    assert isinstance(found.design, GeneratorDesign)
    G = found.design.build_generator((found.input_channels, size, size), found.channels)
    G.load_state_dict(found.state)
    return G.eval(), found.design


def load_critic(weights: dict[str, Tensor]) -> tuple[nn.Module, CriticDesign]:
    found = read_critic(weights)
    assert found is not None
    assert isinstance(found.design, CriticDesign)
    D = found.design.build_critic((found.channels, 32, 32), {})
    D.load_state_dict(found.state)
    return D.eval(), found.design


# ---------------------------------------------------------------- the original code's numbers


@pytest.mark.parametrize(
    ("name", "design"),
    [
        ("cyclegan_resnet9", ResNet(width=8)),
        ("cyclegan_resnet6", ResNet(width=8, blocks=6)),
        ("cut_resnet9_antialias", ResNet(width=8, antialiased=True)),
    ],
)
def test_resnet(goldens: Path, name: str, design: ResNet) -> None:
    weights, golden, parameters = load_golden(goldens, name)
    G, found = load_translator(weights)
    assert found == design
    assert count_parameters(G) == parameters
    with torch.no_grad():
        close(G(golden["in/x"]), golden["out/y"])
        close(G(golden["in/x_nonsquare"]), golden["out/y_nonsquare"])
        in_channels_last = G.to(memory_format=torch.channels_last)(golden["in/x"])
    close(in_channels_last, golden["out/y"])


def test_features_by_name(goldens: Path) -> None:
    weights, golden, _ = load_golden(goldens, "cut_resnet9_antialias")
    G, _ = load_translator(weights)
    with torch.no_grad():
        features = G.extract_features(golden["in/x"], CUT_FEATURES)
        x, same = G.translate_with_features(golden["in/x"], reversed(CUT_FEATURES))
    close(x, golden["out/y"])
    assert tuple(features) == CUT_FEATURES == tuple(reversed(same))
    for name, number in zip(CUT_FEATURES, (0, 4, 8, 12, 16), strict=True):
        close(features[name][0], golden[f"out/feat_layer{number}_sample0"])
        assert torch.equal(features[name], same[name])
        assert features[name].shape[1] == G.feature_widths[name]


def test_no_later_layer_runs_for_features() -> None:
    G = ResNet(width=2, blocks=3).build_generator((3, 16, 16), 3)
    ran: list[str] = []
    for name, layer in G.layers.items():
        layer.register_forward_hook(lambda *_, name=name: ran.append(name))
    G.extract_features(torch.randn(1, 3, 16, 16), ("pad", "block1"))
    assert ran[-1] == "block1"
    with pytest.raises(GanvasError, match="no layer 'block4': take features after pad, first,"):
        G.extract_features(torch.randn(1, 3, 16, 16), ("block4",))


def test_unet(goldens: Path) -> None:
    weights, golden, parameters = load_golden(goldens, "pix2pix_unet")
    G, found = load_translator(weights)
    assert found == UNet(width=8, depth=5)
    assert count_parameters(G) == parameters
    with torch.no_grad():
        close(G(golden["in/x"]), golden["out/y"])


@pytest.mark.parametrize(
    ("name", "design"),
    [
        ("patchgan_in3", PatchGAN(width=8)),
        ("patchgan_bn6", PatchGAN(width=8, norm="batch")),
        ("patchgan_in3_aa", PatchGAN(width=8, antialiased=True)),
    ],
)
def test_patchgan(goldens: Path, name: str, design: PatchGAN) -> None:
    weights, golden, parameters = load_golden(goldens, name)
    D, found = load_critic(weights)
    assert found == design
    assert count_parameters(D) == parameters
    with torch.no_grad():
        real, fake = D(golden["in/x"]).logits, D(golden["in/x2"]).logits
        close(real, golden["out/logits"])
        close(fake, golden["out/logits2"])
        for mode, objective, half in (
            ("lsgan", LeastSquares(), 0.5),
            ("vanilla", NonSaturating(), 1.0),
            ("wgangp", Wasserstein(), 1.0),
        ):
            wanted = half * (golden[f"loss/{mode}/real_target"] + golden[f"loss/{mode}/fake_target"])
            torch.testing.assert_close(objective.d(real, fake).mean(), wanted, rtol=1e-4, atol=1e-5)
        if "out/logits_train" in golden:
            close(D.train()(golden["in/x"]).logits, golden["out/logits_train"])
            after = {"w/" + key[16:]: value for key, value in golden.items() if key.startswith("out/after_train/")}
            moved = read_critic({**weights, **{key[2:]: value for key, value in after.items()}})
            assert after
            assert moved is not None
            for key, value in D.state_dict().items():
                torch.testing.assert_close(value, moved.state[key]) if "running" in key else None


def test_a_critic_of_pairs_sees_the_source_first(goldens: Path) -> None:
    weights, golden, _ = load_golden(goldens, "patchgan_bn6")
    found = read_critic(weights)
    assert found is not None
    assert isinstance(found.design, CriticDesign)
    D = found.design.build_critic((3, 32, 32), {"source": 3}).eval()
    D.load_state_dict(found.state)
    source, x = golden["in/x"].chunk(2, 1)
    close(D(x, source=source).logits, golden["out/logits"])
    assert D(x, source=source).features.shape == (2, 64)
    with pytest.raises(TypeError, match="needs the source"):
        D(x)


# ---------------------------------------------------------------- PatchNCE


@pytest.fixture
def nce(goldens: Path) -> tuple[dict[str, Tensor], ProjectionHead]:
    weights, golden, parameters = load_golden(goldens, "cut_patchnce")
    H = ProjectionHead({"a": 6, "b": 12}, 32)
    H.load_state_dict(rename_head_weights(weights, ("a", "b")))
    assert count_parameters(H) == parameters
    return golden, H


def test_projection_head(nce: tuple[dict[str, Tensor], ProjectionHead]) -> None:
    golden, H = nce
    places = {"a": golden["in/patch_ids0"], "b": golden["in/patch_ids1"]}
    for side in "qk":
        points = H({"a": golden[f"in/feat_{side}0"], "b": golden[f"in/feat_{side}1"]}, places)
        close(points["a"].flatten(0, 1), golden[f"out/sample_{side}0"])
        close(points["b"].flatten(0, 1), golden[f"out/sample_{side}1"])
    plain = scale_to_unit_length(take_places(golden["in/feat_q0"], places["a"]))
    close(plain.flatten(0, 1), golden["out/sample_nomlp_q0"])


def test_patchnce(nce: tuple[dict[str, Tensor], ProjectionHead]) -> None:
    golden, _ = nce
    queries, keys = ({name: golden[f"out/sample_{side}{k}"].view(2, 24, 32) for k, name in enumerate("ab")} for side in "qk")
    loss = PatchNCE()
    for k, name in enumerate("ab"):
        close(loss.contrast_places(queries[name], keys[name]).flatten(), golden[f"loss/patchnce{k}"])
    everywhere = PatchNCE(negatives="batch").contrast_places(queries["a"], keys["a"])
    close(everywhere.flatten(), golden["loss/patchnce0_all_negatives"])
    assert loss(queries, keys).shape == (2,)
    torch.testing.assert_close(loss(queries, keys).mean(), golden["loss/patchnce_mean"])
    torch.testing.assert_close(PatchNCE(weight=10.0)(queries, keys), 10 * loss(queries, keys))


def test_patchnce_of_equal_points_is_the_logarithm_of_their_number_and_keys_get_no_gradient() -> None:
    point = torch.nn.functional.normalize(torch.randn(1, 1, 4), dim=2)
    query, key = (point.expand(3, 7, 4).clone().requires_grad_() for _ in range(2))
    loss = PatchNCE()({"a": query}, {"a": key})
    torch.testing.assert_close(loss, torch.full((3,), torch.tensor(7.0).log().item()))
    loss.sum().backward()
    assert query.grad is not None
    assert key.grad is None


def test_patchnce_refuses_other_layers_and_settings_out_of_range() -> None:
    points = {"a": torch.zeros(1, 2, 3)}
    with pytest.raises(GanvasError, match="queries of \\['a'\\] and keys of \\['b'\\]"):
        PatchNCE()(points, {"b": points["a"]})
    with pytest.raises(GanvasError, match="temperature must be above 0, got 0"):
        PatchNCE(temperature=0.0)
    with pytest.raises(GanvasError, match="patches must be 2 or more"):
        PatchNCE(patches=1)


def test_places_are_drawn_without_repetition_within_the_features() -> None:
    features = {"small": torch.zeros(2, 3, 2, 3), "large": torch.zeros(2, 3, 20, 30)}
    places = draw_places(features, 100)
    assert places["small"].sort().values.tolist() == list(range(6))
    assert len(places["large"].unique()) == 100
    assert 500 < places["large"].max() < 600
    values = torch.arange(600.0).view(1, 1, 20, 30)
    assert torch.equal(take_places(values, places["large"])[0, :, 0].long(), places["large"])


# ---------------------------------------------------------------- published sizes


@pytest.mark.parametrize(
    ("design", "parameters"),
    [
        (ResNet(), 11_378_179),
        (ResNet(antialiased=True), 11_378_179),
        (ResNet(blocks=6), 7_837_699),
        (ResNet(halvings=4), 182_443_267),
        (ResNet(norm="batch"), 11_383_427),
        (ResNet(blocks=6, norm="batch"), 7_841_411),
        (UNet(), 54_413_955),
        (UNet(depth=7), 41_828_995),
        (UNet(norm="instance"), 54_409_603),
        (UNet(depth=7, norm="instance"), 41_825_667),
    ],
)
def test_translators_have_the_published_parameters(design: GeneratorDesign, parameters: int) -> None:
    with torch.device("meta"):
        assert count_parameters(design.build_generator((3, 256, 256), 3)) == parameters


@pytest.mark.parametrize(
    ("design", "seen_channels", "parameters"),
    [
        (PatchGAN(), {}, 2_764_737),
        (PatchGAN(norm="batch"), {"source": 3}, 2_768_705),
        (PixelGAN(), {}, 8_832),
        (PixelGAN(), {"source": 3}, 9_024),
    ],
)
def test_critics_have_the_published_parameters(design: CriticDesign, seen_channels: dict[str, int], parameters: int) -> None:
    with torch.device("meta"):
        assert count_parameters(design.build_critic((3, 256, 256), seen_channels)) == parameters


def test_the_architectures_at_their_published_sizes() -> None:
    spec = Spec((3, 256, 256), (), {"source": image_condition((3, 256, 256))})
    with torch.device("meta"):
        cut, cycle, pix2pix = (architecture.build(spec) for architecture in (CUT(), CycleGAN(), ImageToImage()))
    assert count_parameters(cut["H"]) == 560_384
    assert {name: count_parameters(net) for name, net in cycle.items()} == {
        "G": 11_378_179, "G_reverse": 11_378_179, "D": 2_764_737, "D_reverse": 2_764_737,
    }  # fmt: skip
    assert {name: count_parameters(net) for name, net in pix2pix.items()} == {"G": 54_413_955, "D": 2_768_705}


def test_a_patch_sees_70_pixels_and_there_are_30_by_30() -> None:
    D = PatchGAN(width=2, norm="none").build_critic((1, 256, 256), {}).double()
    x = torch.randn(1, 1, 256, 256, dtype=torch.float64, requires_grad=True)
    logits = D(x).logits
    assert logits.shape == (1, 1, 30, 30)
    logits[0, 0, 15, 15].backward()
    assert x.grad is not None
    rows = x.grad[0, 0].abs().sum(1).nonzero().flatten()
    assert rows.max() - rows.min() + 1 == 70


def test_a_pixel_sees_itself() -> None:
    D = PixelGAN(width=2, norm="none").build_critic((1, 8, 8), {})
    x = torch.randn(1, 1, 8, 8, requires_grad=True)
    D(x).logits[0, 0, 3, 4].backward()
    assert x.grad is not None
    assert x.grad.nonzero().tolist() == [[0, 0, 3, 4]]


# ---------------------------------------------------------------- what they start from, and what they refuse


@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
def test_initial_weights(norm: Norm) -> None:
    G = ResNet(width=32, blocks=2, norm=norm).build_generator((3, 64, 64), 3)
    for layer in G.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            he = (2 / 1.04 / layer.weight[0].numel()) ** 0.5
            assert layer.weight.std().item() == pytest.approx(he if norm == "none" else 0.02, rel=0.1)
            assert layer.bias is None or not layer.bias.any()
            assert (layer.bias is None) == (norm == "batch" and layer is not G.layers["last"])
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.weight.mean().item() == pytest.approx(1, abs=0.02)
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.6)
    assert any(isinstance(layer, InstanceNorm) for layer in G.modules()) == (norm == "instance")


def test_without_norm_signals_keep_their_size() -> None:
    torch.manual_seed(0)
    G = ResNet(width=16, blocks=6, norm="none").build_generator((3, 32, 32), 3)
    assert 0.1 < G(torch.randn(4, 3, 32, 32)).std() < 1


def test_instance_norm_is_exact_and_keeps_channels_last() -> None:
    x = (torch.randn(3, 5, 7, 6) * 4 + 2).contiguous(memory_format=torch.channels_last)
    y = InstanceNorm()(x)
    mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), keepdim=True, correction=0)
    torch.testing.assert_close(y, (x - mean) / (variance + 1e-5).sqrt())
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_dropout_acts_where_the_paper_has_it() -> None:
    G = UNet(width=2, depth=8).build_generator((3, 256, 256), 3)
    assert [isinstance(layer, nn.Dropout) for layer in G.dropouts] == [False] * 4 + [True] * 3 + [False]
    assert not any(isinstance(layer, nn.Dropout) for layer in UNet(dropout=False).build_generator((3, 64, 64), 3).modules())


@pytest.mark.parametrize(
    ("size", "depth"), [((256, 256), 8), ((128, 128), 7), ((64, 64), 6), ((512, 512), 8), ((96, 64), 5), ((12, 16), 2)]
)
def test_a_unet_halves_as_often_as_the_size_allows(size: tuple[int, int], depth: int) -> None:
    assert UNet(width=1).build_generator((1, *size), 1).depth == depth


@pytest.mark.parametrize(
    ("design", "shape", "message"),
    [
        (ResNet(width=1), (3, 65, 64), "multiples of 4 from 8 px, got 64x65 .*`size` to 64x68"),
        (ResNet(width=1), (3, 4, 4), "`size` to 8, or pad"),
        (UNet(width=1, depth=8), (3, 100, 100), "UNet takes .* multiples of 256 from 256 px.*`size` to 256, or pad"),
        (UNet(width=1), (3, 50, 51), "UNet takes .* multiples of 4"),
        (ResNet(width=1, halvings=4), (3, 40, 64), "multiples of 16 from 32 px, got 64x40 .*`size` to 64x48"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(design: GeneratorDesign, shape: tuple[int, int, int], message: str) -> None:
    with pytest.raises(GanvasError, match=message):
        build_fitting_generator(design, shape, shape)


def test_what_does_not_fit_together_is_refused() -> None:
    def spec(source: tuple[int, ...], x: tuple[int, ...] = (3, 16, 16)) -> Spec:
        return Spec(x, (), {"source": image_condition(source)})

    with pytest.raises(GanvasError, match="1 times the source's size, and the data pairs 8x8 with 16x16"):
        ImageToImage().smallest().build(spec((3, 8, 8)))
    with pytest.raises(GanvasError, match="SRResNet makes images of 4 times the source's size, and the data pairs 8x8"):
        ImageToImage(generator=SRResNet(), critic_sees=()).build(spec((3, 8, 8)))
    with pytest.raises(GanvasError, match="critic_sees names 'source', which is 2 times smaller than samples: leave it out"):
        ImageToImage(generator=SRResNet(scale=2)).smallest().build(spec((3, 8, 8)))
    with pytest.raises(GanvasError, match="critic_sees names 'mask', which is no image that G takes"):
        ImageToImage(critic_sees=("mask",)).smallest().build(spec((3, 16, 16)))
    with pytest.raises(GanvasError, match="both need as many channels, got 1 for the source and 3"):
        ImageToImage(generator=MSRResNet(scale=1)).build(spec((1, 16, 16)))
    with pytest.raises(GanvasError, match="UNet needs a source image"):
        ImageToImage().build(Spec((3, 16, 16), (), {}))
    with pytest.raises(GanvasError, match="PatchGAN with 3 layers takes images from 24 px, got 16x16"):
        CycleGAN().build(spec((3, 16, 16)))
    with pytest.raises(GanvasError, match="no layer 'block5'"):
        replace(CUT(), generator=ResNet(blocks=4), critic=PatchGAN(layers=1)).build(spec((3, 16, 16)))
    with pytest.raises(GanvasError, match="CUT needs a generator that shows its features, and UNet shows none"):
        replace(CUT(), generator=UNet(depth=2), critic=PatchGAN(layers=1)).build(spec((3, 16, 16)))
    with pytest.raises(GanvasError, match="CUT needs a source image"):
        CUT().build(spec((5,)))
    with pytest.raises(GanvasError, match="features must be one or more"):
        CUT(features=("pad", "pad"))


def test_source_and_target_may_have_other_channels() -> None:
    spec = Spec((3, 16, 16), (), {"source": image_condition((1, 16, 16))})
    source, x = torch.randn(2, 1, 16, 16), torch.randn(2, 3, 16, 16)
    for architecture in (ImageToImage(), CycleGAN(), CUT()):
        nets = architecture.smallest().build(spec)
        assert nets["G"](source).shape == x.shape
        assert nets["D"](x, source=source).logits.shape[:2] == (2, 1)
        if "G_reverse" in nets:
            assert nets["G_reverse"](x).shape == source.shape
            assert nets["D_reverse"](source).logits.shape[:2] == (2, 1)


# ---------------------------------------------------------------- files of other ages


def test_old_files_keep_statistics_of_instance_norm_and_count_dropout(goldens: Path) -> None:
    weights, golden, _ = load_golden(goldens, "cyclegan_resnet6")
    old = {f"module.{name.replace('conv_block.5', 'conv_block.6')}": value for name, value in weights.items()}
    for layer in ("model.2", "model.10.conv_block.2", "model.10.conv_block.7"):
        old |= {f"module.{layer}.running_mean": torch.zeros(8), f"module.{layer}.running_var": torch.ones(8)}
        old[f"module.{layer}.num_batches_tracked"] = torch.tensor(3)
    G, design = load_translator(old)
    assert design == ResNet(width=8, blocks=6, dropout=True)
    with torch.no_grad():
        close(G(golden["in/x"]), golden["out/y"])


@pytest.mark.parametrize("has_dropout", [False, True])
@pytest.mark.parametrize("is_antialiased", [False, True])
def test_every_batch_normed_layer_has_its_name(has_dropout: bool, is_antialiased: bool) -> None:
    """Against a network written down here as their code nests it, layer by layer."""

    def norm(width: int) -> list[nn.Module]:
        return [nn.BatchNorm2d(width), nn.ReLU()]

    blur, stride = ([nn.Identity()], 1) if is_antialiased else ([], 2)

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            drop = [nn.Dropout(0.5)] if has_dropout else []
            self.conv_block = nn.Sequential(
                *(nn.ReflectionPad2d(1), nn.Conv2d(8, 8, 3, bias=False), *norm(8), *drop),
                *(nn.ReflectionPad2d(1), nn.Conv2d(8, 8, 3, bias=False), nn.BatchNorm2d(8)),
            )

    def up(i: int, o: int) -> list[nn.Module]:
        layer = nn.Conv2d(i, o, 3, bias=False) if is_antialiased else nn.ConvTranspose2d(i, o, 3, bias=False)
        return [*blur, layer, *norm(o)]

    theirs = nn.Module()
    theirs.model = nn.Sequential(
        *(nn.ReflectionPad2d(3), nn.Conv2d(3, 2, 7, bias=False), *norm(2)),
        *(
            nn.Conv2d(2, 4, 3, stride, 1, bias=False),
            *norm(4),
            *blur,
            nn.Conv2d(4, 8, 3, stride, 1, bias=False),
            *norm(8),
            *blur,
        ),
        *(Block(), Block(), *up(8, 4), *up(4, 2), nn.ReflectionPad2d(3), nn.Conv2d(2, 3, 7), nn.Tanh()),
    )
    found = read_translator(theirs.state_dict())
    assert found is not None
    assert found.design == ResNet(width=2, blocks=2, norm="batch", antialiased=is_antialiased, dropout=has_dropout)
    assert isinstance(found.design, GeneratorDesign)
    found.design.build_generator((3, 16, 16), 3).load_state_dict(found.state)


def test_pix2pixhds_global_generator_by_its_authors_names() -> None:
    def conv(name: str, *shape: int, outputs: int | None = None) -> dict[str, Tensor]:
        return {f"{name}.weight": torch.randn(shape), f"{name}.bias": torch.randn(shape[0] if outputs is None else outputs)}

    weights = conv("model.1", 4, 3, 7, 7) | conv("model.4", 8, 4, 3, 3) | conv("model.7", 16, 8, 3, 3)
    for k in (10, 11, 12):
        weights |= conv(f"model.{k}.conv_block.1", 16, 16, 3, 3) | conv(f"model.{k}.conv_block.5", 16, 16, 3, 3)
    weights |= conv("model.13", 16, 8, 3, 3, outputs=8) | conv("model.16", 8, 4, 3, 3, outputs=4)
    weights |= conv("model.20", 3, 4, 7, 7)
    G, design = load_translator(weights)
    assert design == ResNet(width=4, blocks=3)
    assert torch.equal(G.state_dict()["layers.block3.second.bias"], weights["model.12.conv_block.5.bias"])
    assert torch.equal(G.state_dict()["layers.up2.weight"], weights["model.16.weight"])


@pytest.mark.parametrize("is_antialiased", [False, True])
@pytest.mark.parametrize("halvings", [1, 3, 4])
def test_other_numbers_of_halvings_have_names_too(halvings: int, is_antialiased: bool) -> None:
    """Their row: padding, then convolution, norm and ReLU each time, with a blur after a halving and before a doubling."""
    blur, stride = ([nn.Identity()], 1) if is_antialiased else ([], 2)
    tail = [nn.Identity(), nn.ReLU()]
    row: list[nn.Module] = [nn.Identity(), nn.Conv2d(3, 1, 7), *tail]
    for k in range(halvings):
        row += [nn.Conv2d(2**k, 2 ** (k + 1), 3, stride, 1), *tail, *blur]
    block = nn.Module()
    inner = 2**halvings
    pad = nn.Identity()
    block.conv_block = nn.Sequential(pad, nn.Conv2d(inner, inner, 3), *tail, pad, nn.Conv2d(inner, inner, 3), nn.Identity())
    row.append(block)
    for k in range(halvings, 0, -1):
        up = nn.Conv2d(2**k, 2 ** (k - 1), 3) if is_antialiased else nn.ConvTranspose2d(2**k, 2 ** (k - 1), 3)
        row += [*blur, up, *tail]
    theirs = nn.Module()
    theirs.model = nn.Sequential(*row, nn.Identity(), nn.Conv2d(1, 3, 7), nn.Tanh())
    weights = theirs.state_dict()
    G, design = load_translator(weights)
    assert design == ResNet(width=1, halvings=halvings, blocks=1, antialiased=is_antialiased)
    assert len(G.state_dict()) == len(weights)


def test_pixel_critics_have_names_too() -> None:
    theirs = nn.Module()
    theirs.net = nn.Sequential(
        *(nn.Conv2d(6, 4, 1), nn.LeakyReLU(0.2), nn.Conv2d(4, 8, 1, bias=False), nn.BatchNorm2d(8)),
        *(nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 1, bias=False)),
    )
    D, design = load_critic(theirs.state_dict())
    assert design == PixelGAN(width=4)
    x = torch.randn(2, 6, 5, 5)
    torch.testing.assert_close(D(x).logits, theirs.net.eval()(x))


def test_other_files_are_not_taken_for_translators(goldens: Path) -> None:
    critic, translator = (load_golden(goldens, name)[0] for name in ("patchgan_in3", "pix2pix_unet"))
    assert read_translator(critic) is None
    assert read_critic(translator) is None
    with pytest.raises(GanvasError, match=r"a layer model\.model\.7 are not supported"):
        read_translator(translator | {"model.model.7.weight": torch.zeros(1)})
    with pytest.raises(GanvasError, match=r"a PatchGAN discriminator with a weight 'model\.12\.extra' is not supported"):
        read_critic(critic | {"model.12.extra": torch.zeros(1)})


def test_a_unet_that_varies_acts_as_in_training_and_one_that_does_not_is_steady() -> None:
    torch.manual_seed(0)
    source = torch.rand(4, 3, 64, 64) * 2 - 1
    varying, steady = (UNet(width=4, depth=6, varies=varies).build_generator((3, 64, 64), 3) for varies in (True, False))
    steady.load_state_dict(varying.state_dict())
    for G in (varying, steady):
        G(source)  # moves the running statistics
        G.eval()
    before = {name: value.clone() for name, value in varying.state_dict().items()}
    with torch.no_grad():
        assert torch.equal(varying(source), varying(source))  # chance is the same for the same batch
        assert all(torch.equal(value, before[name]) for name, value in varying.state_dict().items())
        assert torch.allclose(steady(source)[:1], steady(source[:1]), atol=1e-5)
        assert not torch.allclose(varying(source)[:1], varying(source[:1]), atol=1e-2)
        assert not torch.allclose(varying(source), steady(source), atol=1e-2)
