"""Windows of series: which rows they hold, what is held out, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.configuration import from_json, to_json
from ganvas.core import SeriesItems, Source
from ganvas.data import Windows, read_frame
from ganvas.data.series import WindowCut, WindowItems, build_windows, order_rows
from ganvas.data.series.windows import choose_held_out_rows, cut_rows
from ganvas.errors import GanvasError, SettingError

HOURS = np.datetime64("2024-01-01T00:00", "s")


def draw_stations(counts: dict[str, int], gaps: tuple[int, ...] = (), seed: int = 0) -> pa.Table:
    """Hourly rows in random order. `number` counts the hours of each station; before hours in `gaps`, one is missing."""
    random = np.random.default_rng(seed)
    parts = []
    for place, (station, count) in enumerate(counts.items()):
        hours = np.arange(count) + sum(np.arange(count) >= gap for gap in gaps)
        parts.append(
            pa.table(
                {
                    "station": pa.array([station] * count, pa.string()),
                    "hour": pa.array(HOURS + hours.astype("timedelta64[h]")),
                    "number": hours + 1000.0 * place + 0.25,
                    "height": np.full(count, 10.0 * place),
                    "sky": pa.array(np.array(["blue", "gray"])[random.integers(0, 2, count)]),
                }
            )
        )
    table = pa.concat_tables(parts)
    return table.take(pa.array(random.permutation(len(table))))


def cut(table: pa.Table, window: int = 6, stride: int = 1, key: str | None = "station", time: str | None = "hour", **more: Any):
    rows = order_rows(read_frame(table, "stations"), key, time, **more)
    return [build_windows(rows, WindowCut(window, stride), held_out) for held_out in (False, True)]


def list_windows(items: WindowItems) -> list[pa.Table]:
    return [items[i] for i in range(len(items))]


def test_windows_never_cross_a_series_or_a_gap():
    train, held_out = cut(draw_stations({"a": 100, "b": 60}, gaps=(17, 18)))
    assert isinstance(train, SeriesItems)
    for window in [*list_windows(train), *list_windows(held_out)]:
        assert window.column("station").unique().to_pylist() in (["a"], ["b"])
        assert np.diff(window.column("number").to_numpy()).tolist() == [1.0] * 5
    # of a, 90 rows train in runs of 17, 1 and 72; of b, 54 in runs of 17, 1 and 36
    assert len(train) == (17 - 5) + (72 - 5) + (17 - 5) + (36 - 5)
    assert len(held_out) == (10 - 5) + (6 - 5)


def test_no_window_held_out_shares_a_row_with_training_and_it_is_the_end_of_time():
    train, held_out = cut(draw_stations({"a": 100, "b": 61}))
    numbers = [np.concatenate([w.column("number").to_numpy() for w in list_windows(items)]) for items in (train, held_out)]
    assert not set(numbers[0]) & set(numbers[1])
    for low, high in ((0, 1000), (1000, 2000)):
        of_station = [side[(side >= low) & (side < high)] for side in numbers]
        assert of_station[0].max() < of_station[1].min()
    assert set(numbers[0]) | set(numbers[1]) == {i + 0.25 for i in (*range(100), *range(1000, 1061))}  # nothing is lost
    assert train.fingerprint != held_out.fingerprint


def test_the_order_of_the_rows_in_the_file_does_not_matter():
    one, two = (cut(draw_stations({"a": 50, "b": 40}, seed=seed))[0] for seed in (0, 1))
    numbers = [sorted(tuple(w.column("number").to_pylist()) for w in list_windows(items)) for items in (one, two)]
    assert numbers[0] == numbers[1]


def test_without_a_time_the_rows_are_in_order():
    table = pa.table({"value": np.arange(40.0) ** 2, "kind": ["x", "y"] * 20})
    train, held_out = cut(table, key=None, time=None)
    assert train[3].column("value").to_pylist() == [float(i**2) for i in range(3, 9)]
    assert held_out is None  # the end has one window alone


def test_a_stride_leaves_windows_out():
    train, _ = cut(draw_stations({"a": 100}), stride=4)
    assert [int(w.column("number")[0].as_py()) for w in list_windows(train)] == list(range(0, 85, 4))


def test_short_series_are_kept_and_every_tenth_is_held_out():
    table = draw_stations({f"s{i:02d}": 4 for i in range(20)} | {"long": 100})
    train, held_out = cut(table)
    lengths = [w.num_rows for w in list_windows(train)]
    assert sorted(set(lengths)) == [4, 6]
    assert lengths.count(4) == 18
    assert [w.num_rows for w in list_windows(held_out)].count(4) == 2
    assert not {w.column("station")[0].as_py() for w in list_windows(train) if w.num_rows == 4} & {
        w.column("station")[0].as_py() for w in list_windows(held_out) if w.num_rows == 4
    }


def test_what_is_held_out_by_hand():
    chosen = choose_held_out_rows(np.array([100, 17, 18, 9]), window=6)  # 17 and 9 rows are fewer than three windows
    assert np.split(chosen, [100, 117, 135])[0].tolist() == [False] * 90 + [True] * 10
    assert np.split(chosen, [100, 117, 135])[1].sum() == 0
    assert np.split(chosen, [100, 117, 135])[2].tolist() == [False] * 12 + [True] * 6
    assert choose_held_out_rows(np.full(30, 5), window=6).reshape(30, 5).all(1).nonzero()[0].tolist() == [9, 19, 29]


@given(
    st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=4), min_size=1, max_size=5), st.integers(2, 7), st.integers(1, 4)
)
@settings(max_examples=200, deadline=None)
def test_windows_are_those_of_a_loop(runs: list[list[int]], window: int, stride: int) -> None:
    """Series of runs with so many rows, between which there are gaps."""
    series = np.repeat(np.arange(len(runs)), [sum(counts) for counts in runs])
    firsts = np.cumsum([0, *(count for counts in runs for count in counts)])[:-1].tolist()
    is_start = np.isin(np.arange(len(series)), firsts)
    expected, row = list[tuple[int, int]](), 0
    for counts in runs:
        starts = np.cumsum([row, *counts]).tolist()
        for start, count in zip(starts, counts, strict=False):
            expected += [(start + offset, window) for offset in range(0, count - window + 1, stride)]
        if sum(counts) < window and max(counts) >= 2:
            expected.append((starts[counts.index(max(counts))], max(counts)))
        row += sum(counts)
    found = cut_rows(series, is_start, WindowCut(window, stride))
    assert sorted(zip(found.starts.tolist(), found.lengths.tolist(), strict=True)) == sorted(expected)


def test_statics_are_found_and_the_sentence_says_what_was_understood():
    train, _ = cut(draw_stations({"a": 100, "b": 60, "c": 60}, gaps=(30,)))
    assert train.statics == ("height",)
    assert train.notes[-1] == (
        "3 series by station, 60 to 100 rows each, hourly, cut at 3 gaps: windows of 6 x 2 columns, 1 static (height)"
    )
    assert train.title == "stations (168 windows of 6 x 2)"


@pytest.mark.parametrize(
    ("unit", "words"),
    [("s", "every second"), ("m", "every minute"), ("h", "hourly"), ("D", "daily"), ("W", "weekly")],
)
def test_steps_of_time_have_names(unit: str, words: str) -> None:
    times = HOURS + np.arange(60).astype(f"timedelta64[{unit}]")
    for kind in ("s", "ms", "us", "ns"):
        table = pa.table({"time": pa.array(times, pa.timestamp(kind)), "value": np.random.default_rng(0).standard_normal(60)})
        assert words in cut(table, key=None, time="time")[0].notes[-1]
    quarter = pa.table({"time": 0.25 * np.arange(60), "value": np.random.default_rng(0).standard_normal(60)})
    assert "in steps of 0.25" in cut(quarter, key=None, time="time")[0].notes[-1]
    days = pa.table(
        {
            "time": pa.array(np.arange(60, dtype=np.int32)).cast(pa.date32()),
            "value": np.random.default_rng(0).standard_normal(60),
        }
    )
    assert "daily" in cut(days, key=None, time="time")[0].notes[-1]


def test_irregular_times_have_no_gaps():
    times = np.cumsum(np.random.default_rng(0).integers(1, 50, 80))
    train, _ = cut(pa.table({"time": times, "value": times * 1.5}), key=None, time="time")
    assert len(train) == 72 - 5
    assert "irregular" in train.notes[-1]


def test_the_source_reads_a_file_and_survives_json(tmp_path: Path) -> None:
    pyarrow.csv.write_csv(draw_stations({"a": 100, "b": 60}), tmp_path / "stations.csv")
    source = Windows(path=str(tmp_path / "stations.csv"), window=6, key="station", time="hour", leave_out=("sky",))
    assert isinstance(source, Source)
    assert from_json(to_json(source)) == source
    items, held_out = source.items(()), source.held_out(())
    assert held_out is not None
    assert (len(items), len(held_out)) == (85 + 49, 5 + 1)
    assert items[0].column_names == ["station", "number", "height"]
    assert items.names[1] == "stations.csv window 2"
    assert items.fingerprint == Windows(**vars_of(source)).items(()).fingerprint
    assert items.fingerprint != Windows(**{**vars_of(source), "window": 7}).items(()).fingerprint


def vars_of(source: Windows) -> dict[str, Any]:
    return {name: getattr(source, name) for name in Windows.__dataclass_fields__}


def test_another_encoding_is_said_and_zero_bytes_are_refused(tmp_path: Path) -> None:
    text = "ort,stunde,wert\n" + "".join(f"Köln,{i},{i % 7}\n" for i in range(60))
    (tmp_path / "a.csv").write_bytes(text.encode("cp1252"))
    items = Windows(path=str(tmp_path / "a.csv"), window=6, key="ort", time="stunde").items(())
    assert any("no UTF-8" in note for note in items.notes)
    assert items[0].column("ort")[0].as_py() == "Köln"
    (tmp_path / "b.csv").write_bytes(text.encode("utf-16-le"))
    with pytest.raises(GanvasError, match="UTF-8"):
        Windows(path=str(tmp_path / "b.csv"), window=6, key="ort", time="stunde").items(())


STATIONS = draw_stations({"a": 40, "b": 40})
REFUSALS = {
    "no key": (STATIONS, {"key": "place"}, "no column 'place' for `key`: it has"),
    "no time": (STATIONS, {"time": "when"}, "no column 'when' for `time`: it has"),
    "a time of texts": (STATIONS, {"time": "sky"}, "'sky' is no time, it holds '(blue|gray)': write times like"),
    "key and time are one": (STATIONS, {"key": "hour"}, "both `key` and `time`"),
    "two rows at one time": (
        STATIONS, {"key": None}, r"the table has two rows at hour 2024-01-01 00:00:00, and so for 40 rows: name the column"
    ),
    "two rows of a series at one time": (
        pa.concat_tables([STATIONS, STATIONS.slice(0, 1)]), {}, "station [ab] has two rows at hour .*: remove one of each pair"
    ),
    "a window longer than all": (
        STATIONS, {"window": 60}, "fewer than two windows of 60 rows: its longest series has 40 rows. Set a `window` below"
    ),
    "gaps everywhere": (
        draw_stations({"a": 60}, gaps=tuple(range(6, 60, 11))), {"window": 12}, "11 to train on without a gap of time"
    ),
    "nothing that changes": (
        STATIONS.select(["station", "hour", "height"]), {}, "no number and no category that changes with time"
    ),
    "free texts alone": (
        pa.table({"hour": np.arange(80), "note": [f"remark {i} about it" for i in range(80)]}), {"key": None},
        "nothing to learn.*free text",
    ),
    "a key that is missing": (
        STATIONS.set_column(0, "station", pa.array(["a"] * 79 + [None])), {}, "the key 'station' is missing in 1 row"
    ),
    "a time that is missing": (
        pa.table({"hour": pa.array([*range(79), None]), "value": np.arange(80.0) % 7}), {"key": None},
        "the time 'hour' is missing, or no date that exists, in 1 row",
    ),
    "a time that is not finite": (
        pa.table({"hour": [*range(79), float("inf")], "value": np.arange(80.0) % 7}), {"key": None}, "not finite"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_refused(name: str) -> None:
    table, settings, message = REFUSALS[name]
    with pytest.raises(GanvasError, match=message):
        cut(table, **settings)


@pytest.mark.parametrize(
    "settings", [{"window": 1}, {"stride": 0}, {"key": "station", "leave_out": ("station",)}, {"window": 10**6}]
)
def test_settings_out_of_range(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        Windows(path="a.csv", **settings)
