"""How much more a translated film flickers than its source."""

import numpy as np


class FlickerMeter:
    """Mean absolute differences of consecutive frames, of the result and of the source, in shares of the range."""

    def __init__(self) -> None:
        self.last: tuple[np.ndarray, np.ndarray] | None = None
        self.source_change = self.result_change = 0.0
        self.frame_pairs = 0

    def add(self, source: np.ndarray, result: np.ndarray) -> None:
        """Two frames of one moment, uint8 [H, W, C] each; sizes may differ."""
        if self.last is not None:
            self.source_change += measure_change(self.last[0], source)
            self.result_change += measure_change(self.last[1], result)
            self.frame_pairs += 1
        self.last = source, result

    @property
    def ratio(self) -> float | None:
        """The result's changes over the source's; None if the source stands still."""
        return self.result_change / self.source_change if self.source_change > 0 else None

    def describe(self) -> str:
        """A sentence with the figure and what it is."""
        if not self.frame_pairs:
            return "one frame: no flicker"
        if self.ratio is None:
            change = 100 * self.result_change / self.frame_pairs
            return f"the film stands still, and its frames change by {change:.2f}% of the range from one to the next"
        return (
            f"flicker {self.ratio:.2f}: from frame to frame the result changes {self.ratio:.2f} times as much as the source "
            "(mean absolute difference; above 1 it flickers more)"
        )


def measure_change(first: np.ndarray, second: np.ndarray) -> float:
    """The mean absolute difference of uint8 arrays, as a share of the range."""
    difference = np.maximum(first, second) - np.minimum(first, second)
    return float(difference.mean()) / 255
