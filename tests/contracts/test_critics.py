"""Every critic that any generator can play against, found by itself."""

import pytest
import torch
from torch import Tensor

from ganvas import nets
from ganvas.configuration import from_json, to_json
from ganvas.core import Spec
from ganvas.errors import GanvasError
from small_recipes import components

ALL = components(nets, "build_critic", "smallest")
CHANNELS = {"source": 2, "mask": 1}  # of what a critic may see


class Picture:
    """A condition: a picture of as many channels as its sample has pixels, times its own."""

    kind, names = "picture", ()

    def __init__(self, channels: int) -> None:
        self.size = channels * 16 * 16

    def describe(self) -> str:
        return "pictures"


SPEC = Spec((3, 16, 16), (), {name: Picture(count) for name, count in CHANNELS.items()})  # type: ignore[misc]


def conditions(sees: tuple[str, ...]) -> dict[str, Tensor]:
    return {name: torch.rand(4, CHANNELS[name], 16, 16) for name in sees}


@pytest.mark.parametrize("name", ALL)
def test_contract(name: str) -> None:
    critic = ALL[name]
    assert from_json(to_json(critic)) == critic
    smallest = critic.smallest()
    assert smallest.smallest() == smallest
    D = smallest.build_critic(SPEC)
    assert sum(p.numel() for p in D.parameters()) < 20_000
    x = (torch.rand(4, 3, 16, 16) * 2 - 1).requires_grad_()
    given = conditions(("source", "mask"))
    output = D(x, **given)
    assert output.logits.shape[0] == output.features.shape[0] == 4
    assert output.features.dim() == 2
    output.logits.sum().backward()
    assert all(p.grad is not None for p in D.parameters())
    assert x.grad is not None
    assert (x.grad.flatten(1).abs().sum(1) > 0).all()


@pytest.mark.parametrize("sees", [(), ("source",), ("mask",), ("source", "mask")])
@pytest.mark.parametrize("name", ALL)
def test_it_sees_what_its_settings_say_and_nothing_else(name: str, sees: tuple[str, ...]) -> None:
    torch.manual_seed(0)
    critic = type(ALL[name])(**vars(ALL[name].smallest()) | {"sees": sees})
    D, x = critic.build_critic(SPEC).eval(), torch.rand(4, 3, 16, 16)
    given = conditions(("source", "mask"))
    with torch.no_grad():
        logits = D(x, **given).logits
        for changed in given:
            other = D(x, **given | {changed: 1 - given[changed]}).logits
            assert torch.equal(other, logits) == (changed not in sees)
    if sees:
        with pytest.raises(GanvasError, match="does not take"):
            D(x)
