"""The command line. It parses and prints; what it does is in api.py.

Two stages: the command is found first, without importing torch or tyro, so that `ganvas --help` answers at once. Then
the command's own settings are parsed: for `train`, every field of the recipe.
"""

import inspect
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import takewhile
from pathlib import Path
from typing import Any, get_type_hints

from .errors import GanvasError

HELP = """\
ganvas: train, measure and use generative adversarial networks.

  ganvas train --data photos/ --minutes 30       a generator of your own pictures, in runs/auto
  ganvas train dcgan --data photos/              the same by a recipe; `ganvas recipes` lists them
  ganvas train --resume runs/auto                go on where a run stopped, exactly
  ganvas generate runs/auto --n 64 --out out/    samples as files
  ganvas evaluate runs/auto                      a score card

  recipes     every recipe: what it makes, whose idea it is, what to expect
  train       train a recipe on a folder of files, or go on with a run
  generate    write samples of a trained run
  evaluate    score a trained run
  compare     several runs side by side, in numbers and in a picture
  mix         a picture of a style network's styles, mixed

`ganvas COMMAND --help` shows a command's settings; `ganvas train RECIPE --help` those of a recipe, every one of which can
be set: --medium.size 64 --optim.G.lr 1e-4. Without --data, recipes for images train on Fashion-MNIST, which comes with ganvas.
A run is a folder: report.html in it shows everything. `ganvas --version` prints the version.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0 on success, 1 on a failure that it explains, 2 on misuse, 130 when interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    commands: dict[str, Callable[[list[str]], int]] = {
        "recipes": recipes,
        "train": train,
        "generate": generate,
        "evaluate": evaluate,
        "compare": compare,
        "mix": mix,
    }
    if not words or words[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if words[0] == "--version":
        from . import __version__

        print(__version__)
        return 0
    if words[0] not in commands:
        import difflib

        near = difflib.get_close_matches(words[0], commands, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the commands are {', '.join(commands)}"
        print(f"ganvas: there is no command {words[0]!r}: {hint}", file=sys.stderr)
        return 2
    try:
        return commands[words[0]](words[1:])
    except GanvasError as error:
        print(f"ganvas: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print(f"ganvas: {str(interrupt) or 'interrupted'}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or "out of memory" in str(error).lower() or "can't allocate memory" in str(error):
            print(
                "ganvas: out of memory: a smaller --train.batch, more --train.parts, or a smaller --medium.size",
                file=sys.stderr,
            )
            return 1
        raise
    except SystemExit as stop:  # the parser's: it has said why
        return stop.code if isinstance(stop.code, int) else 2


# ---------------------------------------------------------------- commands


@dataclass(frozen=True, kw_only=True)
class RecipesArguments:
    """Every recipe: what it makes, whose idea it is, what to expect.

    json: print JSON.
    """

    json: bool = False


def recipes(words: list[str]) -> int:
    arguments = parse(RecipesArguments, RecipesArguments(), words, "ganvas recipes")
    from .recipes import every

    rows = [{"name": name} | describe(function) for name, function in every().items()]
    if arguments.json:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return 0
    width = max(len(row["name"]) for row in rows) + 2
    for row in rows:
        print(f"{row['name']:<{width}}{row['about']}")
        for part in ("paper", "expected"):
            if row[part]:
                print(f"{'':<{width}}{part}: {row[part]}")
    return 0


def describe(function: Callable[..., Any]) -> dict[str, str]:
    """A recipe's docstring as its parts."""
    lines = [line.strip() for line in (function.__doc__ or "").strip().splitlines()]
    found = {"about": lines[0], "paper": "", "expected": ""}
    for line in lines[1:]:
        head, _, rest = line.partition(": ")
        if head.lower() in found:
            found[head.lower()] = rest
    return found


@dataclass(frozen=True, kw_only=True)
class TrainArguments:
    """Train RECIPE (auto, unless named first) on a folder of files; the same command again continues the run exactly.

    data: a folder of pictures (subfolders or labels.csv are labels), a zip, idx, npz, npy, parquet or CIFAR file, or "fashion".
    out: the run's folder. [default: runs/RECIPE]
    minutes: how long to train, start-up aside. [default: the recipe's --train.minutes or --train.images]
    images: how long to train, in images seen, instead of --minutes.
    seed: of everything random.
    device: auto, cpu, cuda or mps.
    resume: a run's folder to go on with; only the budget may grow.
    """

    recipe: Any
    data: str | None = None
    out: str | None = None
    minutes: float | None = None
    images: int | None = None
    seed: int = 0
    device: str = "auto"
    resume: str | None = None


def train(words: list[str]) -> int:
    from . import api, dist
    from .recipes import find

    named = bool(words) and not words[0].startswith("-")
    name = words.pop(0) if named else "auto"
    default = TrainArguments(recipe=find(name))
    got = parse(TrainArguments, default, words, f"ganvas train {name}")
    if got.resume is not None:
        if named or got != TrainArguments(
            recipe=default.recipe, **{k: getattr(got, k) for k in ("resume", "minutes", "images", "device")}
        ):
            raise GanvasError("--resume takes a run as it is; only --minutes, --images and --device go with it")
        run = api.resume(got.resume, minutes=got.minutes, images=got.images, device=got.device)
    else:
        run = api.train(
            got.recipe, data=got.data, out=got.out, minutes=got.minutes, images=got.images, seed=got.seed, device=got.device
        )
    if dist.speaks():
        print_run(run)
    return 0


def print_run(run: Any) -> None:
    """The last thing training prints: scores, and where to look."""
    from .evaluation import table

    for card in run.scores:
        if card["kind"] == "final":
            print(f"\n{card['which']}: {card['images']:,} images\n{table(card)}")
    pictures = sorted((run.path / "samples").glob("*.png"))
    print(f"\nsamples  {pictures[-1] if pictures else 'none'}\nreport   {run.path / 'report.html'}")


@dataclass(frozen=True, kw_only=True)
class GenerateArguments:
    """Write samples of a trained run: one file a sample, or all in one.

    n: how many.
    seed: sample i of a seed is the same whatever n is.
    out: the folder to write to. [default: RUN/generated]
    label: of which class (its name or number), or like which vector (numbers with commas), for runs with labels. [default:
        as they come in the data]
    truncation: how far latents may lie from the middle, such as 0.7: fewer kinds of samples, each more typical.
    grid: write one picture of all samples instead.
    format: files (one a sample, as the medium has them), npy or zip.
    checkpoint: best, last, or images seen.
    device: auto, cpu, cuda or mps.
    """

    n: int = 64
    seed: int = 0
    out: str | None = None
    label: str | None = None
    truncation: float | None = None
    grid: bool = False
    format: str = "files"
    checkpoint: str = "best"
    device: str = "auto"


def generate(words: list[str]) -> int:
    run, words = run_first(words, "generate", GenerateArguments())
    got = parse(GenerateArguments, GenerateArguments(), words, "ganvas generate RUN")
    from .sampling import Generator, write_samples

    out = Path(got.out) if got.out else run.path / "generated"
    generator = Generator(run, got.checkpoint, got.device, got.label, got.truncation)
    print(write_samples(generator, got.n, got.seed, out, "grid" if got.grid else got.format))
    return 0


@dataclass(frozen=True, kw_only=True)
class EvaluateArguments:
    """Score a trained run; the card is printed and added to its scores.jsonl.

    data: score against other data than the run's own.
    n: generated samples. [default: the recipe's]
    extractor: what sees the samples: classifier (of small grey images), efficientnet (of photographs), inception (for
        FID) or pixels. [default: the recipe's]
    download: let the extractor's weights be fetched where they are missing (inception: 96 MB).
    per_class: score each class by itself as well, of a run that makes samples of a class.
    checkpoint: best, last, or images seen.
    device: auto, cpu, cuda or mps.
    json: print JSON.
    """

    data: str | None = None
    n: int | None = None
    extractor: str | None = None
    download: bool = False
    per_class: bool = False
    checkpoint: str = "best"
    device: str = "auto"
    json: bool = False


def evaluate(words: list[str]) -> int:
    run, words = run_first(words, "evaluate", EvaluateArguments())
    got = parse(EvaluateArguments, EvaluateArguments(), words, "ganvas evaluate RUN")
    from . import api, by_class
    from .evaluation import table

    card = api.evaluate(
        run,
        data=got.data,
        n=got.n,
        extractor=got.extractor,
        download=got.download,
        checkpoint=got.checkpoint,
        device=got.device,
        per_class=got.per_class,
    )
    classes = f"\n\n{by_class.table(card['per_class'])}" if got.per_class else ""
    print(json.dumps(card, indent=1) if got.json else f"{card['images']:,} images\n{table(card)}{classes}")
    return 0


@dataclass(frozen=True, kw_only=True)
class CompareArguments:
    """Runs side by side: what they cost and scored, best first where one protocol scored them all, and a picture.

    out: the picture, a PNG with a column of samples for each run.
    json: print JSON.
    """

    out: str = "compare.png"
    json: bool = False


def compare(words: list[str]) -> int:
    paths = list(takewhile(lambda word: not word.startswith("-"), words))
    got = parse(CompareArguments, CompareArguments(), words[len(paths) :], "ganvas compare RUN RUN …")
    if len(paths) < 2:
        print("ganvas: which runs? ganvas compare RUN RUN …", file=sys.stderr)
        return 2
    from . import api
    from .comparison import table

    result = api.compare(paths, out=got.out)
    print(json.dumps(result, indent=1, ensure_ascii=False) if got.json else f"{table(result)}\n\npicture  {result['picture']}")
    if result["problems"]:  # shown, but not all of it ranked
        raise GanvasError("\n".join(result["problems"]))
    return 0


@dataclass(frozen=True, kw_only=True)
class MixArguments:
    """A picture of mixed styles: each row's sample with some layers' styles of each column's.

    rows: seeds, at the left.
    columns: seeds, at the top.
    layers: which take the column's style; coarse ones come first. [default: the finer half]
    out: the picture, a PNG. [default: RUN/mix.png]
    label: of which class (its name or number), for runs with labels. [default: as they come in the data]
    truncation: how far styles may lie from their mean, such as 0.7.
    checkpoint: best, last, or images seen.
    device: auto, cpu, cuda or mps.
    """

    rows: str = "0-3"
    columns: str = "4-9"
    layers: str | None = None
    out: str | None = None
    label: str | None = None
    truncation: float | None = None
    checkpoint: str = "best"
    device: str = "auto"


def mix(words: list[str]) -> int:
    run, words = run_first(words, "mix", MixArguments())
    got = parse(MixArguments, MixArguments(), words, "ganvas mix RUN")
    from . import api

    out = Path(got.out) if got.out else run.path / "mix.png"
    settings = {"label": got.label, "truncation": got.truncation, "checkpoint": got.checkpoint, "device": got.device}
    api.mix(run, got.rows, got.columns, got.layers, out=out, **settings)
    print(out)
    return 0


# ---------------------------------------------------------------- parsing


def run_first(words: list[str], command: str, default: Any) -> tuple[Any, list[str]]:
    """(the run that a command names first, the rest); shows the command's help where it names none."""
    if not words or words[0].startswith("-"):
        if not any(word in ("-h", "--help") for word in words):
            print(f"ganvas: which run? ganvas {command} RUN …", file=sys.stderr)
            raise SystemExit(2)
        parse(type(default), default, ["--help"], f"ganvas {command} RUN")
    from .api import load

    return load(words[0]), words[1:]


def parse(kind: type[Any], default: Any, words: list[str], name: str) -> Any:
    """Read settings from words, by the fields of `default` and of every component inside it."""
    import tyro
    from tyro.constructors import ConstructorRegistry, StructConstructorSpec, StructFieldSpec, StructTypeInfo

    from .config import is_config

    registry = ConstructorRegistry()

    @registry.struct_rule
    def component(
        info: StructTypeInfo,
    ) -> StructConstructorSpec | None:  # fields typed by a protocol are parsed as what they hold
        if not (is_config(info.default) or isinstance(info.default, kind)):
            return None
        cls = type(info.default)
        hints, help_texts = get_type_hints(cls), field_help(cls)
        parts = [
            StructFieldSpec(f.name, annotate(f.name, hints[f.name]), getattr(info.default, f.name), help_texts.get(f.name))
            for f in fields(cls)
        ]
        return StructConstructorSpec(cls, tuple(parts))

    def annotate(field: str, hint: Any) -> Any:
        from typing import Annotated

        if field == "recipe":
            return Annotated[hint, tyro.conf.arg(name="")]
        return Annotated[hint, tyro.conf.Suppress] if field == "name" else hint

    return tyro.cli(
        kind,
        args=words,
        default=default,
        prog=name,
        registry=registry,
        description=(kind.__doc__ or "").partition("\n")[0],
        config=(tyro.conf.AvoidSubcommands, tyro.conf.SuppressFixed),  # a part that may be left out is as the recipe has it
    )


def field_help(cls: type) -> dict[str, str]:
    """What is said of a class's fields: by comments behind them, or by `field: what it is` lines in its docstring."""
    comments = re.findall(r"^ {4}(\w+): [^#\n]*# (.*)$", inspect.getsource(cls), re.MULTILINE)
    found: dict[str, str] = dict(comments)
    last = ""
    for line in (cls.__doc__ or "").splitlines()[1:]:
        head, colon, rest = line.strip().partition(": ")
        if colon and head.isidentifier():
            found[head], last = rest, head
        elif last and line.strip():
            found[last] += " " + line.strip()
        else:
            last = ""
    return found
