"""Several things at once, beside each of them alone: the same networks and minutes. Prints a table for docs/results.md.

python benchmarks/together.py DATA COLUMNS [MINUTES] [OUT] [SIZE]
    python benchmarks/together.py fashion-embedded image,class 10
    python benchmarks/together.py data/captions/avatars image,attributes,caption 10 runs/avatars 32

SIZE of pictures is that of the data if it is not given. Words alone train three minutes at most, which are many samples.
Runs that are there already are read, not trained again. The pairing has no column "alone": its floor is that of real samples.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import ganvas
from ganvas.data.described_pictures import DescribedPictures
from ganvas.media import Together
from ganvas.recipe import Recipe
from ganvas.recipes import find_recipe
from ganvas.recipes.choosing.by_parts import drop_idle_critics

PARTS = {"image": "image", "class": "table", "attributes": "table", "caption": "caption"}  # the part of x of each column
WORD_MINUTES = 3.0  # at most, for columns without a picture
PROBES = 500  # pictures that are given, to name what describes them


def build_recipe(columns: tuple[str, ...], size: int | None) -> Recipe:
    recipe = find_recipe("together")
    data, medium = recipe.data, recipe.medium
    assert isinstance(data, DescribedPictures)
    assert isinstance(medium, Together)
    medium = medium if size is None else replace(medium, image=replace(medium.image, size=size))
    recipe = replace(recipe, data=replace(data, columns=columns), medium=medium)
    return drop_idle_critics(recipe, "image" in columns, columns != ("image",))


def train_columns(columns: tuple[str, ...], data: str, minutes: float, out: Path, size: int | None) -> dict[str, Any]:
    """The last final card of a run with these columns, with each score under the part that it judges: "image-.../frechet"."""
    minutes = minutes if "image" in columns else min(minutes, WORD_MINUTES)
    run = ganvas.train(build_recipe(columns, size), data=data, minutes=minutes, out=out / "-".join(columns))
    card = [card for card in run.score_cards if card["kind"] == "final"][-1]
    word = run.recipe.evaluation.judges[0].extractor.word

    def name_in_full(name: str) -> str:
        return name if "/" in name else f"{word}/{name}"

    return {key: {name_in_full(name): value for name, value in card[key].items()} for key in ("scores", "floor")}


def name_known_pictures(columns: tuple[str, ...], data: str, out: Path) -> float | None:
    """The share of held-out values that a run names right if it is given their pictures; None without a row."""
    import torch

    from ganvas.evaluation.evaluator import open_scored_data
    from ganvas.sampling.generator import open_sampler

    run = ganvas.load(out / "-".join(columns))
    sampler = open_sampler(run)
    codec = sampler.codec
    if not {"image", "table"} <= set(codec.parts):  # type: ignore[attr-defined]
        return None
    training, held_out = open_scored_data(run, run.recipe.data)
    stored = (held_out or training).columns["x"][:PROBES]
    x = codec.load(stored, None)
    marks = torch.zeros_like(x)
    marks[:, codec.places["image"]] = 1  # type: ignore[attr-defined]
    latents = sampler.method.draw_latents(sampler.nets, len(x), torch.Generator().manual_seed(0), sampler.request)
    answers = torch.cat(list(sampler.render_stored({**latents, "known": torch.stack([x * marks, marks], 1)})))
    truth, answer = (codec.split(rows)["table"].int() for rows in (stored.cpu(), answers))  # type: ignore[attr-defined]
    assert torch.equal(codec.split(answers)["image"], codec.split(stored.cpu())["image"])  # type: ignore[attr-defined]
    return float((truth == answer).float().mean())


def main() -> None:
    data, columns = sys.argv[1], tuple(sys.argv[2].split(","))
    minutes = float(sys.argv[3]) if len(sys.argv) > 3 else 10.0
    out = Path(sys.argv[4] if len(sys.argv) > 4 else f"runs/together-{Path(data).name}")
    size = int(sys.argv[5]) if len(sys.argv) > 5 else None
    together = train_columns(columns, data, minutes, out, size)
    alone: dict[str, float] = {}
    for column in columns:
        alone |= train_columns((column,), data, minutes, out, size)["scores"]
    print(f"\n{data}, {', '.join(columns)}, {minutes:g} minutes each\n")
    print("| score | together | alone | real | together / alone |\n|---|---|---|---|---|")
    for name, value in together["scores"].items():
        real, other = together["floor"].get(name), alone.get(name)
        share = f"{value / other:.2f}" if other else "-"
        print(f"| {name} | {value:.4g} | {'-' if other is None else f'{other:.4g}'} | {real:.4g} | {share} |")
    named = name_known_pictures(columns, data, out)
    if named is not None:
        print(f"\nvalues of held-out samples named right from their pictures: {named:.3f}")


if __name__ == "__main__":
    main()
