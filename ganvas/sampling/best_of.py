"""The best of several samples, by a run's reward. It needs no training, and makes nothing that the generator does not make."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from ..core import Codec
from ..errors import require
from ..nets.reward import Reward
from .stream import SampleBlock

MAX_BEST_OF = 64  # the samples of a seed that are drawn at once


def check_best_of(count: int) -> None:
    require(1 <= count <= MAX_BEST_OF, "best_of", count, f"from 1 to {MAX_BEST_OF}")


def keep_best(blocks: Iterable[SampleBlock], count: int, reward: Reward, codec: Codec) -> Iterator[SampleBlock]:
    """Of `count` stored samples in a row, that with the highest reward, and its conditions; blocks may end anywhere."""
    rest: SampleBlock | None = None
    for block in blocks:
        samples = block if rest is None else join_blocks(rest, block)
        whole = len(samples.stored) // count * count
        rest = select_samples(samples, torch.arange(whole, len(samples.stored)))
        if whole:
            rewards = rate_stored(samples.stored[:whole], reward, codec).view(-1, count)
            yield select_samples(samples, torch.arange(0, whole, count) + rewards.argmax(1))


def join_blocks(a: SampleBlock, b: SampleBlock) -> SampleBlock:
    conditions = {name: torch.cat([values, b.conditions[name]]) for name, values in a.conditions.items()}
    return SampleBlock(torch.cat([a.stored, b.stored]), conditions)


def select_samples(block: SampleBlock, rows: Tensor) -> SampleBlock:
    conditions = {name: values[rows.to(values.device)] for name, values in block.conditions.items()}
    return SampleBlock(block.stored[rows.to(block.stored.device)], conditions)


@torch.no_grad()
def rate_stored(stored: Tensor, reward: Reward, codec: Codec) -> Tensor:
    """Stored samples [N, …] -> their rewards [N], on the CPU."""
    device = reward.mean.device
    return torch.cat([reward(codec.load(part.to(device), None)).cpu() for part in stored.split(64)])
