"""A trained run carried to other data: what matches of its networks is taken over, and D's first layers may stay as they are.

Mo et al. 2020 (freeze-D); Karras et al. 2020b, section 4.2 (with augmentation, from a few hundred images on).
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from . import checkpoint, loop, recipes
from .augment import DiffAugment
from .core import Method, Spec
from .errors import GanvasError
from .loop import State
from .methods import Adversarial, Progressive
from .recipe import Recipe, Transfer
from .run import Run

NAMED = 4  # tensors that begin anew, in what is said
CARRIED = ("growth",)  # of a method's own memory


def recipe_from(source: Run, named: str | None = None, freeze: int = 0) -> Recipe:
    """The source's recipe as it was settled, or another one, that begins with its networks; augmented if it was not."""
    base = source.recipe if named in (None, source.recipe.name) else recipes.find(str(named))
    start = Transfer(run=str(source.path.resolve()), freeze=freeze)
    train = replace(base.train, snapshots=None, lr_scale=1.0)
    return replace(base, choose=None, method=augmented(base.method), start=start, train=train)


def augmented(method: Method) -> Method:
    if isinstance(method, Progressive):
        game = augmented(method.game)
        return replace(method, game=game) if isinstance(game, Adversarial) else method
    if isinstance(method, Adversarial) and method.augment is None:
        return replace(method, augment=DiffAugment())
    return method


def begun(recipe: Recipe, spec: Spec, seed: int, where: torch.device, say: Callable[[str], None] = lambda line: None) -> State:
    """A run's very start: fresh networks, or those of the run it comes from.

    Raises:
        GanvasError: no such run, or one of whose networks nothing fits.
    """
    state = bare(recipe, spec, seed, where)
    if recipe.start is None:
        return state
    if state.frozen:
        say(f"D keeps its first {recipe.start.freeze} layers: {len(state.frozen)} tensors")
    source = Run(recipe.start.run)
    there = loop.start(source.recipe, source.spec(), source.seed, where)
    checkpoint.load_nets(source.checkpoint(recipe.start.checkpoint), there)
    learned = there.sampled()
    for name in (*recipe.optim, *CARRIED):
        if name in state.nets and name in learned:
            took, anew = taken(state.nets[name], learned[name])
            if not took and name == "G":
                raise GanvasError(f"nothing of {source.path}'s G fits this recipe's: take its own, ganvas train --from RUN")
            if name in state.average:
                state.average[name].load_state_dict(state.nets[name].state_dict())
            more = f"; anew: {', '.join(anew[:NAMED])}{' …' if len(anew) > NAMED else ''} ({len(anew)})" if anew else ""
            say(f"{name} from {source.path}: {took} tensors{more}")
    return state


def bare(recipe: Recipe, spec: Spec, seed: int, where: torch.device) -> State:
    """The same without what was learned: for a checkpoint that is read next."""
    state = loop.start(recipe, spec, seed, where)
    if recipe.start is not None and recipe.start.freeze and "D" in state.nets:
        state.frozen = first_layers(state.nets["D"], spec, recipe.start.freeze)
    return state


@torch.no_grad()
def taken(net: nn.Module, learned: nn.Module) -> tuple[int, list[str]]:
    """Copy the tensors of the same name and shape; (how many they are, the names of the others)."""
    own, theirs = net.state_dict(), learned.state_dict()
    fitting = [name for name in own if name in theirs and own[name].shape == theirs[name].shape]
    net.load_state_dict({**own, **{name: theirs[name] for name in fitting}})
    return len(fitting), [name for name in own if name not in fitting]


def first_layers(D: nn.Module, spec: Spec, count: int) -> tuple[str, ...]:
    """The parameters of the layers that D calls first, from the image on: "D.layers.0.weight"."""
    called: list[nn.Module] = []

    def remember(module: nn.Module, given: tuple[Tensor, ...], out: object) -> None:
        if module not in called:
            called.append(module)

    layers = [module for module in D.modules() if any(p.dim() > 1 for p in module.parameters(recurse=False))]
    hooks = [layer.register_forward_hook(remember) for layer in layers]
    label, training = spec.conditions.get("label"), D.training
    given = {"label": torch.zeros(2, dtype=torch.int64)} if label is not None and getattr(D, "label", None) is not None else {}
    device = next(D.parameters()).device
    try:
        with torch.no_grad():
            D.eval()(torch.zeros(2, *spec.shape, device=device), **{name: value.to(device) for name, value in given.items()})
    finally:
        D.train(training)
        for hook in hooks:
            hook.remove()
    kept = {id(p) for layer in called[:count] for p in layer.parameters(recurse=False)}
    return tuple(f"D.{name}" for name, p in D.named_parameters() if id(p) in kept)
