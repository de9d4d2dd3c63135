"""Tables in other encodings, with dates far away, of one column: handled, or refused with a reason."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ganvas.data import Rows, prepare_dataset, read_frame
from ganvas.errors import GanvasError
from ganvas.media import Table

LINES = "town,count\n" + "".join(f"{town},{k % 7}\n" for k, town in enumerate(["Köln", "Ulm"] * 50))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-32"])
def test_encodings_that_can_be_told_are_read(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(LINES.encode(encoding))
    assert Rows(path=str(tmp_path / "a.csv")).items(())[0] == {"town": "Köln", "count": 0}


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(LINES.replace("Köln", "大阪").encode("shift-jis"))
    with pytest.raises(GanvasError, match="neither UTF-8 nor Western European: save it as UTF-8"):
        Rows(path=str(tmp_path / "a.csv")).items(())


def test_a_tsv_with_commas_is_read_by_its_commas(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(LINES, encoding="utf-8")
    assert Rows(path=str(tmp_path / "a.tsv")).items(())[1] == {"town": "Ulm", "count": 1}


def test_dates_may_be_any_of_the_calendar() -> None:
    days = np.array(["9999-12-31", "0001-01-01", "2024-02-29"] * 40, "datetime64[us]")
    items = read_frame({"day": days, "price": np.arange(120) % 7})
    codec = Table().fit(items)
    decoded = codec.decode(prepare_dataset(items, codec, None, quiet=True).columns["x"])
    assert (decoded["day"].to_numpy() == days).all()


def test_numbers_beyond_what_a_float_holds_exactly_are_no_error() -> None:
    waits = pa.array(np.array([10**17 + k % 5 * 10**9 for k in range(100)]), pa.duration("ns"))
    codec = Table().fit(read_frame({"wait": waits, "town": ["x", "y"] * 50}))
    assert codec.schema.field("wait").type == pa.duration("ns")


def test_texts_that_are_dates_are_named_in_a_frame() -> None:
    days = [f"2024-01-{k % 28 + 1:02}" for k in range(200)]
    with pytest.raises(GanvasError, match=r"its texts are dates \(%Y-%m-%d\): give them as dates"):
        Table().fit(read_frame({"day": days}))


def test_a_table_of_one_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(GanvasError, match="has 1 row: two are needed"):
        Rows(path=str(tmp_path / "a.csv")).items(())
