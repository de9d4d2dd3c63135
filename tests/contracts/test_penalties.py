"""Every critic penalty, found by itself."""

import pytest
import torch

from ganvas import losses
from ganvas.configuration import from_json, to_json
from ganvas.core import Clock
from small_recipes import components

ALL = components(losses, "on", "every", "__call__")


@pytest.mark.parametrize("name", ALL)
def test_contract(name: str) -> None:
    penalty = ALL[name]
    assert from_json(to_json(penalty)) == penalty
    assert penalty.on in ("real", "fake", "between")
    weight = torch.randn(6, generator=torch.Generator().manual_seed(0)).requires_grad_()
    x = torch.randn(8, 6, generator=torch.Generator().manual_seed(1))

    def critic(samples: torch.Tensor) -> torch.Tensor:
        return samples @ weight

    values = penalty(critic, x, critic(x), Clock(0, 0, 1))
    assert values.shape == (8,)
    assert (values >= 0).all()
    (gradient,) = torch.autograd.grad(values.mean(), weight)
    assert gradient.abs().sum() > 0
    flat = penalty(lambda samples: samples.sum(1) * 0 + (weight * 0).sum(), x, None, Clock(0, 0, 1))
    assert flat.shape == (8,)  # no logits: it takes them itself
