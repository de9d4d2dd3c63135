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
            torch.cuda.set_device(device)  # `seed_global_generators` seeds the generator of this device
    except (RuntimeError, AssertionError) as error:
        raise GanvasError(f"device {name!r} is not available ({str(error).splitlines()[0]}): --device cpu") from error
    return device


def has_bf16(device: torch.device) -> bool:
    """Whether the processor multiplies in bf16 natively. Emulation was measured 12 times slower than fp32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu":
        return False
    if platform.machine().lower() in ("x86_64", "amd64"):
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.ops.mkldnn._is_mkldnn_bf16_supported()


def make_autocast(precision: str, device: torch.device) -> torch.autocast:
    """Autocast to bf16, if that is the precision."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def seed_global_generators(seed: int, device: torch.device) -> None:
    """Seed the global generators that layers draw from.

    Not by torch.manual_seed: without CUDA it keeps a stack trace of every call, which takes time (0.6 ms under a profiler)
    and memory that is never freed.
    """
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


def has_room_for(device: torch.device, byte_count: int) -> bool:
    """Whether `byte_count` bytes of data fit on the device and leave room for training."""
    return device.type != "cuda" or byte_count < torch.cuda.mem_get_info(device)[0] // 4


def wait_for_device(device: torch.device) -> None:
    """Wait until the device has finished its work, for instance before reading a clock."""
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
