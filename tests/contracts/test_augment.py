"""Every augmentation, found by itself."""

from typing import Any

import pytest
import torch
from torch import nn

from ganvas import augment
from ganvas.configuration import from_json, to_json
from ganvas.core import AuxiliaryLoss, Clock
from small_recipes import components

START = Clock(0, 0, 100)
ALL = {name: part for name, part in components(augment).items() if callable(part)}  # and not what they are made of


@pytest.mark.parametrize("name", ALL)
def test_contract(name: str) -> None:
    part = ALL[name]
    assert from_json(to_json(part)) == part
    x = (torch.rand(16, 3, 12, 12) * 2 - 1).requires_grad_()
    nets = memory(part)
    torch.manual_seed(0)
    first = part(x, START, nets)
    torch.manual_seed(0)
    assert torch.equal(first, part(x, START, nets))  # drawn from the global generator alone
    assert not torch.equal(first, part(x, START, nets))
    assert first.shape == x.shape
    (gradient,) = torch.autograd.grad(first.sum(), x)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0
    assert part(torch.zeros(4, 1, 9, 9), START, nets).shape == (4, 1, 9, 9)  # gray, odd


def memory(part: Any) -> nn.ModuleDict:
    """What an adaptive one remembers, at its strongest."""
    nets = nn.ModuleDict()
    if isinstance(part, AuxiliaryLoss):
        nets[type(part).__name__] = part.state(nets)
        nets[type(part).__name__].p.fill_(1.0)
    return nets
