"""The nouns of the command line, for Python: `train`, `load`, `evaluate`.

run = ganvas.train("dcgan", data="photos/", minutes=30)
images = run.generate(64, seed=0)          # uint8 [64, H, W, C]
"""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from . import checkpoint as checkpoints
from . import loop, recipes
from .config import to_json
from .core import Codec, Dataset
from .data import Files, Tensors, cache_folder, prepare
from .device import describe, has_bf16, pick
from .errors import GanvasError
from .evaluation import Judge
from .log import Tally
from .loop import Loop, State
from .recipe import Recipe
from .report import write_report
from .run import Run, locked
from .sampling import Generator
from .watch import Interrupts, Watch

SNAPSHOT_SHARE = 0.04  # of a run on minutes that drawing and scoring samples may take
RESERVE = 0.03  # of its minutes that a run on them leaves for a machine that slows down


def load(path: str | Path) -> Run:
    """A trained run. Raises GanvasError where there is none."""
    return Run(path)


def train(
    recipe: str | Recipe = "auto",
    *,
    data: str | Path | None = None,
    out: str | Path | None = None,
    minutes: float | None = None,
    images: int | None = None,
    seed: int = 0,
    device: str = "auto",
    quiet: bool = False,
) -> Run:
    """Train, or go on with a run that stopped: the same call on the same folder continues it exactly.

    Args:
        recipe: a recipe's name, or a Recipe.
        data: a folder, zip, idx, npz or npy file, "fashion"; None takes the recipe's.
        out: the run's folder; None is runs/NAME.
        minutes: of training, start-up aside. Or
        images: the budget in images seen.
        quiet: print nothing.

    Raises:
        GanvasError: what is wrong, where, and how to put it right.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, with everything saved.
    """
    asked = budgeted(with_data(recipes.find(recipe) if isinstance(recipe, str) else recipe, data), minutes, images)
    path = Path(out) if out is not None else Path("runs") / asked.name
    if Run.exists(path):
        run = Run(path)
        refuse_difference(run, asked, seed)
        return resume(path, minutes=asked.train.minutes, images=asked.train.images, device=device, quiet=quiet)
    if path.is_dir() and any(p.name != ".lock" for p in path.iterdir()):
        raise GanvasError(f"{path} holds other files and no run: choose a new folder with --out")
    where = pick(device)
    with locked(path):
        codec, training, held_out = open_data(asked)
        _say(quiet, f"{asked.name}: {training.title}, {len(training):,} samples as {words(codec)}, on {where}")
        judge = Judge(asked.evaluation, training, held_out, cache_folder())
        settled = settle(asked, training.to(where), judge, codec, seed, where, quiet)
        about = {
            "title": training.title,
            "count": len(training),
            "skipped": training.skipped,
            "fingerprint": training.fingerprint,
        }
        run = Run.write(path, settled, asked, seed, about, describe(where))
        run.save_codec(codec)
        state = loop.start(settled, codec.spec, seed, where)
        return _play(run, state, training.to(where), judge, codec, quiet)


def resume(
    path: str | Path, *, minutes: float | None = None, images: int | None = None, device: str = "auto", quiet: bool = False
) -> Run:
    """Go on with a run exactly where it stopped; only its budget may grow.

    Raises:
        GanvasError: no run, a smaller budget, a damaged checkpoint, another training in the folder.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, with everything saved.
    """
    run, where = Run(path), pick(device)
    with locked(run.path):
        codec, training, held_out = open_data(run.recipe, run.codec())
        asked, settled = grown(run, minutes, images)
        environment = describe(where)
        for name, value in environment.items():
            if run.meta["environment"].get(name) != value:
                was = run.meta["environment"].get(name)
                _say(quiet, f"note: {name} was {was}, is {value}: training continues, but not bit for bit")
        if training.fingerprint != run.meta["data"]["fingerprint"]:
            _say(quiet, "note: the data has changed since this run began: training continues, but not bit for bit")
        run = Run.write(run.path, settled, asked, run.seed, run.meta["data"], environment)
        state = loop.start(settled, codec.spec, run.seed, where)
        if run.checkpoints:
            checkpoints.load(run.checkpoints[-1], state, total=settled.train.images)
        _say(quiet, f"continuing {run.path} at {state.clock.images:,} of {state.clock.total:,} images")
        if state.clock.images >= state.clock.total and any(card["kind"] == "final" for card in run.scores):
            return run
        run.cut_back(state.clock.images)
        judge = Judge(settled.evaluation, training, held_out, cache_folder())
        return _play(run, state, training.to(where), judge, codec, quiet)


def evaluate(
    run: str | Path | Run,
    *,
    data: str | Path | None = None,
    n: int | None = None,
    checkpoint: str = "best",
    device: str = "auto",
) -> dict[str, Any]:
    """Score a run's checkpoint on its own data, or on other data; the card is added to the run's scores.jsonl.

    Args:
        n: generated samples; None is the recipe's number.
    """
    run = run if isinstance(run, Run) else Run(run)
    recipe = with_data(run.recipe, data)
    if n is not None:
        recipe = replace(recipe, evaluation=replace(recipe.evaluation, samples=n))
    generator = Generator(run, checkpoint, device)
    _, training, held_out = open_data(recipe, run.codec())
    judge = Judge(recipe.evaluation, training, held_out, cache_folder())
    head = {
        "images": int(generator.folder.name),
        "checkpoint": generator.folder.name,
        "kind": "evaluate",
        "data": training.title,
    }
    card = head | judge.final(generator.method, generator.nets)
    run.append("scores.jsonl", card)
    return card


# ---------------------------------------------------------------- what is asked for


def with_data(recipe: Recipe, data: str | Path | None) -> Recipe:
    """The recipe on other data."""
    if data is None:
        return recipe
    source = replace(recipe.data, path=str(data)) if isinstance(recipe.data, Files) else Files(path=str(data))
    return replace(recipe, data=source)


def budgeted(recipe: Recipe, minutes: float | None, images: int | None) -> Recipe:
    """The recipe with another budget: minutes or images, whichever is given."""
    if minutes is not None and images is not None:
        raise GanvasError("--minutes and --images are two ways to say how long: give one")
    if minutes is None and images is None:
        return recipe
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


def grown(run: Run, minutes: float | None, images: int | None) -> tuple[Recipe, Recipe]:
    """(as asked, as settled) with a budget that is the same or larger; more minutes are more images at the speed measured."""
    was, settled = run.asked.train, run.recipe.train
    assert settled.images is not None
    total = settled.images
    if minutes is not None and images is None:
        known = was.minutes or (total / max(1.0, _speed(run))) / 60
        total = round(settled.images * minutes / known) if minutes != was.minutes else total
    elif images is not None:
        total = images
    if total < settled.images:
        raise GanvasError(
            f"{run.path} has a budget of {settled.images:,} images already, and only more is possible: ask for at least that"
        )
    budget = {"minutes": minutes if images is None else None, "images": images} if minutes or images else {}
    asked = replace(run.asked, train=replace(was, **budget))  # type: ignore[arg-type]
    return asked, replace(run.recipe, train=replace(settled, images=total, minutes=budget.get("minutes", settled.minutes)))


def _speed(run: Run) -> float:
    """Images a second over the whole of a run so far."""
    lines = run.lines("log.jsonl")
    return lines[-1]["images"] / max(1e-9, lines[-1]["seconds"]) if lines else 1.0


def _differences(was: Any, now: Any, where: str) -> Iterator[str]:
    if isinstance(was, dict) and isinstance(now, dict):
        for name in sorted({*was, *now}):
            yield from _differences(was.get(name), now.get(name), f"{where}.{name}".lstrip("."))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for index, (a, b) in enumerate(zip(was, now, strict=True)):
            yield from _differences(a, b, f"{where}.{index}")
    elif was != now:
        yield f"{where}: {json.dumps(was)} -> {json.dumps(now)}"


# ---------------------------------------------------------------- what is settled before the first step


def open_data(recipe: Recipe, codec: Codec | None = None) -> tuple[Codec, Tensors, Tensors | None]:
    """(codec, training set, held-out set or None); the codec is fitted to the data unless given."""
    medium = recipe.medium
    items = recipe.data.items(medium.suffixes)
    codec = codec or medium.fit(items)
    held_out = recipe.data.held_out(medium.suffixes)
    training = prepare(items, codec, cache_folder())
    return codec, training, prepare(held_out, codec, cache_folder()) if held_out is not None else None


def settle(asked: Recipe, data: Dataset, judge: Judge, codec: Codec, seed: int, where: torch.device, quiet: bool) -> Recipe:
    """The recipe with everything decided that depends on this machine: the budget in images, snapshots, precision."""
    precision = asked.train.precision
    if precision == "auto":
        precision = "bf16" if has_bf16(where) else "fp32"
    settings = replace(asked.train, precision=precision)
    if settings.minutes is None:
        return replace(asked, train=replace(settings, snapshots=settings.snapshots or 12))
    speed, snapshot = measure(replace(asked, train=settings), data, judge, codec, seed, where)
    seconds = 60 * settings.minutes
    snapshots = settings.snapshots or min(60, max(2, int(SNAPSHOT_SHARE * seconds / snapshot)))
    useful = seconds * (1 - RESERVE) - snapshots * snapshot
    images = max(1, int(speed * max(useful, 0.1 * seconds)) // settings.batch) * settings.batch
    _say(quiet, f"measured {speed:,.0f} images/s: {settings.minutes:g} minutes are {images:,} images ({settings.precision})")
    return replace(asked, train=replace(settings, images=images, snapshots=snapshots))


def measure(recipe: Recipe, data: Dataset, judge: Judge, codec: Codec, seed: int, where: torch.device) -> tuple[float, float]:
    """(images a second, seconds a snapshot), on networks that are thrown away."""
    trial = replace(recipe, train=replace(recipe.train, images=10**15))
    state = loop.start(trial, codec.spec, seed, where)
    ends: list[float] = []

    def watch(state: State, tally: Tally) -> bool:
        ends.append(time.perf_counter())
        return len(ends) >= 5 and ends[-1] - ends[1] > 3  # the first two steps warm up

    Loop(trial, data, state, seed).run(watch)
    begun = time.perf_counter()
    judge.snapshot(recipe.method, state.sampled())
    per_step = (ends[-1] - ends[1]) / (len(ends) - 2)
    return state.clock.images / state.clock.step / per_step, time.perf_counter() - begun


# ---------------------------------------------------------------- playing


def _play(run: Run, state: State, data: Dataset, judge: Judge, codec: Codec, quiet: bool) -> Run:
    """Train to the end of the budget; then the score cards of the last checkpoint and the best."""
    watch = Watch(run, codec, judge, quiet)
    with Interrupts(watch):
        watch.begin(state)
        try:
            Loop(run.recipe, data, state, run.seed).run(watch)
        finally:
            watch.end()
    if watch.interrupted:
        raise KeyboardInterrupt(
            f"stopped at {state.clock.images:,} images, all saved; go on with: ganvas train --resume {run.path}"
        )
    if watch.stopped:
        _say(quiet, f"stopped at {state.clock.images:,} of {state.clock.total:,} images: {watch.stopped}")
    _final(run, state, judge)
    return run


def _final(run: Run, state: State, judge: Judge) -> None:
    """Score the last checkpoint and, where it is another, the best."""
    last, best = run.checkpoint("last"), run.checkpoint("best")
    for folder, names in {last: "last", best: "best"}.items() if last != best else ((last, "last, best"),):
        checkpoints.load_nets(folder, state)
        card = {"images": int(folder.name), "checkpoint": folder.name, "kind": "final", "which": names}
        run.append("scores.jsonl", card | judge.final(run.recipe.method, state.sampled()))
    write_report(run.path)


def words(codec: Codec) -> str:
    """A sample's shape in words: "1 x 32 x 32"."""
    return " x ".join(str(size) for size in codec.spec.shape)


def _say(quiet: bool, text: str) -> None:
    if not quiet:
        print(text, file=sys.stderr)
