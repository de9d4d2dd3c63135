"""What trained generators can be made to do, in pictures: docs/images/gallery, for docs/gallery.md.

python benchmarks/gallery.py RUN [RUN …] [--picture FILE]

Each tool on each run that it fits; a picture that is there is made anew. `--picture` is projected.
"""

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from PIL import Image

import ganvas
from ganvas.errors import GanvasError
from ganvas.methods import Progressive
from ganvas.pictures.table import Cell, draw_table
from ganvas.runs.folder import RunFolder

OUT = Path("docs/images/gallery")


def growth(run: RunFolder, out: Path, lines: int = 8) -> None:
    """The same latents while networks grew: the first row of some of the run's pictures, under their images seen."""
    if not isinstance(run.recipe.method, Progressive):
        raise GanvasError("its networks did not grow")
    paths = sorted((run.path / "samples").glob("*.png"))
    chosen = dict.fromkeys(paths[round(k * (len(paths) - 1) / (lines - 1))] for k in range(lines))
    rows: list[list[Cell]] = []
    for path in chosen:
        with Image.open(path) as picture:
            side = math.ceil(run.read_codec().preview_count ** 0.5)
            strip = picture.convert("RGB").crop((0, 0, picture.width, picture.height // side))
        rows.append([f"{int(path.stem):,}", strip])
    out.parent.mkdir(parents=True, exist_ok=True)
    draw_table(rows).save(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    got = parser.parse_args()
    for path in got.runs:
        run = RunFolder(path)

        def to(tool: str, path: Path = path) -> Path:
            return OUT / f"{path.name}-{tool}.{'gif' if tool == 'film' else 'png'}"

        tools: dict[str, Callable[[Path], object]] = {
            "interpolate": lambda out, run=run: ganvas.interpolate(run, "0-3", frames=8, loop=False, out=out),
            "film": lambda out, run=run: ganvas.interpolate(run, "0-3", frames=10, rate=10, out=out),
            "mix": lambda out, run=run: ganvas.mix(run, out=out),
            "sefa": lambda out, run=run: ganvas.directions(run, "sefa", count=4, out=out),
            "pca": lambda out, run=run: ganvas.directions(run, "pca", count=4, out=out),
            "labels": lambda out, run=run: ganvas.directions(run, "labels", seeds="0", out=out),
            "growth": lambda out, run=run: growth(run, out),
            "nearest": lambda out, run=run: ganvas.nearest(run, "0-7", out=out),
        }
        for tool, make in tools.items():
            try:
                make(to(tool))
                print(to(tool))
            except GanvasError as error:
                print(f"{path.name}: no {tool}: {error}")
        if got.picture:
            folder = path / "gallery"
            found = ganvas.project(run, got.picture, steps=got.steps, tune=100, out=folder)
            to("project").write_bytes((folder / "before-after.png").read_bytes())
            print(to("project"), *(f"RMS error {one.error:.3f}" for one in found))


if __name__ == "__main__":
    main()
