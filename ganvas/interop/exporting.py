"""A trained generator for those who have no ganvas: numbers, a list of operations, and a short file that puts them together."""

import os
import tempfile
from collections.abc import Callable
from importlib.resources import files
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as packed
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.utils import parametrize

from ..errors import GanvasError
from ..methods import Adversarial
from ..runs.folder import Run
from ..sampling.generator import Generator
from ..system.files import explained, write_bytes, write_json
from . import plain

LOADER, NUMBERS, ABOUT = "load.py", "generator.safetensors", "generator.json"
SKIPPED = ("_assert",)  # checks that shapes are as they were
TRACED, TRIED = 3, 5  # samples that the operations are read of, and that they are tried with
CLOSE = 1e-3  # of what may differ, of the samples' deviation


def export(run: str | Path | Run, out: str | Path, *, format: str = "safetensors", checkpoint: str = "best") -> Path:
    """Write a generator as generator.safetensors, generator.json beside it, and load.py, which makes samples without ganvas.

    Args:
        out: a folder.
        format: "safetensors".

    Raises:
        GanvasError: no run, another format, a generator that cannot be written so, a folder that cannot be written.
    """
    if format != "safetensors":
        raise GanvasError(f"there is no format {format!r} to export: --format safetensors")
    made, out = Generator(run if isinstance(run, Run) else Run(run), checkpoint, "cpu"), Path(out)
    if not hasattr(made.nets["G"], "z_dim"):
        raise GanvasError("this generator has no z: it cannot be exported yet")
    latents, tried = (made.method.latents(made.nets, n, torch.Generator().manual_seed(n)) for n in (TRACED, TRIED))
    bake(made)
    with torch.no_grad():
        wanted = made.method.render(made.nets, tried)  # and what layers make once and keep is made before they are watched

    def render(**given: Tensor) -> Tensor:
        return made.method.render(made.nets, given)

    graph, numbers, output = operations(render, dict(latents))
    about: dict[str, Any] = {"graph": graph, "output": output, "inputs": inputs(made, latents), "shape": made.codec.spec.shape}
    levels = made.codec.store(wanted[:1]).dtype  # of pictures; None for samples that are numbers as they are
    about["levels"] = {torch.uint8: 255, torch.uint16: 65535}.get(levels)
    with explained("exporting", out):
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out) as name:
            words, folder = made.note("none"), Path(name)
            write_bytes(folder / NUMBERS, packed(numbers, words))
            write_json(folder / ABOUT, {"made": words, **about})
            write_bytes(folder / LOADER, files("ganvas.interop").joinpath("plain.py").read_bytes())
            check(folder, dict(tried), wanted)
            for file in (NUMBERS, ABOUT, LOADER):
                os.replace(folder / file, out / file)
    return out


def bake(made: Generator) -> None:
    """Weights that are computed from others become plain ones, as evaluation has them; nothing wants gradients."""
    for module in list(made.nets["G"].modules()):
        if parametrize.is_parametrized(module):
            for name in list(module.parametrizations):  # type: ignore[arg-type]
                parametrize.remove_parametrizations(module, name)
    made.nets.requires_grad_(False)


def inputs(made: Generator, latents: Any) -> dict[str, Any]:
    """What the generator takes, so that it can be drawn."""
    game = getattr(made.method, "game", made.method)
    drawn = game.prior if isinstance(game, Adversarial) else "normal"
    found: dict[str, Any] = {"z": {"size": latents["z"].shape[1], "drawn": drawn}}
    if "label" in latents:
        label = made.run.spec().conditions["label"]
        found["label"] = {"names": label.names, "shares": label.shares, "examples": label.examples}
    return found


def operations(render: Callable[..., Tensor], latents: dict[str, Tensor]) -> tuple[list[Any], dict[str, Tensor], str]:
    """(what is computed, [name of the result, operation, arguments, options] each; the numbers it starts from; the last name).

    Raises:
        GanvasError: an operation that is none of PyTorch's own.
    """
    names = list(latents)
    with torch.no_grad():
        traced = make_fx(
            lambda *given: render(**dict(zip(names, given, strict=True))), tracing_mode="symbolic", _allow_non_fake_inputs=True
        )(*latents.values())
    called: dict[fx.Node, str] = {}
    graph, numbers, output = list[Any](), dict[str, Tensor](), ""
    for node in traced.graph.nodes:
        called[node] = node.name
        if node.op == "placeholder":
            called[node] = names.pop(0)
        elif node.op == "get_attr":
            value = getattr(traced, str(node.target))
            numbers[node.name] = value.detach().contiguous().clone()
        elif node.op == "output":
            output = called[node.args[0]]
        elif not any(word in str(node.target) for word in SKIPPED):
            graph.append([node.name, operation(node.target), *(written(part, called) for part in (node.args, node.kwargs))])
    return graph, numbers, output


def operation(target: Any) -> str:
    """An operation's name: "convolution.default" of torch.ops.aten, or a word of Python's operator."""
    if isinstance(target, torch._ops.OpOverload) and target.namespace == "aten":
        return f"{target._schema.name.removeprefix('aten::')}.{target._overloadname}"
    name = getattr(target, "__name__", str(target))
    if name not in plain.PLAIN or getattr(target, "__module__", "") not in ("_operator", "operator"):
        raise GanvasError(f"this generator computes {name}, which cannot be written down: it cannot be exported yet")
    return name


def written(value: Any, called: dict[fx.Node, str]) -> Any:
    """An argument as JSON."""
    if isinstance(value, fx.Node):
        return {"value": called[value]}
    if isinstance(value, (list, tuple)):
        return [written(part, called) for part in value]
    if isinstance(value, dict):
        return {name: written(part, called) for name, part in value.items() if name != "device"}
    if isinstance(value, (torch.dtype, torch.layout, torch.memory_format)):
        return {"torch": str(value).removeprefix("torch.")}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise GanvasError(f"this generator computes with {type(value).__name__}, which cannot be written down")


def check(folder: Path, latents: dict[str, Tensor], wanted: Tensor) -> None:
    """Raises GanvasError unless what was written makes the samples that it should."""
    spec = spec_from_file_location("ganvas_exported", folder / LOADER)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.Generator(folder)(**latents)
    if found.shape != wanted.shape or not (found - wanted).abs().max() <= CLOSE * wanted.std():
        raise GanvasError(f"what was written to {folder} does not make this generator's samples: please report this")
