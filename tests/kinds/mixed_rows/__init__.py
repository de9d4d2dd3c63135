"""A package of a stranger's: rows of mixed types, a word and two numbers each, made for a kind that is asked for."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image as Pillow
from torch import Tensor

import ganvas
from ganvas.core import Exhibit, Features, Field, Items, RealFeatures, Spec
from ganvas.data import Balanced, ItemList
from ganvas.extractors import Coordinates
from ganvas.losses import R1
from ganvas.methods import Adversarial
from ganvas.nets import MLP, Concatenation
from ganvas.optim import Adam
from ganvas.recipe import Evaluation, Judge, Recipe, Train

PICTURES = Path(__file__).parents[2] / "data" / "fashion_test_200.npz"
KINDS = ("top", "trouser", "shoe", "bag")
CLASSES = (0, 1, 0, 0, 0, 2, 0, 2, 3, 2)  # the kind of each class of clothes


@ganvas.config
class Measurements:
    """What can be measured of pictures of clothes: a kind, how bright it is, how many pixels wide."""

    path: str = str(PICTURES)

    def items(self, suffixes: tuple[str, ...]) -> ItemList:
        with np.load(self.path, allow_pickle=False) as file:
            pictures, classes = file["images"][..., 0], file["labels"]
        kinds = np.array([CLASSES[k] for k in classes])

        def read_row(index: int) -> Mapping[str, object]:
            picture = pictures[index]
            wide = int((picture > 32).any(0).sum())
            return {"kind": KINDS[kinds[index]], "brightness": float(picture.mean()), "width": wide}

        names = [f"row {k}" for k in range(len(pictures))]
        return ItemList(names, read_row, f"measurements {len(names)}", "measurements of clothes", kinds, KINDS)

    def held_out(self, suffixes: tuple[str, ...]) -> None:
        return None


@ganvas.config
class RowCodec:
    """(kind, brightness, width) as [N, 6]: one of four, and two numbers about 0."""

    middle: tuple[float, ...]
    spread: tuple[float, ...]
    medium, noun, is_visual, preview_count = "table", "rows", False, 8

    @property
    def spec(self) -> Spec:
        return Spec((6,), (Field("kind", 4, "categorical"), Field("brightness", 1), Field("width", 1)), {})

    def protocol(self) -> Mapping[str, str]:
        return {}

    def encode(self, item: Mapping[str, object]) -> np.ndarray:
        numbers = (np.array([item["brightness"], item["width"]], float) - self.middle) / self.spread
        return np.concatenate([np.eye(4)[KINDS.index(str(item["kind"]))], numbers]).astype(np.float32)

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        return stored

    def store(self, x: Tensor) -> Tensor:
        one_of = torch.nn.functional.one_hot(x[:, :4].argmax(1), 4)
        return torch.cat([one_of.to(x.dtype), x[:, 4:]], 1).float().cpu()

    def decode(self, stored: Tensor) -> list[list[str]]:
        numbers = stored[:, 4:].numpy() * self.spread + self.middle
        pairs = zip(stored[:, :4].argmax(1).tolist(), numbers, strict=True)
        return [[KINDS[k], f"{brightness:.1f}", f"{round(width)}"] for k, (brightness, width) in pairs]

    def preview(self, stored: Tensor) -> Pillow.Image:
        return Pillow.fromarray((stored.clamp(0, 1) * 255).byte().numpy()).resize((60, 10 * len(stored)))

    def format_csv(self, stored: Tensor, head: bool) -> str:
        text = io.StringIO()
        csv.writer(text).writerows([*([["kind", "brightness", "width"]] if head else []), *self.decode(stored)])
        return text.getvalue()

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "rows.csv").open("a" if start else "w", encoding="utf-8", newline="") as file:
            file.write(self.format_csv(stored, head=not start))
        (folder / "PROVENANCE.txt").write_text("\n".join(f"{k}: {v}" for k, v in metadata.items()), encoding="utf-8")
        return [folder / "rows.csv"]

    def exhibit(self, name: str, caption: str, stored: Tensor) -> Exhibit:
        return Exhibit(name, caption, ".csv", self.format_csv(stored, head=True).encode())


@ganvas.config
class Rows:
    suffixes: tuple[str, ...] = ()

    def fit(self, items: Items) -> RowCodec:
        numbers = np.array([[items[k]["brightness"], items[k]["width"]] for k in range(len(items))])
        return RowCodec(middle=tuple(numbers.mean(0).tolist()), spread=tuple(numbers.std(0).tolist()))


@ganvas.config
class RightKind:
    """The share of rows that are of the kind that was asked for."""

    against: str = "train"
    samples: int | None = None

    @property
    def lower_is_better(self) -> Mapping[str, bool]:
        return {"right_kind": False}

    def __call__(self, real: RealFeatures, fake: Features) -> dict[str, float]:
        return {"right_kind": float((fake.features[:, :4].argmax(1) == fake.conditions["label"]).mean())}


def recipe() -> Recipe:
    """Rows of clothes, all kinds as often in training."""
    adam = Adam(lr=2e-3, betas=(0.0, 0.99))
    return Recipe(
        name="mixed_rows",
        data=Measurements(),
        medium=Rows(),
        nets=Concatenation(nets=MLP(z_dim=4, g_hidden=(32,), d_hidden=(32,), batch_norm=False, tanh=False)),
        method=Adversarial(penalties=(R1(gamma=0.1),)),
        optim={"G": adam, "D": adam},
        train=Train(samples=240, batch=8, snapshots=2),
        evaluation=Evaluation(
            judges=(Judge(extractor=Coordinates(), metrics=(RightKind(),)),), samples=60, snapshot_samples=20
        ),
        batches=Balanced(),
    )
