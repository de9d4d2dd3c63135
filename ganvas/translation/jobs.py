"""Which files to translate, and where each result goes."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import GanvasError
from ..media.image.picture import PICTURE_SUFFIXES
from ..system.files import remove_leftovers
from .films import FILM_FORMATS, REPLACED_FILM_SUFFIXES
from .picture_files import REPLACED_SUFFIXES


class TranslationJob(NamedTuple):
    """A file, and the file that it becomes."""

    source: Path
    out: Path
    name: Path  # below the folder that was given: "trees/oak.png"

    @property
    def is_film(self) -> bool:
        return is_film(self.source)


def is_film(path: Path) -> bool:
    return path.suffix.lower() in {*FILM_FORMATS, *REPLACED_FILM_SUFFIXES}


def is_translatable(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES or is_film(path)


def list_jobs(paths: Sequence[str | Path], out: Path) -> list[TranslationJob]:
    """A job for each file, and for each picture and film in a folder and its subfolders.

    Raises:
        GanvasError: a path that does not exist or is of another kind, a folder without pictures, two files with one result, or
            a result that would replace a source.
    """
    jobs: list[TranslationJob] = []
    for path in (Path(path).expanduser() for path in paths):
        if not path.exists():  # a dangling link in a folder is left out like a damaged file
            raise GanvasError(f"{path} does not exist: give a picture, a film or a folder")
        names = list_folder_names(path, out) if path.is_dir() else [Path(path.name)]
        for name in names:
            source = path / name if path.is_dir() else path
            jobs.append(TranslationJob(source, out / replace_suffix(name), name))
    if not jobs:
        raise GanvasError("nothing to translate: give pictures, films or folders")
    check_jobs(jobs)
    return jobs


def list_folder_names(folder: Path, out: Path) -> list[Path]:
    """The pictures and films in a folder and below, but hidden ones and earlier results. Raises GanvasError for none."""
    names: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not is_same(Path(place, name), out))
        names += [Path(place, name).relative_to(folder) for name in sorted(files) if not name.startswith(".")]
    names = [name for name in names if is_translatable(name)]
    if not names:
        raise GanvasError(f"{folder} holds no pictures and no films: give a folder with some, such as .png, .jpg or .mp4")
    return names


def is_same(first: Path, second: Path) -> bool:
    return first.resolve() == second.resolve()


def replace_suffix(name: Path) -> Path:
    """The result's name: the same, but for formats that cannot hold it."""
    suffix = name.suffix.lower()
    return name.with_suffix({**REPLACED_SUFFIXES, **REPLACED_FILM_SUFFIXES}.get(suffix, name.suffix))


def remove_leftover_results(jobs: Sequence[TranslationJob]) -> None:
    """Remove what a killed process left of results that it was writing; running ones keep theirs."""
    for folder in {job.out.parent for job in jobs}:
        remove_leftovers(folder, lambda name: is_translatable(Path(name)))


def check_jobs(jobs: Sequence[TranslationJob]) -> None:
    """Raises GanvasError for paths that cannot be translated, and for results that collide."""
    sources = {job.source.resolve() for job in jobs}
    owners: dict[Path, Path] = {}
    for job in jobs:
        if not is_translatable(job.source):
            raise GanvasError(f"{job.source} is neither a picture nor a film, by its suffix: give .png, .jpg, .mp4 or the like")
        if (target := job.out.resolve()) in sources:
            raise GanvasError(f"{job.out} is one of the files to translate, and would be replaced: choose another --out")
        if target in owners:
            raise GanvasError(
                f"{owners[target]} and {job.source} would both become {job.out}: rename one, or translate them into two folders"
            )
        owners[target] = job.source
