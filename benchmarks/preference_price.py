"""Whose coverage a preference costs: that of real pictures it asks for, or of the others.

python benchmarks/preference_price.py LABELS COLUMN RUN [RUN …]
    python benchmarks/preference_price.py data/captions/avatars_half glasses runs/start runs/preferred

LABELS is a folder with captions.csv; a picture is asked for if COLUMN says anything but "none". Each run's best checkpoint
makes 1,000 samples, beside 2,000 real pictures, by EfficientNet. A ball of coverage reaches to the fifth real neighbour.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import torch

import ganvas
from ganvas.extractors.efficientnet import EfficientNetLite0
from ganvas.metrics.neighbours import find_nearest_points, measure_kth_distances
from ganvas.sampling.generator import Sampler

PICTURES, SAMPLES, NEIGHBOURS = 2_000, 1_000, 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("column")
    parser.add_argument("runs", nargs="+")
    words = parser.parse_args()
    with (words.labels / "captions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [rows[k] for k in torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:PICTURES]]
    is_wanted = np.array([row[words.column] != "none" for row in rows])
    for path in words.runs:
        sampler = Sampler(ganvas.load(path), "best", "cpu")
        pictures = [sampler.codec.encode((words.labels / row["file_name"]).read_bytes()) for row in rows]
        extractor = EfficientNetLite0().fit_to_size(max(sampler.codec.spec.shape[1:]))
        real = extractor(torch.from_numpy(np.stack(pictures))).features
        fake = extractor(torch.cat(list(sampler.stream_samples(SAMPLES, 0)))).features
        is_covered = find_nearest_points(real, fake)[0] < measure_kth_distances(real, NEIGHBOURS)
        asked, others = is_covered[is_wanted].mean(), is_covered[~is_wanted].mean()
        print(f"{path}: coverage {is_covered.mean():.3f}; of the pictures asked for {asked:.3f}, of the others {others:.3f}")


if __name__ == "__main__":
    main()
