"""Cut series into windows: those to train on, and those at the end of time to score against."""

from typing import NamedTuple

import numpy as np

from ...errors import GanvasError
from ...system.arrow import import_arrow
from ..items import MIN_DATASET_SAMPLES, fingerprint_parts
from .items import WindowItems
from .ordering import SeriesRows

HELD_OUT_SHARE = 0.1  # of each series, at its end; or of short series, whole ones
MIN_WINDOWS_TO_SPLIT = 3  # a series with fewer windows' rows is not split


class WindowCut(NamedTuple):
    """How series are cut."""

    window: int  # rows
    stride: int  # rows from the start of a window to that of the next


class RowRuns(NamedTuple):
    """Runs of rows that follow each other."""

    starts: np.ndarray  # int64 [N]
    lengths: np.ndarray  # int64 [N]


def build_windows(whole: SeriesRows, cut: WindowCut, is_held_out: bool) -> WindowItems | None:
    """The windows to train on, or those held out. None if there are fewer than two held-out ones.

    No window crosses a gap of time. A series shorter than a window is one shorter window, without what lies beyond a gap.

    Raises:
        GanvasError: to train on there are fewer than two windows, or no series is as long as one.
    """
    rows = np.flatnonzero(choose_held_out_rows(whole.count_rows(), cut.window) == is_held_out)
    _, series = np.unique(whole.series[rows], return_inverse=True)
    is_start = whole.is_start[rows] | np.concatenate([[True], series[1:] != series[:-1]])[: len(rows)]
    windows = cut_rows(series, is_start, cut) if len(rows) else RowRuns(rows, rows)
    if is_held_out and len(windows.starts) < MIN_DATASET_SAMPLES:
        return None
    if not is_held_out:
        _check_windows(whole, windows, cut, is_start)
    title = whole.rows.title.partition(" (")[0]
    size = f"{cut.window} x {len(whole.learnable)}"
    return WindowItems(
        table=whole.table.take(import_arrow().array(rows)),
        surveys=tuple(survey for survey in whole.rows.surveys if survey.name in whole.table.column_names),
        series=series,
        **windows._asdict(),
        window=cut.window,
        key=whole.key,
        statics=whole.statics,
        fingerprint=fingerprint_parts(whole.rows.fingerprint, cut, whole.key, whole.step, is_held_out),
        title=f"{title} ({len(windows.starts):,} windows of {size}{', at the end of time' if is_held_out else ''})",
        notes=(*whole.rows.notes, describe_series(whole, cut)) if not is_held_out else (),
    )


def choose_held_out_rows(counts: np.ndarray, window: int) -> np.ndarray:
    """Which rows are held out, bool [R], of series with so many rows [S], one after the other.

    Of a series with rows for three windows or more, the last tenth, and at least one window. Of shorter ones, every tenth.
    """
    tails = np.maximum(np.ceil(HELD_OUT_SHARE * counts).astype(np.int64), window)
    is_short = counts < MIN_WINDOWS_TO_SPLIT * window
    every = round(1 / HELD_OUT_SHARE)
    is_chosen = is_short & (np.cumsum(is_short) % every == 0)
    tails = np.where(is_short, np.where(is_chosen, counts, 0), tails)
    ends = np.cumsum(counts)
    return np.arange(counts.sum()) >= np.repeat(ends - tails, counts)


def cut_rows(series: np.ndarray, is_start: np.ndarray, cut: WindowCut) -> RowRuns:
    """The windows of rows of `series` [R]; `is_start` [R] marks rows that do not follow the row before them."""
    firsts = np.flatnonzero(is_start)
    ends = np.append(firsts[1:], len(series))
    counts = np.maximum(0, (ends - firsts - cut.window) // cut.stride + 1)
    places = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = np.repeat(firsts, counts) + cut.stride * places
    short_starts, short_lengths = _find_longest_runs(series, firsts, ends - firsts, cut.window)
    lengths = np.concatenate([np.full(len(starts), cut.window), short_lengths])
    return RowRuns(np.concatenate([starts, short_starts]), lengths)


def _find_longest_runs(series: np.ndarray, firsts: np.ndarray, lengths: np.ndarray, window: int) -> RowRuns:
    """Of each series shorter than a window, its longest run of rows, if that has two or more."""
    owners = series[firsts]
    order = np.lexsort((firsts, -lengths, owners))
    is_longest = np.concatenate([[True], owners[order][1:] != owners[order][:-1]])
    runs = order[is_longest]
    runs = runs[(np.bincount(series)[owners[runs]] < window) & (lengths[runs] >= 2)]
    return RowRuns(firsts[runs], lengths[runs])


def _check_windows(whole: SeriesRows, windows: RowRuns, cut: WindowCut, is_start: np.ndarray) -> None:
    if len(windows.starts) and len(windows.starts) >= MIN_DATASET_SAMPLES and windows.lengths.max() == cut.window:
        return
    longest = int(np.diff(np.append(np.flatnonzero(is_start), len(is_start))).max(initial=0))
    longest_series = int(whole.count_rows().max())
    reason = f"its longest series has {longest_series:,} rows"
    if longest < longest_series:
        reason += f", and {longest:,} to train on without a gap of time"
    raise GanvasError(
        f"{whole.rows.title} has fewer than two windows of {cut.window} rows: {reason}. "
        f"Set a `window` below {max(3, longest):,}, or give more rows"
    )


def describe_series(whole: SeriesRows, cut: WindowCut) -> str:
    """ "3 series by station, 8,705 rows each, hourly, cut at 14 gaps: windows of 24 x 6 columns, 2 statics" """
    counts = whole.count_rows()
    span = f"{counts.min():,}" if counts.min() == counts.max() else f"{counts.min():,} to {counts.max():,}"
    series = f"{len(counts):,} series by {whole.key}, {span} rows each" if whole.key else f"one series of {span} rows"
    gap_count = int(whole.is_start.sum()) - len(counts)
    pieces = [
        series,
        *([whole.step.words] if whole.step else ["in the order of the table"]),
        *([f"cut at {gap_count:,} gap{'s' if gap_count > 1 else ''}"] if gap_count else []),
    ]
    short_count = int((counts < cut.window).sum())
    columns = f"windows of {cut.window} x {len(whole.learnable)} column{'s' if len(whole.learnable) > 1 else ''}"
    statics = [f"{len(whole.statics)} static{'s' if len(whole.statics) > 1 else ''} ({', '.join(whole.statics[:4])})"]
    shorter = [f"{short_count:,} shorter series are kept, with a mark where they end"]
    return f"{', '.join(pieces)}: " + ", ".join(
        [columns, *(statics if whole.statics else []), *(shorter if short_count else [])]
    )
