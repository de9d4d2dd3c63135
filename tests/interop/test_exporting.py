"""Exported generators make the same samples in a process that has no ganvas."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import ganvas
from ganvas import cli
from ganvas.errors import GanvasError
from ganvas.interop import exporting, plain
from ganvas.sampling.generator import Sampler
from trained_runs import trained

ALONE = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "ganvas":
            raise ImportError("there is no ganvas here")
sys.meta_path.insert(0, Blocked())
import numpy as np, torch
sys.path.insert(0, ".")
from load import Generator
generator = Generator(".")
latents = {name: torch.from_numpy(value) for name, value in np.load("latents.npz").items()}
np.save("x.npy", generator(**latents).numpy())
drawn = generator.draw_latents(7, 3)
print(sorted(drawn), generator(**drawn).shape[0], "ganvas" in sys.modules)
"""
FAMILIES = [
    *("auto", "dcgan_small", "biggan_small", "biggan_deep_small", "sagan_small", "sngan_small", "acgan", "cgan", "gan"),
    *("projection", "progan_small", "stylegan_small", "stylegan2_small", "stylegan3_small", "r3gan_small"),
    *("vae", "autoencoder", "vae_gan", "gat_small", "styleswin_small"),
]
NARROW = {
    "auto": ["--nets.g-width", "4", "--nets.d-width", "4"],
    "biggan_deep_small": ["--nets.width", "4", "--nets.d-width", "4"],
    "sagan_small": ["--nets.width", "2", "--nets.d-width", "2"],
    "sngan_small": ["--nets.width", "2", "--nets.d-width", "2"],
    "stylegan3_small": ["--nets.width", "8", "--nets.base", "64", "--nets.d-width", "4", "--nets.layers", "6"],
    "r3gan_small": ["--nets.widths", "16", "16", "--nets.group", "16"],
    "gat_small": ["--nets.nets.width", "16", "--nets.nets.d-width", "16", "--nets.nets.depth", "4", "--nets.nets.d-depth", "1"],
    "styleswin_small": ["--nets.nets.width", "8", "--nets.nets.d-width", "4", "--nets.nets.window", "4"],
    "autoencoder": ["--nets.nets.g-width", "4", "--nets.width", "4"],
    "vae_gan": ["--nets.nets.g-width", "4", "--nets.width", "4"],
}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_same_samples(name: str, tmp_path: Path) -> None:
    run = trained(name, tmp_path, *NARROW.get(name, []))
    made, out = Sampler(run), tmp_path / "out"
    assert ganvas.export(run, out) == out
    latents = made.method.draw_latents(made.nets, 6, torch.Generator().manual_seed(1))
    with torch.no_grad():
        wanted = made.method.render(made.nets, latents)
    found = plain.Generator(out)(**latents)
    assert (found - wanted).abs().max() <= 1e-4 * wanted.std()
    assert set(plain.Generator(out).draw_latents(7)) == set(latents)


def test_without_ganvas_the_same_samples(tmp_path: Path, child_environment: dict[str, str]) -> None:
    run, out = trained("biggan_small", tmp_path), tmp_path / "out"
    ganvas.export(run, out)
    made = Sampler(run)
    latents = made.method.draw_latents(made.nets, 6, torch.Generator().manual_seed(1))
    with torch.no_grad():
        wanted = made.method.render(made.nets, latents)
    np.savez(out / "latents.npz", **{key: value.numpy() for key, value in latents.items()})
    (out / "alone.py").write_text(ALONE)
    words = [sys.executable, "alone.py"]
    done = subprocess.run(words, cwd=out, env=child_environment, capture_output=True, text=True, check=True)
    assert done.stdout.split("]")[1].split() == ["7", "False"]
    assert np.abs(np.load(out / "x.npy") - wanted.numpy()).max() <= 1e-4 * float(wanted.std())


def test_what_is_written(tmp_path: Path, child_environment: dict[str, str]) -> None:
    run = trained("biggan_small", tmp_path)
    out = tmp_path / "out"
    assert cli.main(["export", str(run.path), "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {"generator.safetensors", "generator.json", "load.py"}
    about = json.loads((out / "generator.json").read_text())
    assert "synthetic" in about["made"]["Comment"]
    assert about["inputs"]["label"]["names"] == list(run.read_spec().conditions["label"].names)
    assert about["shape"] == [1, 8, 8]
    assert all(operation in plain.PYTHON_OPERATIONS or "." in operation for _, operation, *_ in about["graph"])
    assert load_file(out / "generator.safetensors")
    subprocess.run([sys.executable, "load.py", "5"], cwd=out, env=child_environment, check=True)
    samples = np.load(out / "samples.npy")
    assert samples.shape == (5, 8, 8, 1)
    assert samples.dtype == np.uint8


def test_truncated_sampling_is_untouched_by_an_export(tmp_path: Path) -> None:
    """Tracing leaves nothing behind in the layers' caches."""
    run = trained("stylegan2_small", tmp_path)
    before = ganvas.generate(run, 3)
    ganvas.export(run, tmp_path / "out")
    assert np.array_equal(ganvas.generate(run, 3), before)


@pytest.mark.parametrize("operation", ["__dict__.update", "__class__.mro", "add.__class__", "from_file.default", "os.system"])
def test_a_list_of_operations_calls_nothing_else(operation: str) -> None:
    with pytest.raises((ValueError, AttributeError)):
        plain.find_operation(operation)


@pytest.mark.parametrize(
    ("words", "message"), [(["--format", "onnx"], "--format safetensors"), (["--out", "FILE"], "exporting failed")]
)
def test_what_cannot_be_is_said(tmp_path: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    run = trained("dcgan_small", tmp_path)
    (tmp_path / "file").write_text("")
    assert cli.main(["export", str(run.path), *(word.replace("FILE", str(tmp_path / "file" / "x")) for word in words)]) == 1
    assert message in capsys.readouterr().err


def test_what_cannot_be_written_down_is_said() -> None:
    class Odd(nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return torch.ops.prims.sin(z)

    odd = Odd()
    with pytest.raises(GanvasError, match="cannot be exported yet"):
        exporting.trace_operations(lambda z: odd(z), {"z": torch.zeros(3, 2)})
