"""A package of a stranger's: edges into pictures and pictures into edges, by two generators and two patch critics.

Zhu et al. 2017 (CycleGAN), in the smallest form that has all of its parts.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor, nn

import ganvas
from ganvas.core import (
    NO_REQUEST,
    Batch,
    Clock,
    Codec,
    CriticOutput,
    Exhibit,
    Features,
    GeneratorNetwork,
    Items,
    Latents,
    Nets,
    Phase,
    RealFeatures,
    Request,
    Spec,
    Stage,
    Traits,
    Turn,
)  # fmt: skip
from ganvas.data import Columns, ItemList
from ganvas.extractors import Pixels
from ganvas.losses import LeastSquares
from ganvas.media import Image, ImageCodec
from ganvas.methods.latents import build_condition_draws, draw_conditions
from ganvas.optim import Adam, ClipGradients
from ganvas.recipe import Evaluation, Judge, Recipe, Train
from ganvas.runs.exhibits import exhibit_samples

PICTURES = Path(__file__).parents[2] / "data" / "fashion_test_200.npz"


def find_edges(picture: np.ndarray) -> np.ndarray:
    """uint8 [H, W] -> uint8 [H, W], white on black."""
    down, right = np.gradient(picture.astype(float))
    return np.clip(np.hypot(down, right), 0, 255).astype(np.uint8)


@ganvas.config
class EdgePairs:
    """Pictures of an .npz file, each with its edges."""

    path: str = str(PICTURES)

    def items(self, suffixes: tuple[str, ...]) -> ItemList:
        with np.load(self.path, allow_pickle=False) as file:
            pictures = file["images"][..., 0]

        def read_pair(index: int) -> Mapping[str, np.ndarray]:
            return {"x": pictures[index], "source": find_edges(pictures[index])}

        return ItemList([str(k) for k in range(len(pictures))], read_pair, f"edges {len(pictures)}", "pairs of edges")

    def held_out(self, suffixes: tuple[str, ...]) -> None:
        return None


@ganvas.config
class PictureCondition:
    """To be made of a picture: gray [1, S, S]."""

    side: int
    examples: tuple[tuple[float, ...], ...]
    names: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return "picture"

    @property
    def size(self) -> int:
        return self.side**2

    def parse(self, text: str) -> Tensor:
        if not Path(text).is_file():
            raise ganvas.GanvasError(f"{text!r} is no picture: give the path of one")
        codec = ImageCodec(size=self.side, channels=1)
        return codec.load(torch.as_tensor(codec.encode(Path(text).read_bytes()).copy())[None], None)[0]

    def draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        rows = torch.tensor(self.examples).view(-1, 1, self.side, self.side)
        return rows[torch.randint(len(rows), (n,), generator=generator)]

    def describe(self) -> str:
        return f"a picture of {self.side} px"


@ganvas.config
class SourceCodec:
    """Pictures that others are made of."""

    image: ImageCodec

    @property
    def spec(self) -> Spec:
        return self.image.spec

    medium, noun, is_visual, preview_count = "image", "pictures", True, 16

    def protocol(self) -> Mapping[str, str]:
        return {}

    def encode(self, item: np.ndarray) -> np.ndarray:
        return self.image.encode(item)

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        return self.image.load(stored, generator)

    def store(self, x: Tensor) -> Tensor:
        return self.image.store(x)

    def preview(self, stored: Tensor) -> Pillow.Image:
        return self.image.preview(stored)

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        return self.image.write(stored, folder, start, metadata)

    def derive_condition(self, stored: Tensor) -> PictureCondition:
        rows = self.load(stored[:16], None).flatten(1).tolist()
        return PictureCondition(side=self.image.size, examples=tuple(map(tuple, rows)))


@ganvas.config
class SourceImage:
    """Gray pictures that others are made of."""

    side: int = 8
    suffixes: tuple[str, ...] = ()

    def fit(self, items: Items) -> SourceCodec:
        return SourceCodec(image=ImageCodec(size=self.side, channels=1))


class Translator(GeneratorNetwork):
    """source [N, 1, S, S] -> x [N, 1, S, S]."""

    conditions = ("source",)

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, width, 3, 1, 1), nn.ReLU(), nn.Conv2d(width, 1, 3, 1, 1), nn.Tanh())

    def forward(self, source: Tensor) -> Tensor:
        return self.layers(source)


class PatchCritic(nn.Module):
    """x [N, 1, S, S] -> logits [N, 1, S/2, S/2]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(1, width, 4, 2, 1), nn.Conv2d(width, 1, 3, 1, 1)

    def forward(self, x: Tensor) -> CriticOutput:
        h = nn.functional.leaky_relu(self.first(x), 0.2)
        return CriticOutput(self.last(h), h.mean((2, 3)))


@ganvas.config
class TwoWay:
    width: int = 8

    def build(self, spec: Spec) -> nn.ModuleDict:
        translators = {"A2B": Translator(self.width), "B2A": Translator(self.width)}
        return nn.ModuleDict({**translators, "DA": PatchCritic(self.width), "DB": PatchCritic(self.width)})

    def smallest(self) -> "TwoWay":
        return TwoWay(width=2)


@ganvas.config
class Cycle:
    """Least squares on patches both ways, and ‖B2A(A2B(a)) - a‖₁ and back. Eqs. 1 to 3."""

    cycle_weight: float = 10.0
    averaged_networks: tuple[str, ...] = ("A2B",)

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        return nn.ModuleDict(build_condition_draws(spec))

    def traits(self, nets: Nets) -> Traits:
        return Traits(generator="A2B", critics=("DA", "DB"), conditions=("source",), latent=None)

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return Stage("cycle", (Phase("G", ("A2B", "B2A"), self.play_g), Phase("D", ("DA", "DB"), self.play_d)))

    def draw_latents(self, nets: Nets, n: int, generator: torch.Generator, request: Request = NO_REQUEST) -> Latents:
        return draw_conditions(nets, ("source",), n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return nets["A2B"](**latents)

    def play_g(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        a, b, loss = batch["source"], batch["x"], LeastSquares()
        fake_b, fake_a = nets["A2B"](a), nets["B2A"](b)
        cycle = (nets["B2A"](fake_b) - a).abs().flatten(1).mean(1) + (nets["A2B"](fake_a) - b).abs().flatten(1).mean(1)
        terms = {"G/B": loss.g(nets["DB"](fake_b).logits, lambda: b), "G/A": loss.g(nets["DA"](fake_a).logits, lambda: a)}
        return Turn({**terms, "G/cycle": self.cycle_weight * cycle}, {"fake_a": fake_a.detach(), "fake_b": fake_b.detach()})

    def play_d(self, nets: Nets, batch: Batch, clock: Clock) -> Turn:
        pairs = {"DA": (batch["source"], batch["fake_a"]), "DB": (batch["x"], batch["fake_b"])}
        return Turn({f"{D}/patches": LeastSquares().d(nets[D](r).logits, nets[D](f).logits) for D, (r, f) in pairs.items()})

    def exhibits(self, nets: Nets, codec: Codec, columns: Batch) -> Sequence[Exhibit]:
        source = columns["source"][:8]
        with torch.inference_mode():
            result = codec.store(nets["A2B"](codec.load(source, None).to(next(nets.parameters()).device)))
        rows = torch.cat([source.cpu(), result])
        return [exhibit_samples(codec, "translations", "Held-out edges, and what is made of them", rows)]


@ganvas.config
class SourceAgreement:
    """The mean correlation of a sample's edges with those that it was to have."""

    against: str = "held-out"
    samples: int | None = None

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"agreement": False}

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        side = fake.conditions["source"].shape[-1]
        pictures = fake.features.reshape(-1, side, side)
        wanted = fake.conditions["source"].reshape(len(pictures), -1)
        edges = np.stack([np.hypot(*np.gradient(picture)).ravel() for picture in pictures])
        pairs = zip(edges - edges.mean(1, keepdims=True), wanted - wanted.mean(1, keepdims=True), strict=True)
        return {"agreement": float(np.mean([a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9) for a, b in pairs]))}


def recipe() -> Recipe:
    """Edges into pictures of clothes."""
    adam = ClipGradients(optimiser=Adam(lr=1e-3), max_norm=10.0)
    return Recipe(
        name="pair_translator",
        data=EdgePairs(),
        medium=Columns(media={"x": Image(size=8), "source": SourceImage(side=8)}),
        nets=TwoWay(),
        method=Cycle(),
        optim=dict.fromkeys(("A2B", "B2A", "DA", "DB"), adam),
        train=Train(samples=240, batch=8, ema_kimg=0.05, snapshots=2),
        evaluation=Evaluation(
            judges=(Judge(extractor=Pixels(), metrics=(SourceAgreement(),)),), samples=60, snapshot_samples=20
        ),
    )
