"""The moving average of a generator, from which samples are drawn. Yazıcı et al. 2019; half-life of Karras et al. 2020b."""

from copy import deepcopy

import torch
from torch import Tensor, nn

from ..core import Nets


def copy_networks(nets: Nets, names: tuple[str, ...]) -> nn.ModuleDict:
    """A copy of the named networks, without gradients."""
    return nn.ModuleDict({name: deepcopy(nets[name]).requires_grad_(False) for name in names})


@torch.no_grad()
def update_average(average: nn.ModuleDict, nets: Nets, *, batch: int, samples: int, kimg: float, ramp: float) -> None:
    """Move the average towards the networks after a step of `batch` samples; the run has seen `samples`.

    kimg: half-life in thousand samples, at most `ramp * samples`. Floating-point tensors are averaged, batch statistics
    too; integer tensors are copied.
    """
    half_life = min(kimg * 1000, ramp * samples) if ramp else kimg * 1000
    decay = 0.5 ** (batch / max(half_life, 1e-8))
    for name, net in average.items():
        old, new = _list_tensors(net), _list_tensors(nets[name])
        floating = [i for i, tensor in enumerate(old) if tensor.is_floating_point()]
        torch._foreach_lerp_(  # pyright: ignore[reportPrivateImportUsage]
            [old[i] for i in floating], [new[i] for i in floating], 1 - decay
        )
        for i in set(range(len(old))) - set(floating):
            old[i].copy_(new[i])


def _list_tensors(net: nn.Module) -> list[Tensor]:
    """Parameters, and buffers that checkpoints hold. Others are constants: a mask's infinities have no average."""
    buffers = dict(net.named_buffers())
    kept = net.state_dict().keys() if buffers else ()
    return [*net.parameters(), *(buffer for name, buffer in buffers.items() if name in kept)]
