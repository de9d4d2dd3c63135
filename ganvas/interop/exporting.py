"""Export a trained generator for use without ganvas: weights, a list of operations, and a short script that runs them."""

import os
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from importlib.resources import files
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as serialise_tensors
from torch import Tensor, fx
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.functional import interpolate
from torch.nn.utils import parametrize

from ..data import ClassCondition, VectorCondition
from ..data.columns import list_column_codecs, list_source_names
from ..errors import GanvasError
from ..media import ImageCodec, LabelMapCodec
from ..nets.translation import SourceGenerator
from ..runs.folder import RunFolder
from ..sampling.generator import Sampler
from ..sampling.texts import TEXT, find_text_condition
from ..system.files import explain_os_errors, write_bytes, write_json
from ..translation.opening import find_source_shape
from ..translation.translator import MASK, SOURCE, keep_known_pixels
from . import plain

LOADER_FILE, WEIGHTS_FILE, DESCRIPTION_FILE = "load.py", "generator.safetensors", "generator.json"
EXPORTED_TEXTS = 32  # captions of the data that go with a generator of texts
SKIPPED_OPERATIONS = ("_assert",)  # they only check shapes
PYTHON_MODULES = ("_operator", "operator", "torch")  # torch has functions of sizes, such as sym_float
SAMPLES_TO_TRACE, SAMPLES_TO_CHECK = (11, 13, 17, 19, 23), 5  # for tracing the operations (one of these), for trying them
CHECK_TOLERANCE = 1e-3  # largest difference allowed, over the samples' standard deviation


def export(
    run: str | Path | RunFolder,
    out: str | Path,
    *,
    format: str = "safetensors",
    checkpoint: str = "best",
    texts: Sequence[str] = (),
) -> Path:
    """Write a generator as generator.safetensors, generator.json and load.py, which makes samples without ganvas.

    Args:
        out: a folder.
        format: "safetensors".
        texts: those that a generator of texts can make without ganvas; () is some captions of the data.

    Raises:
        GanvasError: no run, an unknown format, a generator that cannot be exported, a folder that cannot be written.
    """
    if format != "safetensors":
        raise GanvasError(f"unknown export format {format!r}: --format safetensors")
    sampler, out = Sampler(run if isinstance(run, RunFolder) else RunFolder(run), checkpoint, "cpu"), Path(out)
    bake_weights(sampler)
    check_latents = draw_export_latents(sampler, SAMPLES_TO_CHECK)
    with torch.no_grad():
        expected_x = render_sample(sampler, **check_latents)  # this also fills the caches of layers, before the trace
    graph, numbers, output = trace_sampler(sampler)
    texts, encoded_texts = encode_exported_texts(sampler, texts)
    numbers |= encoded_texts
    description: dict[str, Any] = {
        "graph": graph,
        "output": output,
        "inputs": describe_inputs(sampler, check_latents, texts),
        "shape": sampler.codec.spec.shape,
        "sides": describe_sides(sampler),
    }
    levels = sampler.codec.store(expected_x[:1]).dtype  # for pictures; None for other samples
    description["levels"] = {torch.uint8: 255, torch.uint16: 65535}.get(levels)
    with explain_os_errors("exporting", out):
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out) as name:
            metadata, folder = sampler.describe_provenance("none"), Path(name)
            write_bytes(folder / WEIGHTS_FILE, serialise_tensors(numbers, metadata))
            write_json(folder / DESCRIPTION_FILE, {"made": metadata, **description})
            write_bytes(folder / LOADER_FILE, files("ganvas.interop").joinpath("plain.py").read_bytes())
            check_export(folder, check_latents, expected_x)
            if not takes_other_sizes(sampler, folder, check_latents):
                write_json(folder / DESCRIPTION_FILE, {"made": metadata, **description, "sides": fix_sides(sampler)})
            for file in (WEIGHTS_FILE, DESCRIPTION_FILE, LOADER_FILE):
                os.replace(folder / file, out / file)
    return out


def draw_export_latents(sampler: Sampler, n: int) -> dict[str, Tensor]:
    """Inputs for `n` samples, always the same ones."""
    return dict(sampler.method.draw_latents(sampler.nets, n, torch.Generator().manual_seed(n)))


def trace_sampler(sampler: Sampler) -> tuple[list[Any], dict[str, Tensor], str]:
    """`trace_operations` of the generator, for pictures of any size if it takes them, else of its own size."""
    render, latents, G = partial(render_sample, sampler), draw_latents_to_trace(sampler), sampler.generator
    if not isinstance(G, SourceGenerator):
        return trace_operations(render, latents)
    try:
        return trace_operations(render, resize_pictures(latents, 2 * G.multiple, 3 * G.multiple))
    except RuntimeError:
        return trace_operations(render, latents)


def draw_latents_to_trace(sampler: Sampler) -> dict[str, Tensor]:
    """Inputs for a number of samples that is no other dimension: the tracer takes equal dimensions for the same one."""
    sizes = {side for value in draw_export_latents(sampler, 1).values() for side in value.shape[1:]}
    return draw_export_latents(sampler, next(n for n in SAMPLES_TO_TRACE if n not in sizes))


def resize_pictures(latents: dict[str, Tensor], more_rows: int, more_columns: int) -> dict[str, Tensor]:
    """The inputs, with so many more rows and columns in what is a picture: [N, C, H, W], such as source and mask."""
    return {
        name: interpolate(value, (value.shape[2] + more_rows, value.shape[3] + more_columns)) if value.ndim == 4 else value
        for name, value in latents.items()
    }


def render_sample(sampler: Sampler, **latents: Tensor) -> Tensor:
    """What the exported generator makes: the run's samples; of a translator, what `ganvas translate` makes."""
    x = sampler.method.render(sampler.nets, latents)
    return (
        keep_known_pixels(x, latents[SOURCE], latents[MASK])
        if isinstance(sampler.generator, SourceGenerator) and MASK in latents
        else x
    )


def describe_sides(sampler: Sampler) -> dict[str, int] | None:
    """The sizes of pictures that a translator takes, in pixels, and how many times larger its results are; None of others."""
    G = sampler.generator
    return {"multiple": G.multiple, "smallest": G.smallest_side, "scale": G.scale} if isinstance(G, SourceGenerator) else None


def fix_sides(sampler: Sampler) -> dict[str, int]:
    """`describe_sides` of a translator whose operations only fit the size that it was trained at."""
    height, width = find_source_shape(sampler.spec)[1:]
    return {**(describe_sides(sampler) or {}), "height": height, "width": width}


def takes_other_sizes(sampler: Sampler, folder: Path, latents: dict[str, Tensor]) -> bool:
    """Whether the written files translate pictures of another size as the generator does; True if it takes no pictures."""
    G = sampler.generator
    if not isinstance(G, SourceGenerator):
        return True
    other_latents = {name: value[:1] for name, value in resize_pictures(latents, G.multiple, 0).items()}
    try:
        with torch.no_grad():
            expected_x = render_sample(sampler, **other_latents)
        return is_same_sample(load_exported(folder)(**other_latents), expected_x)
    except (RuntimeError, ValueError):
        return False


def bake_weights(sampler: Sampler) -> None:
    """Replace computed weights by plain ones, as in evaluation, and switch gradients off."""
    for module in list(sampler.generator.modules()):
        if parametrize.is_parametrized(module):
            for name in list(module.parametrizations):  # type: ignore[arg-type]
                parametrize.remove_parametrizations(module, name)
    sampler.nets.requires_grad_(False)


def encode_exported_texts(sampler: Sampler, texts: Sequence[str]) -> tuple[Sequence[str], dict[str, Tensor]]:
    """(texts, {"texts": their vectors [N, …] in 16 bits}); nothing for a generator without texts.

    Raises:
        GanvasError: texts for such a generator, or one that cannot be read.
    """
    condition = find_text_condition(sampler.spec, sampler.traits)
    if condition is None and texts:
        raise GanvasError(f"{sampler.run.path} takes no texts: leave them out")
    if condition is None:
        return (), {}
    texts = texts or condition.examples[:: -(-len(condition.examples) // EXPORTED_TEXTS)]
    return texts, {"texts": condition.parse_all(texts).half()}


def describe_inputs(sampler: Sampler, latents: Any, texts: Sequence[str] = ()) -> dict[str, Any]:
    """The inputs of the generator, and how to draw them."""
    description: dict[str, Any] = {}
    if "z" in latents:
        description["z"] = {"size": latents["z"].shape[1], "drawn": sampler.traits.prior}
    if "u" in latents:
        description["u"] = {"size": latents["u"].shape[1], "drawn": "draws"}
    for name in sampler.traits.conditions:
        condition, example = sampler.spec.conditions[name], latents[name][0]
        description[name] = {"names": condition.names, "shape": list(example.shape), "drawn": "given"}
        if isinstance(condition, ClassCondition):
            description[name] |= {"drawn": "classes", "shares": condition.shares}
        elif isinstance(condition, VectorCondition):
            description[name] |= {"drawn": "examples", "examples": condition.examples}
        elif name == TEXT and texts:
            description[name] |= {"drawn": "texts", "names": list(texts)}
        if name == SOURCE:
            description[name] |= describe_source(sampler)
    return description


def describe_source(sampler: Sampler) -> dict[str, Any]:
    """Which pictures a translator's source is made of, and how their files are read."""
    codecs = list_column_codecs(sampler.codec)
    codec, names = codecs.get(SOURCE, codecs["x"]), list_source_names(sampler.codec) or (SOURCE,)
    description: dict[str, Any] = {"pictures": list(names), "labels": None, "has_colours": False, "background": 255}
    if isinstance(codec, LabelMapCodec):
        description |= {"labels": list(codec.values), "has_colours": codec.kind == "colour"}
    elif isinstance(codec, ImageCodec):
        description["background"] = codec.background
    return description


def trace_operations(render: Callable[..., Tensor], latents: dict[str, Tensor]) -> tuple[list[Any], dict[str, Tensor], str]:
    """(operations, each [name of the result, operation, arguments, options]; the tensors they start from; the last name).

    Raises:
        GanvasError: an operation that is not PyTorch's own.
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
    """An operation's name: "convolution.default" of torch.ops.aten, or a name of Python's operator module."""
    if isinstance(target, torch._ops.OpOverload) and target.namespace == "aten":
        return f"{target._schema.name.removeprefix('aten::')}.{target._overloadname}"
    name = getattr(target, "__name__", str(target))
    if name not in plain.PYTHON_OPERATIONS or getattr(target, "__module__", "") not in PYTHON_MODULES:
        raise GanvasError(f"this generator uses the operation {name}: it cannot be exported yet")
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
    if isinstance(value, torch.Generator):  # of dropout that always drops the same features
        return {"seed": value.initial_seed()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise GanvasError(f"this generator uses a value of type {type(value).__name__}: it cannot be exported yet")


def check_export(folder: Path, latents: dict[str, Tensor], expected_x: Tensor) -> None:
    """Raises GanvasError unless the written files make the expected samples."""
    try:
        actual_x = load_exported(folder)(**latents)
    except RuntimeError as error:
        raise GanvasError(
            f"this generator is written for one number of samples ({error}): in its forward, take z.shape[0] or unflatten, "
            "not len(z)"
        ) from None
    if not is_same_sample(actual_x, expected_x):
        raise GanvasError(f"the files in {folder} do not make this generator's samples: please report this")


def load_exported(folder: Path) -> Callable[..., Tensor]:
    """The generator in a folder, by its own load.py."""
    spec = spec_from_file_location("ganvas_exported", folder / LOADER_FILE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Generator(folder)


def is_same_sample(actual_x: Tensor, expected_x: Tensor) -> bool:
    """Whether samples are equal, but for rounding."""
    if actual_x.shape != expected_x.shape:
        return False
    return bool((actual_x - expected_x).abs().max() <= CHECK_TOLERANCE * expected_x.std())
