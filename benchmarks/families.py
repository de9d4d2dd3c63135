"""Every recipe for the same minutes on the same data, one after another: the tables of docs/results.md.

python benchmarks/families.py [RECIPE …] [--data fashion data/crossfire] [--minutes 5] [--size PX] [--runs DIR] [--table]
    [--processor AVX512]

Each run is `ganvas train RECIPE --data DATA --minutes M` in a process of its own. Last and best are scored as the run scores
itself; the better one class by class, and once more with an extractor that has seen other pictures. Results are kept in
benchmarks/results/families.jsonl, walls of samples in docs/images/families; what this kind of processor has done already is
not done again, and tables are of one kind. Leave the machine alone meanwhile. `make data` fetches the sprites and the second
extractor.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from ganvas import api
from ganvas.api import Run
from ganvas.extractors import EfficientNetLite0
from ganvas.system.device import choose_device, describe_machine

PLAIN = ["gan", "gan_minimax", "dcgan_small", "lsgan", "ragan", "dragan", "wgan_small", "wgan_gp_small"]
LABELLED = ["cgan", "acgan", "projection", "sngan_small", "sagan_small", "biggan_small", "biggan_deep_small", "auto"]
GROWN = ["progan_small", "stylegan_small", "stylegan2_small", "stylegan3_small", "r3gan_small"]
BASELINES = ["autoencoder", "vae", "beta_vae", "vae_gan"]
RECIPES = PLAIN + LABELLED + GROWN + BASELINES
KEPT, WALLS = Path("benchmarks/results/families.jsonl"), Path("docs/images/families")
EMBEDDED = {"fashion": "fashion-embedded"}  # what the second extractor compares with: 60,000 pictures would take it long
COLUMNS = ["frechet", "kid", "precision", "recall", "density", "coverage"]


def title(data: str, size: int | None) -> str:
    return Path(data).name + (f"-{size}px" if size else "")


def trained(recipe: str, data: str, minutes: float, size: int | None, out: Path) -> Run:
    command = [sys.executable, "-m", "ganvas", "train", recipe, "--data", data, "--minutes", str(minutes), "--out", str(out)]
    command += ["--medium.size", str(size)] if size else []
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return api.load(out)


def row(run: Run, recipe: str, data: str, minutes: float, size: int | None) -> dict[str, Any]:
    """What a finished run is worth: cost, scores of last and best, each class, the second extractor."""
    log = [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()]
    final = [card for card in run.score_cards if card["kind"] == "final"]
    found: dict[str, Any] = {
        "recipe": recipe,
        "data": title(data, size),
        "minutes": minutes,
        "samples": log[-1]["samples"],
        "seconds": log[-1]["seconds"],
        "memory_mb": max(line["memory_mb"] for line in log),
        "machine": run.meta["environment"],
        "floor": final[-1]["floor"],
        "protocol": final[-1]["protocol"],
    }
    for card in final:
        for which in card["which"].split(", "):
            psnr = {key: card[key] for key in ("reconstruction_psnr",) if key in card}  # of autoencoders, dB
            found[which] = card["scores"] | {"samples": card["samples"]} | psnr
    if (run.path / "exhibits" / "classes.png").exists():
        found["classes"] = api.evaluate(run, per_class=True)["per_class"]
    second = api.evaluate(run, data=EMBEDDED.get(data), extractor=EfficientNetLite0(size=64), n=2000)
    return found | {"second": {key: second[key] for key in ("scores", "floor", "protocol")}}


def wall(run: Run, path: Path, rows: int = 4, columns: int = 12) -> None:
    """Samples of the better checkpoint, as a PNG; of a conditional generator, as its labels come."""
    images = run.generate(rows * columns, seed=0)
    pictures = [Image.fromarray(image.squeeze()) for image in images]
    size = pictures[0].width
    sheet = Image.new(pictures[0].mode, (columns * size, rows * size))
    for k, picture in enumerate(pictures):
        sheet.paste(picture, (k % columns * size, k // columns * size))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def kept(processor: str) -> dict[tuple[str, str, float], dict[str, Any]]:
    """What one kind of processor has done: minutes are worth several times as much on another."""
    lines = [json.loads(line) for line in KEPT.read_text().splitlines()] if KEPT.exists() else []
    own = [line for line in lines if line["machine"]["processor"] == processor]
    return {(line["recipe"], line["data"], line["minutes"]): line for line in own}


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: a line for the last and, where it is another, for the best checkpoint."""
    heads = ["recipe", "images", "images/s", "MB", *COLUMNS, "second: frechet", "coverage", "classes: best, worst"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    floor = [f"*{rows[0]['floor'].get(name, float('nan')):.3g}*" for name in COLUMNS]
    second = rows[0]["second"]["floor"]
    lines.append(f"| *real* | | | | {' | '.join(floor)} | *{second['frechet']:.3g}* | *{second['coverage']:.3g}* | |")
    for found in rows:
        same = found["last"] == found["best"]
        for which in ("best",) if same else ("last", "best"):
            scores = found[which]
            cells = [f"`{found['recipe']}`" + ("" if same else f", {which}"), f"{scores['images']:,}"]
            cells += [f"{found['images'] / found['seconds']:.0f}", f"{found['memory_mb']:.0f}"] if which == "best" else ["", ""]
            cells += [f"{scores[name]:.3g}" if name in scores else "–" for name in COLUMNS]
            cells += (
                [f"{found['second']['scores']['frechet']:.3g}", f"{found['second']['scores']['coverage']:.3g}", extremes(found)]
                if which == "best"
                else ["", "", ""]
            )
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def extremes(found: dict[str, Any]) -> str:
    classes = sorted(found.get("classes", {}).items(), key=lambda item: item[1]["scores"]["frechet"])
    if not classes:
        return "–"
    return ", ".join(f"{name} {card['scores']['frechet']:.2g}" for name, card in (classes[0], classes[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", default=RECIPES)
    parser.add_argument("--data", nargs="+", default=["fashion", "data/crossfire"])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--size", type=int, help="pixels, where not the recipe's own")
    parser.add_argument("--runs", type=Path, default=Path("runs/families"))
    parser.add_argument("--table", action="store_true", help="only print the tables of what there is")
    here = str(describe_machine(choose_device("auto"))["processor"])
    parser.add_argument("--processor", default=here, help="whose tables, with --table")
    got = parser.parse_args()
    for data in got.data:
        named = title(data, got.size)
        for recipe in [] if got.table else got.recipes:
            if (recipe, named, got.minutes) in kept(here):
                continue
            name = f"{recipe}-{named}-{got.minutes:g}-{here.lower().replace(' ', '-')}"
            run = trained(recipe, data, got.minutes, got.size, got.runs / name)
            found = row(run, recipe, data, got.minutes, got.size)
            with KEPT.open("a") as file:
                file.write(json.dumps(found) + "\n")
            wall(run, WALLS / f"{name}.png")
            if (run.path / "exhibits" / "reconstructions.png").exists():
                shutil.copyfile(run.path / "exhibits" / "reconstructions.png", WALLS / f"{name}-reconstructions.png")
            print(name, found["samples"], {k: round(v, 3) for k, v in found["best"].items()}, flush=True)
        own = kept(got.processor if got.table else here)
        rows = [found for (_, where, minutes), found in own.items() if (where, minutes) == (named, got.minutes)]
        if rows:
            print(f"\n{named}, {got.minutes:g} minutes\n\n{table(rows)}\n")


if __name__ == "__main__":
    main()
