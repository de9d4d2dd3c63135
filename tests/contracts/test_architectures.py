"""Every architecture, found by itself: builds, plays, keeps to its smallest size."""

import pytest
import torch
from torch import nn
from torch.nn.functional import one_hot

from ganvas import nets
from ganvas.configuration import from_json, to_json
from ganvas.core import Architecture, CriticOutput, Spec
from ganvas.errors import GanvasError
from ganvas.methods import FeaturePyramid
from ganvas.nets.translation import draw_places
from small_recipes import (
    IMAGE8,
    LETTERS,
    ROW,
    WINDOW,
    WINDOW_OF_STATICS,
    class_condition,
    components,
    image_condition,
    text_condition,
)

ALL = components(nets, "build", "smallest")
NEEDS_LABELS = (nets.Concatenation, nets.AuxiliaryClassifier, nets.Projection, nets.StarGAN)
UNUSED = ("classify", "to_image", "from_image")  # a classifier that D does not play itself; images of other sizes
TEXT = text_condition()
VALUES = {
    "label": torch.arange(4) % 3,
    "source": torch.linspace(-1, 1, 4 * 2 * 64).view(4, 2, 8, 8),
    "text": TEXT.draw(4, torch.Generator().manual_seed(0)),
}
CONDITIONS = {
    "label": class_condition(3, (), (1 / 3,) * 3),
    "source": image_condition(VALUES["source"].shape[1:]),
    "text": TEXT,
}


@pytest.mark.parametrize("name", ALL)
def test_contract(name: str) -> None:
    architecture = ALL[name]
    assert from_json(to_json(architecture)) == architecture
    smallest = architecture.smallest()
    assert smallest.smallest() == smallest
    built, given = made(smallest)
    assert sum(p.numel() for p in built.parameters()) < 20_000
    z = torch.randn(4, int(built["G"].z_dim))
    x = render(built, given | latent(built, z))
    assert x.shape == (4, *spec_for(smallest).shape)
    total = x.sum()
    if isinstance(smallest, nets.TokenGRUs):  # draws have no gradient, but their probabilities do
        scores, verdict = built["G"].score_tokens(built["G"].layout.read_tokens(x)), built["D"](x)
        assert scores.log_probabilities.shape == scores.entropies.shape == verdict.logits.shape == x.shape[:2]
        total = scores.log_probabilities.sum() + verdict.logits.sum() + verdict.features.sum()
    elif "embedder" in built:
        verdict = built["D"](built["embedder"](x))
        assert verdict.logits.shape == (4, x.shape[1])
        total = total + verdict.logits.sum()
    elif "D" in built:
        total = judged(built["D"](x, **given), has_patches="source" in given)
    if "D_statics" in built:
        total = total + judged(built["D_statics"](x), has_patches=False)
    if "F" in built:
        verdict = built["F"](FeaturePyramid()(x), **given)
        assert verdict.logits.shape[0] == verdict.features.shape[0] == 4
        total = total + verdict.logits.sum() + verdict.features.sum()
    if "E" in built:
        mean, log_variance = built["E"](x, **given)
        assert mean.shape == log_variance.shape == z.shape
        total = total + (mean + log_variance).sum()
    if "G_reverse" in built:
        source = built["G_reverse"](x)
        assert source.shape == given["source"].shape
        total = total + source.sum() + judged(built["D_reverse"](source), has_patches=True)
    if "H" in built:
        features = built["G"].extract_features(given["source"], built["H"].names)
        points = built["H"](features, draw_places(features, 3))
        assert {name: value.shape[:2] for name, value in points.items()} == dict.fromkeys(built["H"].names, (4, 3))
        total = total + sum(value.sum() for value in points.values())
    total.backward()
    unused = {id(p) for net in built.values() for part in UNUSED for p in getattr(net, part, nn.Module()).parameters()}
    assert all(p.grad is not None or id(p) in unused for p in built.parameters())


def spec_for(architecture: Architecture) -> Spec:
    """Small pictures; rows or windows for networks that make such."""
    if isinstance(architecture, (nets.WindowConvolutions, nets.SeriesGRUs)):
        return WINDOW
    if isinstance(architecture, nets.DoppelGANger):
        return WINDOW_OF_STATICS
    if isinstance(architecture, nets.TokenGRUs):
        return LETTERS
    return ROW if isinstance(architecture, (nets.RowPerceptrons, nets.RowShares, nets.PublicRowPerceptrons)) else IMAGE8


def render(built: nn.ModuleDict, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """Samples. Some generators make embeddings, which further networks recover samples from."""
    x = built["G"](**inputs)
    return built["recovery"](built["supervisor"](x)) if "recovery" in built else x


def judged(verdict: CriticOutput, has_patches: bool) -> torch.Tensor:
    """A critic's logits, one a sample or one a patch, and its features, summed."""
    assert verdict.logits.shape == ((4, 1, *verdict.logits.shape[2:]) if has_patches else (4,))
    assert verdict.logits.dim() == (4 if has_patches else 1)
    assert verdict.features.shape[0] == 4
    assert verdict.features.dim() == 2
    return verdict.logits.sum() + verdict.features.sum()


def made(architecture: Architecture) -> tuple[nn.ModuleDict, dict[str, torch.Tensor]]:
    """Networks for data with classes and source images, and what they take of them."""
    built = architecture.build(spec_for(architecture)._replace(conditions=CONDITIONS))
    return built, {name: VALUES[name] for name in built["G"].conditions}


def latent(built: nn.ModuleDict, z: torch.Tensor) -> dict[str, torch.Tensor]:
    """What G takes beside its conditions: z, its draws, or nothing."""
    draws = int(built["G"].draw_count)
    return {"z": z} if built["G"].z_dim else {"u": torch.rand(len(z), draws)} if draws else {}


@pytest.mark.parametrize("name", [name for name in ALL if "label" in made(ALL[name].smallest())[1]])
def test_a_class_is_a_mixture_of_one_and_between_two_there_is_another(name: str) -> None:
    built, given = made(ALL[name].smallest())
    torch.manual_seed(0)
    for parameter in built.parameters():  # those that start at 0, too
        parameter.data.normal_()
    G, one = built["G"].eval(), one_hot(given["label"], 3).float()
    inputs = given | latent(built, torch.randn(4, int(built["G"].z_dim)))
    with torch.no_grad():
        assert torch.allclose(G(**inputs | {"label": one}), G(**inputs), atol=1e-5)
        assert not torch.allclose(G(**inputs | {"label": (one + one.roll(1, 1)) / 2}), G(**inputs), atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_without_conditions_networks_that_need_them_say_so(name: str) -> None:
    smallest = ALL[name].smallest()
    needs_labels, given = type(smallest) in NEEDS_LABELS, made(smallest)[1]
    if needs_labels or {"source", "text"} & given.keys():
        refusal = "need labels" if needs_labels else "needs a source image" if "source" in given else "has no captions"
        with pytest.raises(GanvasError, match=refusal):
            smallest.build(IMAGE8)
    else:
        built = smallest.build(spec_for(smallest))
        assert render(built, latent(built, torch.randn(4, int(built["G"].z_dim)))).shape == (4, *spec_for(smallest).shape)


@pytest.mark.parametrize("name", ALL)
def test_the_same_seed_builds_the_same_networks(name: str) -> None:
    states = []
    for _ in range(2):
        torch.manual_seed(3)
        states.append(made(ALL[name].smallest())[0].state_dict())
    assert all(torch.equal(a, b) for a, b in zip(states[0].values(), states[1].values(), strict=True))
