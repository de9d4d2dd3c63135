"""Exported translators make what `ganvas translate` makes: with masks and labels, in other sizes, without ganvas."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pillow
from torch import Tensor, nn

import ganvas
from ganvas.configuration import config, to_json
from ganvas.interop import plain
from ganvas.methods import ManyDomains
from ganvas.nets import (
    CUT,
    SRVGG,
    Chroma,
    CycleGAN,
    GatedInpainting,
    Hole,
    ImageToImage,
    LaMa,
    PretrainedUNet,
    Residual,
    ResNet,
    RRDBNet,
    SRResNet,
    StarGAN,
    UNet,
)
from ganvas.nets.translation import SourceGenerator
from ganvas.recipe import Recipe
from ganvas.recipes import find_recipe
from ganvas.runs.folder import RunFolder, write_run_atomically
from ganvas.runs.state import build_state
from ganvas.sampling.generator import Sampler
from ganvas.system.device import describe_machine
from small_recipes import Noise, codec_for

CPU = torch.device("cpu")


def write_untrained(recipe: Recipe, path: Path) -> RunFolder:
    """A run of a recipe that never trained, on noise. Its weights are shaken, so that nothing in them is 0."""
    codec = codec_for(recipe)
    data = Noise(codec)
    state = build_state(recipe, data.spec, 0, CPU)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in [p for nets in (state.nets, state.average) for p in nets.parameters()]:
            parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
    description = {
        "title": "noise",
        "count": len(data),
        "skipped": 0,
        "fingerprint": "",
        "conditions": to_json(data.spec.conditions),
    }
    return write_run_atomically(path, codec, state, recipe, recipe, 0, (description, describe_machine(CPU)))


def translate_pairs_by(generator: Any) -> Recipe:
    nets = ImageToImage(generator=generator, critic=None, critic_sees=())
    return replace(find_recipe("restore"), medium=find_recipe("translator").medium, nets=nets)


def restore_by(name: str, generator: Any) -> Recipe:
    return replace(translate_pairs_by(generator), medium=find_recipe(name).medium)


RECIPES: dict[str, Recipe] = {
    "unet": translate_pairs_by(Residual(generator=UNet(width=2, depth=3, norm="none", dropout=False))),
    "pix2pix": translate_pairs_by(UNet(width=2, depth=4, varies=True)),
    "resnet": translate_pairs_by(ResNet(width=2, halvings=1, blocks=1)),
    "resnet with batch norm": translate_pairs_by(ResNet(width=2, halvings=1, blocks=1, norm="batch", antialiased=True)),
    "pretrained": translate_pairs_by(PretrainedUNet(width=2)),
    "pretrained, not enlarged": restore_by("restore", Residual(generator=PretrainedUNet(width=2, enlargement=1))),
    "chroma": restore_by("colourise", Chroma(generator=UNet(width=2, depth=2, norm="none", dropout=False))),
    "hole": restore_by("inpaint_small", Hole(generator=UNet(width=2, depth=2, norm="none", dropout=False))),
    "hole by fourier": restore_by("inpaint_small", Hole(generator=LaMa(width=2, levels=1, blocks=1))),
    "gated without hole": restore_by("inpaint_small", GatedInpainting(width=2, dilations=(2,))),
    "srvgg": restore_by("srresnet_small", SRVGG(width=2, layers=1)),
    "srresnet": restore_by("srresnet_small", SRResNet(width=2, blocks=1)),
    "rrdbnet": restore_by("srresnet_small", RRDBNet(width=2, blocks=1)),
    "cyclegan": replace(
        find_recipe("cyclegan_small"), nets=CycleGAN(generator=ResNet(width=2, halvings=1, blocks=1)).smallest()
    ),
    "cut": replace(find_recipe("cut_small"), nets=CUT().smallest()),
    "stargan": replace(find_recipe("pix2pix"), nets=StarGAN().smallest(), method=ManyDomains()),
}


def draw_picture(run: RunFolder, height: int, width: int) -> np.ndarray:
    channels = Sampler(run).spec.conditions["source"].shape[0]  # type: ignore[attr-defined]
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("name", RECIPES)
def test_the_same_pixels_as_translate(name: str, tmp_path: Path) -> None:
    run = write_untrained(RECIPES[name], tmp_path / "run")
    exported = plain.Generator(ganvas.export(run, tmp_path / "out"))
    for height, width in ((32, 32), (37, 50)):
        pixels, settings, given = draw_picture(run, height, width), dict[str, Any](), dict[str, Any]()
        if "mask" in exported.description["inputs"]:
            hole = np.zeros((height, width), bool)
            hole[5:20, 8:25] = True
            settings["mask"], given["hole"] = hole, hole
        if "label" in exported.description["inputs"]:
            settings["conditions"], given["label"] = {"label": "1"}, torch.tensor([1])
        expected = ganvas.load(run.path).translate(pixels, **settings)
        actual = exported.translate(pixels, **given)
        assert actual.shape == expected.shape
        assert np.abs(actual.astype(int) - expected).max() <= 1, f"{height} x {width}"
        assert expected.std() > 0
    assert "height" not in exported.description["sides"]


@pytest.mark.parametrize("name", ["pix2pix", "hole", "stargan"])
def test_batches_are_those_of_evaluation(name: str, tmp_path: Path) -> None:
    """Also dropout and the batch's statistics that stay on, as in pix2pix."""
    run = write_untrained(RECIPES[name], tmp_path / "run")
    exported, sampler = plain.Generator(ganvas.export(run, tmp_path / "out")), Sampler(run)
    for n in (1, 6):
        latents = sampler.method.draw_latents(sampler.nets, n, torch.Generator().manual_seed(1))
        with torch.no_grad():
            expected = sampler.method.render(sampler.nets, latents)
        assert (exported(**latents) - expected).abs().max() <= 1e-4 * expected.std()


def test_without_ganvas_a_file_is_translated(tmp_path: Path, child_environment: dict[str, str]) -> None:
    run, out = write_untrained(RECIPES["hole"], tmp_path / "run"), tmp_path / "out"
    ganvas.export(run, out)
    pixels, hole = draw_picture(run, 30, 41), np.zeros((30, 41), bool)
    hole[4:20, 6:30] = True
    Pillow.fromarray(pixels).save(out / "photo.png")
    Pillow.fromarray(hole).save(out / "hole.png")
    words = [sys.executable, "load.py", "photo.png", "hole.png"]
    environment = {name: value for name, value in child_environment.items() if name != "PYTHONPATH"}
    subprocess.run(words, cwd=out, env=environment, check=True)
    expected = ganvas.load(run.path).translate(pixels, mask=hole)
    with Pillow.open(out / "translated.png") as picture:
        actual = np.asarray(picture)
    assert np.array_equal(actual[~hole], pixels[~hole])
    assert np.abs(actual.astype(int) - expected).max() <= 1


def test_a_size_that_does_not_fit_is_said(tmp_path: Path) -> None:
    exported = plain.Generator(ganvas.export(write_untrained(RECIPES["unet"], tmp_path / "run"), tmp_path / "out"))
    with pytest.raises(ValueError, match=r"sides must be multiples of 8 px, at least 8, got 20 x 16: translate\(\) pads"):
        exported(source=torch.zeros(1, 1, 16, 20))


class OfOneSize(SourceGenerator):
    """Its weights have the size of its pictures."""

    def __init__(self, source: tuple[int, ...]) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(source))

    def forward(self, source: Tensor) -> Tensor:
        return (source * self.gain).tanh()


@config
class OfOneSizeDesign:
    def build_generator(self, source: tuple[int, int, int], channels: int) -> OfOneSize:
        return OfOneSize(source)

    def smallest(self) -> "OfOneSizeDesign":
        return self


def test_a_network_of_one_size_says_its_size(tmp_path: Path) -> None:
    ganvas.configuration.allow_components([__name__])
    run = write_untrained(translate_pairs_by(OfOneSizeDesign()), tmp_path / "run")
    exported = plain.Generator(ganvas.export(run, tmp_path / "out"))
    side = exported.description["inputs"]["source"]["shape"][1]
    source = torch.rand(2, *exported.description["inputs"]["source"]["shape"])
    assert exported(source=source).shape == source.shape
    with pytest.raises(ValueError, match=f"pictures must be {side} x {side} px, got 40 x {side}"):
        exported(source=torch.zeros(1, source.shape[1], side, 40))


def test_files_are_read_as_translate_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Turned upright, over the background where they are transparent, and with 16 bits."""
    source = {"shape": [3, 64, 64], "pictures": ["source"], "labels": None, "has_colours": False, "background": 200}
    pixels = np.random.default_rng(0).integers(0, 256, (30, 41, 3), dtype=np.uint8)
    monkeypatch.chdir(tmp_path)
    exif = Pillow.Exif()
    exif[274] = 6
    Pillow.fromarray(pixels).save("turned.png", exif=exif)
    Pillow.fromarray(np.concatenate([pixels, np.full_like(pixels[..., :1], 0)], 2)).save("clear.png")
    Pillow.fromarray(pixels[..., 0].astype(np.uint16) * 257).save("deep.png")
    assert np.array_equal(plain.read_picture("turned.png", source), np.rot90(pixels, -1))
    assert (plain.read_picture("clear.png", source) == 200).all()
    assert np.array_equal(plain.read_picture("deep.png", source), pixels[..., :1].repeat(3, 2))
