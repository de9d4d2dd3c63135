"""Score a run's checkpoint."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core import Extractor
from ..data.files import replace_path
from ..data.stored_frames import locate_data
from ..evaluation import by_class
from ..evaluation.evaluator import open_scored_data
from ..evaluation.judges import judge_by_one
from ..evaluation.private import check_scorable, open_evaluator
from ..recipe import check_scored_samples
from ..runs.folder import RunFolder
from ..sampling.generator import Sampler, find_class_condition
from ..system.device import choose_device
from ..system.files import find_cache_folder
from .page import write_report


def evaluate(
    run: str | Path | RunFolder,
    *,
    data: Any = None,
    n: int | None = None,
    extractor: str | Extractor | None = None,
    download: bool = False,
    checkpoint: str = "best",
    device: str = "auto",
    per_class: bool = False,
) -> dict[str, Any]:
    """Score a run's checkpoint on its own data or on other data, and add the card to the run's scores.jsonl.

    Args:
        data: a path, or of tables a frame as `ganvas.train` takes it. None: the run's own data.
        n: number of generated samples; None is the recipe's number.
        extractor: the only judge: "efficientnet", "classifier", "appearance", "inception", "pixels", or an Extractor; None
            takes all judges of the run.
        download: allow downloading missing weights of the extractor (inception: 96 MB).
        per_class: also score each class of a conditional generator; adds "per_class" to the card.

    Raises:
        GanvasError: no run, no such extractor, missing weights, or data that the extractor does not take.
    """
    if n is not None:
        check_scored_samples(n, "n")
    run = run if isinstance(run, RunFolder) else RunFolder(run)
    data = locate_data(data)
    recipe = run.recipe if data is None else replace(run.recipe, data=replace_path(run.recipe.data, str(data)))
    if n is not None:
        recipe = replace(recipe, evaluation=replace(recipe.evaluation, samples=n))
    if extractor is not None:
        recipe = replace(recipe, evaluation=judge_by_one(recipe.evaluation, extractor, run.read_codec(), download))
    sampler = Sampler(run, checkpoint, device)
    training_set, held_out = open_scored_data(run, recipe.data)
    classes = find_class_condition(sampler.spec, sampler.traits)
    checked = by_class.check_classes(classes, training_set, recipe.evaluation.card_samples) if per_class else None
    reals = check_scorable(run, training_set, held_out, is_other_data=data is not None)
    evaluator = open_evaluator(recipe, training_set, reals, find_cache_folder(), choose_device(device), has_progress_bar=True)
    head = {
        "samples": int(sampler.checkpoint_folder.name),
        "checkpoint": sampler.checkpoint_folder.name,
        "kind": "evaluate",
        "data": training_set.title,
    }
    card = head | evaluator.score_final(sampler.method, sampler.nets)
    if checked:
        scores = by_class.score_classes(evaluator, sampler.method, sampler.nets, checked, recipe.evaluation.card_samples)
        card |= {"per_class": scores}
    run.append_line("scores.jsonl", card)
    write_report(run.path)
    return card
