"""How much memory a network needs for a picture, measured on a small one."""

import weakref
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

WORKSPACE_FACTOR = 2.0  # all memory per byte of tensors: convolutions reorder what they read and write (not measured yet)


class TensorMeter(TorchDispatchMode):
    """Within its context, `peak_bytes` is the most that new tensors held at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.live_bytes = self.peak_bytes = 0
        self.users = Counter[int]()  # tensors by their storage's address

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in tree_leaves(result):
            if isinstance(value, Tensor):
                self._watch(value)
        return result

    def _watch(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        address, size = storage.data_ptr(), storage.nbytes()
        if not self.users[address]:
            self.live_bytes += size
            self.peak_bytes = max(self.peak_bytes, self.live_bytes)
        self.users[address] += 1
        weakref.finalize(tensor, self._release, address, size)

    def _release(self, address: int, size: int) -> None:
        self.users[address] -= 1
        if not self.users[address]:
            self.live_bytes -= size


def measure_working_bytes(run: Callable[[], object], device: torch.device) -> int:
    """Bytes that `run` needs at most beside what is there already."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        run()
        return torch.cuda.max_memory_allocated(device) - before
    with TensorMeter() as meter:
        run()
    return round(WORKSPACE_FACTOR * meter.peak_bytes)
