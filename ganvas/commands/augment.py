"""write a labelled set of synthetic samples, to train other models with"""

from dataclasses import dataclass

from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Write a folder of samples for each class, to train other models with. The set says that it is synthetic.

    Such a set rarely helps a model that also sees the pictures which the generator learned from.

    Example:
        ganvas augment runs/auto --per-class 500 --out set/

    per_class: how many samples of each class.
    seed: the number from which all of them follow. Another seed gives other samples.
    out: the folder to write to. Default: RUN/synthetic.
    truncation: how far latents may lie from the middle, such as 0.7. Less gives fewer kinds of samples, each more typical.
    checkpoint: the state of the run: best, last, or a number of samples seen.
    device: where to compute: auto, cpu, cuda or mps.
    """

    per_class: int = 100
    seed: int = 0
    out: str | None = None
    truncation: float | None = None
    checkpoint: str = "best"
    device: str = "auto"


def main(argv: list[str]) -> int:
    run, argv = load_named_run(argv, "augment", Arguments())
    arguments = parse_settings(Arguments, Arguments(), argv, "ganvas augment RUN")
    from ..api import synthesise

    print(synthesise(run, **vars(arguments)))
    return 0
