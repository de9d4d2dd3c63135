"""A package of a stranger's: pictures from sentences, D shown wrong sentences as well. Reed et al. 2016, algorithm 1."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor, nn
from torch.nn.functional import softplus

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
    LossInputs,
    Nets,
    RealFeatures,
    Request,
    Spec,
    Stage,
    Traits,
)  # fmt: skip
from ganvas.data import Columns, ItemList
from ganvas.extractors import Pixels
from ganvas.media import Image
from ganvas.methods import Adversarial
from ganvas.optim import Adam
from ganvas.recipe import Evaluation, Judge, Recipe, Train

PICTURES = Path(__file__).parents[2] / "data" / "fashion_test_200.npz"
NOUNS = ("shirt", "trouser", "pullover", "dress", "coat", "sandal", "blouse", "sneaker", "bag", "boot")
WORDS = 12  # numbers of a sentence


def embed_sentence(text: str) -> list[float]:
    """Words in any order, as a vector: each adds 1 or -1 at a place of its own."""
    vector = [0.0] * WORDS
    for word in text.lower().split():
        code = blake2b(word.encode(), digest_size=2).digest()
        vector[code[0] % WORDS] += 1.0 if code[1] % 2 else -1.0
    return vector


@ganvas.config
class Captioned:
    """Pictures of an .npz file, each with a sentence: "a dark coat"."""

    path: str = str(PICTURES)

    def items(self, suffixes: tuple[str, ...]) -> ItemList:
        with np.load(self.path, allow_pickle=False) as file:
            pictures, classes = file["images"][..., 0], file["labels"]

        def read_captioned(index: int) -> Mapping[str, object]:
            shade = "bright" if pictures[index].mean() > 75 else "dark"
            return {"x": pictures[index], "text": f"a {shade} {NOUNS[classes[index]]}"}

        return ItemList(
            [str(k) for k in range(len(pictures))], read_captioned, f"captions {len(pictures)}", "captioned clothes"
        )

    def held_out(self, suffixes: tuple[str, ...]) -> None:
        return None


@ganvas.config
class SentenceCondition:
    """To be as a sentence says."""

    examples: tuple[tuple[float, ...], ...]
    names: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return "text"

    @property
    def size(self) -> int:
        return WORDS

    def parse(self, text: str) -> Tensor:
        if not text.split():
            raise ganvas.GanvasError("a sentence has words: give one, such as text='a dark coat'")
        return torch.tensor(embed_sentence(text))

    def draw(self, n: int, generator: torch.Generator | None) -> Tensor:
        rows = torch.tensor(self.examples)
        return rows[torch.randint(len(rows), (n,), generator=generator)]

    def describe(self) -> str:
        return "a sentence"


@ganvas.config
class SentenceCodec:
    medium, noun, is_visual, preview_count = "text", "sentences", False, 8

    @property
    def spec(self) -> Spec:
        return Spec((WORDS,), (), {})

    def protocol(self) -> Mapping[str, str]:
        return {}

    def encode(self, item: str) -> np.ndarray:
        return np.array(embed_sentence(item), np.float32)

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        return stored

    def store(self, x: Tensor) -> Tensor:
        return x.cpu()

    def preview(self, stored: Tensor) -> Pillow.Image:
        return Pillow.new("L", (8, 8))

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        raise ganvas.GanvasError("sentences are not written")

    def derive_condition(self, stored: Tensor) -> SentenceCondition:
        return SentenceCondition(examples=tuple(map(tuple, stored[:64].tolist())))


@ganvas.config
class Sentences:
    suffixes: tuple[str, ...] = ()

    def fit(self, items: Items) -> SentenceCodec:
        return SentenceCodec()


class Painter(GeneratorNetwork):
    """z [N, z_dim], text [N, WORDS] -> x [N, 1, 8, 8]."""

    conditions = ("text",)

    def __init__(self, z_dim: int, width: int) -> None:
        super().__init__()
        self.z_dim = z_dim
        self.layers = nn.Sequential(nn.Linear(z_dim + WORDS, width), nn.ReLU(), nn.Linear(width, 64), nn.Tanh())

    def forward(self, z: Tensor, text: Tensor) -> Tensor:
        return self.layers(torch.cat([z, text], 1)).view(-1, 1, 8, 8)


class Reader(nn.Module):
    """x [N, 1, 8, 8], text [N, WORDS] -> whether they are real and go together."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(64 + WORDS, width), nn.Linear(width, 1)

    def forward(self, x: Tensor, text: Tensor) -> CriticOutput:
        h = nn.functional.leaky_relu(self.first(torch.cat([x.flatten(1), text], 1)), 0.2)
        return CriticOutput(self.last(h).squeeze(1), h)


@ganvas.config
class PainterAndReader:
    z_dim: int = 8
    width: int = 64

    def build(self, spec: Spec) -> nn.ModuleDict:
        return nn.ModuleDict({"G": Painter(self.z_dim, self.width), "D": Reader(self.width)})

    def smallest(self) -> "PainterAndReader":
        return PainterAndReader(z_dim=2, width=4)


@ganvas.config
class MismatchedSentences:
    """D calls a real picture under another's sentence a fake."""

    weight: float = 0.5
    trains: tuple[str, ...] = ("D",)

    def state(self, nets: Nets) -> None:
        return None

    def term(self, inputs: LossInputs) -> Tensor:
        others = inputs.batch["text"].roll(1, 0)
        return self.weight * softplus(inputs.critic(inputs.real().x, {"text": others}).logits)

    def after(self, player: str, nets: Nets, statistics: Mapping[str, Tensor], clock: Clock) -> None:
        pass


@ganvas.config
class WithSentences:
    """A game, and a page of what it makes of some sentences."""

    game: Adversarial
    sentences: tuple[str, ...] = ("a dark coat", "a bright boot")
    averaged_networks: tuple[str, ...] = ("G",)

    def state(self, spec: Spec, nets: Nets) -> nn.ModuleDict:
        return self.game.state(spec, nets)

    def traits(self, nets: Nets) -> Traits:
        return self.game.traits(nets)

    def stage(self, nets: Nets, clock: Clock) -> Stage:
        return self.game.stage(nets, clock)

    def draw_latents(self, nets: Nets, n: int, generator: torch.Generator, request: Request = NO_REQUEST) -> Latents:
        return self.game.draw_latents(nets, n, generator, request)

    def render(self, nets: Nets, latents: Latents) -> Tensor:
        return self.game.render(nets, latents)

    def exhibits(self, nets: Nets, codec: Codec, columns: Batch) -> Sequence[Exhibit]:
        lines: list[str] = []
        for sentence in self.sentences:
            request = Request({"text": torch.tensor(embed_sentence(sentence))})
            with torch.inference_mode():
                x = self.render(nets, self.draw_latents(nets, 4, torch.Generator().manual_seed(0), request))
            lines.append(f"{sentence}: mean {float(x.mean()):+.2f}")
        return [Exhibit("sentences", "How bright pictures of some sentences are", ".txt", "\n".join(lines).encode())]


@ganvas.config
class ShadeAgreement:
    """The correlation of a picture's brightness with that of the real pictures of its sentence."""

    against: str = "train"
    samples: int | None = None

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"shade": False}

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        brightness: dict[bytes, list[float]] = {}
        for text, features in zip(real.reference.conditions["text"], real.reference.features, strict=True):
            brightness.setdefault(text.astype(np.float32).tobytes(), []).append(float(features.mean()))
        texts = [text.astype(np.float32).tobytes() for text in fake.conditions["text"]]
        pairs = [(np.mean(brightness[t]), f.mean()) for t, f in zip(texts, fake.features, strict=True) if t in brightness]
        return {"shade": float(np.corrcoef(np.array(pairs).T)[0, 1])}


def recipe() -> Recipe:
    """Clothes from sentences."""
    adam = Adam(lr=1e-3, betas=(0.0, 0.99))
    return Recipe(
        name="captioned_pictures",
        data=Captioned(),
        medium=Columns(media={"x": Image(size=8), "text": Sentences()}),
        nets=PainterAndReader(),
        method=WithSentences(game=Adversarial(auxiliary_losses=(MismatchedSentences(),))),
        optim={"G": adam, "D": adam},
        train=Train(samples=240, batch=8, snapshots=2),
        evaluation=Evaluation(
            judges=(Judge(extractor=Pixels(), metrics=(ShadeAgreement(),)),), samples=60, snapshot_samples=20
        ),
    )
