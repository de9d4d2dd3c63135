"""Other packages on the tables of benchmarks/tables.py, at equal time: CTGAN 0.6 (MIT) and mostlyai-engine (Apache-2.0).

python benchmarks/table_peers.py [PEER:TABLE:MINUTES …]     (wants `make data-tables`; leave the machine alone)

Each peer has a virtual environment of its own under data/tables/peers, which this script makes: nothing of ganvas imports one.
CTGAN trains whole epochs, as many as fit into the time by the speed of its first two. Scores are those of benchmarks/tables.py.
"""

import argparse
import json
import subprocess
import venv
from pathlib import Path
from typing import Any

import torch
from tables import DATA, make_plain, read_part, score

from ganvas.system.device import describe_machine

KEPT, PEERS = Path("benchmarks/results/table_peers.jsonl"), DATA / "peers"
PACKAGES = {
    "ctgan": [
        "ctgan==0.6.0",
        "rdt==1.2.1",
        "numpy==1.26.4",
        "pandas==1.5.3",
        "scikit-learn<1.5",
        "scipy<1.14",
        "torch==2.13.0",
    ],
    "mostlyai": ["mostlyai-engine==2.7.3", "torch==2.13.0"],
}
FLAGS = {"ctgan": ["--no-deps", "--ignore-requires-python"], "mostlyai": []}
UNUSED = {"ctgan": [], "mostlyai": ["torchvision", "torchaudio"]}  # for pictures and sounds; their wheels want CUDA
FURTHER = {
    "ctgan": ["faker", "tqdm", "cloudpickle", "psutil", "pyyaml", "packaging",
              "copulas==0.8.0", "python-dateutil", "pytz", "six", "joblib", "threadpoolctl",
              "filelock", "typing_extensions", "sympy<1.14", "networkx", "jinja2", "mpmath<1.4", "markupsafe", "fsspec",
              "tzdata"],
    "mostlyai": [],
}  # fmt: skip
TRAIN = {
    "ctgan": """
import sys, time
import numpy, pandas, torch
from ctgan.synthesizers.ctgan import CTGAN
source, target, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
torch.manual_seed(0); numpy.random.seed(0)
train = pandas.read_csv(source, keep_default_na=False)
categories = [c for c in train.columns if train[c].dtype.kind not in "if"]
start = time.time(); CTGAN(epochs=2, cuda=False).fit(train, categories); first = time.time() - start
start = time.time(); CTGAN(epochs=1, cuda=False).fit(train, categories); epoch = max(first - (time.time() - start), 0.1)
epochs = max(1, int((seconds - (first - 2 * epoch)) / epoch))
torch.manual_seed(0); numpy.random.seed(0)
start = time.time(); model = CTGAN(epochs=epochs, cuda=False); model.fit(train, categories); fitted = time.time()
rows = model.sample(len(train)); end = time.time()
for c in train.columns:
    if c not in categories: rows[c] = rows[c].astype(train[c].dtype)
rows.to_csv(target, index=False)
print(f"RESULT {fitted - start:.1f} {len(train) / (end - fitted):.0f} {epochs}")
""",
    "mostlyai": """
import os, sys, time
os.environ["HF_HUB_OFFLINE"] = "1"
import pandas
from mostlyai.engine import TabularARGN
source, target, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
train = pandas.read_csv(source, keep_default_na=False)
start = time.time()
model = TabularARGN(value_protection=False, max_training_time=seconds / 60, device="cpu", random_state=0, verbose=0)
model.fit(train); fitted = time.time()
rows = model.sample(n_samples=len(train)); end = time.time()
for c in train.columns:
    if train[c].dtype.kind == "i": rows[c] = rows[c].astype("float64").round().astype("int64")
rows[train.columns].to_csv(target, index=False)
print(f"RESULT {fitted - start:.1f} {len(train) / (end - fitted):.0f} 0")
""",
}


def make_environment(peer: str) -> Path:
    folder = PEERS / peer
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True)
        pip = [folder / "bin/pip", "install", "--quiet"]
        subprocess.run([*pip, *FLAGS[peer], *PACKAGES[peer]], check=True)
        if FURTHER[peer]:
            subprocess.run([*pip, "--no-deps", *FURTHER[peer]], check=True)
        if UNUSED[peer]:
            subprocess.run([folder / "bin/pip", "uninstall", "--quiet", "--yes", *UNUSED[peer]], check=True)
        (folder / "ready").touch()
    return folder / "bin/python"


def measure(job: str) -> dict[str, Any]:
    peer, name, minutes = job.split(":")
    python, target = make_environment(peer), PEERS / f"{peer}-{name}-{minutes}.csv"
    words = [python, "-W", "ignore", "-c", TRAIN[peer], DATA / name / "train.csv", target, str(60 * float(minutes))]
    printed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    seconds, rate, epochs = next(line for line in printed.splitlines() if line.startswith("RESULT")).split()[1:]
    train, test = (make_plain(read_part(name, part)) for part in ("train", "test"))
    schema = read_part(name, "train").schema
    rows = read_file(target).select(schema.names).cast(schema)
    return {
        "job": job, "seconds": float(seconds), "rows_per_second": int(rate), "epochs": int(epochs),
        "machine": describe_machine(torch.device("cpu")), "scores": score(name, train, make_plain(rows), test),
    }  # fmt: skip


def read_file(path: Path) -> Any:
    import pyarrow.csv

    return pyarrow.csv.read_csv(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="*", default=["mostlyai:adult:1", "ctgan:adult:5", "mostlyai:diamonds:1"])
    parser.add_argument("--prepare", action="store_true", help="only make the environments")
    got = parser.parse_args()
    if got.prepare:
        for peer in PACKAGES:
            make_environment(peer)
        return
    known = {json.loads(line)["job"] for line in KEPT.read_text().splitlines()} if KEPT.exists() else set[str]()
    for job in got.jobs:
        if job not in known:
            row = measure(job)
            with KEPT.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
