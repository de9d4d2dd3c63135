"""Apply a command's data and budget to a recipe, and check what may change when a run is resumed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import torch

from ..configuration import to_json
from ..data import EncodedDataset, Files, HeldOut
from ..data.conditions import find_changed_conditions
from ..errors import GanvasError
from ..recipe import Recipe
from ..runs.folder import RunFolder
from ..system.device import has_bf16
from ..system.threads import list_cores
from .card_size import extend_card_size


def replace_data(recipe: Recipe, data: str | Path | None) -> Recipe:
    """The recipe on other data."""
    if data is None:
        return recipe
    path = str(data) if not Path(data).exists() else str(Path(data).resolve())  # so that it resumes from any folder
    takes_path = "path" in {field.name for field in fields(cast("Any", recipe.data))}  # a custom source may have one too
    source = replace(cast("Files", recipe.data), path=path) if takes_path else Files(path=path)
    return replace(recipe, data=source)


def replace_budget(recipe: Recipe, minutes: float | None, samples: int | None) -> Recipe:
    """The recipe with another budget: minutes or samples, whichever is given."""
    if minutes is not None and samples is not None:
        raise GanvasError("--minutes and --samples both set the budget: give only one of them")
    if minutes is None and samples is None:
        return recipe
    samples = None if samples is None else int(samples)
    return replace(recipe, train=replace(recipe.train, minutes=minutes, samples=samples))


def replace_threads(recipe: Recipe, threads: int | None) -> Recipe:
    """The recipe with another number of threads, if one is given."""
    return recipe if threads is None else replace(recipe, train=replace(recipe.train, threads=threads))


def refuse_difference(run: RunFolder, requested: Recipe, seed: int) -> None:
    """Refuse to continue a run if the command would have made another one. Only its budget and threads may differ.

    Runs from before judges name an extractor, and their training sees all samples. So a command that leaves the judges to the
    data takes those of the run, and a run without held-out samples stays so, unless the command sets a share.
    """
    if not requested.evaluation.judges:
        evaluation = replace(requested.evaluation, judges=run.requested.evaluation.judges)
        requested = replace(requested, evaluation=evaluation)
    if not run.requested.held_out.share and requested.held_out == HeldOut():
        requested = replace(requested, held_out=run.requested.held_out)
    unbudgeted_recipes = [
        to_json(replace(r, train=replace(r.train, samples=None, minutes=None, threads=None)))
        for r in (run.requested, requested)
    ]
    differences = list(_list_differences(unbudgeted_recipes[0], unbudgeted_recipes[1], ""))
    if seed != run.seed:
        differences.append(f"seed: {run.seed} -> {seed}")
    if differences:
        listing = "; ".join(differences[:4]) + ("; …" if len(differences) > 4 else "")
        raise GanvasError(
            f"{run.path} holds a run made by another command ({listing}): choose another folder with --out, or --resume it"
        )


def refuse_other_conditions(run: RunFolder, data: EncodedDataset) -> None:
    """Refuse to continue on data with other classes, because the networks have learned the meaning of each class."""
    old, new = run.read_spec().conditions, data.spec.conditions
    for name in find_changed_conditions(old, new):
        raise GanvasError(
            f"{run.path} was trained with the {name} {old[name].describe()}, but {data.title} now has "
            f"{new[name].describe() if name in new else 'none'}: restore the data, or train in another folder"
        )


def list_environment_changes(
    run: RunFolder, resolved: Recipe, environment: Mapping[str, Any], training_set: EncodedDataset, device: torch.device
) -> Iterator[str]:
    """Notes on what has changed since the run began, or is slow on this machine."""
    for name, value in environment.items():
        old_value = run.meta["environment"].get(name)
        if old_value != value:
            yield f"{name} was {old_value}, is {value}: training continues, but not bit for bit"
    if training_set.fingerprint != run.meta["data"]["fingerprint"]:
        yield "the data has changed since this run began: training continues, but not bit for bit"
    if resolved.train.precision == "bf16" and not has_bf16(device):
        yield f"this run uses bf16, which {device} only emulates: it will be slow"
    threads, cores = resolved.train.threads or 1, len(list_cores())
    noun = "core" if cores == 1 else "cores"
    if device.type == "cpu" and threads > cores:
        yield (
            f"this run uses {threads} threads, but this machine has {cores} {noun}: it will be slow; --threads {cores} is "
            "faster, but training then does not continue bit for bit"
        )


def extend_budget(run: RunFolder, minutes: float | None, samples: int | None) -> tuple[Recipe, Recipe]:
    """(requested recipe, resolved recipe) with the same or a larger budget. More minutes add samples at the measured speed.

    Raises:
        GanvasError: a smaller budget, or minutes for a run whose budget is in samples.
    """
    old_settings, resolved_settings = run.requested.train, run.recipe.train
    assert resolved_settings.samples is not None  # resolved before the first step
    if minutes is not None and samples is not None:
        raise GanvasError("--minutes and --samples both set the budget: give only one of them")
    if minutes is None and samples is None:
        return run.requested, run.recipe
    if minutes is not None:
        if old_settings.minutes is None:
            raise GanvasError(
                f"the budget of {run.path} is in samples ({resolved_settings.samples:,}): ask for more with --samples"
            )
        total_samples, is_smaller = (
            round(resolved_settings.samples * minutes / old_settings.minutes),
            minutes < old_settings.minutes,
        )
        old_budget = f"{old_settings.minutes:g} minutes"
    else:
        total_samples, is_smaller, old_budget = (
            int(samples or 0),
            (samples or 0) < resolved_settings.samples,
            f"{resolved_settings.samples:,} samples",
        )
    if is_smaller:
        raise GanvasError(f"{run.path} already has a budget of {old_budget}, which can only grow: ask for at least that")
    requested = replace(run.requested, train=replace(old_settings, minutes=minutes, samples=samples))
    growth, evaluation = total_samples / resolved_settings.samples, run.recipe.evaluation
    card_size = extend_card_size(requested.evaluation, evaluation.card_samples, requested.train, growth)
    resolved = replace(run.recipe, evaluation=replace(evaluation, samples=card_size))
    return requested, replace(resolved, train=replace(resolved_settings, samples=total_samples))


def _list_differences(old: Any, new: Any, location: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            yield from _list_differences(old.get(name), new.get(name), f"{location}.{name}".lstrip("."))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _list_differences(a, b, f"{location}.{index}")
    elif old != new:
        yield f"{location}: {json.dumps(old)} -> {json.dumps(new)}"
