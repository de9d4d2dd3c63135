"""Every objective, found by itself."""

import pytest
import torch

from ganvas import losses
from ganvas.configuration import from_json, to_json
from small_recipes import components

ALL = components(losses, "d", "g")


@pytest.mark.parametrize("name", ALL)
def test_contract(name: str) -> None:
    objective = ALL[name]
    assert from_json(to_json(objective)) == objective
    # undecided logits: a D that is sure already may want no more (least squares, a hinge, smoothed labels)
    real = torch.rand(16, generator=torch.Generator().manual_seed(0)).requires_grad_()
    fake = torch.rand(16, generator=torch.Generator().manual_seed(1)).requires_grad_()
    d, g = objective.d(real, fake), objective.g(fake, lambda: real.detach())
    assert d.shape == g.shape == (16,)
    # D wants reals up and fakes down; G wants its own up
    on_real, on_fake = torch.autograd.grad(d.mean(), (real, fake))
    assert (on_real <= 0).all()
    assert (on_fake >= 0).all()
    (g_fake,) = torch.autograd.grad(g.mean(), fake)
    assert (g_fake <= 0).all()
    assert on_real.abs().sum() > 0 < g_fake.abs().sum()


@pytest.mark.parametrize("name", ALL)
def test_extreme_logits_stay_finite(name: str) -> None:
    objective, huge = ALL[name], torch.tensor([-1e4, 1e4])
    assert objective.d(huge, -huge).isfinite().all()
    assert objective.g(huge, lambda: -huge).isfinite().all()
