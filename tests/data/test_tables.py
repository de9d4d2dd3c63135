"""Reading tables of every format: their types, their blocks, and what is refused."""

import gzip
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from ganvas.configuration import from_json, to_json
from ganvas.core import BlockItems, Source, TableItems
from ganvas.data import Rows, read_frame
from ganvas.data.tables import TableRows, opened, read_table_rows, sampling, streams
from ganvas.errors import GanvasError, SettingError

NAMES = ["count", "price", "day", "city"]
CELLS = [("1", "2.50", "2024-02-29", "Ulm"), ("2", "3.10", "2024-03-01", "Bonn, old"), ("NA", "", "2024-03-02", 'a "b"')] * 10
TYPES = {"count": "int64", "price": "double", "day": "timestamp[s]", "city": "string"}
PARQUET_TYPES = TYPES | {"day": "timestamp[ms]"}  # it has no coarser times


def write_csv(path: Path, delimiter: str = ",", encoding: str = "utf-8") -> Path:
    def quote(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if delimiter in cell or '"' in cell else cell

    lines = [delimiter.join(map(quote, row)) for row in [tuple(NAMES), *CELLS]]
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def typed_table() -> pa.Table:
    count, price, day, city = zip(*CELLS, strict=True)
    return pa.table(
        {
            "count": pa.array([None if c == "NA" else int(c) for c in count]),
            "price": pa.array([float(c) if c else None for c in price]),
            "day": pa.array([np.datetime64(d, "s") for d in day]),
            "city": pa.array(city),
        }
    )


def write_table(path: Path, kind: str) -> str:
    match kind:
        case "csv" | "tsv":
            return str(write_csv(path / f"a.{kind}", "," if kind == "csv" else "\t"))
        case "csv.gz":
            (path / "a.csv.gz").write_bytes(gzip.compress(write_csv(path / "a.csv").read_bytes()))
        case "jsonl":
            rows = [dict(zip(NAMES, row, strict=True)) | {"price": float(row[1]) if row[1] else None} for row in CELLS]
            (path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
        case "parquet":
            pyarrow.parquet.write_table(typed_table(), path / "a.parquet", row_group_size=7)
        case "feather":
            pyarrow.feather.write_feather(typed_table(), path / "a.feather", chunksize=7)
        case "sqlite":
            with closing(sqlite3.connect(path / "a.db")) as database, database:
                database.execute('CREATE TABLE "my orders" (count INTEGER, price REAL, day TEXT, city TEXT)')
                rows = [(None if a == "NA" else int(a), float(b) if b else None, c, d) for a, b, c, d in CELLS]
                database.executemany('INSERT INTO "my orders" VALUES (?,?,?,?)', rows)
            return f"sqlite:///{path / 'a.db'}?table=my%20orders"
    return str(path / f"a.{kind}")


@pytest.mark.parametrize("kind", ["csv", "tsv", "csv.gz", "jsonl", "parquet", "feather", "sqlite"])
def test_every_format_gives_the_same_rows(kind: str, tmp_path: Path) -> None:
    items = Rows(path=write_table(tmp_path, kind)).items(())
    assert isinstance(items, TableRows)
    assert isinstance(items, TableItems)
    assert isinstance(items, BlockItems)
    assert len(items) == 30
    assert {f.name: str(f.type) for f in items.sample.schema} == (PARQUET_TYPES if kind == "parquet" else TYPES)
    assert pa.Table.from_batches(items.read_blocks()).to_pylist() == typed_table().to_pylist()
    assert [items[i] for i in (3, 29, 0)] == [typed_table().to_pylist()[i] for i in (3, 29, 0)]
    assert items.names[4] == items.title.partition(" (")[0] + " row 5"
    assert "30 rows, 4 columns" in items.notes[-1]
    with pytest.raises(IndexError):
        items[30]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiters_and_encodings_are_recognised(delimiter: str, encoding: str, tmp_path: Path) -> None:
    items = read_table_rows(str(write_csv(tmp_path / "a.csv", delimiter, encoding)))
    assert [row["city"] for row in map(items.__getitem__, range(3))] == ["Ulm", "Bonn, old", 'a "b"']
    assert ("UTF-16" in " ".join(items.notes)) == (encoding == "utf-16")


def test_latin_1_is_read_and_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("name,n\nJürgen,1\nZoé,2\n".encode("latin-1"))
    items = read_table_rows(str(tmp_path / "a.csv"))
    assert [items[0]["name"], items[1]["name"]] == ["Jürgen", "Zoé"]
    assert "no UTF-8" in items.notes[0]


def test_a_frame_from_python_is_read_as_it_is() -> None:
    table = typed_table().append_column("kind", pa.array(["x", "y", "x"] * 10).dictionary_encode())
    items = read_frame(table)
    assert items[1]["kind"] == "y"
    assert items.fingerprint == read_frame(table).fingerprint != read_frame(table.slice(1)).fingerprint
    with pytest.raises(GanvasError, match="has no Arrow stream"):
        read_frame([1, 2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("a,b\n", "has 0 rows"),
        ("a,b\n1,2\n", "has 1 row:"),
        ("a,b,a\n1,2,3\n4,5,6\n", r"several columns of one name \(a\)"),
        ("a,b\n1,2\n3,4\n5,6,7\n8,9\n", "line 4: 3 cells, but 2 columns"),
        ("a,b\n1,2\n3\n", "line 3: 1 cells, but 2 columns"),
        ('a,b\n1,2\n3,"4\n5,6\n7,8\n', "line 3: a quote"),
        ('a,b\n1,2\n3,"4"x"\n5,6\n', "line 3: a quote"),
        ("a,b\n1,\0\n3,4\n", "zero bytes"),
    ],
)
def test_broken_tables_are_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(GanvasError, match=message):
        read_table_rows(str(tmp_path / "a.csv"))


def test_a_quoted_text_may_hold_lines_and_count_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('a,b\n"one\ntwo",2\n5\' 3" tall,4\n')
    items = read_table_rows(str(tmp_path / "a.csv"))
    assert [items[0]["a"], items[1]["a"]] == ["one\ntwo", "5' 3\" tall"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"a": 1}\n{"a": \n', "line 2: no JSON"),
        ("a.jsonl", b'{"a": 1}\n[1]\n', "line 2: no JSON object"),
        ("a.parquet", b"PAR1 no", "a.parquet cannot be read"),
        ("a.feather", b"ARROW no", "a.feather cannot be read"),
        ("a.csv.gz", b"a,b\n1,2\n", "broken .gz"),
        ("a.xlsx", b"a", "is no table"),
    ],
)
def test_files_that_are_not_what_they_seem(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(GanvasError, match=message):
        read_table_rows(str(tmp_path / name))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(GanvasError, match="No such file"):
        read_table_rows(str(tmp_path / "a.csv"))


def test_databases_name_their_tables(tmp_path: Path) -> None:
    write_table(tmp_path, "sqlite")
    with pytest.raises(GanvasError, match="has no table 'x'; it has my orders"):
        read_table_rows(f"sqlite:///{tmp_path / 'a.db'}?table=x")
    (tmp_path / "b.db").write_text("no database, but some text that is long enough to be looked at")
    with pytest.raises(GanvasError, match="no SQLite database"):
        read_table_rows(f"sqlite:///{tmp_path / 'b.db'}?table=x")
    with pytest.raises(GanvasError, match="does not exist"):
        read_table_rows(f"sqlite:///{tmp_path / 'c.db'}?table=x")


def test_a_gzip_that_unfolds_to_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MIN_UNFOLDED_BYTES", 1000)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000))
    with pytest.raises(GanvasError, match=r"unfolds to more than .*gunzip"):
        read_table_rows(str(tmp_path / "a.csv.gz"))


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_csv(tmp_path / "a.csv")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(GanvasError, match=r"pip install 'ganvas\[tables\]'"):
        read_table_rows(str(path))


def test_columns_can_be_left_out(tmp_path: Path) -> None:
    path = str(write_csv(tmp_path / "a.csv"))
    assert list(Rows(path=path, leave_out=("day", "price")).items(())[0]) == ["count", "city"]
    with pytest.raises(GanvasError, match="no column 'x' to leave out"):
        Rows(path=path, leave_out=("x",)).items(())
    with pytest.raises(GanvasError, match="no column is left"):
        Rows(path=path, leave_out=tuple(NAMES)).items(())


def test_a_limit_takes_always_the_same_random_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "BLOCK_BYTES", 200)
    (tmp_path / "a.csv").write_text("n,m\n" + "".join(f"{i},{i % 7}\n" for i in range(1000)))
    source = Rows(path=str(tmp_path / "a.csv"), limit=100)
    numbers = [source.items(())[i]["n"] for i in range(100)]
    assert numbers == sorted(set(numbers)) == pa.Table.from_batches(source.items(()).read_blocks())["n"].to_pylist()
    assert 300 < np.mean(numbers) < 700
    assert source.items(()).fingerprint != Rows(path=source.path).items(()).fingerprint
    with pytest.raises(SettingError, match="limit"):
        Rows(path=source.path, limit=1).items(())


def test_the_test_part_is_found_by_its_name(tmp_path: Path) -> None:
    write_csv(tmp_path / "people.train.csv"), write_csv(tmp_path / "people.test.csv"), write_csv(tmp_path / "trains.csv")
    source = Rows(path=str(tmp_path / "people.train.csv"))
    assert isinstance(source, Source)
    assert from_json(to_json(source)) == source
    assert source.held_out(()).title.startswith("people.test.csv")  # type: ignore[union-attr]
    assert Rows(path=str(tmp_path / "trains.csv")).held_out(()) is None
    assert Rows(path=str(tmp_path / "trains.csv"), test=source.path).held_out(()) is not None
    with pytest.raises(GanvasError, match="several tables"):
        Rows(path=str(tmp_path)).items(())


def test_a_folder_with_parts(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv"), write_csv(tmp_path / "val.csv")
    source = Rows(path=str(tmp_path))
    assert source.items(()).title.startswith("train.csv")
    assert source.held_out(()).title.startswith("val.csv")  # type: ignore[union-attr]
    (tmp_path / "val.csv").unlink()
    assert source.held_out(()) is None


def test_a_large_table_is_sampled_within_a_bound() -> None:
    schema = pa.schema([("n", pa.int64())])
    sample = sampling.RowSample(schema, max_rows=1000)
    for start in range(0, 50_000, 500):
        sample.add(pa.record_batch([pa.array(range(start, start + 500))], schema=schema))
        assert sum(map(len, sample.places)) <= 1000
    numbers = sample.build_table()["n"].to_numpy()
    assert not sample.is_whole
    assert sample.row_count == 50_000
    assert 500 <= len(numbers) <= 1000
    assert (np.diff(numbers) > 0).all()
    assert abs(numbers.mean() - 25_000) < 4 * 50_000 / np.sqrt(12 * len(numbers))
    by_bytes = sampling.RowSample(schema, max_bytes=4000)
    by_bytes.add(pa.record_batch([pa.array(range(5000))], schema=schema))
    assert by_bytes.build_table().nbytes <= 4000
