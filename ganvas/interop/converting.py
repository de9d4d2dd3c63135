"""Convert other projects' generators to runs."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .. import recipes
from ..configuration import to_json
from ..core import Condition, Medium, format_shape, seeded_generator
from ..data import ClassCondition, Columns, ColumnsCodec, Files, HeldOut, Pairs, VectorCondition
from ..errors import GanvasError
from ..losses import LeastSquares
from ..media import Boxes, Degraded, DegradedCodec, Image, ImageCodec, MaskCodec
from ..media.conditions import derive_sample_condition
from ..methods import Adversarial
from ..nets import StyleGAN2, StyleGAN3
from ..nets.layers.style import StyleGenerator
from ..nets.translation.source_generator import SOURCE
from ..optim import Adam
from ..recipe import Evaluation, Recipe, Train
from ..runs.folder import RunFolder, write_run_atomically
from ..runs.state import State, build_state
from ..system.device import describe_machine
from .foreign import ConvertedNetwork, recognise_network
from .foreign.reading import read_networks

MASK, HOLES = "mask", (Boxes(),)  # the condition of networks that fill holes, and holes to go on training with
NO_DATA_PATH = "unknown-data"  # stands for the data, which a converted run does not have
AVERAGE_NAMES = ("g_ema", "G_ema", "ema", "params_ema")  # names of G's moving average in files
OPTIONAL_WEIGHTS = (r"mapping\.middle", r".*\.num_batches_tracked")  # weights that a file may lack
STYLES_PER_MEAN = 10_000  # styles that are averaged where a file lacks their mean


def convert(file: str | Path, out: str | Path, *, say: Callable[[str], None] = lambda line: None) -> RunFolder:
    """Make a run from a file with a trained generator: StyleGAN2 (NVIDIA's and rosinality's), StyleGAN3, R3GAN, BigGAN-PyTorch.

    Or with a translator: CycleGAN, pix2pix, pix2pixHD, CUT, ESRGAN, Real-ESRGAN, SRResNet (MSRResNet), StarGAN or LaMa.

    The file is read as data; nothing in it is run. The run has no data, so scores need --data.

    Args:
        file: .pkl, .pth, .pt or .safetensors.
        out: the run's folder, which must be new.
        say: called with each line about what was loaded.

    Raises:
        GanvasError: the file is broken, asks to run something, or holds no known generator; the folder is in use.
    """
    file, out = Path(file), Path(out)
    if out.exists() and any(out.iterdir() if out.is_dir() else [out]):
        raise GanvasError(f"{out} already exists: choose a new folder with --out")
    g, d = choose_networks(file)
    recipe = build_converted_recipe(g, d)
    codec, conditions = build_converted_codec(g), build_converted_conditions(g)
    spec = codec.spec._replace(conditions=conditions)
    with torch.device("meta"):  # shapes first: a file may claim more than memory holds
        match_weights(recipe.nets.build(spec)["G"], g.state, f"{file.name}: {g.origin}")
    state = build_state(recipe, spec, 0, torch.device("cpu"))
    for nets in (state.nets, state.average):
        if "G" in nets:
            fill_weights(nets["G"], g.state, f"{file.name}: {g.origin}")
    say(f"{g.origin}: {format_shape(g.shape)}" + (f", {g.classes} classes" if g.classes else ""))
    say(f"D: {fill_discriminator(state, d)}")
    state.clock = state.clock._replace(samples=1, total=1)
    data_description = {"title": f"converted from {file.name} ({g.origin})", "count": 0, "skipped": 0, "fingerprint": ""}
    data_description |= {"conditions": to_json(conditions)}
    return write_run_atomically(out, codec, state, recipe, recipe, 0, (data_description, describe_machine(torch.device("cpu"))))


def build_converted_codec(g: ConvertedNetwork) -> ImageCodec | ColumnsCodec | DegradedCodec:
    """How samples are stored; of a translator also sources."""
    x = build_image_codec(g.shape)
    if g.has_mask:
        return DegradedCodec(base=x, by=HOLES)
    return x if g.source is None else ColumnsCodec(columns={"x": x, SOURCE: build_image_codec(g.source)})


def build_image_codec(shape: tuple[int, int, int]) -> ImageCodec:
    return ImageCodec(size=shape[1], channels=shape[0], framing="crop", background=255, flip=False)


def build_converted_conditions(g: ConvertedNetwork) -> dict[str, Condition]:
    """What the network takes beside noise. Its data is unknown: the examples of sources are grey, and of attributes 0."""
    conditions: dict[str, Condition] = {}
    if g.classes:
        conditions["label"] = ClassCondition(shares=(1 / g.classes,) * g.classes)
    if g.attributes:
        names = tuple(f"attribute{k}" for k in range(g.attributes))
        conditions["label"] = VectorCondition(names=names, examples=((0.0,) * g.attributes,))
    if g.source is not None:
        channels, height, width = g.source
        grey = torch.full((1, height, width, channels), 128, dtype=torch.uint8)
        conditions[SOURCE] = build_image_codec(g.source).derive_condition(grey)
    if g.has_mask:
        mask = torch.zeros(1, *g.shape[1:], 1, dtype=torch.uint8)
        mask[:, mask.shape[1] // 4 : mask.shape[1] // 2, mask.shape[2] // 4 : mask.shape[2] // 2] = 255
        conditions[MASK] = derive_sample_condition(MaskCodec(size=g.shape[1]), mask)
    return conditions


class ForeignNetworks(NamedTuple):
    """The converted networks of a file."""

    g: ConvertedNetwork
    d: ConvertedNetwork | None


def choose_networks(file: Path) -> ForeignNetworks:
    """A file's generator (its moving average, if there is one) and its discriminator."""
    file_networks = read_networks(file)
    try:
        converted_networks = [
            (one.name, known) for one in file_networks for known in [recognise_network(one)] if known is not None
        ]
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        raise GanvasError(f"{file} resembles a known generator, but is incomplete ({error!r}): download it again") from None
    generators = [(name, known) for name, known in converted_networks if known.player == "G"]
    if not generators:
        network_list = ", ".join(f"{one.name or 'one'} of {len(one.tensors)} tensors" for one in file_networks)
        raise GanvasError(
            f"{file} holds no known generator ({network_list}): supported are StyleGAN2 (NVIDIA's, rosinality's), StyleGAN3, "
            "R3GAN and BigGAN-PyTorch; and translators: CycleGAN, pix2pix, CUT, pix2pixHD, ESRGAN, Real-ESRGAN, StarGAN, LaMa"
        )
    g = next((known for name, known in generators if name in AVERAGE_NAMES), generators[0][1])
    return ForeignNetworks(g, next((known for _, known in converted_networks if known.player == "D"), None))


def build_converted_recipe(g: ConvertedNetwork, d: ConvertedNetwork | None) -> Recipe:
    if g.source is not None:
        return build_translator_recipe(g, g.source)
    base_recipe, nets = recipes.find_recipe(g.recipe), g.nets
    if isinstance(nets, StyleGAN2 | StyleGAN3) and d is not None and isinstance(d.nets, StyleGAN2):
        nets = replace(nets, d_mapping=d.nets.d_mapping, d_w_dim=d.nets.d_w_dim)
        if isinstance(nets, StyleGAN3):  # it has StyleGAN2's D, with its own widths
            nets = replace(nets, d_width=d.nets.width, d_base=d.nets.base)
    held_out = HeldOut(share=0.0)  # nobody knows what it was trained on
    return replace(base_recipe, data=Files(path=NO_DATA_PATH), medium=Image(size=g.shape[1]), nets=nets, held_out=held_out)


def build_translator_recipe(g: ConvertedNetwork, source: tuple[int, int, int]) -> Recipe:
    """A plain recipe around a translator's networks: least squares on patches, as CycleGAN and pix2pix have it."""
    media: dict[str, Medium] = {"x": Image(size=g.shape[1]), SOURCE: Image(size=source[1])}
    degraded = Degraded(medium=Image(size=g.shape[1]), by=HOLES)
    adam = Adam(lr=2e-4, betas=(0.5, 0.999))
    return Recipe(
        name="converted_translator",
        data=Files(path=NO_DATA_PATH) if g.has_mask else Pairs(path=NO_DATA_PATH),
        medium=degraded if g.has_mask else Columns(media=media),
        nets=g.nets,
        method=Adversarial(objective=LeastSquares()),
        optim={"G": adam, "D": adam},
        train=Train(samples=1_000_000, batch=8),
        evaluation=Evaluation(),
        held_out=HeldOut(share=0.0),
    )


def fill_discriminator(state: State, d: ConvertedNetwork | None) -> str:
    """Load D from the file, if it fits; returns what happened, in words."""
    if d is None:
        return "not loaded (the file has no known one): it starts with random weights"
    try:
        fill_weights(state.nets["D"], d.state, d.origin)
    except GanvasError:
        return "not loaded (it is built differently): it starts with random weights"
    return f"loaded ({d.origin})"


def match_weights(net: nn.Module, state: Mapping[str, Tensor], what: str) -> dict[str, Tensor]:
    """The weights by their names in `net`, normalised layers by their stored weight. Raises GanvasError if any does not fit."""
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
        problems = {"lacks": missing_names, "also has": unknown_names, "has in another shape": misshapen_names}
        details = "; ".join(f"{verb} {', '.join(names[:3])} ({len(names)})" for verb, names in problems.items() if names)
        raise GanvasError(f"{what} does not fit: it {details}")
    return values


def fill_weights(net: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Load weights into `net`. Raises GanvasError if they do not fit."""
    values = match_weights(net, state, what)
    net.load_state_dict({**net.state_dict(), **values})
    if isinstance(net, StyleGenerator) and "mapping.middle" not in values:
        estimate_style_mean(net)


@torch.no_grad()
def estimate_style_mean(net: StyleGenerator) -> None:
    """Estimate the mean of styles from random draws, if a file lacks it."""
    z = torch.randn(STYLES_PER_MEAN, net.z_dim, generator=seeded_generator("middle"))
    training = net.training
    net.eval()
    net.mapping.middle.copy_(net.mapping(z).mean(0))
    net.train(training)
