"""Run a generator that ganvas exported, without ganvas: `python load.py 16` writes samples.npy, uint8 [16, H, W, C].

Next to this file are generator.safetensors, its weights, and generator.json, the computation: a list of PyTorch operations,
each with the name of its result. Nothing else is run. Needs torch, numpy and safetensors.
"""

import json
import operator
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

PYTHON_OPERATIONS = {name: getattr(operator, name) for name in ("getitem", "mul", "add", "sub", "floordiv", "neg")}


class Generator:
    def __init__(self, folder: str | Path) -> None:
        self.description = json.loads((Path(folder) / "generator.json").read_text(encoding="utf-8"))
        self.numbers = load_file(Path(folder) / "generator.safetensors")

    def __call__(self, **latents: torch.Tensor) -> torch.Tensor:
        """z [N, z_dim], and conditions [N, …] if the generator takes any -> x [N, …]; pictures lie roughly in [-1, 1]."""
        values: dict[str, Any] = {**self.numbers, **latents}
        with torch.no_grad():
            for name, operation, arguments, options in self.description["graph"]:
                values[name] = find_operation(operation)(*fill_arguments(arguments, values), **fill_arguments(options, values))
        return values[self.description["output"]]

    def draw_latents(self, n: int, seed: int = 0, **given: torch.Tensor) -> dict[str, torch.Tensor]:
        """Latents for n samples. Conditions [N, …] that are not given are drawn as frequent as in the data."""
        random, latents = torch.Generator().manual_seed(seed), dict(given)
        for name, how in self.description["inputs"].items():
            if name not in latents:
                latents[name] = draw_input(name, how, n, random)
        return latents


def draw_input(name: str, how: dict[str, Any], n: int, random: torch.Generator) -> torch.Tensor:
    """Draw one input of the generator, by its description."""
    if how["drawn"] == "normal":
        return torch.randn(n, how["size"], generator=random)
    if how["drawn"] == "uniform":
        return torch.rand(n, how["size"], generator=random) * 2 - 1
    if how["drawn"] == "classes":
        return torch.multinomial(torch.tensor(how["shares"]), n, replacement=True, generator=random)
    if how["drawn"] == "examples":
        rows = torch.tensor(how["examples"])
        return rows[torch.randint(len(rows), (n,), generator=random)]
    raise ValueError(f"give {name}, a tensor [{n}, {', '.join(map(str, how['shape']))}]: draw_latents({n}, {name}=…)")


def find_operation(operation: str) -> Any:
    if operation in PYTHON_OPERATIONS:
        return PYTHON_OPERATIONS[operation]
    kind, _, overload = operation.rpartition(".")
    operator_overload = getattr(getattr(torch.ops.aten, kind), overload)
    if not isinstance(operator_overload, torch._ops.OpOverload) or kind == "from_file":  # from_file can write to files
        raise ValueError(f"{operation[:80]!r} is not an operation on tensors: refused")
    return operator_overload


def fill_arguments(argument: Any, values: dict[str, Any]) -> Any:
    if isinstance(argument, list):
        return [fill_arguments(part, values) for part in argument]
    if isinstance(argument, dict) and "value" in argument:
        return values[argument["value"]]
    if isinstance(argument, dict) and "torch" in argument:
        torch_value = getattr(torch, argument["torch"])
        return torch_value if isinstance(torch_value, (torch.dtype, torch.layout, torch.memory_format)) else None
    return {name: fill_arguments(part, values) for name, part in argument.items()} if isinstance(argument, dict) else argument


if __name__ == "__main__":
    generator = Generator(Path(__file__).parent)
    x = generator(**generator.draw_latents(int(sys.argv[1]) if len(sys.argv) > 1 else 16))
    levels = generator.description["levels"]  # 255 or 65535 for pictures, None for other samples
    if levels:
        x = ((x.clamp(-1, 1) + 1) * (levels / 2)).round().movedim(1, -1)
    np.save("samples.npy", x.numpy().astype({255: np.uint8, 65535: np.uint16}.get(levels, np.float32)))
