"""Whether it helps to begin with a network that has learned something else: two transfers between real sets.

python benchmarks/transfer.py [emoji] [sprites] [--source-minutes 10] [--minutes 3] [--runs DIR] [--table]

Noto's emoji at 64 px to a few hundred of OpenMoji's; all of Crossfire's sprites, monsters among them, to those of monsters.
Each target is trained on for the same minutes from nothing (by `auto`, and by the source's own recipe, augmented as a transfer
is), from the source, and from the source with D's first layers frozen. Scores are those of EfficientNet at 64 px against the
target's own pictures, some three hundred: look at KID and coverage. Wants `make data`.
"""

import argparse
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

import ganvas
from ganvas.extractors import EfficientNetLite0
from ganvas.pictures.table import draw_table, draw_tiles
from ganvas.runs.folder import RunFolder
from ganvas.training.transfer import start_recipe_from_run

KEPT, DRAWN = Path("benchmarks/results/transfer.jsonl"), Path("docs/images")
FROZEN = 2  # of D's layers
FEW = 600  # pictures of a target at most


class Pair(NamedTuple):
    """From where to where."""

    name: str
    source: str
    target: str


PAIRS = (Pair("emoji", "data/noto", "data/openmoji"), Pair("sprites", "data/crossfire", "data/crossfire/monster"))
COLUMNS = ("kid", "coverage", "precision", "recall", "density", "frechet")


def some(folder: Path, out: Path) -> Path:
    """A few hundred pictures of a folder, the same every time, in one without labels."""
    paths = sorted(folder.rglob("*.png"))
    return copied({path.name: path for path in random.Random(0).sample(paths, min(FEW, len(paths)))}, out)


def flat(folder: Path, out: Path) -> Path:
    """All pictures of a folder without its labels, which a target has none of."""
    return copied({f"{path.parent.name}-{path.name}": path for path in sorted(folder.rglob("*.png"))}, out)


def copied(files: dict[str, Path], out: Path) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    for name, path in files.items():
        if not (out / name).exists():
            shutil.copyfile(path, out / name)
    return out


def kept() -> list[dict[str, Any]]:
    return [json.loads(line) for line in KEPT.read_text().splitlines()] if KEPT.exists() else []


def markdown(rows: list[dict[str, Any]]) -> str:
    heads = ["target", "begun", "images", *COLUMNS]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        cells = [row["pair"], row["begun"], f"{row['images']:,}", *(f"{row['scores'][name]:.3g}" for name in COLUMNS)]
        lines.append(f"| {' | '.join(cells)} |")
    for pair in dict.fromkeys(row["pair"] for row in rows):
        floor = next(row["floor"] for row in rows if row["pair"] == pair)
        lines.append(f"| {pair} | *real* | | {' | '.join(f'*{floor[name]:.3g}*' for name in COLUMNS)} |")
    return "\n".join(lines)


def folder(got: argparse.Namespace, pair: Pair, begun: str) -> Path:
    """Of one run."""
    words = "".join(c if c.isalnum() else "-" for c in begun)
    return got.runs / f"{pair.name}-{words}-{got.source_minutes:g}-{got.minutes:g}"


def drawn(runs: dict[str, Path], out: Path, columns: int = 10) -> None:
    """A line of samples of each run."""
    lines = [(begun, RunFolder(path)) for begun, path in runs.items()]
    draw_table([[begun, *draw_tiles(run.read_codec(), torch.from_numpy(run.generate(columns)))] for begun, run in lines]).save(
        out
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="*", default=[pair.name for pair in PAIRS])
    parser.add_argument("--source-minutes", type=float, default=10.0)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--runs", type=Path, default=Path("runs/transfer"))
    parser.add_argument("--table", action="store_true", help="only print the table of what there is")
    got = parser.parse_args()
    for pair in () if got.table else [pair for pair in PAIRS if pair.name in got.pairs]:
        whole, target = (
            flat(Path(pair.source), got.runs / f"{pair.name}-all"),
            some(Path(pair.target), got.runs / f"{pair.name}-few"),
        )
        where = got.runs / f"{pair.name}-source-{got.source_minutes:g}"
        source = ganvas.train("auto", data=whole, minutes=got.source_minutes, out=where, quiet=True)
        begins: dict[str, dict[str, Any]] = {
            "from nothing": {"recipe": "auto"},
            "from nothing, the source's recipe": {"recipe": replace(start_recipe_from_run(source), start=None)},
            "from the source": {"source": source},
            f"D's first {FROZEN} frozen": {"source": source, "freeze_d": FROZEN},
        }
        for begun, settings in begins.items():
            line = {"pair": pair.name, "begun": begun, "minutes": got.minutes, "source_minutes": got.source_minutes}
            if any(line.items() <= row.items() for row in kept()):
                continue
            run = ganvas.train(**settings, data=target, minutes=got.minutes, out=folder(got, pair, begun), quiet=True)
            card = ganvas.evaluate(run, extractor=EfficientNetLite0(size=64))
            line |= {key: card[key] for key in ("images", "scores", "floor", "protocol")}
            with KEPT.open("a") as file:
                file.write(json.dumps(line) + "\n")
            print(pair.name, begun, card["samples"], card["scores"], flush=True)
        drawn({begun: folder(got, pair, begun) for begun in begins}, DRAWN / f"transfer-{pair.name}.png")
    print(markdown([row for row in kept() if (row["minutes"], row["source_minutes"]) == (got.minutes, got.source_minutes)]))


if __name__ == "__main__":
    main()
