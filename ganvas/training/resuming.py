"""What a command asks for: a recipe on some data, with some budget; and what may not change when a run goes on."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..config import to_json
from ..data import Files, Tensors
from ..errors import GanvasError
from ..recipe import Recipe
from ..runs.folder import Run


def with_data(recipe: Recipe, data: str | Path | None) -> Recipe:
    """The recipe on other data."""
    if data is None:
        return recipe
    path = str(data) if not Path(data).exists() else str(Path(data).resolve())  # a run is resumed from anywhere
    source = replace(recipe.data, path=path) if isinstance(recipe.data, Files) else Files(path=path)
    return replace(recipe, data=source)


def budgeted(recipe: Recipe, minutes: float | None, images: int | None) -> Recipe:
    """The recipe with another budget: minutes or images, whichever is given."""
    if minutes is not None and images is not None:
        raise GanvasError("--minutes and --images are two ways to say how long: give one")
    if minutes is None and images is None:
        return recipe
    images = None if images is None else int(images)
    return replace(recipe, train=replace(recipe.train, minutes=minutes, images=images))


def refuse_difference(run: Run, asked: Recipe, seed: int) -> None:
    """Refuse to go on with a run by a command that would have made another; budgets are compared by `grown`."""
    without = [to_json(replace(r, train=replace(r.train, images=None, minutes=None))) for r in (run.asked, asked)]
    found = list(_differences(without[0], without[1], ""))
    if seed != run.seed:
        found.append(f"seed: {run.seed} -> {seed}")
    if found:
        shown = "; ".join(found[:4]) + ("; …" if len(found) > 4 else "")
        raise GanvasError(
            f"{run.path} holds a run made by another command ({shown}): choose another folder with --out, or --resume it"
        )


def refuse_labels(run: Run, data: Tensors) -> None:
    """Refuse to go on with data whose classes are others: networks learned what each of them means."""
    was, now = run.spec().conditions.get("label"), data.condition
    if was is not None and (now is None or now[:3] != was[:3]):
        shown = [", ".join(label.names[:5]) + f" ({label.size})" if label is not None else "none" for label in (was, now)]
        raise GanvasError(
            f"{run.path} was trained with the labels {shown[0]}, and {data.title} has now {shown[1]}: "
            "restore them, or train into another folder"
        )


def grown(run: Run, minutes: float | None, images: int | None) -> tuple[Recipe, Recipe]:
    """(as asked, as settled) with a budget that is the same or larger; more minutes are more images at the speed measured.

    Raises:
        GanvasError: a smaller budget, or minutes for a run that was given images.
    """
    was, settled = run.asked.train, run.recipe.train
    assert settled.images is not None  # settled before the first step
    if minutes is not None and images is not None:
        raise GanvasError("--minutes and --images are two ways to say how long: give one")
    if minutes is None and images is None:
        return run.asked, run.recipe
    if minutes is not None:
        if was.minutes is None:
            raise GanvasError(f"{run.path} has its budget in images ({settled.images:,}): ask for more with --images")
        total, less = round(settled.images * minutes / was.minutes), minutes < was.minutes
        said = f"{was.minutes:g} minutes"
    else:
        total, less, said = int(images or 0), (images or 0) < settled.images, f"{settled.images:,} images"
    if less:
        raise GanvasError(f"{run.path} has a budget of {said} already, and only more is possible: ask for at least that")
    asked = replace(run.asked, train=replace(was, minutes=minutes, images=images))
    return asked, replace(run.recipe, train=replace(settled, images=total))


def _differences(was: Any, now: Any, where: str) -> Iterator[str]:
    if isinstance(was, dict) and isinstance(now, dict):
        for name in sorted({*was, *now}):
            yield from _differences(was.get(name), now.get(name), f"{where}.{name}".lstrip("."))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for index, (a, b) in enumerate(zip(was, now, strict=True)):
            yield from _differences(a, b, f"{where}.{index}")
    elif was != now:
        yield f"{where}: {json.dumps(was)} -> {json.dumps(now)}"
