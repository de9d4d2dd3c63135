"""Where to compute, and in what precision."""

import platform

import torch
from torch import nn

from ..errors import GanvasError


def choose_device(name: str = "auto") -> torch.device:
    """The device called "auto" (the GPU if there is one), "cpu", "cuda", "cuda:1" or "mps"."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
        if device.type == "cuda":
            torch.cuda.set_device(device)  # whose generator `reseed` seeds
    except (RuntimeError, AssertionError) as error:
        raise GanvasError(f"no device {name!r} here ({str(error).splitlines()[0]}): --device cpu") from error
    return device


def has_bf16(device: torch.device) -> bool:
    """Whether the processor multiplies in bf16 itself. Where it does not, emulation is 12 times slower than fp32 (measured)."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    if platform.machine().lower() in ("x86_64", "amd64"):
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.ops.mkldnn._is_mkldnn_bf16_supported()


def make_autocast(precision: str, device: torch.device) -> torch.autocast:
    """bf16 where the recipe settled on it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def seed_global_generators(seed: int, device: torch.device) -> None:
    """Seed the global generators that layers draw from.

    Not by torch.manual_seed: where CUDA is not in use, it keeps a stack trace of every call for later, which takes time
    (0.6 ms under a profiler) and memory for ever.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


def has_room_for(device: torch.device, byte_count: int) -> bool:
    """Whether `size` bytes of data may live on the device, leaving room to train."""
    return device.type != "cuda" or byte_count < torch.cuda.mem_get_info(device)[0] // 4


def wait_for_device(device: torch.device) -> None:
    """Until the device has done what it was asked to: before reading a clock."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def describe_machine(device: torch.device) -> dict[str, str | int]:
    """What exact resume depends on, for recipe.json."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else torch.backends.cpu.get_cpu_capability()
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "device": str(device),
        "processor": name,
        "threads": torch.get_num_threads(),
    }


def get_device(nets: nn.Module) -> torch.device:
    """Where networks are."""
    return next(nets.parameters()).device
