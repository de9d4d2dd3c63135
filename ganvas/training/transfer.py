"""A trained run carried to other data: what matches of its networks is taken over, and D's first layers may stay as they are.

Mo et al. 2020 (freeze-D); Karras et al. 2020b, section 4.2 (with augmentation, from a few hundred images on).
"""

import re
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList, is_parametrized

from .. import recipes
from ..augment import DiffAugment
from ..core import Method, Nets, Spec
from ..data import Files
from ..errors import GanvasError
from ..methods import Adversarial, Progressive
from ..methods.adversarial import conditional
from ..nets.layers.labels import no_label
from ..recipe import Recipe, Transfer
from ..runs.folder import Run

MOVED = 10  # places in a list of layers, by which another size moves them, and more


def recipe_from(source: Run, named: str | Recipe | None = None, freeze: int = 0) -> Recipe:
    """The source's recipe as it was settled, or another one, that begins with its networks; pictures are augmented.

    What the source was scored on, and how much of its data it saw, are its own.
    """
    if named is None or named == source.recipe.name:
        base = source.recipe
        if isinstance(base.data, Files):
            base = replace(base, data=replace(base.data, test=None, limit=None))
    else:
        base = recipes.find(named) if isinstance(named, str) else named
    start = Transfer(run=str(source.path.resolve()), checkpoint=source.checkpoint("best").name, freeze=freeze)
    method = augmented(base.method) if len(source.spec().shape) == 3 else base.method
    return replace(base, choose=None, method=method, start=start, train=replace(base.train, snapshots=None, lr_scale=1.0))


def augmented(method: Method) -> Method:
    if isinstance(method, Progressive):
        game = augmented(method.game)
        return replace(method, game=game) if isinstance(game, Adversarial) else method
    if isinstance(method, Adversarial) and method.augment is None:
        return replace(method, augment=DiffAugment())
    return method


@torch.no_grad()
def taken(net: nn.Module, learned: nn.Module) -> tuple[int, list[str]]:
    """Copy the tensors of the same name and shape; (how many they are, counters aside, the names of the others).

    Layers that are numbered from the other end of the image than their widths are those of another number.
    """
    own, theirs = net.state_dict(), learned.state_dict()

    def fitting(by: int) -> dict[str, Tensor]:
        found = {name: theirs.get(numbered(name, by)) for name in own}
        return {name: value for name, value in found.items() if value is not None and value.shape == own[name].shape}

    best = max((0, *(sign * by for by in range(1, MOVED) for sign in (1, -1))), key=lambda by: numbers(fitting(by)))
    net.load_state_dict({**own, **fitting(best)})
    return sum(value.dim() > 0 for value in fitting(best).values()), [name for name in own if name not in fitting(best)]


def numbered(name: str, by: int) -> str:
    """The name of the layer `by` places on: "layers.4.weight" of "layers.1.weight"."""
    return re.sub(r"(?<=\.)\d+(?=\.)", lambda number: str(int(number[0]) + by), name, count=1)


def numbers(tensors: Mapping[str, Tensor]) -> int:
    """How many there are, counters aside."""
    return sum(value.numel() for value in tensors.values() if value.dim() > 0)


def first_layers(nets: Nets, spec: Spec, count: int) -> tuple[str, ...]:
    """The parameters of the layers that D calls first, from the image on: "D.layers.0.weight".

    Raises:
        GanvasError: as many layers as D has.
    """
    called, D = list[nn.Module](), nets["D"]

    def remember(module: nn.Module, given: tuple[Tensor, ...], out: object) -> None:
        if module not in called:
            called.append(module)

    hooks = [layer.register_forward_hook(remember) for layer in D.modules() if layered(layer)]
    given = {"label": no_label(spec.conditions["label"])} if conditional(nets) else {}
    device, training = next(D.parameters()).device, D.training
    try:
        with torch.no_grad():
            D.eval()(torch.zeros(2, *spec.shape, device=device), **{name: value.to(device) for name, value in given.items()})
    finally:
        D.train(training)
        for hook in hooks:
            hook.remove()
    if count >= len(called):
        raise GanvasError(f"D has {len(called)} layers, and one at least has to learn: --freeze-d {max(0, len(called) - 1)}")
    kept = {id(p) for layer in called[:count] for p in layer.parameters(recurse=is_parametrized(layer))}
    return tuple(f"D.{name}" for name, p in D.named_parameters() if id(p) in kept)


def layered(module: nn.Module) -> bool:
    """Whether it has a weight of its own, be it normalised."""
    if isinstance(module, ParametrizationList):
        return False
    return is_parametrized(module) or any(p.dim() > 1 for p in module.parameters(recurse=False))
