"""Every critic that any generator can play against, found by itself."""

import pytest
import torch
from torch import Tensor

from ganvas import nets
from ganvas.configuration import from_json, to_json
from small_recipes import components

ALL = components(nets, "build_critic", "smallest")
SHAPE, CHANNELS = (3, 16, 16), {"source": 2, "mask": 1}  # of samples; of what a critic may see
ONE_LOGIT = (nets.VGGCritic,)  # for a sample; the others have maps of logits


def draw_conditions() -> dict[str, Tensor]:
    return {name: torch.rand(4, count, 16, 16) for name, count in CHANNELS.items()}


@pytest.mark.parametrize("name", ALL)
def test_contract(name: str) -> None:
    design = ALL[name]
    assert from_json(to_json(design)) == design
    smallest = design.smallest()
    assert smallest.smallest() == smallest
    D = smallest.build_critic(SHAPE, {})
    assert sum(p.numel() for p in D.parameters()) < 20_000
    x = (torch.rand(4, *SHAPE) * 2 - 1).requires_grad_()
    output = D(x, **draw_conditions())
    if isinstance(design, ONE_LOGIT):
        assert output.logits.shape == (4,)
    else:
        assert output.logits.dim() == 4
        assert len(output.logits) == 4
        assert output.logits.shape[2] == output.logits.shape[3] > 1
    assert output.features.dim() == 2
    assert len(output.features) == 4
    output.logits.sum().backward()
    assert all(p.grad is not None for p in D.parameters())
    assert x.grad is not None
    assert (x.grad.flatten(1).abs().sum(1) > 0).all()


@pytest.mark.parametrize("seen", [(), ("source",), ("mask",), ("source", "mask")])
@pytest.mark.parametrize("name", ALL)
def test_it_sees_what_it_was_built_for_and_nothing_else(name: str, seen: tuple[str, ...]) -> None:
    torch.manual_seed(0)
    D = ALL[name].smallest().build_critic(SHAPE, {one: CHANNELS[one] for one in seen}).eval()
    x, given = torch.rand(4, *SHAPE), draw_conditions()
    with torch.no_grad():
        logits = D(x, **given).logits
        for changed in given:
            other = D(x, **given | {changed: 1 - given[changed]}).logits
            assert torch.equal(other, logits) == (changed not in seen)
    if seen:
        with pytest.raises(TypeError, match=f"needs the {seen[0]} too"):
            D(x)
