"""Several processes that train as one, started by torchrun. Only this file talks to the other ranks.

Every rank computes its own share of a batch, like a micro-batch in one process. Two ranks of 32 equal one process with
`batch=64, accumulate=2`, up to the order of a sum. There are three exceptions: batch norm's running statistics come from rank
0's share, spectral norm iterates once per micro-batch, and StyleGAN3 follows magnitudes on each rank.

Gradients are added by one flat all-reduce after the backward passes. Wrappers around networks would leave different gradients
on different ranks in a phase that is only a penalty. Only rank 0 reads the clock, draws, scores and writes; it broadcasts its
decisions.
"""

import importlib
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..errors import GanvasError

GROUP_TIMEOUT = timedelta(hours=1)  # others wait for rank 0 while it reads data or scores samples


def get_rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def count_ranks() -> int:
    """The number of ranks."""
    return dist.get_world_size() if dist.is_initialized() else 1


def ranks_on_this_machine() -> int:
    """The number of ranks on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", count_ranks()))


def is_printing_process() -> bool:
    """Whether this process prints; known even before the ranks are joined."""
    return int(os.environ.get("RANK", "0")) == 0


def is_main_process() -> bool:
    """Whether this is rank 0, or the only process."""
    return get_rank() == 0


@contextmanager
def join_ranks() -> Generator[None]:
    """Join the ranks that torchrun started. Does nothing without torchrun, or if they are joined already.

    The group and its threads end with its last reference. A group that lives too long may call Python while Python shuts down,
    which aborts the process.

    Raises:
        GanvasError: the ranks cannot be joined, or another rank is lost.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        yield
        return
    importlib.import_module("torch.distributed.nn.functional")  # its default arguments would keep a group that exists already
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=GROUP_TIMEOUT)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise GanvasError(
            f"the ranks cannot be joined ({reason}): start them with torchrun --nproc-per-node N -m ganvas train …, or unset "
            "WORLD_SIZE to train alone"
        ) from error
    try:
        yield
    except RuntimeError as error:
        if not is_lost_connection(error):
            raise
        reason = str(error).splitlines()[0]
        raise GanvasError(
            f"rank {get_rank()} of {count_ranks()} lost another rank ({reason}): read the output of that one; the same "
            "command continues from the last checkpoint"
        ) from error
    finally:
        dist.destroy_process_group()


def is_lost_connection(error: BaseException) -> bool:
    """Whether an error says that another process is gone."""
    message = str(error).lower()
    return any(word in message for word in ("connection closed by peer", "connection reset", "broken pipe", "remote process"))


def local_device_name(name: str) -> str:
    """The device that "auto" and "cuda" mean on this rank."""
    if count_ranks() > 1 and name in ("auto", "cuda") and torch.cuda.is_available():
        return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    return name


@torch.no_grad()
def all_reduce_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace gradients by their sum over the ranks, in one message; parameters without one are skipped."""
    if count_ranks() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    if not gradients:
        return
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    dist.all_reduce(flat)
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view(gradient.shape))
        start += gradient.numel()


@torch.no_grad()
def average_over_ranks(statistics: dict[str, Tensor]) -> dict[str, Tensor]:
    """Average scalars over the ranks, in one message; samples stay as they are."""
    names = [name for name, value in statistics.items() if value.dim() == 0]
    if count_ranks() == 1 or not names:
        return statistics
    flat = torch.stack([statistics[name].float() for name in names])
    dist.all_reduce(flat)
    return statistics | dict(zip(names, flat / count_ranks(), strict=True))


def gather_rows(rows: Tensor) -> Tensor:
    """The rows [N, …] of all ranks, those of rank 0 first; N may differ between ranks."""
    if count_ranks() == 1:
        return rows
    counts = [torch.zeros(1, dtype=torch.int64) for _ in range(count_ranks())]
    dist.all_gather(counts, torch.tensor([len(rows)]))
    largest = int(max(counts))
    padded = torch.cat([rows, rows.new_zeros(largest - len(rows), *rows.shape[1:])]).contiguous()
    parts = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(parts, padded)
    return torch.cat([part[: int(count)] for part, count in zip(parts, counts, strict=True)])


@contextmanager
def rank_zero_first() -> Generator[None]:
    """Rank 0 runs the block first, then the others, who find its files on the disk."""
    if not is_main_process():
        dist.barrier()
    yield
    if is_main_process() and count_ranks() > 1:
        dist.barrier()


def broadcast(value: Any) -> Any:
    """Rank 0's value, on every rank."""
    if count_ranks() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box)
    return box[0]


def broadcast_flag(stop: bool) -> bool:
    """Rank 0's answer, on every rank: cheap enough for every step."""
    if count_ranks() == 1:
        return stop
    flag = torch.tensor(stop, dtype=torch.uint8)
    dist.broadcast(flag, 0)
    return bool(flag)
