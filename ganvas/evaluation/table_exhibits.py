"""What a table's generator made: some rows, pairs of columns that differ from the data, rows that give themselves away."""

import csv
import io

import torch
from torch import Tensor

from ..core import Exhibit, Method, Nets, PlainTable, PlainTableCodec
from ..metrics.tables import detect_rows, score_pair_trends
from ..metrics.tables.boosting import has_trees
from ..metrics.tables.detection import MIN_ROWS
from ..pictures.heat_map import draw_heat_map
from .evaluator import Evaluator

COMPARED_ROWS = 4_000
SHOWN_ROWS, SHOWN_COLUMNS, TELLING_COLUMNS = 20, 30, 4
HIGHEST_GAP = 0.2  # of a pair of columns, as 1 - its score: drawn in full red


def list_table_exhibits(evaluator: Evaluator, method: Method, nets: Nets) -> list[Exhibit]:
    """The exhibits of these networks; none for samples that are no rows of a table."""
    codec = evaluator.codec
    if not isinstance(codec, PlainTableCodec):
        return []
    stored = evaluator.draw_fakes(method, nets, COMPARED_ROWS)
    exhibits = [Exhibit("rows", "Generated rows", ".csv", format_rows(codec, stored[:SHOWN_ROWS]))]
    if not evaluator.has_reals:
        return exhibits
    real = codec.read_plain_table(evaluator.split.reference.take(0, COMPARED_ROWS)["x"])
    fake = codec.read_plain_table(stored)
    if len(fake.names) > 1:
        exhibits.append(show_pairs(real, fake))
    if has_trees() and min(len(real), len(fake)) >= MIN_ROWS:
        exhibits.append(show_telling_rows(codec, stored, real, fake))
    return exhibits


def format_rows(codec: PlainTableCodec, stored: Tensor) -> bytes:
    """Rows as CSV, of the first columns."""
    table, text = codec.decode(stored), io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.schema.names[:SHOWN_COLUMNS])
    writer.writerows(list(row.values())[:SHOWN_COLUMNS] for row in table.to_pylist())
    return text.getvalue().encode()


def show_pairs(real: PlainTable, fake: PlainTable) -> Exhibit:
    """How far each pair of columns is from depending on each other as in the data."""
    columns = range(min(SHOWN_COLUMNS, len(fake.names)))
    scores, buffer = score_pair_trends(real.select(columns), fake.select(columns)), io.BytesIO()
    draw_heat_map(1 - scores.matrix, scores.names, HIGHEST_GAP).save(buffer, "PNG")
    caption = (
        f"How much pairs of columns differ from the data: white is equal, red is {HIGHEST_GAP:.0%} or more. Their mean score "
        f"is {scores.mean:.3f}; independent columns get {scores.independent:.3f}"
    )
    return Exhibit("pairs", caption, ".png", buffer.getvalue())


def show_telling_rows(codec: PlainTableCodec, stored: Tensor, real: PlainTable, fake: PlainTable) -> Exhibit:
    """The generated rows that trees tell from real ones most surely, and the columns by which they do."""
    detection = detect_rows(real, fake)
    columns = [f"{name} ({fall:.2f})" for name, fall in detection.telling_columns.items() if fall > 0.005][:TELLING_COLUMNS]
    caption = f"Generated rows that give themselves away most surely. Trees tell rows apart with an AUC of {detection.auc:.2f}"
    caption += f", mainly by {', '.join(columns)}: so much less without it" if columns else ""
    return Exhibit("telling_rows", caption, ".csv", format_rows(codec, stored[torch.from_numpy(detection.telling_rows)]))
