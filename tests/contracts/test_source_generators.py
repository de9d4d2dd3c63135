"""Every generator that starts from a picture, found by itself: its sizes, its scale and how far it sees are measured."""

import re
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganvas import nets
from ganvas.configuration import from_json, to_json
from ganvas.core import Spec
from ganvas.errors import GanvasError, SettingError
from ganvas.nets import Chroma, GatedInpainting, Hole, LaMa, PretrainedUNet, Residual, ResNet, RRDBNet, SRResNet, StarGAN, UNet
from ganvas.nets.layers.instance_norm import InstanceNorm
from ganvas.nets.translation import SourceGenerator, pretrained_unet
from ganvas.nets.translation import hole as holes
from ganvas.nets.translation.wrapped_generator import silence_last_layer
from small_recipes import class_condition, components

ALL = components(nets, "build_generator", "smallest")
CHANNELS = 3  # of the source and of x


def list_scales(design: Any) -> list[Any]:
    """The design at each scale that it has."""
    found: list[Any] = []
    for scale in range(1, 5):
        try:
            found.append(replace(design, scale=scale))
        except SettingError:
            continue
    return found


FORMS = {  # those found, and forms that their settings give
    **{name: design.smallest() for name, design in ALL.items() if not hasattr(design, "scale")},
    **{
        f"{name} x{form.scale}": form
        for name, design in ALL.items()
        if hasattr(design, "scale")
        for form in list_scales(design.smallest())
    },
    "ResNet of 3 blocks": ResNet(width=2, blocks=3),
    "ResNet, antialiased": ResNet(width=2, blocks=2, antialiased=True),
    "ResNet of 9 blocks": ResNet(width=1),
    "ResNet of 3 halvings": ResNet(width=1, halvings=3, blocks=1, norm="batch"),
    "UNet of 2 halvings": UNet(width=2, depth=2),
    "UNet of 4 halvings": UNet(width=2, depth=4, norm="instance"),
    "LaMa of 2 levels": LaMa(width=2, levels=2, blocks=1),
    "GatedInpainting, dilated": GatedInpainting(width=2, dilations=(2, 4)),
    "StarGAN": StarGAN().smallest(),
    "Residual of an enlarging one": Residual(generator=SRResNet(width=2, blocks=1, scale=2)),
    "Residual of a folding one": Residual(generator=RRDBNet(width=2, growth=2, blocks=1, scale=1)),
    "Residual with instance norm": Residual(generator=ResNet(width=2, blocks=1)),
    "Hole of one without masks": Hole(generator=UNet(width=2, depth=2, norm="none")),
    "Hole of a change": Hole(generator=Residual(generator=UNet(width=2, depth=2, norm="none"))),
    "Hole of Fourier convolutions": Hole(generator=LaMa(width=2, levels=2, blocks=1)),
    "Chroma of a plain one": Chroma(generator=SRResNet(width=2, blocks=1, scale=1)),
}


def build(design: Any, size: int = 16) -> SourceGenerator:
    torch.manual_seed(0)
    if isinstance(design, StarGAN):
        spec = Spec((CHANNELS, size, size), (), {"label": class_condition(3)})
        return design.build(spec)["G"].double().eval()  # type: ignore[return-value]
    G = design.build_generator((CHANNELS, size, size), CHANNELS).double().eval()
    for module in G.modules():
        if isinstance(module, pretrained_unet.Generator):  # it sees through a network that is no part of it
            encoder = deepcopy(module.find_encoder(torch.device("cpu"))).double()
            module.find_encoder = lambda device, encoder=encoder: encoder  # type: ignore[method-assign]
    return G


def draw_source(height: int, width: int) -> Tensor:
    return torch.rand(1, CHANNELS, height, width, dtype=torch.float64)


def run(G: SourceGenerator, source: Tensor, mask: Tensor | None = None) -> Tensor:
    """mask: None is no hole, but for a design that would return its source then: it has holes where the source is bright."""
    if mask is None:
        mask = (source[:, :1] > 0.5).double() if isinstance(G, holes.Generator) else torch.zeros_like(source[:, :1])
    values = {"source": source, "mask": mask, "label": torch.zeros(len(source), dtype=torch.int64)}
    return G(**{name: values[name] for name in G.conditions})


def see_everything(network: nn.Module) -> None:
    """Convolutions become means, so that no input is lost behind a ReLU; norms, whose statistics see all, go."""
    for seen in list(network.modules()):
        if isinstance(seen, pretrained_unet.Generator):
            see_everything(seen.find_encoder(torch.device("cpu")))
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if re.search(r"Norm(\dd)?$", type(child).__name__):
                setattr(parent, name, nn.Identity())
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.constant_(layer.weight, 1 / layer.weight[0].numel())
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def find_seen(G: SourceGenerator, size: int, row: int, column: int) -> Tensor:
    """The source's places (row, column), int64 [K, 2], that the output's pixel depends on."""
    source = (1e-5 * draw_source(size, size)).requires_grad_()  # small: tanh has a slope after many blocks
    mask = None
    if isinstance(G, holes.Generator):  # it shows what its network makes in a hole alone
        mask = torch.zeros(1, 1, size, size, dtype=torch.float64)
        mask[:, :, row, column] = 1
    run(G, source, mask)[0, :, row, column].sum().backward()
    assert source.grad is not None
    return source.grad[0].abs().sum(0).nonzero()


def measure_reach(G: SourceGenerator, size: int) -> tuple[int, list[int]]:
    """(the largest distance, in rows or columns, to a place that is seen; how many rows each pixel of a period sees)."""
    middle, period = size // 2 // G.multiple * G.multiple * G.scale, G.multiple * G.scale
    distances, heights = list[int](), list[int]()
    for k in range(period):
        row, column = middle + k, middle + period - 1 - k
        seen = find_seen(G, size, row, column)
        distances.append(int((seen - torch.tensor([row // G.scale, column // G.scale])).abs().max()))
        heights.append(int(seen[:, 0].max() - seen[:, 0].min()) + 1)
    return max(distances), heights


def get_convolutional_reach(G: SourceGenerator) -> int:
    assert G.convolutional_reach is not None
    return G.convolutional_reach


@pytest.mark.parametrize("name", ALL)
def test_contract(name: str) -> None:
    design = ALL[name]
    assert from_json(to_json(design)) == design
    assert design.smallest().smallest() == design.smallest()
    G = build(design.smallest())
    assert isinstance(G, SourceGenerator)
    assert G.conditions[0] == "source"
    assert G.z_dim == 0


FAR_SEEING = ("PretrainedUNet",)  # hundreds of pixels, which take long to measure


@pytest.mark.slow
@pytest.mark.parametrize("enlargement", [1, 2])
def test_far_reach(enlargement: int) -> None:
    G = build(PretrainedUNet(width=1, enlargement=enlargement), 32)
    reach = get_convolutional_reach(G)
    see_everything(G)
    middle = -(-(reach + 1) // G.multiple) * G.multiple
    seen = find_seen(G, 2 * middle + G.multiple, middle, middle)
    assert reach - G.multiple < (seen - middle).abs().max() <= reach


@pytest.mark.parametrize("name", [name for name in FORMS if name not in FAR_SEEING])
def test_reach(name: str) -> None:
    G = build(FORMS[name])
    has_instance_norm = any(isinstance(layer, InstanceNorm) for layer in G.modules())
    assert G.reach == (None if has_instance_norm else G.convolutional_reach)
    see_everything(G)
    if G.convolutional_reach is None:
        size = 8 * G.multiple
        hidden = 1 if isinstance(G, holes.Generator) else 0  # the hole's own pixel
        assert len(find_seen(G, size, 0, 0)) == size * size - hidden
        return
    if isinstance(G, holes.Generator) and not G.takes_mask:
        return  # it sees farthest in a hole as large as that: test_a_wide_hole_is_filled_in_tiles
    size = -(-(2 * G.convolutional_reach + 2 * G.multiple + 2) // G.multiple) * G.multiple
    assert measure_reach(G, size)[0] == G.reach == G.convolutional_reach


def test_a_wide_hole_is_filled_in_tiles() -> None:
    """A smooth filling sees across its hole: a tile with a margin of the reach gives what the whole picture gives."""
    G = build(FORMS["Hole of a change"])
    see_everything(G)
    margin, m = -(-get_convolutional_reach(G) // G.multiple) * G.multiple, G.multiple
    source = draw_source(2 * margin + 3 * m, 2 * margin + 3 * m)
    mask = torch.ones_like(source[:, :1])
    mask[:, :, ::37] = mask[:, :, :, ::53] = 0  # holes of 36x52 px
    with torch.no_grad():
        whole, tile = run(G, source, mask), run(G, source[:, :, m:, m:], mask[:, :, m:, m:])
    kept, shifted = slice(margin, margin + m), slice(margin + m, margin + 2 * m)
    torch.testing.assert_close(tile[:, :, kept, kept], whole[:, :, shifted, shifted])


@pytest.mark.parametrize("name", FORMS)
def test_the_output_without_a_last_layer_is_as_stated(name: str) -> None:
    """A number, the same everywhere; or None for a generator that starts from its source by itself."""
    G = build(FORMS[name])
    stated = G.output_at_zero
    G.output_at_zero = 0.0
    silence_last_layer(G, "this test")
    with torch.no_grad():
        x = run(G, draw_source(16, 16))
    if stated is None:
        assert x.std() > 0.1
    else:
        torch.testing.assert_close(x, torch.full_like(x, stated))


@pytest.mark.parametrize("design", [ResNet(width=2, blocks=1), UNet(width=2, depth=4, norm="instance")])
def test_with_instance_norm_a_corner_sees_the_other(design: Any) -> None:
    assert len(find_seen(build(design, 96), 96, 0, 0)) == 96 * 96
    without_norm = build(replace(design, norm="none"), 96)
    see_everything(without_norm)
    seen = find_seen(without_norm, 96, 0, 0)
    assert without_norm.reach is not None
    assert 0 < seen.max() <= without_norm.reach < 95


@pytest.mark.parametrize(("blocks", "heights"), [(9, [165, 165, 169, 165]), (6, [117, 117, 121, 117])])
def test_the_published_networks_see_so_many_pixels(blocks: int, heights: list[int]) -> None:
    """The figures of the literature hold for three pixels in four: the fourth sees one more place of a quarter of the size."""
    G = build(ResNet(width=1, blocks=blocks))
    see_everything(G)
    assert measure_reach(G, 192)[1] == heights


@pytest.mark.parametrize("name", FORMS)
def test_sizes_and_scale(name: str) -> None:
    """Sides of any multiple from the smallest on give `scale` times their size."""
    G = build(FORMS[name])
    smallest, multiple = G.smallest_side, G.multiple
    assert smallest % multiple == 0
    with torch.no_grad():
        for rows, columns in ((0, 1), (3, 0), (5, 4)):
            height, width = smallest + rows * multiple, smallest + columns * multiple
            x = run(G, draw_source(height, width))
            assert x.shape == (1, CHANNELS, G.scale * height, G.scale * width)


@pytest.mark.parametrize("name", FORMS)
def test_other_sizes_are_refused(name: str) -> None:
    G = build(FORMS[name])
    sizes = [4 * G.multiple + extra for extra in range(1, G.multiple)]
    for size in [*sizes, *range(G.multiple, G.smallest_side, G.multiple)]:
        with pytest.raises(GanvasError, match=f"multiples of {G.multiple} from {G.smallest_side} px, got .*pad the source"):
            run(G, draw_source(4 * G.multiple, size))


@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if build(form).convolutional_reach is not None])
def test_a_shift_by_the_multiple_shifts_the_output(name: str) -> None:
    """Away from borders: so tiles that begin at multiples, with a margin of the reach, make up the whole."""
    G = build(FORMS[name])
    see_everything(G)
    m = G.multiple
    margin = -(-get_convolutional_reach(G) // m) * m
    side = 2 * margin + 3 * m
    source = draw_source(side, side)
    with torch.no_grad():
        whole, tile = run(G, source), run(G, source[:, :, m:, m:])
    kept = slice(margin * G.scale, (margin + m) * G.scale)
    shifted = slice((margin + m) * G.scale, (margin + 2 * m) * G.scale)
    torch.testing.assert_close(tile[:, :, kept, kept], whole[:, :, shifted, shifted])
