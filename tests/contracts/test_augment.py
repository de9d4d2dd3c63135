"""Every augmentation, found by itself."""

import pytest
import torch
from small import components

from ganvas import augment
from ganvas.config import from_json, to_json
from ganvas.core import Clock

START = Clock(0, 0, 100)
ALL = components(augment, "__call__")


@pytest.mark.parametrize("name", ALL)
def test_contract(name: str) -> None:
    part = ALL[name]
    assert from_json(to_json(part)) == part
    x = (torch.rand(16, 3, 12, 12) * 2 - 1).requires_grad_()
    torch.manual_seed(0)
    first = part(x, START)
    torch.manual_seed(0)
    assert torch.equal(first, part(x, START))  # drawn from the global generator alone
    assert not torch.equal(first, part(x, START))
    assert first.shape == x.shape
    (gradient,) = torch.autograd.grad(first.sum(), x)
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0
    assert part(torch.zeros(4, 1, 9, 9), START).shape == (4, 1, 9, 9)  # gray, odd
