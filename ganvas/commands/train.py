"""train a recipe on a folder of files, or go on with a run"""

from dataclasses import dataclass
from typing import Any

from ..errors import GanvasError
from .parsing import parse


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Train RECIPE (auto, unless named first) on a folder of files; the same command again continues the run exactly.

    With --from RUN the networks begin as that run's (of its recipe, unless another is named), for a few hundred images.

    data: a folder of pictures (subfolders or labels.csv are labels), a zip, idx, npz, npy, parquet or CIFAR file, or "fashion".
    out: the run's folder. [default: runs/RECIPE]
    minutes: how long to train, start-up aside. [default: the recipe's --train.minutes or --train.images]
    images: how long to train, in images seen, instead of --minutes.
    seed: of everything random.
    device: auto, cpu, cuda or mps.
    resume: a run's folder to go on with; only the budget may grow.
    source: a run whose networks to begin with, on other data.
    freeze_d: how many of D's layers then stay as they are, from the image on.
    """

    recipe: Any
    data: str | None = None
    out: str | None = None
    minutes: float | None = None
    images: int | None = None
    seed: int = 0
    device: str = "auto"
    resume: str | None = None
    source: str | None = None
    freeze_d: int = 0


def main(words: list[str]) -> int:
    from ..api import resume, train
    from ..system import distributed
    from ..training.session import named

    has_name = bool(words) and not words[0].startswith("-")
    name, source = words.pop(0) if has_name else None, value_of("--from", words)
    default = Arguments(recipe=named(name, source, whole(value_of("--freeze-d", words))))
    got = parse(Arguments, default, words, f"ganvas train {name or 'auto'}")
    if got.freeze_d != (got.recipe.start.freeze if got.recipe.start else 0):
        raise GanvasError(f"--freeze-d is a number of layers, with --from, got {got.freeze_d}: --freeze-d 2")
    if got.resume is not None:
        if has_name or got != Arguments(
            recipe=default.recipe, **{k: getattr(got, k) for k in ("resume", "minutes", "images", "device")}
        ):
            raise GanvasError("--resume takes a run as it is; only --minutes, --images and --device go with it")
        run = resume(got.resume, minutes=got.minutes, images=got.images, device=got.device)
    else:
        run = train(
            got.recipe, data=got.data, out=got.out, minutes=got.minutes, images=got.images, seed=got.seed, device=got.device
        )
    if distributed.speaks():
        print_run(run)
    return 0


def value_of(option: str, words: list[str]) -> str | None:
    """What an option is given, before the others can be read: the recipe that they set follows from it."""
    for k, word in enumerate(words):
        if word.split("=", 1)[0].replace("_", "-") == option:
            given = word.partition("=")[2] or (words[k + 1] if k + 1 < len(words) else "")
            return given or None
    return None


def whole(text: str | None) -> int:
    """The number that was given; of anything else the parser says what it is."""
    return int(text) if text is not None and text.isdecimal() else 0


def print_run(run: Any) -> None:
    """The last thing training prints: scores, and where to look."""
    from ..evaluation.score_card import table

    for card in run.scores:
        if card["kind"] == "final":
            print(f"\n{card['which']}: {card['images']:,} images\n{table(card)}")
            if "reconstruction_psnr" in card:
                psnr, what = card["reconstruction_psnr"], card["reconstructed"]
                print(f"  some of {what} made again: PSNR {psnr:.1f} dB (reconstructions.png)")
    pictures = sorted((run.path / "samples").glob("*.png"))
    print(f"\nsamples  {pictures[-1] if pictures else 'none'}\nreport   {run.path / 'report.html'}")
