"""Transfer learning: copy the matching weights of a trained run, and optionally freeze D's first layers.

Mo et al. 2020 (freeze-D); Karras et al. 2020b, section 4.2 (with augmentation, a few hundred images are enough).
"""

import re
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import ParametrizationList, is_parametrized

from .. import recipes
from ..augment import DiffAugment
from ..core import Method, Nets, ShapedCondition, Spec, seeded_generator
from ..data import Files, HeldOut, Tiles
from ..errors import GanvasError
from ..methods import Adversarial, Progressive
from ..recipe import Recipe, Transfer
from ..runs.folder import RunFolder

LAYER_SHIFT_LIMIT = 10  # try shifts below this; an image size moves layer numbers by less


def start_recipe_from_run(source: RunFolder, recipe: str | Recipe | None = None, freeze: int = 0) -> Recipe:
    """A recipe that starts with the source's networks: the source's resolved recipe, or `recipe`. It augments pictures.

    With the source's recipe, its test set, data limit, held-out share and size of the score card are not taken over.
    """
    if recipe is None or recipe == source.recipe.name:
        # what the source left open, this run's data decide
        known_recipes = recipes.list_recipes()
        usual_share = known_recipes[source.recipe.name]().held_out if source.recipe.name in known_recipes else HeldOut()
        base = replace(source.recipe, evaluation=source.requested.evaluation, held_out=usual_share)
        if isinstance(base.data, (Files, Tiles)):
            base = replace(base, data=replace(base.data, test=None, limit=None))
    else:
        base = recipes.find_recipe(recipe) if isinstance(recipe, str) else recipe
    transfer = Transfer(run=str(source.path.resolve()), checkpoint=source.find_checkpoint("best").name, freeze=freeze)
    has_sources = any(isinstance(condition, ShapedCondition) for condition in source.read_spec().conditions.values())
    is_augmented = source.read_codec().is_visual and not has_sources  # a source would have to change with its sample
    method = add_augmentation(base.method) if is_augmented else base.method
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
    """Copy the tensors of the same name and shape; returns (how many, without counters; the names of the others).

    Where layer numbers count from the image, a network of another size has the same layer under a shifted number. So all
    shifts up to ±9 are tried, and the one that copies most is used.
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
    """The tensor's name with its layer number plus `shift`: "layers.1.weight" by 3 is "layers.4.weight"."""
    return re.sub(r"(?<=\.)\d+(?=\.)", lambda number: str(int(number[0]) + shift), name, count=1)


def count_elements(tensors: Mapping[str, Tensor]) -> int:
    """The number of elements in the tensors, without counters."""
    return sum(value.numel() for value in tensors.values() if value.dim() > 0)


def find_first_layers(method: Method, nets: Nets, spec: Spec, count: int) -> tuple[str, ...]:
    """Names of the parameters of the first `count` layers that D calls, starting at the image: "D.layers.0.weight".

    Raises:
        GanvasError: `count` is not below D's number of layers.
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
            f"D has {len(called_layers)} layers, and at least one must learn: --freeze-d {max(0, len(called_layers) - 1)}"
        )
    frozen_ids = {id(p) for layer in called_layers[:count] for p in layer.parameters(recurse=is_parametrized(layer))}
    return tuple(f"D.{name}" for name, p in D.named_parameters() if id(p) in frozen_ids)


def has_own_weight(module: nn.Module) -> bool:
    """Whether the module itself has a weight, normalised or not."""
    if isinstance(module, ParametrizationList):
        return False
    return is_parametrized(module) or any(p.dim() > 1 for p in module.parameters(recurse=False))
