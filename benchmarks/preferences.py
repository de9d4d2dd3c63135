"""`ganvas prefer` with a preference that is known: how often the trained run wins by it, and what that costs.

python benchmarks/preferences.py RUN [--known brightness | COLUMN[=VALUE]] [--labels FOLDER] [--pairs 200] [--wrong 0.0]
                                     [--minutes 3 | --samples N] [--margins 0.2] [--weight 1.0] [--stay 3.0]
                                     [--seed 0] [--out DIR] [--results FILE]

RUN is a trained run of pictures. "brightness" prefers the sample with the larger mean. Any other name is a column of
captions.csv in the folder --labels, such as "glasses" or "glasses=eyepatch": a classifier of it is trained first, and its
logit is the preference. Choices are between the samples of seeds 2k and 2k + 1; a share `wrong` of them is turned round.
Each margin is a run of its own in DIR.
"""

import argparse
import csv
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

import ganvas
from ganvas.core import Codec
from ganvas.errors import GanvasError
from ganvas.evaluation.label_classifier import LabelClassifier, load_or_train
from ganvas.runs.folder import RunFolder
from ganvas.sampling.generator import open_sampler

CLASSIFIER_WIDTH, CLASSIFIER_STEPS = 16, 600
Preference = Callable[[Tensor], Tensor]  # stored samples [N, H, W, C] -> [N]


def prefer_brightness(stored: Tensor) -> Tensor:
    return stored.float().mean((1, 2, 3))


def prefer_attribute(codec: Codec, folder: Path, wish: str) -> Preference:
    """The logit of a network that tells the pictures with this value (COLUMN=VALUE), or with any but "none" (COLUMN)."""
    column, _, value = wish.partition("=")
    with (folder / "captions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if column not in rows[0]:
        raise GanvasError(f"{folder / 'captions.csv'} has no column {column!r}: it has {', '.join(rows[0])}")
    has = torch.tensor([row[column] == value if value else row[column] != "none" for row in rows])
    stored = torch.from_numpy(np.stack([codec.encode((folder / row["file_name"]).read_bytes()) for row in rows]))

    def measure_loss(classifier: LabelClassifier, places: Tensor, generator: torch.Generator) -> Tensor:
        x = codec.load(stored[places], generator).float()
        return binary_cross_entropy_with_logits(classifier(x)[:, 0], has[places].float())

    def build() -> LabelClassifier:
        return LabelClassifier(codec.spec.shape[0], 1, CLASSIFIER_WIDTH)

    classifier = load_or_train(build, measure_loss, len(rows), CLASSIFIER_STEPS, 0, None)

    @torch.no_grad()
    def rate(samples: Tensor) -> Tensor:
        return torch.cat([classifier(codec.load(part, None).float())[:, 0] for part in samples.split(64)])

    print(f"{wish}: told right in {((rate(stored) > 0) == has).float().mean():.1%} of {len(rows):,} pictures", flush=True)
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
    parser.add_argument("--labels", type=Path, default=Path("data/captions/avatars"))
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--wrong", type=float, default=0.0)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--samples", type=int)
    parser.add_argument("--margins", type=float, nargs="+", default=[0.2])
    parser.add_argument("--weight", type=float, default=1.0)
    parser.add_argument("--stay", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", default=None)
    parser.add_argument("--results", default=None)
    words = parser.parse_args()
    run = ganvas.load(words.run)
    preference = (
        prefer_brightness if words.known == "brightness" else prefer_attribute(run.read_codec(), words.labels, words.known)
    )
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
            "seed": words.seed,
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
