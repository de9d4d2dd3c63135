"""A run is a folder, and the folder is the interface: recipe, log, samples, scores, checkpoints, report."""

import json
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..config import from_json, to_json
from ..core import Codec, Condition, Spec
from ..errors import GanvasError
from ..recipe import Recipe
from ..system.files import explained, read_json, write_json, write_whole
from ..version import __version__
from . import checkpoint
from .state import State

JSON = Mapping[str, Any]
FORMAT = 5  # of recipe.json; a reader refuses another


class Run:
    """A run's folder, for reading and writing.

    recipe.json             the recipe as asked and as settled, seed, data, environment
    codec.json              how samples are stored and written
    log.jsonl               a line a report
    samples/000051200.png   the same latents every time, by images seen
    scores.jsonl            score cards
    checkpoints/000051200/  and the links `last` and `best`
    nearest.png             samples of the best checkpoint above their nearest training samples
    reconstructions.png     held-out samples above what an autoencoder makes of them
    report.html             all of it on one page
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        meta = read_json(self.path / "recipe.json")
        form = meta.get("format")
        if form != FORMAT:
            older = isinstance(form, int) and form < FORMAT
            raise GanvasError(
                f"{self.path} was made by ganvas {meta.get('ganvas', '?')} (run format {form}, this one reads {FORMAT}): "
                + ("use that version, or train anew" if older else "update ganvas")
            )
        self.meta = meta
        self.recipe = read_recipe(meta.get("recipe"), self.path / "recipe.json")
        self.asked = read_recipe(meta.get("asked"), self.path / "recipe.json")
        self.seed = int(meta.get("seed", 0))

    @staticmethod
    def write(
        path: Path, recipe: Recipe, asked: Recipe, seed: int, data: Mapping[str, Any], environment: Mapping[str, Any]
    ) -> "Run":
        """Make `path` a run's folder, or put a grown budget into one."""
        with explained("writing the run", path):
            path.mkdir(parents=True, exist_ok=True)
            head = {"format": FORMAT, "ganvas": __version__, "name": recipe.name, "seed": seed, "data": dict(data)}
            settings = {"recipe": to_json(recipe), "asked": to_json(asked), "environment": dict(environment)}
            write_json(path / "recipe.json", head | settings)
        return Run(path)

    @staticmethod
    def exists(path: Path) -> bool:
        return (path / "recipe.json").exists()

    # ------------------------------------------------------------ codec

    def codec(self) -> Codec:
        return from_json(read_json(self.path / "codec.json"), "codec")

    def spec(self) -> Spec:
        """What one sample looks like, and what it may be asked to be."""
        label = self.meta["data"].get("label")
        return self.codec().spec._replace(conditions={"label": condition(label)} if label else {})

    # ------------------------------------------------------------ lines

    def append(self, name: str, line: Mapping[str, Any]) -> None:
        with explained(f"writing {name}", self.path), (self.path / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def lines(self, name: str) -> list[dict[str, Any]]:
        """The lines of log.jsonl or scores.jsonl; one that a crash cut short is left out."""
        path = self.path / name
        found: list[dict[str, Any]] = []
        for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                found.append(json.loads(text))
            except json.JSONDecodeError:
                continue
        return found

    def cut_back(self, images: int) -> None:
        """Forget what was written after `images` images: training goes on from there."""
        with explained("cutting back the log", self.path):
            for name in ("log.jsonl", "scores.jsonl"):
                kept = [line for line in self.lines(name) if line["images"] <= images and line.get("kind") != "final"]
                text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept)
                write_whole(self.path / name, lambda temporary, text=text: temporary.write_text(text, encoding="utf-8"))
            for picture in (self.path / "samples").glob("*.png"):
                if picture.stem.isdigit() and int(picture.stem) > images:
                    picture.unlink()

    # ------------------------------------------------------------ checkpoints

    @property
    def checkpoints(self) -> list[Path]:
        """Oldest first."""
        folder = self.path / "checkpoints"
        return sorted(p for p in folder.glob("*") if p.name.isdigit() and p.is_dir()) if folder.exists() else []

    def checkpoint(self, which: str = "best") -> Path:
        """The folder of checkpoint "last", "best" (last, where none was scored), or images seen."""
        best = self.path / "checkpoints" / "best"
        wanted = best.resolve() if which == "best" and best.exists() else self.path / "checkpoints" / which.zfill(9)
        if which == "last" or (which == "best" and not best.exists()):
            wanted = self.checkpoints[-1] if self.checkpoints else wanted
        if wanted.exists():
            return wanted.absolute()
        have = ", ".join(p.name for p in self.checkpoints) or "none yet"
        raise GanvasError(f"{self.path} has no checkpoint {which!r} (it has: {have}): --checkpoint last, or train on")

    def save(self, state: State) -> Path:
        """Write a checkpoint and prune: the newest two and the best are kept."""
        folder = self.path / "checkpoints" / f"{state.clock.images:09d}"
        with explained("writing a checkpoint", folder):
            for abandoned in folder.parent.glob(".*.tmp"):  # of a process that was killed in the middle
                shutil.rmtree(abandoned, ignore_errors=True)
            checkpoint.save(folder, state)
        self._link("last", folder.name)
        kept = {path.name for path in self.checkpoints[-2:]} | {self.checkpoint("best").name}
        for old in self.checkpoints:
            if old.name not in kept:
                shutil.rmtree(old, ignore_errors=True)
        return folder

    def mark_best(self, folder: Path) -> None:
        self._link("best", folder.name)

    def _link(self, name: str, target: str) -> None:
        temporary = self.path / "checkpoints" / f".{name}.link"
        with explained("linking a checkpoint", self.path / "checkpoints"):
            temporary.unlink(missing_ok=True)
            temporary.symlink_to(target, target_is_directory=True)
            os.replace(temporary, self.path / "checkpoints" / name)

    @property
    def scores(self) -> list[dict[str, Any]]:
        """The score cards, oldest first."""
        return self.lines("scores.jsonl")

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r}, recipe {self.recipe.name!r})"


def condition(data: Mapping[str, Any]) -> Condition:
    """A condition from its JSON form, `Condition._asdict()`."""
    examples = tuple(tuple(row) for row in data["examples"])
    return Condition(data["kind"], int(data["size"]), tuple(data["names"]), tuple(data["shares"]), examples)


def save_codec(path: Path, codec: Codec) -> None:
    with explained("writing the codec", path):
        write_json(path / "codec.json", to_json(codec))


def write_whole_run(
    path: Path, codec: Codec, state: State, recipe: Recipe, asked: Recipe, seed: int, about: tuple[JSON, JSON]
) -> Run:
    """A run of one checkpoint in a new or empty folder; nothing of it stays where it cannot be written whole.

    Args:
        about: the data and the environment.
    """
    with locked(path):
        try:
            save_codec(path, codec)
            run = Run.write(path, recipe, asked, seed, *about)
            run.save(state)
        except BaseException:
            for inner in path.iterdir():
                if inner.is_dir():
                    shutil.rmtree(inner, ignore_errors=True)
                elif inner.name != ".lock":
                    inner.unlink()
            raise
    return run


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold a run's folder: an operating-system lock, which a crash lets go of by itself.

    Raises:
        GanvasError: another process holds it.
    """
    with explained("opening the run", path):
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
        with suppress(OSError):  # Windows lets go of a file before it is deleted
            (path / ".lock").unlink()
        lock.release()
        with suppress(OSError):  # an empty folder, where nothing was begun
            path.rmdir()


def read_recipe(data: Any, where: Path) -> Recipe:
    recipe = from_json(data, f"{where.name}: recipe")
    if not isinstance(recipe, Recipe):
        raise GanvasError(f"{where} holds no recipe: restore it, or train into a new folder")
    return recipe
