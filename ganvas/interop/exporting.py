"""A trained generator for those who have no ganvas: numbers, a list of operations, and a short file that puts them together."""

import os
import tempfile
from collections.abc import Callable
from importlib.resources import files
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as serialise_tensors
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.utils import parametrize

from ..data import ClassCondition, VectorCondition
from ..errors import GanvasError
from ..runs.folder import RunFolder
from ..sampling.generator import Sampler
from ..system.files import explain_os_errors, write_bytes, write_json
from . import plain

LOADER_FILE, WEIGHTS_FILE, DESCRIPTION_FILE = "load.py", "generator.safetensors", "generator.json"
SKIPPED_OPERATIONS = ("_assert",)  # checks that shapes are as they were
SAMPLES_TO_TRACE, SAMPLES_TO_CHECK = 3, 5  # samples that the operations are read of, and that they are tried with
CHECK_TOLERANCE = 1e-3  # of what may differ, of the samples' deviation


def export(run: str | Path | RunFolder, out: str | Path, *, format: str = "safetensors", checkpoint: str = "best") -> Path:
    """Write a generator as generator.safetensors, generator.json beside it, and load.py, which makes samples without ganvas.

    Args:
        out: a folder.
        format: "safetensors".

    Raises:
        GanvasError: no run, another format, a generator that cannot be written so, a folder that cannot be written.
    """
    if format != "safetensors":
        raise GanvasError(f"there is no format {format!r} to export: --format safetensors")
    sampler, out = Sampler(run if isinstance(run, RunFolder) else RunFolder(run), checkpoint, "cpu"), Path(out)
    latents, check_latents = (
        sampler.method.draw_latents(sampler.nets, n, torch.Generator().manual_seed(n))
        for n in (SAMPLES_TO_TRACE, SAMPLES_TO_CHECK)
    )
    bake_weights(sampler)
    with torch.no_grad():
        expected_x = sampler.method.render(
            sampler.nets, check_latents
        )  # and what layers make once and keep is made before they are watched

    def render_named(**named_latents: Tensor) -> Tensor:
        return sampler.method.render(sampler.nets, named_latents)

    graph, numbers, output = trace_operations(render_named, dict(latents))
    description: dict[str, Any] = {
        "graph": graph,
        "output": output,
        "inputs": describe_inputs(sampler, latents),
        "shape": sampler.codec.spec.shape,
    }
    levels = sampler.codec.store(expected_x[:1]).dtype  # of pictures; None for samples that are numbers as they are
    description["levels"] = {torch.uint8: 255, torch.uint16: 65535}.get(levels)
    with explain_os_errors("exporting", out):
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out) as name:
            metadata, folder = sampler.describe_provenance("none"), Path(name)
            write_bytes(folder / WEIGHTS_FILE, serialise_tensors(numbers, metadata))
            write_json(folder / DESCRIPTION_FILE, {"made": metadata, **description})
            write_bytes(folder / LOADER_FILE, files("ganvas.interop").joinpath("plain.py").read_bytes())
            check_export(folder, dict(check_latents), expected_x)
            for file in (WEIGHTS_FILE, DESCRIPTION_FILE, LOADER_FILE):
                os.replace(folder / file, out / file)
    return out


def bake_weights(sampler: Sampler) -> None:
    """Weights that are computed from others become plain ones, as evaluation has them; nothing wants gradients."""
    for module in list(sampler.generator.modules()):
        if parametrize.is_parametrized(module):
            for name in list(module.parametrizations):  # type: ignore[arg-type]
                parametrize.remove_parametrizations(module, name)
    sampler.nets.requires_grad_(False)


def describe_inputs(sampler: Sampler, latents: Any) -> dict[str, Any]:
    """What the generator takes, so that it can be drawn."""
    description: dict[str, Any] = {}
    if "z" in latents:
        description["z"] = {"size": latents["z"].shape[1], "drawn": sampler.traits.prior}
    for name in sampler.traits.conditions:
        condition, example = sampler.spec.conditions[name], latents[name][0]
        description[name] = {"names": condition.names, "shape": list(example.shape), "drawn": "given"}
        if isinstance(condition, ClassCondition):
            description[name] |= {"drawn": "classes", "shares": condition.shares}
        elif isinstance(condition, VectorCondition):
            description[name] |= {"drawn": "examples", "examples": condition.examples}
    return description


def trace_operations(render: Callable[..., Tensor], latents: dict[str, Tensor]) -> tuple[list[Any], dict[str, Tensor], str]:
    """(what is computed, [name of the result, operation, arguments, options] each; the numbers it starts from; the last name).

    Raises:
        GanvasError: an operation that is none of PyTorch's own.
    """
    names = list(latents)
    with torch.no_grad():
        traced_module = make_fx(
            lambda *given: render(**dict(zip(names, given, strict=True))), tracing_mode="symbolic", _allow_non_fake_inputs=True
        )(*latents.values())
    value_names: dict[fx.Node, str] = {}
    graph, numbers, output = list[Any](), dict[str, Tensor](), ""
    for node in traced_module.graph.nodes:
        value_names[node] = node.name
        if node.op == "placeholder":
            value_names[node] = names.pop(0)
        elif node.op == "get_attr":
            value = getattr(traced_module, str(node.target))
            numbers[node.name] = value.detach().contiguous().clone()
        elif node.op == "output":
            output = value_names[node.args[0]]
        elif not any(word in str(node.target) for word in SKIPPED_OPERATIONS):
            graph.append(
                [
                    node.name,
                    name_operation(node.target),
                    *(argument_to_json(part, value_names) for part in (node.args, node.kwargs)),
                ]
            )
    return graph, numbers, output


def name_operation(target: Any) -> str:
    """An operation's name: "convolution.default" of torch.ops.aten, or a word of Python's operator."""
    if isinstance(target, torch._ops.OpOverload) and target.namespace == "aten":
        return f"{target._schema.name.removeprefix('aten::')}.{target._overloadname}"
    name = getattr(target, "__name__", str(target))
    if name not in plain.PYTHON_OPERATIONS or getattr(target, "__module__", "") not in ("_operator", "operator"):
        raise GanvasError(f"this generator computes {name}, which cannot be written down: it cannot be exported yet")
    return name


def argument_to_json(value: Any, value_names: dict[fx.Node, str]) -> Any:
    """An argument as JSON."""
    if isinstance(value, fx.Node):
        return {"value": value_names[value]}
    if isinstance(value, (list, tuple)):
        return [argument_to_json(part, value_names) for part in value]
    if isinstance(value, dict):
        return {name: argument_to_json(part, value_names) for name, part in value.items() if name != "device"}
    if isinstance(value, (torch.dtype, torch.layout, torch.memory_format)):
        return {"torch": str(value).removeprefix("torch.")}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise GanvasError(f"this generator computes with {type(value).__name__}, which cannot be written down")


def check_export(folder: Path, latents: dict[str, Tensor], expected_x: Tensor) -> None:
    """Raises GanvasError unless what was written makes the samples that it should."""
    spec = spec_from_file_location("ganvas_exported", folder / LOADER_FILE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        actual_x = module.Generator(folder)(**latents)
    except RuntimeError as error:
        raise GanvasError(
            f"this generator is written for one number of samples ({error}): in its forward, take z.shape[0] or unflatten, "
            "not len(z)"
        ) from None
    if actual_x.shape != expected_x.shape or not (actual_x - expected_x).abs().max() <= CHECK_TOLERANCE * expected_x.std():
        raise GanvasError(f"what was written to {folder} does not make this generator's samples: please report this")
