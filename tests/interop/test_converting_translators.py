"""Others' translators become runs that make the originals' pixels."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ganvas import cli
from ganvas.errors import GanvasError
from ganvas.interop.converting import convert
from ganvas.sampling.generator import Sampler


def load_weights(goldens: Path, name: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """(the golden, its weights by the authors' names)."""
    golden = load_file(goldens / f"{name}.safetensors")
    return golden, {key[2:]: value for key, value in golden.items() if key.startswith("w/")}


def flat(weights: dict[str, Tensor]) -> Any:
    return weights


def of_several_gpus(weights: dict[str, Tensor]) -> Any:
    return {f"module.{name}": value for name, value in weights.items()}


def of_basicsr(weights: dict[str, Tensor]) -> Any:
    return {"params": {name: torch.zeros_like(value) for name, value in weights.items()}, "params_ema": weights}


def translate(run: Any, source: Tensor) -> Tensor:
    sampler = Sampler(run)
    with torch.inference_mode():
        return sampler.method.render(sampler.nets, {"source": source})


@pytest.mark.parametrize(
    ("name", "form", "sides"),
    [
        ("cyclegan_resnet6", flat, (256, 256)),
        ("cyclegan_resnet9", of_several_gpus, (256, 256)),
        ("cut_resnet9_antialias", flat, (256, 256)),
        ("pix2pix_unet", flat, None),
        ("msrresnet_x2", of_basicsr, (128, 256)),
        ("msrresnet_x4", of_basicsr, (64, 256)),
        ("rrdbnet_x1", of_basicsr, (256, 256)),
        ("rrdbnet_x2", flat, (128, 256)),
        ("rrdbnet_x4", of_basicsr, (64, 256)),
    ],
)
def test_a_run_translates_as_the_original(
    goldens: Path, tmp_path: Path, name: str, form: Callable[[dict[str, Tensor]], Any], sides: tuple[int, int] | None
) -> None:
    golden, weights = load_weights(goldens, name)
    torch.save(form(weights), tmp_path / "latest_net_G.pth")
    said: list[str] = []
    run = convert(tmp_path / "latest_net_G.pth", tmp_path / "run", say=said.append)
    is_unit_range = name.startswith(("msr", "rrdb"))  # their pictures lie in [0, 1]
    source = golden["in/x"] * 2 - 1 if is_unit_range else golden["in/x"]
    wanted = golden["out/y"] * 2 - 1 if is_unit_range else golden["out/y"]
    found = translate(run, source)
    assert (found - wanted).abs().max() <= 1e-4 * wanted.std()
    spec = run.read_spec()
    if sides is not None:
        assert (spec.conditions["source"].shape, spec.shape) == ((3, sides[0], sides[0]), (3, sides[1], sides[1]))
    assert said[1].startswith("D: not loaded")


def test_the_command_makes_a_run_that_generates(goldens: Path, tmp_path: Path) -> None:
    _, weights = load_weights(goldens, "cyclegan_resnet6")
    torch.save(weights, tmp_path / "latest_net_G.pth")
    assert cli.main(["convert", str(tmp_path / "latest_net_G.pth"), "--out", str(tmp_path / "run")]) == 0
    assert cli.main(["generate", str(tmp_path / "run"), "--n", "1", "--out", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "000000.png").is_file()


def draw_layer(layer: nn.Module, name: str) -> dict[str, Tensor]:
    return {f"{name}.{leaf}": value.detach() for leaf, value in layer.state_dict().items()}


def draw_stargan(attributes: int, width: int) -> dict[str, Tensor]:
    """StarGAN's G by its usual names, with random weights and one residual block."""
    weights, place, channels = dict[str, Tensor](), 0, width
    convolutions = [(nn.Conv2d(3 + attributes, width, 7, 1, 3, bias=False), width)]
    for _ in range(2):
        convolutions.append((nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=False), 2 * channels))
        channels *= 2
    for layer, outputs in convolutions:
        weights |= draw_layer(layer, f"main.{place}") | draw_layer(nn.InstanceNorm2d(outputs, affine=True), f"main.{place + 1}")
        place += 3
    for k in (0, 3):
        weights |= draw_layer(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), f"main.{place}.main.{k}")
        weights |= draw_layer(nn.InstanceNorm2d(channels, affine=True), f"main.{place}.main.{k + 1}")
    place += 1
    for _ in range(2):
        weights |= draw_layer(nn.ConvTranspose2d(channels, channels // 2, 4, 2, 1, bias=False), f"main.{place}")
        weights |= draw_layer(nn.InstanceNorm2d(channels // 2, affine=True), f"main.{place + 1}")
        channels, place = channels // 2, place + 3
    return weights | draw_layer(nn.Conv2d(channels, 3, 7, 1, 3, bias=False), f"main.{place}")


def test_stargan_takes_as_many_attributes_as_its_file_has(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save(draw_stargan(5, 4), tmp_path / "200000-G.ckpt")
    with pytest.raises(GanvasError):  # a name that reads as no kind of file
        convert(tmp_path / "missing.pth", tmp_path / "run")
    run = convert(tmp_path / "200000-G.ckpt", tmp_path / "run")
    label = run.read_spec().conditions["label"]
    assert (label.kind, label.size) == ("vector", 5)
    sampler = Sampler(run)
    source = torch.rand(1, 3, 128, 128) * 2 - 1
    with torch.inference_mode():
        found = [sampler.method.render(sampler.nets, {"source": source, "label": one[None]}) for one in torch.eye(5)[:2]]
    assert found[0].shape == (1, 3, 128, 128)
    assert (found[0] - found[1]).abs().max() > 1e-3


def test_srvgg_by_its_layers(tmp_path: Path) -> None:
    from ganvas.nets import SRVGG

    torch.manual_seed(0)
    G = SRVGG(width=8, layers=2, scale=4).build_generator((3, 16, 16), 3).eval()
    weights = {name.replace("layers.", "body."): value for name, value in G.state_dict().items()}
    torch.save({"params": weights}, tmp_path / "realesr-general-x4v3.pth")
    source = torch.rand(1, 3, 12, 20) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(
            translate(convert(tmp_path / "realesr-general-x4v3.pth", tmp_path / "run"), source), G(source)
        )


def test_lama_fills_the_hole_and_keeps_the_rest(tmp_path: Path) -> None:
    torch.manual_seed(0)
    torch.save({"state_dict": draw_lama()}, tmp_path / "best.ckpt")
    run = convert(tmp_path / "best.ckpt", tmp_path / "run")
    sampler = Sampler(run)
    source, mask = torch.rand(1, 3, 64, 64) * 2 - 1, torch.zeros(1, 1, 64, 64)
    mask[..., 20:40, 10:30] = 1
    with torch.inference_mode():
        found = sampler.method.render(sampler.nets, {"source": source, "mask": mask})
        inner = sampler.generator.net(source, mask)
    assert torch.equal(found * (1 - mask), source * (1 - mask))
    assert torch.equal(found[..., 20:40, 10:30], inner[..., 20:40, 10:30])
    assert cli.main(["generate", str(run.path), "--n", "1", "--out", str(tmp_path / "out")]) == 0


def draw_lama() -> dict[str, Tensor]:
    """LaMa's G by its usual names with random weights: width 4, two halvings, one residual block."""
    shapes = {"1.ffc.convl2l": (4, 4, 7), "2.ffc.convl2l": (8, 4, 3), "3.ffc.convl2l": (4, 8, 3), "3.ffc.convl2g": (12, 8, 3)}
    norms = {"1.bn_l": 4, "2.bn_l": 8, "3.bn_l": 4, "3.bn_g": 12, "7": 8, "10": 4}
    for block in ("4.conv1", "4.conv2"):
        shapes |= {f"{block}.ffc.convl2l": (4, 4, 3), f"{block}.ffc.convl2g": (12, 4, 3), f"{block}.ffc.convg2l": (4, 12, 3)}
        shapes |= {f"{block}.ffc.convg2g.conv1.0": (6, 12, 1), f"{block}.ffc.convg2g.conv2": (12, 6, 1)}
        shapes[f"{block}.ffc.convg2g.fu.conv_layer"] = (12, 12, 1)
        norms |= {f"{block}.ffc.convg2g.conv1.1": 6, f"{block}.ffc.convg2g.fu.bn": 12, f"{block}.bn_l": 4, f"{block}.bn_g": 12}
    shapes |= {"6": (16, 8, 3), "9": (8, 4, 3), "13": (3, 4, 7)}
    weights = {f"generator.model.{name}.weight": 0.2 * torch.randn(o, i, k, k) for name, (o, i, k) in shapes.items()}
    weights |= {f"generator.model.{name}.bias": torch.randn(n) for name, n in (("6", 8), ("9", 4), ("13", 3))}
    for name, width in norms.items():
        weights |= {
            f"generator.model.{name}.{leaf}": torch.rand(width) for leaf in ("weight", "bias", "running_mean", "running_var")
        }
    return weights
