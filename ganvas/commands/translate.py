"""translate pictures, folders and films by a trained translator"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import GanvasError
from . import collect_conditions
from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Translate pictures of any size, folders and films by a run that was trained on pairs or on two folders.

    Results keep names, subfolders, formats, depth, transparency and metadata.

    Examples:
        ganvas translate runs/pix2pix photo.png --out out/
        ganvas translate runs/pix2pix photos/ clip.mp4 --out out/
        ganvas translate runs/clothes person.png --with clothes=shirt.png --out out/

    out: the folder to write to. Default: RUN/translated.
    reverse: translate back, for runs whose method trains both directions, such as cyclegan.
    mask: for runs that fill holes: a mask, or a folder with one of the same name for each picture. White is filled. Without
        it, what is transparent in the picture is filled.
    sources: for runs with several sources, once for each further one: its name and a file, such as clothes=shirt.png; or a
        folder with a picture of the same name for each picture.
    label: what to translate to, for runs with several domains: a class by its name or number.
    resize: first bring pictures to the size that the run was trained at.
    skip_existing: leave results that exist already, as an interrupted translation has written them. Default: replace them.
    tile: auto (tiles for pictures that are too large for the memory), off, or a tile's side in pixels.
    exact: in tiles, make networks with instance norm give what they give for the whole picture. It takes several times as long.
    checkpoint: the state of the run: best, last, or a number of samples seen.
    device: where to compute: auto, cpu, cuda or mps.
    """

    out: str | None = None
    reverse: bool = False
    mask: str | None = None
    sources: tuple[str, ...] = ()
    label: str | None = None
    resize: bool = False
    skip_existing: bool = False
    tile: str = "auto"
    exact: bool = False
    checkpoint: str = "best"
    device: str = "auto"


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "translate", Arguments())
    count = next((k for k, word in enumerate(argv) if word.startswith("-")), len(argv))
    paths, argv = argv[:count], argv[count:]
    if not paths and not any(word in ("-h", "--help") for word in argv):
        print("ganvas: which pictures? ganvas translate RUN PICTURE …", file=sys.stderr)
        return 2
    arguments = parse_settings(Arguments, Arguments(), argv, "ganvas translate RUN PICTURE …")
    from ..api import translate

    settings: dict[str, Any] = {**vars(arguments), "conditions": collect_conditions(arguments.label, ()), "quiet": False}
    settings["sources"] = collect_sources(arguments.sources)
    del settings["label"], settings["out"]
    out = Path(arguments.out) if arguments.out else run.path / "translated"
    report = translate(run, paths, out, **settings)
    print(out)
    if report.failures:
        total = len(report.failures) + len(report.written)
        print(f"ganvas: {len(report.failures)} of {total} files could not be translated, see above", file=sys.stderr)
    return 1 if report.failures else 0


def collect_sources(texts: tuple[str, ...]) -> dict[str, str]:
    """Further sources, by name. Raises GanvasError for anything but NAME=FILE, and for a name given twice."""
    sources: dict[str, str] = {}
    for text in texts:
        name, _, path = text.partition("=")
        if not name or not path:
            raise GanvasError(f"--with takes NAME=FILE, such as clothes=shirt.png, got {text!r}")
        if name.lower() in sources:
            raise GanvasError(f"--with gives {name.lower()} twice: give each source once")
        sources[name.lower()] = path
    return sources
