"""A run's checkpoint, scored."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core import Extractor
from ..data import Files
from ..data.dataset import open_data
from ..evaluation import by_class
from ..evaluation.evaluator import Judge
from ..extractors.by_name import called
from ..runs.folder import Run
from ..sampling.generator import Generator
from ..system.device import pick
from ..system.files import cache_folder
from .page import write_report


def evaluate(
    run: str | Path | Run,
    *,
    data: str | Path | None = None,
    n: int | None = None,
    extractor: str | Extractor | None = None,
    download: bool = False,
    checkpoint: str = "best",
    device: str = "auto",
    per_class: bool = False,
) -> dict[str, Any]:
    """Score a run's checkpoint on its own data, or on other data; the card is added to the run's scores.jsonl.

    Args:
        n: generated samples; None is the recipe's number.
        extractor: what sees the samples: "classifier", "efficientnet", "inception", "pixels", or an Extractor; None is
            the recipe's.
        download: let an extractor's weights be fetched where they are missing (inception: 96 MB).
        per_class: of a conditional generator, each class by itself as well: "per_class" of the card.

    Raises:
        GanvasError: no run, no such extractor, weights that are missing, data that it cannot take.
    """
    run = run if isinstance(run, Run) else Run(run)
    recipe = run.recipe if data is None else replace(run.recipe, data=Files(path=str(data)))
    if n is not None:
        recipe = replace(recipe, evaluation=replace(recipe.evaluation, samples=n))
    if extractor is not None:
        seeing = called(extractor, download) if isinstance(extractor, str) else extractor
        recipe = replace(recipe, evaluation=replace(recipe.evaluation, extractor=seeing))
    generator = Generator(run, checkpoint, device)
    _, training, held_out = open_data(recipe.data, recipe.medium, run.codec())
    if per_class:
        by_class.check(generator.nets, run.spec(), training.condition, recipe.evaluation.samples)
    judge = Judge(recipe.evaluation, training, held_out, cache_folder(), pick(device), progress=True)
    head = {
        "images": int(generator.folder.name),
        "checkpoint": generator.folder.name,
        "kind": "evaluate",
        "data": training.title,
    }
    card = head | judge.final(generator.method, generator.nets)
    if per_class:
        card |= {"per_class": by_class.scores(judge, generator.method, generator.nets, run.spec(), recipe.evaluation.samples)}
    run.append("scores.jsonl", card)
    write_report(run.path)
    return card
