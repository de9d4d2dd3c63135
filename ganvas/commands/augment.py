"""a labelled set of synthetic samples, to train other models with"""

from dataclasses import dataclass

from .parsing import load_named_run, parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Write a labelled set of samples, marked as synthetic, for other models (it rarely helps those that see G's own images).

    per_class: samples of each class.
    seed: of all of them.
    out: the folder. [default: RUN/synthetic]
    truncation: how far latents may lie from the middle, such as 0.7: fewer kinds of samples, each more typical.
    checkpoint: best, last, or samples seen.
    device: auto, cpu, cuda or mps.
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
