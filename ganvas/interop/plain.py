"""A generator that ganvas exported, without ganvas: `python load.py 16` writes samples.npy, uint8 [16, H, W, C].

Beside this file lie generator.safetensors, its numbers, and generator.json, what is computed from them: a list of operations of
PyTorch's, each with the name of its result. Nothing else is run. Needs torch, numpy and safetensors.
"""

import json
import operator
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

PLAIN = {name: getattr(operator, name) for name in ("getitem", "mul", "add", "sub", "floordiv", "neg")}


class Generator:
    def __init__(self, folder: str | Path) -> None:
        self.about = json.loads((Path(folder) / "generator.json").read_text(encoding="utf-8"))
        self.numbers = load_file(Path(folder) / "generator.safetensors")

    def __call__(self, **latents: torch.Tensor) -> torch.Tensor:
        """z [N, z_dim], and label int64 [N] where the generator takes one -> x [N, …], pictures about [-1, 1]."""
        values: dict[str, Any] = {**self.numbers, **latents}
        with torch.no_grad():
            for name, operation, given, options in self.about["graph"]:
                values[name] = called(operation)(*filled(given, values), **filled(options, values))
        return values[self.about["output"]]

    def latents(self, n: int, seed: int = 0) -> dict[str, torch.Tensor]:
        """Latents for n samples, labels as often as in the data."""
        random, about = torch.Generator().manual_seed(seed), self.about["inputs"]
        z = torch.randn(n, about["z"]["size"], generator=random)
        z = torch.rand(n, about["z"]["size"], generator=random) * 2 - 1 if about["z"]["drawn"] == "uniform" else z
        if "label" not in about:
            return {"z": z}
        rows = torch.tensor(about["label"]["shares"] or about["label"]["examples"])
        if rows.dim() == 1:
            return {"z": z, "label": torch.multinomial(rows, n, replacement=True, generator=random)}
        return {"z": z, "label": rows[torch.randint(len(rows), (n,), generator=random)]}


def called(operation: str) -> Any:
    if operation in PLAIN:
        return PLAIN[operation]
    kind, _, overload = operation.rpartition(".")
    found = getattr(getattr(torch.ops.aten, kind), overload)
    if not isinstance(found, torch._ops.OpOverload) or kind == "from_file":  # which can write to files
        raise ValueError(f"{operation[:80]!r} is no operation on tensors: refused")
    return found


def filled(given: Any, values: dict[str, Any]) -> Any:
    if isinstance(given, list):
        return [filled(part, values) for part in given]
    if isinstance(given, dict) and "value" in given:
        return values[given["value"]]
    if isinstance(given, dict) and "torch" in given:
        found = getattr(torch, given["torch"])
        return found if isinstance(found, (torch.dtype, torch.layout, torch.memory_format)) else None
    return {name: filled(part, values) for name, part in given.items()} if isinstance(given, dict) else given


if __name__ == "__main__":
    generator = Generator(Path(__file__).parent)
    x = generator(**generator.latents(int(sys.argv[1]) if len(sys.argv) > 1 else 16))
    levels = generator.about["levels"]  # 255 or 65535 of pictures; other samples are numbers as they are
    if levels:
        x = ((x.clamp(-1, 1) + 1) * (levels / 2)).round().movedim(1, -1)
    np.save("samples.npy", x.numpy().astype({255: np.uint8, 65535: np.uint16}.get(levels, np.float32)))
