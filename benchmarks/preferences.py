"""`ganvas prefer` with a preference that is known: how often the trained run wins by it, and what that costs.

python benchmarks/preferences.py RUN [--known brightness | ATTRIBUTE] [--pairs 200] [--wrong 0.0]
                                     [--minutes 3 | --samples N] [--margins 0.3] [--weight 1.0] [--stay 1.0]
                                     [--out DIR] [--results FILE]

RUN is a trained run of pictures. "brightness" prefers the sample with the larger mean. Any other name is a column of the run's
labels, such as "glasses": a classifier of them is trained on the run's data first, and its logit is the preference. Choices are
between the samples of seeds 2k and 2k + 1; a share `wrong` of them is turned round. Each margin is a run of its own in DIR.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import ganvas
from ganvas.data.columns import load_batch
from ganvas.data.rows import take_rows
from ganvas.errors import GanvasError
from ganvas.evaluation.evaluator import open_scored_data
from ganvas.evaluation.label_classifier import LabelClassifier, load_or_train
from ganvas.runs.folder import RunFolder
from ganvas.sampling.generator import open_sampler

CLASSIFIER_WIDTH, CLASSIFIER_STEPS = 16, 600
Preference = Callable[[Tensor], Tensor]  # stored samples [N, H, W, C] -> [N]


def prefer_brightness(stored: Tensor) -> Tensor:
    return stored.float().mean((1, 2, 3))


def prefer_attribute(run: RunFolder, name: str) -> Preference:
    """The logit of a class or an attribute, by a classifier of the run's own data."""
    training, _ = open_scored_data(run, run.recipe.data)
    columns = {key: condition for key, condition in training.conditions.items() if name in condition.names}
    if not columns:
        known = [one for condition in training.conditions.values() for one in condition.names]
        raise GanvasError(f"{training.title} has no label {name!r}: it has {', '.join(known) or 'none'}")
    column, condition = next(iter(columns.items()))
    codec, place = training.codec, condition.names.index(name)

    def load_rows(rows: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
        batch = load_batch(codec, take_rows(training.columns, rows), generator)
        return batch["x"].float(), batch[column]

    def build() -> LabelClassifier:
        return LabelClassifier(codec.spec.shape[0], condition.size, CLASSIFIER_WIDTH)

    classifier = load_or_train(build, load_rows, len(training), CLASSIFIER_STEPS, 0, None)

    @torch.no_grad()
    def rate(stored: Tensor) -> Tensor:
        return torch.cat([classifier(codec.load(part, None).float())[:, place] for part in stored.split(64)])

    return rate


def make_pairs(run: RunFolder, preference: Preference, count: int, wrong: float) -> list[tuple[int, int]]:
    rates = preference(torch.cat(list(open_sampler(run).stream_seeds(range(2 * count)))))
    turned = torch.rand(count, generator=torch.Generator().manual_seed(0)) < wrong
    left_wins = (rates[0::2] > rates[1::2]) ^ turned
    return [(2 * k, 2 * k + 1) if left_wins[k] else (2 * k + 1, 2 * k) for k in range(count)]


def summarise(result: dict[str, Any]) -> dict[str, Any]:
    """The figures of a row: shares of wins, and relative changes of Fréchet's distance and of coverage."""
    changes = {
        name: round(after / result["before"][name] - 1, 3)
        for name, after in result["after"].items()
        if name.rpartition("/")[2] in ("frechet", "coverage")
    }
    wins = {name: round(result[name]["share"], 3) for name in ("known_wins", "wins", "reward_wins")}
    return {"accuracy": round(result["accuracy"], 3), "judge": round(result["judge_accuracy"], 3), **wins, **changes}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("run")
    parser.add_argument("--known", default="brightness")
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--wrong", type=float, default=0.0)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--samples", type=int)
    parser.add_argument("--margins", type=float, nargs="+", default=[0.3])
    parser.add_argument("--weight", type=float, default=1.0)
    parser.add_argument("--stay", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", default=None)
    parser.add_argument("--results", default=None)
    words = parser.parse_args()
    run = ganvas.load(words.run)
    preference = prefer_brightness if words.known == "brightness" else prefer_attribute(run, words.known)
    pairs = make_pairs(run, preference, words.pairs, words.wrong)
    minutes = words.minutes if words.minutes or words.samples else 3.0
    folder = Path(words.out or tempfile.mkdtemp())
    for margin in words.margins:
        settings = {
            "minutes": minutes,
            "samples": words.samples,
            "weight": words.weight,
            "margin": margin,
            "stay": words.stay,
            "threads": words.threads,
        }
        out = folder / f"{words.known}-{margin:g}-{words.weight:g}-{words.stay:g}"
        result = ganvas.prefer(run, pairs=pairs, out=out, known=preference, **settings)  # type: ignore[arg-type]
        row = {
            "run": words.run,
            "known": words.known,
            "pairs": words.pairs,
            "wrong": words.wrong,
            **settings,
            **summarise(result),
        }
        print(json.dumps(row), flush=True)
        if words.results:
            with Path(words.results).open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
