"""Small multiples of curves: lines where the values are, and none where they are missing."""

import numpy as np

from ganvas.pictures.panels import GAP_PIXELS, PANEL_HEIGHT, SCALE_WIDTH, TITLE_PIXELS, Curve, Panel, draw_panels

WIDTH = 100
LEFT, TOP = GAP_PIXELS + SCALE_WIDTH, GAP_PIXELS + TITLE_PIXELS


def find_ink(panel: Panel) -> np.ndarray:
    """Where the inside of a panel is not white: bool [height, width]."""
    picture = np.asarray(draw_panels([panel], 1, WIDTH))
    return (picture[TOP + 2 : TOP + PANEL_HEIGHT - 2, LEFT + 2 : LEFT + WIDTH - 2] < 200).any(-1)


def test_a_line_lies_at_its_height() -> None:
    for height, row in ((0.0, PANEL_HEIGHT - 4), (0.5, PANEL_HEIGHT / 2), (1.0, 4)):
        rows, columns = np.nonzero(find_ink(Panel("", [Curve(np.full(5, height), (0, 0, 0), 2.0)], 0.0, 1.0)))
        assert abs(rows.mean() + 2 - row) < 2
        assert len(set(columns)) == WIDTH - 4


def test_missing_values_break_the_line() -> None:
    ink = find_ink(Panel("", [Curve(np.array([0.5, 0.5, np.nan, np.nan, 0.5, 0.5]), (0, 0, 0), 2.0)], 0.0, 1.0))
    columns = np.flatnonzero(ink.any(0))
    assert not ((columns > 25) & (columns < 72)).any()
    assert columns.min() < 3
    assert columns.max() > 90


def test_a_filled_curve_reaches_the_bottom_and_values_beyond_the_scale_stay_inside() -> None:
    ink = find_ink(Panel("", [Curve(np.full(4, 9.0), (0, 0, 0), is_filled=True)], 0.0, 1.0))
    assert ink[4:].all()
    assert not find_ink(Panel("", [], 0.0, 1.0)).any()


def test_panels_lie_in_rows() -> None:
    one, four = (draw_panels([Panel("", [], 0.0, 1.0)] * n, 2, WIDTH) for n in (2, 3))
    assert one.width == four.width
    assert four.height - one.height == TITLE_PIXELS + PANEL_HEIGHT + GAP_PIXELS
