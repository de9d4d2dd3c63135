"""Every architecture, found by itself: builds, plays, keeps to its smallest size."""

import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot

from ganvas import nets
from ganvas.configuration import from_json, to_json
from ganvas.core import Architecture
from ganvas.errors import GanvasError
from ganvas.methods import FeaturePyramid
from ganvas.nets.restoration.source_generator import SourceGenerator
from small_recipes import IMAGE8, class_condition, components

ALL = components(nets, "build", "smallest")
NEEDING = (nets.Concatenation, nets.AuxiliaryClassifier, nets.Projection, nets.StarGAN)
UNUSED = ("classify", "to_image", "from_image")  # a classifier that D does not play itself; images of other sizes


@pytest.mark.parametrize("name", ALL)
def test_contract(name: str) -> None:
    architecture = ALL[name]
    assert from_json(to_json(architecture)) == architecture
    smallest = architecture.smallest()
    assert smallest.smallest() == smallest
    built, given = made(smallest)
    assert sum(p.numel() for p in built.parameters()) < 20_000
    z = latents(built["G"])
    x = built["G"](**z, **given)
    assert x.shape == (4, *IMAGE8.shape)
    total = x.sum()
    if "D" in built:
        verdict = built["D"](x, **given)
        assert verdict.logits.shape[0] == verdict.features.shape[0] == 4
        assert verdict.features.dim() == 2
        total = verdict.logits.sum() + verdict.features.sum()
    if "F" in built:
        verdict = built["F"](FeaturePyramid()(x), **given)
        assert verdict.logits.shape[0] == verdict.features.shape[0] == 4
        total = total + verdict.logits.sum() + verdict.features.sum()
    if "E" in built:
        mean, log_variance = built["E"](x, **given)
        assert mean.shape == log_variance.shape == z["z"].shape
        total = total + (mean + log_variance).sum()
    total.backward()
    unused = {id(p) for net in built.values() for part in UNUSED for p in getattr(net, part, nn.Module()).parameters()}
    assert all(p.grad is not None or id(p) in unused for p in built.parameters())


def made(architecture: Architecture) -> tuple[nn.ModuleDict, dict[str, torch.Tensor]]:
    """Networks for data with classes, and the conditions that they take."""
    built = architecture.build(IMAGE8._replace(conditions={"label": class_condition(3, (), (1 / 3,) * 3)}))
    return built, conditions(built["G"])


def latents(G: nn.Module) -> dict[str, torch.Tensor]:
    return {"z": torch.randn(4, int(G.z_dim))} if G.z_dim else {}


def conditions(G: nn.Module) -> dict[str, torch.Tensor]:
    """Values for the conditions that a generator of 8 px takes; a source is smaller by its scale."""
    torch.manual_seed(5)
    values = {"label": torch.arange(4) % 3, "mask": (torch.rand(4, 1, 8, 8) < 0.5).float()}
    if isinstance(G, SourceGenerator):
        values["source"] = torch.rand(4, IMAGE8.shape[0], 8 // G.scale, 8 // G.scale) * 2 - 1
    return {name: values[name] for name in G.conditions}  # type: ignore[union-attr]


@pytest.mark.parametrize("name", [name for name in ALL if "label" in made(ALL[name].smallest())[1]])
def test_a_class_is_a_mixture_of_one_and_between_two_there_is_another(name: str) -> None:
    built, given = made(ALL[name].smallest())
    torch.manual_seed(0)
    for parameter in built.parameters():  # those that start at 0, too
        parameter.data.normal_()
    G = built["G"].eval()
    one, inputs = one_hot(given["label"], 3).float(), given | latents(G)
    with torch.no_grad():
        assert torch.allclose(G(**inputs | {"label": one}), G(**inputs), atol=1e-5)
        assert not torch.allclose(G(**inputs | {"label": (one + one.roll(1, 1)) / 2}), G(**inputs), atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_without_labels_networks_that_need_them_say_so(name: str) -> None:
    smallest = ALL[name].smallest()
    if type(smallest) in NEEDING:
        with pytest.raises(GanvasError, match="need labels"):
            smallest.build(IMAGE8)
    else:
        G = smallest.build(IMAGE8)["G"]
        assert G(**latents(G), **conditions(G)).shape == (4, *IMAGE8.shape)


@pytest.mark.parametrize("name", ALL)
def test_the_same_seed_builds_the_same_networks(name: str) -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(made(ALL[name].smallest())[0].state_dict())
    assert all(torch.equal(a, b) for a, b in zip(states[0].values(), states[1].values(), strict=True))
