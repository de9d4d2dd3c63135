"""Which training sample lies nearest, against a search written out."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

import ganvas
from ganvas import cli
from ganvas.evaluation.evaluator import build_run_evaluator
from ganvas.evaluation.nearest import find_closest_indices
from ganvas.sampling.generator import Sampler
from trained_runs import trained


def test_closest_is_the_least_distance() -> None:
    random = np.random.default_rng(0)
    samples, known = random.normal(size=(7, 5)), random.normal(size=(40, 5))
    by_hand = [min(range(40), key=lambda j: float(((a - known[j]) ** 2).sum())) for a in samples]
    assert find_closest_indices(samples, known).tolist() == by_hand
    assert torch.equal(find_closest_indices(known, known), torch.arange(40))  # a copy is found


def test_the_picture_shows_the_nearest_of_training(tmp_path: Path) -> None:
    run = trained("dcgan_small", tmp_path)
    picture = ganvas.nearest(run, "0-2", extractor="pixels", out=tmp_path / "copies.png")
    judge, made = build_run_evaluator(run, "pixels"), Sampler(run)
    (samples,) = made.stream_seeds([0, 1, 2])
    every = judge.train.columns["x"]
    distance = (samples[:, None].float() - every[None].float()).square().flatten(2).sum(2)
    left = picture.width - 3 * 98
    for k, place in enumerate(distance.argmin(1)):
        shown = np.asarray(picture.convert("L"))[100:196, left + 98 * k : left + 98 * k + 96]
        assert np.array_equal(shown, np.kron(every[place, ..., 0].numpy(), np.ones((12, 12), np.uint8)))
    with Image.open(tmp_path / "copies.png") as written:
        assert "synthetic" in written.info["Comment"]
    assert cli.main(["nearest", str(run.path), "--seeds", "0-2", "--out", str(tmp_path / "b.png")]) == 0
