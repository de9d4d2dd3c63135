"""Every generator that starts from a picture, found by itself: the facts that it states are measured."""

import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganvas import nets
from ganvas.core import Spec
from ganvas.errors import GanvasError
from ganvas.nets.restoration.source_generator import SourceGenerator
from small_recipes import class_condition, components

SPEC = Spec((1, 16, 16), (), {"label": class_condition(3)})


def variants(architecture: Any) -> list[Any]:
    """The smallest networks, at each scale that the architecture has."""
    smallest = architecture.smallest()
    if not hasattr(smallest, "scale"):
        return [smallest]
    return [replace(smallest, scale=scale) for scale in (1, 2, 3, 4) if accepts(smallest, scale)]


def accepts(architecture: Any, scale: int) -> bool:
    try:
        replace(architecture, scale=scale)
    except GanvasError:
        return False
    return True


def build(architecture: Any) -> nn.Module:
    side = 16 * getattr(architecture, "scale", 1)
    return architecture.build(SPEC._replace(shape=(1, side, side)))["G"]


ALL = {
    f"{name}{getattr(one, 'scale', '')}": one
    for name, architecture in components(nets, "build", "smallest").items()
    for one in variants(architecture)
    if isinstance(build(one), SourceGenerator)
}
each = pytest.mark.parametrize("name", ALL)


def run(G: nn.Module, source: Tensor) -> Tensor:
    others = {"label": torch.zeros(len(source), dtype=torch.int64), "mask": torch.zeros_like(source[:, :1])}
    return G(**{name: source if name == "source" else others[name] for name in G.conditions})  # type: ignore[union-attr]


@each
def test_it_takes_the_sizes_that_it_states_and_makes_them_larger_by_its_scale(name: str) -> None:
    G = build(ALL[name])
    for rows, columns in ((2, 3), (5, 4)):
        height, width = rows * G.multiple, columns * G.multiple
        if min(height, width) < 4:
            height, width = 4 * height, 4 * width
        assert run(G, torch.rand(2, 1, height, width)).shape == (2, 1, height * G.scale, width * G.scale)


@each
def test_it_refuses_other_sizes(name: str) -> None:
    G = build(ALL[name])
    for extra in range(1, G.multiple):
        with pytest.raises(GanvasError, match="pad the source"):
            run(G, torch.rand(2, 1, 8 * G.multiple, 8 * G.multiple + extra))


def see_everything(G: nn.Module) -> nn.Module:
    """Positive weights that average, so no path cancels or is cut off; no norms, whose statistics span the picture."""
    for parent in list(G.modules()):
        for child_name, child in list(parent.named_children()):
            if re.search(r"Norm(\dd)?$", type(child).__name__):
                setattr(parent, child_name, nn.Identity())
    for parameter in G.parameters():
        parameter.data.fill_(1 / max(1, parameter[0].numel()) if parameter.dim() > 1 else 0.01)
    return G.double().eval()


@each
def test_a_pixel_of_the_result_sees_as_far_as_stated(name: str) -> None:
    G = see_everything(build(ALL[name]))
    if G.reach is None:
        source = torch.rand(1, 1, 8 * G.multiple, 8 * G.multiple, dtype=torch.float64).requires_grad_()
        (gradient,) = torch.autograd.grad(run(G, source)[0, 0, 0, 0], source)
        assert (gradient != 0).all()
        return
    centre = G.multiple * (G.reach // G.multiple + 1)
    side = 2 * centre + G.multiple  # no pixel in the middle sees the border
    source = torch.rand(1, 1, side, side, dtype=torch.float64).requires_grad_()
    x, reaches = run(G, source)[0].sum(0), list[int]()
    for phase in range(G.multiple * G.scale):  # a period of the pattern
        place = centre * G.scale + phase
        (gradient,) = torch.autograd.grad(x[place, place], source, retain_graph=True)
        middle = place // G.scale
        for axis in (2, 3):
            seen = gradient[0, 0].abs().sum(3 - axis).nonzero().flatten()
            reaches += [middle - int(seen.min()), int(seen.max()) - middle]
    assert max(reaches) == G.reach
