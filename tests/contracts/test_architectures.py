"""Every architecture, found by itself: builds, plays, keeps to its smallest size."""

import pytest
import torch
from small import IMAGE8, components

from ganvas import nets
from ganvas.config import from_json, to_json

ALL = components(nets, "build", "smallest")


@pytest.mark.parametrize("name", ALL)
def test_contract(name: str) -> None:
    architecture = ALL[name]
    assert from_json(to_json(architecture)) == architecture
    smallest = architecture.smallest()
    assert smallest.smallest() == smallest
    built = smallest.build(IMAGE8)
    assert sum(p.numel() for p in built.parameters()) < 20_000
    z = torch.randn(4, int(built["G"].z_dim))
    x = built["G"](z)
    assert x.shape == (4, *IMAGE8.shape)
    logits = built["D"](x)
    assert logits.shape == (4,)
    logits.sum().backward()
    assert all(p.grad is not None for p in built.parameters())


@pytest.mark.parametrize("name", ALL)
def test_the_same_seed_builds_the_same_networks(name: str) -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(ALL[name].smallest().build(IMAGE8).state_dict())
    assert all(torch.equal(a, b) for a, b in zip(states[0].values(), states[1].values(), strict=True))
