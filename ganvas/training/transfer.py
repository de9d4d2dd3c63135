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
from ..core import Method, Nets, Spec, seeded_generator
from ..data import Files
from ..errors import GanvasError
from ..methods import Adversarial, Progressive
from ..recipe import Recipe, Transfer
from ..runs.folder import RunFolder

LAYER_SHIFT_LIMIT = 10  # places in a list of layers, by which another size moves them, and more


def start_recipe_from_run(source: RunFolder, recipe: str | Recipe | None = None, freeze: int = 0) -> Recipe:
    """The source's recipe as it was settled, or another one, that begins with its networks; pictures are augmented.

    What the source was scored on, and how much of its data it saw, are its own.
    """
    if recipe is None or recipe == source.recipe.name:
        samples = source.requested.evaluation.samples  # not what the source's length was worth
        base = replace(source.recipe, evaluation=replace(source.recipe.evaluation, samples=samples))
        if isinstance(base.data, Files):
            base = replace(base, data=replace(base.data, test=None, limit=None))
    else:
        base = recipes.find_recipe(recipe) if isinstance(recipe, str) else recipe
    transfer = Transfer(run=str(source.path.resolve()), checkpoint=source.find_checkpoint("best").name, freeze=freeze)
    method = add_augmentation(base.method) if source.read_codec().is_visual else base.method
    return replace(
        base, choose=None, method=method, start=transfer, train=replace(base.train, snapshots=None, threads=None, lr_scale=1.0)
    )


def add_augmentation(method: Method) -> Method:
    if isinstance(method, Progressive):
        game = add_augmentation(method.game)
        return replace(method, game=game) if isinstance(game, Adversarial) else method
    if isinstance(method, Adversarial) and method.augment is None:
        return replace(method, augment=DiffAugment())
    return method


@torch.no_grad()
def copy_matching_weights(net: nn.Module, source_net: nn.Module) -> tuple[int, list[str]]:
    """Copy the tensors of the same name and shape; (how many they are, counters aside, the names of the others).

    Layers that are numbered from the other end of the image than their widths are those of another number.
    """
    own_tensors, source_tensors = net.state_dict(), source_net.state_dict()

    def match_shifted_tensors(shift: int) -> dict[str, Tensor]:
        candidates = {name: source_tensors.get(shift_layer_number(name, shift)) for name in own_tensors}
        return {
            name: value for name, value in candidates.items() if value is not None and value.shape == own_tensors[name].shape
        }

    best_shift = max(
        (0, *(sign * by for by in range(1, LAYER_SHIFT_LIMIT) for sign in (1, -1))),
        key=lambda by: count_elements(match_shifted_tensors(by)),
    )
    net.load_state_dict({**own_tensors, **match_shifted_tensors(best_shift)})
    return sum(value.dim() > 0 for value in match_shifted_tensors(best_shift).values()), [
        name for name in own_tensors if name not in match_shifted_tensors(best_shift)
    ]


def shift_layer_number(name: str, shift: int) -> str:
    """The name of the layer `by` places on: "layers.4.weight" of "layers.1.weight"."""
    return re.sub(r"(?<=\.)\d+(?=\.)", lambda number: str(int(number[0]) + shift), name, count=1)


def count_elements(tensors: Mapping[str, Tensor]) -> int:
    """How many there are, counters aside."""
    return sum(value.numel() for value in tensors.values() if value.dim() > 0)


def find_first_layers(method: Method, nets: Nets, spec: Spec, count: int) -> tuple[str, ...]:
    """The parameters of the layers that D calls first, from the image on: "D.layers.0.weight".

    Raises:
        GanvasError: as many layers as D has.
    """
    called_layers, D = list[nn.Module](), nets["D"]

    def record_layer(module: nn.Module, inputs: tuple[Tensor, ...], output: object) -> None:
        if module not in called_layers:
            called_layers.append(module)

    hooks = [layer.register_forward_hook(record_layer) for layer in D.modules() if has_own_weight(layer)]
    names = method.traits(nets).conditions
    condition_inputs = {name: spec.conditions[name].draw(2, seeded_generator("placeholder")) for name in names}
    device, training = next(D.parameters()).device, D.training
    try:
        with torch.no_grad():
            D.eval()(
                torch.zeros(2, *spec.shape, device=device),
                **{name: value.to(device) for name, value in condition_inputs.items()},
            )
    finally:
        D.train(training)
        for hook in hooks:
            hook.remove()
    if count >= len(called_layers):
        raise GanvasError(
            f"D has {len(called_layers)} layers, and one at least has to learn: --freeze-d {max(0, len(called_layers) - 1)}"
        )
    frozen_ids = {id(p) for layer in called_layers[:count] for p in layer.parameters(recurse=is_parametrized(layer))}
    return tuple(f"D.{name}" for name, p in D.named_parameters() if id(p) in frozen_ids)


def has_own_weight(module: nn.Module) -> bool:
    """Whether it has a weight of its own, be it normalised."""
    if isinstance(module, ParametrizationList):
        return False
    return is_parametrized(module) or any(p.dim() > 1 for p in module.parameters(recurse=False))
