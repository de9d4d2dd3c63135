"""Others' generators brought in, as runs like any other."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .. import recipes
from ..core import Condition, generator
from ..data import Files
from ..errors import GanvasError
from ..media import Image, ImageCodec
from ..nets import StyleGAN2, StyleGAN3
from ..recipe import Recipe
from ..runs.folder import Run, write_whole_run
from ..runs.state import State, start
from ..system.device import describe
from .foreign import Taken, recognised
from .foreign.reading import networks

NO_DATA = "unknown-data"  # where a converted run's data would be: it has none
AVERAGED = ("g_ema", "G_ema", "ema")  # what files call the moving average of G
FOLLOWS = (r"mapping\.middle", r".*\.num_batches_tracked")  # what a file may lack
DRAWN = 10_000  # styles whose mean is the middle, where a file does not say it


def convert(file: str | Path, out: str | Path, *, say: Callable[[str], None] = lambda line: None) -> Run:
    """Make a run of a file with a trained generator: StyleGAN2 (NVIDIA's and rosinality's), StyleGAN3, R3GAN, BigGAN-PyTorch.

    The file is read as data; nothing in it is run. The run has no data: scores want --data.

    Args:
        file: .pkl, .pth, .pt or .safetensors.
        out: the run's folder, which must be new.
        say: is told what was taken over.

    Raises:
        GanvasError: a file that is broken, asks for something to be run, or holds no generator known here; a folder in use.
    """
    file, out = Path(file), Path(out)
    if out.exists() and any(out.iterdir() if out.is_dir() else [out]):
        raise GanvasError(f"{out} is there already: choose a new folder with --out")
    g, d = chosen(file)
    recipe = recipe_of(g, d)
    codec = ImageCodec(size=g.shape[1], channels=g.shape[0], framing="crop", background=255, flip=False)
    label = Condition("class", g.classes, (), (1 / g.classes,) * g.classes) if g.classes else None
    spec = codec.spec._replace(conditions={"label": label} if label else {})
    with torch.device("meta"):  # before room is made for what a file says of itself
        matched(recipe.nets.build(spec)["G"], g.state, f"{file.name}: {g.about}")
    state = start(recipe, spec, 0, torch.device("cpu"))
    for nets in (state.nets, state.average):
        if "G" in nets:
            fill(nets["G"], g.state, f"{file.name}: {g.about}")
    say(f"{g.about}: {' x '.join(map(str, g.shape))}" + (f", {g.classes} classes" if g.classes else ""))
    say(f"D: {take_d(state, d)}")
    state.clock = state.clock._replace(images=1, total=1)
    about = {"title": f"converted from {file.name} ({g.about})", "count": 0, "skipped": 0, "fingerprint": ""}
    about |= {"label": label._asdict() if label else None}
    return write_whole_run(out, codec, state, recipe, recipe, 0, (about, describe(torch.device("cpu"))))


class Chosen(NamedTuple):
    """What a file's networks are here."""

    g: Taken
    d: Taken | None


def chosen(file: Path) -> Chosen:
    """A file's generator, its moving average if there is one, and its discriminator."""
    found = networks(file)
    try:
        taken = [(one.name, known) for one in found for known in [recognised(one)] if known is not None]
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        raise GanvasError(f"{file} is like a generator that is known here, but in parts ({error!r}): fetch it again") from None
    generators = [(name, known) for name, known in taken if known.player == "G"]
    if not generators:
        listed = ", ".join(f"{one.name or 'one'} of {len(one.tensors)} tensors" for one in found)
        raise GanvasError(
            f"{file} holds no generator that is known here ({listed}): StyleGAN2 (NVIDIA's, rosinality's), StyleGAN3, "
            "R3GAN and BigGAN-PyTorch's are"
        )
    g = next((known for name, known in generators if name in AVERAGED), generators[0][1])
    return Chosen(g, next((known for _, known in taken if known.player == "D"), None))


def recipe_of(g: Taken, d: Taken | None) -> Recipe:
    found, nets = recipes.find(g.recipe), g.nets
    if isinstance(nets, StyleGAN3) and d is not None and isinstance(d.nets, StyleGAN2):  # whose D it has, of widths of its own
        nets = replace(nets, d_width=d.nets.width, d_base=d.nets.base)
    return replace(found, data=Files(path=NO_DATA), medium=Image(size=g.shape[1]), nets=nets)


def take_d(state: State, d: Taken | None) -> str:
    """Fill D, where the file's fits; says what happened."""
    if d is None:
        return "not taken over (the file has none that is known): it is as at the start of a training"
    try:
        fill(state.nets["D"], d.state, d.about)
    except GanvasError:
        return "not taken over (it is built otherwise there): it is as at the start of a training"
    return f"taken over ({d.about})"


def matched(net: nn.Module, state: Mapping[str, Tensor], what: str) -> dict[str, Tensor]:
    """Weights by the names of their places, those that are normalised as they are stored. Raises GanvasError for others."""
    own = net.state_dict()
    inner = {
        f"{name.removesuffix('.parametrizations.weight.original')}.weight": name for name in own if name.endswith("original")
    }
    values = {inner.get(name, name): value for name, value in state.items()}
    missing = [name for name in own if name not in values and not any(re.fullmatch(form, name) for form in FOLLOWS)]
    unknown = [name for name in values if name not in own]
    other = [name for name in own if name in values and values[name].shape != own[name].shape]
    if missing or unknown or other:
        problems = {"lacks": missing, "has besides": unknown, "has in another shape": other}
        words = "; ".join(f"{verb} {', '.join(names[:3])} ({len(names)})" for verb, names in problems.items() if names)
        raise GanvasError(f"{what} does not fit: it {words}")
    return values


def fill(net: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Put weights in their places. Raises GanvasError where they do not fit."""
    values = matched(net, state, what)
    net.load_state_dict({**net.state_dict(), **values})
    if hasattr(net, "mapping") and "mapping.middle" not in values:
        settle_middle(net)


@torch.no_grad()
def settle_middle(net: nn.Module) -> None:
    """The mean of styles, drawn, where a file does not keep it."""
    z = torch.randn(DRAWN, int(net.z_dim), generator=generator("middle"))  # type: ignore[arg-type]
    training = net.training
    net.eval()
    net.mapping.middle.copy_(net.mapping(z).mean(0))  # type: ignore[union-attr, operator]
    net.train(training)
