"""A training from its request to its last score card."""

from collections.abc import Generator as Yields
from collections.abc import Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL.Image import Image as Picture
from torch import Tensor

from .. import recipes
from ..config import from_json, to_json
from ..core import Codec, Dataset, Reconstructs
from ..data import Tensors
from ..data.dataset import open_data
from ..errors import GanvasError
from ..evaluation import by_class, nearest
from ..evaluation.evaluator import Judge
from ..evaluation.reconstructions import reconstructed
from ..methods.adversarial import conditional
from ..recipe import Recipe
from ..report.page import write_report
from ..runs import checkpoint as checkpoints
from ..runs.folder import Run, locked, save_codec
from ..runs.state import State
from ..sampling.generator import makes_classes
from ..system import distributed
from ..system.console import say
from ..system.device import describe, has_bf16, holds, pick
from ..system.files import cache_folder, explained, write_whole
from . import divergence
from .loop import Loop
from .monitor import Follow, Interrupts, Watch
from .plan import fitted, settle, unspent
from .resuming import budgeted, grown, refuse_difference, refuse_labels, with_data
from .start import bare, begun
from .transfer import recipe_from


def train(
    recipe: str | Recipe | None = None,
    *,
    source: str | Path | Run | None = None,
    freeze_d: int = 0,
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
        recipe: a recipe's name, or a Recipe; None is "auto", or the source's.
        source: a run whose networks to begin with, on other data; its images are augmented (DiffAugment) unless they were,
            or it is no game of G and D alone.
        freeze_d: how many of D's layers then stay as they are, from the image on.
        data: a folder, zip, idx, npz, npy, parquet or CIFAR file, "fashion"; None takes the recipe's.
        out: the run's folder; None is runs/NAME.
        minutes: of training, start-up aside. Or
        images: the budget in images seen.
        quiet: print nothing.

    Raises:
        GanvasError: what is wrong, where, and how to put it right.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, with everything saved.
    """
    asked = budgeted(with_data(named(recipe, source, freeze_d), data), minutes, images)
    from_json(to_json(asked))  # what could not be read back is refused before anything is written
    path = Path(out) if out is not None else Path("runs") / asked.name
    if path.is_dir() and not Run.exists(path) and any(p.name[0] != "." and p.name != "codec.json" for p in path.iterdir()):
        raise GanvasError(f"{path} holds other files and no run: choose a new folder with --out")
    with distributed.joined(), held(path):
        where, quiet = pick(distributed.placed(device)), quiet or not distributed.first()
        if distributed.told(Run.exists(path)):
            run = Run(path)
            refuse_difference(run, asked, seed)
            return _resume(run, asked.train.minutes, asked.train.images, where, quiet)
        codec, training, judge = prepared(asked, None, where)
        say(quiet, f"{asked.name}: {training.title}, {len(training):,} samples as {words(codec)}, on {where}")
        nets = begun(asked, training.spec, seed, where, partial(say, quiet)).nets  # those that cannot be built say so now
        if training.condition is not None and not conditional(nets):
            say(quiet, f"its labels are not used by {asked.name}: projection, acgan and cgan take them")
        if judge is not None:
            judge.check()
        data_there = placed(training, where)
        settled = settle(asked, data_there, judge, seed, where, quiet)
        about = {
            "title": training.title,
            "count": len(training),
            "skipped": training.skipped,
            "fingerprint": training.fingerprint,
            "label": training.condition._asdict() if training.condition else None,
        }
        if distributed.first():
            save_codec(path, codec)  # first: recipe.json makes the folder a run
        run = written(path, settled, asked, seed, about, environment(where))
        return _play(run, begun(settled, training.spec, seed, where), data_there, judge, quiet)


def named(recipe: str | Recipe | None, source: str | Path | Run | None, freeze_d: int) -> Recipe:
    """The recipe that someone means. Raises GanvasError for none, and for a freeze without a source."""
    if source is not None:
        return recipe_from(source if isinstance(source, Run) else Run(source), recipe, freeze_d)
    if isinstance(recipe, Recipe):
        return recipe
    if freeze_d:
        raise GanvasError("--freeze-d keeps what D has learned elsewhere: give the run with --from")
    return recipes.find(recipe or "auto")


def resume(
    path: str | Path, *, minutes: float | None = None, images: int | None = None, device: str = "auto", quiet: bool = False
) -> Run:
    """Go on with a run exactly where it stopped; only its budget may grow.

    Raises:
        GanvasError: no run, a smaller budget, a damaged checkpoint, another training in the folder.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, with everything saved.
    """
    run = Run(path)
    with distributed.joined(), held(run.path):
        return _resume(run, minutes, images, pick(distributed.placed(device)), quiet or not distributed.first())


def _resume(run: Run, minutes: float | None, images: int | None, where: torch.device, quiet: bool) -> Run:
    """`resume`, within the lock."""
    asked, settled = grown(run, minutes, images)
    last = int(run.checkpoints[-1].name) if run.checkpoints else 0
    if last >= (settled.train.images or 0) and any("best" in card.get("which", "") for card in run.scores):
        say(quiet, f"{run.path} is finished: {last:,} images; ask for more with --minutes or --images")
        return run
    _, training, judge = prepared(settled, run.codec(), where)
    refuse_labels(run, training)
    here = environment(where)
    for name, value in here.items():
        was = run.meta["environment"].get(name)
        if was != value:
            say(quiet, f"note: {name} was {was}, is {value}: training continues, but not bit for bit")
    if training.fingerprint != run.meta["data"]["fingerprint"]:
        say(quiet, "note: the data has changed since this run began: training continues, but not bit for bit")
    if settled.train.precision == "bf16" and not has_bf16(where):
        say(quiet, f"note: this run computes in bf16, which {where} only emulates: it will be slow")
    ranks = int(run.meta["environment"].get("ranks", 1))
    more = (settled.train.images or 0) > (run.recipe.train.images or 0)  # and perhaps of a later, hungrier stage
    if ranks != distributed.world() or more:
        parts = -(-settled.train.parts * ranks // distributed.world())
        settled = fitted(replace(settled, train=replace(settled.train, parts=parts)), training, run.seed, where, quiet)
    run = written(run.path, settled, asked, run.seed, run.meta["data"], here)
    state = restored(run, where)
    say(quiet, f"continuing {run.path} at {state.clock.images:,} of {state.clock.total:,} images")
    return _play(run, state, placed(training, where), judge, quiet)


def prepared(recipe: Recipe, codec: Codec | None, where: torch.device) -> tuple[Codec, Tensors, Judge | None]:
    """The codec, the training set, and on rank 0 what judges samples; it fills the caches before the others look into them."""
    with distributed.in_turn():
        codec, training, held_out = open_data(recipe.data, recipe.medium, codec, quiet=not distributed.first())
        judge = Judge(recipe.evaluation, training, held_out, cache_folder(), where) if distributed.first() else None
        return codec, training, judge


def environment(where: torch.device) -> dict[str, str | int]:
    """What exact resume depends on."""
    return describe(where) | {"ranks": distributed.world()}


@contextmanager
def held(path: Path) -> Yields[None]:
    """The run's folder, locked by rank 0 for all."""
    with locked(path) if distributed.first() else nullcontext():
        yield


def written(
    path: Path, settled: Recipe, asked: Recipe, seed: int, data: Mapping[str, Any], environment: Mapping[str, Any]
) -> Run:
    """The run with its settings written, by rank 0."""
    with distributed.in_turn():
        return Run.write(path, settled, asked, seed, data, environment) if distributed.first() else Run(path)


def restored(run: Run, where: torch.device) -> State:
    """The run's last checkpoint, or its very start; what was written since is forgotten."""
    state = (bare if run.checkpoints else begun)(run.recipe, run.spec(), run.seed, where)
    if run.checkpoints:
        checkpoints.load(run.checkpoints[-1], state, total=run.recipe.train.images)
    if distributed.first():
        run.cut_back(state.clock.images)
    return state


def placed(data: Tensors, where: torch.device) -> Tensors:
    """The data on the device, where it fits there; else its batches travel."""
    return data.to(where) if holds(where, data.stored.nbytes) else data


# ---------------------------------------------------------------- playing


def _play(run: Run, state: State, data: Dataset, judge: Judge | None, quiet: bool) -> Run:
    """Train to the end of the budget, easing the learning rate where a step was not finite; then the final score cards."""
    while True:
        if bad := distributed.told(_train(run, state, data, judge, quiet)):
            run = _eased(run, bad, quiet)
            spent, state = state.seconds, restored(run, next(state.nets.parameters()).device)
            state.seconds = spent  # what it cost counts towards the minutes
        elif more := distributed.told(unspent(run.asked.train.minutes, run.recipe.train.batch, state)):
            run = _lengthened(run, state, more, quiet)
        else:
            break
    if judge is not None:
        _final(run, state, judge)
    return Run(run.path)


def _train(run: Run, state: State, data: Dataset, judge: Judge | None, quiet: bool) -> list[str]:
    """Train until the budget is spent, time is up, or something is not finite: then its names."""
    watch = Watch(run, data.codec, judge, quiet) if judge is not None else Follow()
    with Interrupts(watch):
        watch.begin(state)
        try:
            Loop(run.recipe, data, state, run.seed).run(watch)
        finally:
            watch.end()
    if distributed.told(watch.interrupted and not (isinstance(watch, Watch) and watch.diverged)):
        raise KeyboardInterrupt(
            f"stopped at {state.clock.images:,} images, all saved; go on with: ganvas train --resume {run.path}"
        )
    if not isinstance(watch, Watch):
        return []
    if watch.stopped:  # the budget is what the time allowed, so that the same command finds a finished run
        say(quiet, f"stopped at {state.clock.images:,} of {state.clock.total:,} images: {watch.stopped}")
        reached = replace(run.recipe, train=replace(run.recipe.train, images=state.clock.images))
        Run.write(run.path, reached, run.asked, run.seed, run.meta["data"], run.meta["environment"])
    return watch.diverged


def _eased(run: Run, bad: list[str], quiet: bool) -> Run:
    """The run with half the learning rates. Raises GanvasError, with a diagnosis, where that was done often enough."""
    recipe = divergence.eased(run.asked, run.recipe)
    if recipe is None:
        raise GanvasError(divergence.diagnosis(bad, run.lines("log.jsonl"), run.recipe.train.precision))
    back = f"checkpoint {run.checkpoints[-1].name}" if run.checkpoints else "the start"
    say(quiet, f"{', '.join(bad)} no longer finite: back to {back} with {recipe.train.lr_scale:g} times the learning rates")
    return written(run.path, recipe, run.asked, run.seed, run.meta["data"], run.meta["environment"])


def _lengthened(run: Run, state: State, more: int, quiet: bool) -> Run:
    """The run with a larger budget, for it was quicker than when its speed was measured; `state` knows of it."""
    total = state.clock.images + more
    say(quiet, f"{state.clock.images:,} images took {state.seconds:,.0f} s: there is time for {more:,} more")
    state.clock = state.clock._replace(total=total)
    recipe = replace(run.recipe, train=replace(run.recipe.train, images=total))
    return written(run.path, recipe, run.asked, run.seed, run.meta["data"], run.meta["environment"])


def _final(run: Run, state: State, judge: Judge) -> None:
    """Score the last checkpoint and, where it is another, the best; then write both cards, and pictures of the best."""
    last, best = run.checkpoint("last"), run.checkpoint("best")
    method, cards = run.recipe.method, list[dict[str, Any]]()
    pictures: dict[str, Tensor] = {}
    for folder, which in ((last, "last"), (best, "best")) if last != best else ((last, "last, best"),):
        checkpoints.load_nets(folder, state)
        head = {"images": int(folder.name), "checkpoint": folder.name, "kind": "final", "which": which}
        cards.append(head | judge.final(method, state.sampled()))
        if isinstance(method, Reconstructs) and ("label" in judge.shown or not conditional(state.nets)):
            pictures["reconstructions.png"], psnr = reconstructed(judge, method, state.sampled())
            cards[-1] |= {"reconstruction_psnr": psnr, "reconstructed": judge.words["held_out"]}  # dB
    for card in cards:
        run.append("scores.jsonl", card)
    nets = state.sampled()  # the best: it was loaded last
    if len(judge.codec.spec.shape) == 3:  # pictures can be told apart by looking
        pictures["nearest.png"] = nearest.nearest_grid(judge, method, nets)
        if makes_classes(nets, run.spec()):
            pictures["classes.png"] = by_class.wall(judge, method, nets, run.spec())
    for name, stored in pictures.items():
        draw(run, name, judge.codec.preview(stored))
    write_report(run.path)


def draw(run: Run, name: str, picture: Picture) -> None:
    with explained(f"drawing {name}", run.path):
        write_whole(run.path / name, lambda temporary: picture.save(temporary, "PNG"))


def words(codec: Codec) -> str:
    """A sample's shape in words: "1 x 32 x 32"."""
    return " x ".join(str(size) for size in codec.spec.shape)
