"""A run's folder, which is also its interface: recipe, log, samples, scores, checkpoints, report."""

import json
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..configuration import TYPE_KEY, from_json, public_name, to_json
from ..core import Codec, Spec
from ..data import HeldOut
from ..errors import GanvasError
from ..recipe import Judge, Recipe
from ..system.files import check_path_text, encode_json, explain_os_errors, read_json, write_atomically, write_json
from ..version import __version__
from . import checkpoint
from .state import State

JsonObject = Mapping[str, Any]
RUN_FORMAT = 6  # version of recipe.json; others are refused, but for the one before
FORMAT_BEFORE = 5  # its evaluation has one extractor and its metrics, which are one judge's now; training saw all samples


class RunFolder:
    """A run's folder, for reading and writing.

    recipe.json             the requested and the resolved recipe, seed, data, environment
    codec.json              how samples are stored and written
    log.jsonl               a line for each report
    samples/000051200.png   samples of the same latents each time; the name is the number of samples seen
    scores.jsonl            score cards
    attacks.jsonl           cards of attacks
    checkpoints/000051200/  and the links `last` and `best`
    reward.safetensors      what people like, learnt from their choices, with reward.json
    exhibits/               exhibits of the best checkpoint: nearest neighbours, classes, reconstructions, sounds
    report.html             everything on one page
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        check_path_text(self.path)
        meta = read_json(self.path / "recipe.json")
        format_version = meta.get("format")
        if format_version == FORMAT_BEFORE:
            meta = upgrade_settings(meta)
        elif format_version != RUN_FORMAT:
            is_older = isinstance(format_version, int) and format_version < RUN_FORMAT
            raise GanvasError(
                f"{self.path} was made by ganvas {meta.get('ganvas', '?')} (run format {format_version}, this one reads "
                f"{RUN_FORMAT}): " + ("use that version, or train a new run" if is_older else "update ganvas")
            )
        self.meta = meta
        self.recipe = read_recipe(meta.get("recipe"), self.path / "recipe.json")
        self.requested = read_recipe(meta.get("asked"), self.path / "recipe.json")
        self.seed = int(meta.get("seed", 0))

    @staticmethod
    def write_settings(
        path: Path, recipe: Recipe, requested: Recipe, seed: int, data: Mapping[str, Any], environment: Mapping[str, Any]
    ) -> "RunFolder":
        """Make `path` a run's folder, or update the settings of one."""
        with explain_os_errors("writing the run", path):
            path.mkdir(parents=True, exist_ok=True)
            head = {"format": RUN_FORMAT, "ganvas": __version__, "name": recipe.name, "seed": seed, "data": dict(data)}
            settings = {"recipe": to_json(recipe), "asked": to_json(requested), "environment": dict(environment)}
            write_json(path / "recipe.json", head | settings)
        return RunFolder(path)

    @staticmethod
    def is_run_folder(path: Path) -> bool:
        return (path / "recipe.json").exists()

    # ------------------------------------------------------------ codec

    def read_codec(self) -> Codec:
        """How samples are stored and written. The file is read once: that of a wide table is large."""
        return self._codec

    @cached_property
    def _codec(self) -> Codec:
        return from_json(read_json(self.path / "codec.json"), "codec")

    def read_spec(self) -> Spec:
        """The shape of a sample, and the conditions of the run's data."""
        conditions = from_json(self.meta["data"]["conditions"], "recipe.json: conditions")
        spec = self.read_codec().spec
        return spec._replace(conditions={**spec.conditions, **conditions})

    # ------------------------------------------------------------ lines

    @property
    def held_out_key(self) -> str:
        """Decides which samples were held out of training. In older runs that was the fingerprint of the data."""
        return self.meta["data"].get("held_out_key", self.meta["data"]["fingerprint"])

    def append_line(self, name: str, line: Mapping[str, Any]) -> None:
        with explain_os_errors(f"writing {name}", self.path), (self.path / name).open("a", encoding="utf-8") as file:
            file.write(encode_json(line) + "\n")

    def read_lines(self, name: str) -> list[dict[str, Any]]:
        """The lines of log.jsonl or scores.jsonl, without any that a crash cut short."""
        path = self.path / name
        parsed_lines: list[dict[str, Any]] = []
        for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                parsed_lines.append(json.loads(text))
            except json.JSONDecodeError:
                continue
        return parsed_lines

    def discard_after(self, samples: int) -> None:
        """Delete what was written after `samples` samples, because training continues from there."""
        with explain_os_errors("cutting back the log", self.path):
            for name in ("log.jsonl", "scores.jsonl"):
                kept_lines = [
                    line for line in self.read_lines(name) if line["samples"] <= samples and line.get("kind") != "final"
                ]
                text = "".join(encode_json(line) + "\n" for line in kept_lines)
                write_atomically(self.path / name, lambda temporary, text=text: temporary.write_text(text, encoding="utf-8"))
            for picture in (self.path / "samples").glob("*.png"):
                if picture.stem.isdigit() and int(picture.stem) > samples:
                    picture.unlink()

    # ------------------------------------------------------------ checkpoints

    @property
    def checkpoints(self) -> list[Path]:
        """Oldest first."""
        folder = self.path / "checkpoints"
        return sorted(p for p in folder.glob("*") if p.name.isdigit() and p.is_dir()) if folder.exists() else []

    def find_checkpoint(self, name: str = "best") -> Path:
        """The folder of checkpoint "last", "best" (the last one if none is scored), or a number of samples seen."""
        best = self.path / "checkpoints" / "best"
        folder = best.resolve() if name == "best" and best.exists() else self.path / "checkpoints" / name.zfill(9)
        if name == "last" or (name == "best" and not best.exists()):
            folder = self.checkpoints[-1] if self.checkpoints else folder
        if folder.exists():
            return folder.absolute()
        existing_names = ", ".join(p.name for p in self.checkpoints)
        if not existing_names:
            raise GanvasError(f"{self.path} has no checkpoint yet: go on with its training, ganvas train --resume {self.path}")
        raise GanvasError(f"{self.path} has no checkpoint {name!r} (it has: {existing_names}): --checkpoint last, or train on")

    def save_checkpoint(self, state: State) -> Path:
        """Write a checkpoint, and delete all others except the newest two and the best."""
        folder = self.path / "checkpoints" / f"{state.clock.samples:09d}"
        with explain_os_errors("writing a checkpoint", folder):
            for leftover in folder.parent.glob(".*.tmp"):  # from a process that was killed while writing
                shutil.rmtree(leftover, ignore_errors=True)
            checkpoint.save_checkpoint(folder, state)
        self._link_checkpoint("last", folder.name)
        kept_names = {path.name for path in self.checkpoints[-2:]} | {self.find_checkpoint("best").name}
        for old_folder in self.checkpoints:
            if old_folder.name not in kept_names:
                shutil.rmtree(old_folder, ignore_errors=True)
        return folder

    def mark_best(self, folder: Path) -> None:
        self._link_checkpoint("best", folder.name)

    def _link_checkpoint(self, name: str, target: str) -> None:
        temporary = self.path / "checkpoints" / f".{name}.link"
        with explain_os_errors("linking a checkpoint", self.path / "checkpoints"):
            temporary.unlink(missing_ok=True)
            temporary.symlink_to(target, target_is_directory=True)
            os.replace(temporary, self.path / "checkpoints" / name)

    @property
    def score_cards(self) -> list[dict[str, Any]]:
        """The score cards, oldest first."""
        return self.read_lines("scores.jsonl")

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, recipe {self.recipe.name!r})"


def save_codec(path: Path, codec: Codec) -> None:
    with explain_os_errors("writing the codec", path):
        write_json(path / "codec.json", to_json(codec))


def write_run_atomically(
    path: Path,
    codec: Codec,
    state: State,
    recipe: Recipe,
    requested: Recipe,
    seed: int,
    data_and_environment: tuple[JsonObject, JsonObject],
) -> RunFolder:
    """Write a run with one checkpoint into a new or empty folder. If that fails, nothing is left behind.

    Args:
        data_and_environment: the entries of recipe.json.
    """
    with lock_run(path):
        try:
            save_codec(path, codec)
            run = RunFolder.write_settings(path, recipe, requested, seed, *data_and_environment)
            run.save_checkpoint(state)
        except BaseException:
            for entry in path.iterdir():
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                elif entry.name != ".lock":
                    entry.unlink()
            raise
    return run


@contextmanager
def lock_run(path: Path) -> Generator[None]:
    """Lock a run's folder. The operating system releases the lock after a crash.

    Raises:
        GanvasError: another process holds the lock, or the folder's name is not UTF-8.
    """
    check_path_text(path)
    with explain_os_errors("opening the run", path):
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise GanvasError(
                f"another ganvas is training in {path}: wait for it, or choose another folder with --out"
            ) from None
    try:
        yield
    finally:
        with suppress(OSError):  # Windows cannot delete an open file
            (path / ".lock").unlink()
        lock.release()
        with suppress(OSError):  # removes the folder only if it is empty
            path.rmdir()


def upgrade_settings(meta: JsonObject) -> dict[str, Any]:
    """A recipe.json of FORMAT_BEFORE as one of RUN_FORMAT.

    The recipes' extractor and metrics become one judge. No samples are held out, because training saw all of them.
    """
    recipes = {name: dict(meta[name]) for name in ("recipe", "asked") if isinstance(meta.get(name), dict)}
    for recipe in recipes.values():
        recipe.setdefault("held_out", to_json(HeldOut(share=0.0)))
        evaluation = recipe.get("evaluation")
        if isinstance(evaluation, dict) and "extractor" in evaluation:
            judge = {TYPE_KEY: public_name(Judge), **{name: evaluation.get(name) for name in ("extractor", "metrics")}}
            others = {name: value for name, value in evaluation.items() if name not in judge or name == TYPE_KEY}
            recipe["evaluation"] = others | {"judges": [judge]}
    return {**meta, **recipes, "format": RUN_FORMAT}


def read_recipe(data: Any, path: Path) -> Recipe:
    recipe = from_json(data, f"{path.name}: recipe")
    if not isinstance(recipe, Recipe):
        raise GanvasError(f"{path} holds no recipe: restore it, or train in a new folder")
    return recipe
