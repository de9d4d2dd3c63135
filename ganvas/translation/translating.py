"""Translate files, folders and films. A damaged file is named and left out; the others are done."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL.Image import Image as Picture
from tqdm import tqdm

from ..errors import GanvasError
from ..media.image.bands import convert_channels, convert_depth
from ..runs.folder import RunFolder
from ..system.files import is_without_room
from .films import translate_film
from .further_sources import FurtherSource, FurtherSources
from .jobs import TranslationJob, list_jobs, remove_leftover_results
from .masks import choose_hole
from .opening import RunTranslator, open_translator
from .picture_files import read_picture_file, write_result
from .tiling import TilingSettings, parse_tile_setting


class TranslationReport(NamedTuple):
    """What became of the files: written ones, (source, reason) of those that could not be translated, older results left."""

    written: tuple[Path, ...]
    failures: tuple[tuple[Path, str], ...]
    skipped: tuple[Path, ...] = ()


def translate(
    run: str | Path | RunFolder,
    paths: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    reverse: bool = False,
    mask: str | Path | None = None,
    sources: Mapping[str, str | Path] | None = None,
    conditions: Mapping[str, str] | None = None,
    resize: bool = False,
    skip_existing: bool = False,
    tile: str | int = "auto",
    exact: bool = False,
    checkpoint: str = "best",
    device: str = "auto",
    quiet: bool = True,
) -> TranslationReport:
    """Translate pictures, films and folders into the folder `out`, under the same names.

    Args:
        reverse: translate results back into sources.
        mask: for runs that fill holes: a mask, or a folder with one of the same name for each picture.
        sources: for runs with several sources: a file for each further one, or a folder with one of the same name for each
            picture: {"clothes": "shirt.png"}.
        conditions: requested values, such as {"label": "smiling"}.
        resize: first bring pictures to the size that the run was trained at.
        skip_existing: leave results that exist already, such as those of an interrupted translation. Otherwise they are
            replaced.
        tile, exact: see TilingSettings.

    Raises:
        GanvasError: a run that translates nothing, a path that does not exist, a folder without pictures, a source that the
            run needs and nobody gave, results that would replace each other or a source, or a full disk.
        KeyboardInterrupt: on an interruption, with a message. Results are complete or missing.
    """
    jobs = list_jobs([paths] if isinstance(paths, (str, Path)) else paths, Path(out))
    remove_leftover_results(jobs)
    skipped = [job.out for job in jobs if skip_existing and job.out.exists()]
    jobs = [job for job in jobs if not (skip_existing and job.out.exists())]
    settings = TilingSettings(parse_tile_setting(tile), exact, not quiet)
    opened = open_translator(run, reverse, conditions, settings, checkpoint, device)
    if mask is not None and not opened.translator.takes_hole:
        raise GanvasError("this run fills no holes, so it takes no mask: leave out --mask")
    further = FurtherSources(opened.source_names, sources or {}, opened.resize_to_run if resize else None)
    session = TranslationSession(opened, None if mask is None else Path(mask), further, quiet)
    session.say_existing(jobs, len(skipped))
    written, failures = session.run_all(jobs)
    return TranslationReport(tuple(written), tuple(failures), tuple(skipped))


def describe_rest(done: int, total: int) -> str:
    """After a stop in the middle: what is done, and how to do the rest."""
    if total == 1:
        return "Nothing is written"
    return f"{done:,} of {total:,} files are done: the same command with --skip-existing does the others"


def translate_picture(
    run: str | Path | RunFolder,
    image: str | Path | Picture | np.ndarray,
    *,
    reverse: bool = False,
    mask: str | Path | np.ndarray | None = None,
    sources: Mapping[str, FurtherSource] | None = None,
    conditions: Mapping[str, str] | None = None,
    tile: str | int = "auto",
    exact: bool = False,
    checkpoint: str = "best",
    device: str = "auto",
) -> np.ndarray:
    """Translate one picture: a file, a Pillow picture or an array [H, W, C] -> array [scale·H, scale·W, C'] of its depth.

    Args:
        mask: for runs that fill holes: a file, or bool [H, W]. Without one, what is transparent is filled.
        sources: for runs with several sources: each further one, by name, like `image`: {"clothes": "shirt.png"}.

    Raises:
        GanvasError: see `translate`; and a picture that cannot be read.
    """
    settings = TilingSettings(parse_tile_setting(tile), exact)
    opened = open_translator(run, reverse, conditions, settings, checkpoint, device)
    further, pixels = FurtherSources(opened.source_names, sources or {}), opened.read_source(image)
    name = Path(Path(image).name if isinstance(image, (str, Path)) else "")
    if isinstance(mask, np.ndarray):
        hole = mask > 0
    else:
        chosen = choose_hole(pixels, None if mask is None else Path(mask), name, opened.translator.takes_hole)
        hole = None if chosen is None else chosen.hole
    try:
        return opened.translator.translate(further.stack(pixels, name), hole)
    except GanvasError as error:
        raise GanvasError(f"{image if isinstance(image, (str, Path)) else 'the picture'} {error}") from None


class TranslationSession:
    """Translates one file after another, and says each thing once."""

    def __init__(self, opened: RunTranslator, masks: Path | None, further: FurtherSources, quiet: bool) -> None:
        self.opened, self.translator = opened, opened.translator
        self.masks, self.further, self.quiet = masks, further, quiet
        self.said = set[str]()

    def say(self, message: str) -> None:
        if not self.quiet:
            tqdm.write(message, file=sys.stderr)

    def say_once(self, kind: str, message: str) -> None:
        """The first message of a kind; later files are alike."""
        if kind not in self.said:
            self.said.add(kind)
            self.say(message)

    def say_existing(self, jobs: Sequence[TranslationJob], skipped: int) -> None:
        """What becomes of results that are there already."""
        if skipped:
            self.say(f"{skipped:,} results exist already and stay as they are, {len(jobs):,} files are left to do")
        elif len(jobs) > 1 and (count := sum(job.out.exists() for job in jobs)):
            self.say(f"{count:,} of {len(jobs):,} results exist already and are replaced; --skip-existing would leave them")

    def run_all(self, jobs: Sequence[TranslationJob]) -> tuple[list[Path], list[tuple[Path, str]]]:
        """The written files, and the others with their reasons. Raises GanvasError for a full disk."""
        written, failures = list[Path](), list[tuple[Path, str]]()
        is_hidden = self.quiet or len(jobs) == 1 or not sys.stderr.isatty()
        for job in tqdm(jobs, unit="file", disable=is_hidden):
            try:
                self.run(job)
                written.append(job.out)
            except GanvasError as error:
                if is_without_room(error):
                    raise GanvasError(f"{error}. {describe_rest(len(written), len(jobs))}") from error
                reason = str(error).removeprefix(f"{job.source} ")
                failures.append((job.source, reason))
                self.say(f"{job.source} {reason}: left out")
            except KeyboardInterrupt:
                raise KeyboardInterrupt(f"interrupted. {describe_rest(len(written), len(jobs))}") from None
        return written, failures

    def run(self, job: TranslationJob) -> None:
        """Raises GanvasError for a file that cannot be translated."""
        try:
            if job.is_film:
                self.run_film(job)
            else:
                self.run_picture(job)
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, MemoryError) or "memory" in str(error).lower():
                raise GanvasError("needs more memory than is free: smaller tiles need less, such as --tile 256") from error
            raise

    def run_picture(self, job: TranslationJob) -> None:
        source = read_picture_file(job.source)
        if source.is_animation:
            self.say(f"{job.source} is an animation, of which the first picture is translated: save it as a film, such as .mp4")
        pixels = self.opened.read_source(job.source) if self.translator.takes_labels else source.pixels
        result = self.translate_pixels(pixels, job)
        write_result(job.out, result, source._replace(pixels=result), self.opened.provenance)

    def run_film(self, job: TranslationJob) -> None:
        if self.translator.takes_labels:
            raise GanvasError("is a film, and this run translates maps of labels: give each frame's map as a PNG")

        def translate_frame(pixels: np.ndarray) -> np.ndarray:
            result = convert_depth(self.translate_pixels(pixels, job), 8)
            return result if result.shape[2] in (1, 3) else convert_channels(result, 3, 255)

        shows_progress = self.translator.settings.shows_progress
        meter = translate_film(job.source, job.out, translate_frame, self.opened.provenance, shows_progress)
        self.say(f"{job.out}: {meter.describe()}")

    def translate_pixels(self, pixels: np.ndarray, job: TranslationJob) -> np.ndarray:
        mask = choose_hole(pixels, self.masks, job.name, self.translator.takes_hole)
        if mask is not None:
            self.say_once("mask", f"{job.source}: {mask.description}")
        if self.further.resize is not None:
            if mask is not None:
                raise GanvasError("has a mask, which goes without --resize: resize both yourself")
            pixels = self.further.resize(pixels)
        pixels = self.further.stack(pixels, job.name)
        if note := self.translator.describe_tiling(*pixels.shape[:2]):
            self.say_once("tiles", f"{job.source}: {note}")
        return self.translator.translate(pixels, None if mask is None else mask.hole)
