"""The best of several samples, by a run's reward. It needs no training, and makes nothing that the generator does not make."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from ..core import Codec
from ..errors import require
from ..nets.reward import Reward

MAX_BEST_OF = 64  # the samples of a seed that are drawn at once


def check_best_of(count: int) -> None:
    require(1 <= count <= MAX_BEST_OF, "best_of", count, f"from 1 to {MAX_BEST_OF}")


def keep_best(blocks: Iterable[Tensor], count: int, reward: Reward, codec: Codec) -> Iterator[Tensor]:
    """Of `count` stored samples in a row, that with the highest reward; blocks [N, …] may end anywhere."""
    rest = None
    for block in blocks:
        samples = block if rest is None else torch.cat([rest, block])
        whole = len(samples) // count * count
        rest = samples[whole:]
        if whole:
            rewards = rate_stored(samples[:whole], reward, codec).view(-1, count)
            groups = samples[:whole].unflatten(0, (-1, count))
            yield groups[torch.arange(len(groups)), rewards.argmax(1).to(groups.device)]


@torch.no_grad()
def rate_stored(stored: Tensor, reward: Reward, codec: Codec) -> Tensor:
    """Stored samples [N, …] -> their rewards [N], on the CPU."""
    device = reward.mean.device
    return torch.cat([reward(codec.load(part.to(device), None)).cpu() for part in stored.split(64)])
