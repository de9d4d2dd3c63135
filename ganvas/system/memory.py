"""How much memory is free, on the processor or a GPU."""

from pathlib import Path

import psutil
import torch


def measure_free_bytes(device: torch.device) -> int:
    """Bytes of memory that are free now."""
    if device.type == "cuda":
        torch.cuda.empty_cache()  # torch's reserve is free too
        return torch.cuda.mem_get_info(device)[0]
    return min([psutil.virtual_memory().available, *read_cgroup_allowance(Path("/sys/fs/cgroup"))])


def read_cgroup_allowance(group: Path) -> list[int]:
    """[bytes that a container may still use], or [] if its control group sets no limit."""
    try:
        limit_bytes, used_bytes = ((group / name).read_text().strip() for name in ("memory.max", "memory.current"))
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        # cached files stay in memory until a program needs the space
        return [int(limit_bytes) - int(used_bytes) + int(stat["inactive_file"])] if limit_bytes != "max" else []
    except (OSError, ValueError, KeyError):
        return []
