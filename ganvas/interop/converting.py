"""Others' generators brought in, as runs like any other."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .. import recipes
from ..core import Condition, seeded_generator
from ..data import Files
from ..errors import GanvasError
from ..media import Image, ImageCodec
from ..nets import StyleGAN2, StyleGAN3
from ..recipe import Recipe
from ..runs.folder import RunFolder, write_run_atomically
from ..runs.state import State, build_state
from ..system.device import describe_machine
from .foreign import ConvertedNetwork, recognise_network
from .foreign.reading import read_networks

NO_DATA_PATH = "unknown-data"  # where a converted run's data would be: it has none
AVERAGE_NAMES = ("g_ema", "G_ema", "ema")  # what files call the moving average of G
OPTIONAL_WEIGHTS = (r"mapping\.middle", r".*\.num_batches_tracked")  # what a file may lack
STYLES_PER_MEAN = 10_000  # styles whose mean is the middle, where a file does not say it


def convert(file: str | Path, out: str | Path, *, say: Callable[[str], None] = lambda line: None) -> RunFolder:
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
    g, d = choose_networks(file)
    recipe = build_converted_recipe(g, d)
    codec = ImageCodec(size=g.shape[1], channels=g.shape[0], framing="crop", background=255, flip=False)
    label = Condition("class", g.classes, (), (1 / g.classes,) * g.classes) if g.classes else None
    spec = codec.spec._replace(conditions={"label": label} if label else {})
    with torch.device("meta"):  # before room is made for what a file says of itself
        match_weights(recipe.nets.build(spec)["G"], g.state, f"{file.name}: {g.origin}")
    state = build_state(recipe, spec, 0, torch.device("cpu"))
    for nets in (state.nets, state.average):
        if "G" in nets:
            fill_weights(nets["G"], g.state, f"{file.name}: {g.origin}")
    say(f"{g.origin}: {' x '.join(map(str, g.shape))}" + (f", {g.classes} classes" if g.classes else ""))
    say(f"D: {fill_discriminator(state, d)}")
    state.clock = state.clock._replace(samples=1, total=1)
    data_description = {"title": f"converted from {file.name} ({g.origin})", "count": 0, "skipped": 0, "fingerprint": ""}
    data_description |= {"label": label._asdict() if label else None}
    return write_run_atomically(out, codec, state, recipe, recipe, 0, (data_description, describe_machine(torch.device("cpu"))))


class ForeignNetworks(NamedTuple):
    """What a file's networks are here."""

    g: ConvertedNetwork
    d: ConvertedNetwork | None


def choose_networks(file: Path) -> ForeignNetworks:
    """A file's generator, its moving average if there is one, and its discriminator."""
    file_networks = read_networks(file)
    try:
        converted_networks = [
            (one.name, known) for one in file_networks for known in [recognise_network(one)] if known is not None
        ]
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        raise GanvasError(f"{file} is like a generator that is known here, but in parts ({error!r}): fetch it again") from None
    generators = [(name, known) for name, known in converted_networks if known.player == "G"]
    if not generators:
        network_list = ", ".join(f"{one.name or 'one'} of {len(one.tensors)} tensors" for one in file_networks)
        raise GanvasError(
            f"{file} holds no generator that is known here ({network_list}): StyleGAN2 (NVIDIA's, rosinality's), StyleGAN3, "
            "R3GAN and BigGAN-PyTorch's are"
        )
    g = next((known for name, known in generators if name in AVERAGE_NAMES), generators[0][1])
    return ForeignNetworks(g, next((known for _, known in converted_networks if known.player == "D"), None))


def build_converted_recipe(g: ConvertedNetwork, d: ConvertedNetwork | None) -> Recipe:
    base_recipe, nets = recipes.find_recipe(g.recipe), g.nets
    if isinstance(nets, StyleGAN2 | StyleGAN3) and d is not None and isinstance(d.nets, StyleGAN2):
        nets = replace(nets, d_mapping=d.nets.d_mapping, d_w_dim=d.nets.d_w_dim)
        if isinstance(nets, StyleGAN3):  # which has StyleGAN2's D, of widths of its own
            nets = replace(nets, d_width=d.nets.width, d_base=d.nets.base)
    return replace(base_recipe, data=Files(path=NO_DATA_PATH), medium=Image(size=g.shape[1]), nets=nets)


def fill_discriminator(state: State, d: ConvertedNetwork | None) -> str:
    """Fill D, where the file's fits; says what happened."""
    if d is None:
        return "not taken over (the file has none that is known): it is as at the start of a training"
    try:
        fill_weights(state.nets["D"], d.state, d.origin)
    except GanvasError:
        return "not taken over (it is built otherwise there): it is as at the start of a training"
    return f"taken over ({d.origin})"


def match_weights(net: nn.Module, state: Mapping[str, Tensor], what: str) -> dict[str, Tensor]:
    """Weights by the names of their places, those that are normalised as they are stored. Raises GanvasError for others."""
    net_state = net.state_dict()
    inner_names = {
        f"{name.removesuffix('.parametrizations.weight.original')}.weight": name
        for name in net_state
        if name.endswith("original")
    }
    values = {inner_names.get(name, name): value for name, value in state.items()}
    missing_names = [
        name for name in net_state if name not in values and not any(re.fullmatch(form, name) for form in OPTIONAL_WEIGHTS)
    ]
    unknown_names = [name for name in values if name not in net_state]
    misshapen_names = [name for name in net_state if name in values and values[name].shape != net_state[name].shape]
    if missing_names or unknown_names or misshapen_names:
        problems = {"lacks": missing_names, "has besides": unknown_names, "has in another shape": misshapen_names}
        details = "; ".join(f"{verb} {', '.join(names[:3])} ({len(names)})" for verb, names in problems.items() if names)
        raise GanvasError(f"{what} does not fit: it {details}")
    return values


def fill_weights(net: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Put weights in their places. Raises GanvasError where they do not fit."""
    values = match_weights(net, state, what)
    net.load_state_dict({**net.state_dict(), **values})
    if hasattr(net, "mapping") and "mapping.middle" not in values:
        estimate_style_mean(net)


@torch.no_grad()
def estimate_style_mean(net: nn.Module) -> None:
    """The mean of styles, drawn, where a file does not keep it."""
    z = torch.randn(STYLES_PER_MEAN, int(net.z_dim), generator=seeded_generator("middle"))  # type: ignore[arg-type]
    training = net.training
    net.eval()
    net.mapping.middle.copy_(net.mapping(z).mean(0))  # type: ignore[union-attr, operator]
    net.train(training)
