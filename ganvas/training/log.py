"""Statistics of training, summed on the device and read back only when a report is due."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ..core import Turn


class RunningMeans:
    """Running sums of loss terms, statistics and gradient norms since the last report.

    A value that is not finite makes its sum not finite, so no step needs a check.
    """

    def __init__(self) -> None:
        self.sums: dict[tuple[str, str], Tensor] = {}
        self.counts: dict[tuple[str, str], int] = {}

    def add_turn(self, turn: Turn) -> None:
        for name, term in turn.terms.items():
            self._accumulate_value("terms", name, term.detach().mean())
        for name, value in turn.statistics.items():
            if value.dim() == 0:
                self._accumulate_value("seen", name, value)

    def add_gradient_norm(self, name: str, parameters: Iterable[nn.Parameter]) -> None:
        """The norm of a network's gradient, before its step."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        norms = torch._foreach_norm(gradients)  # pyright: ignore[reportPrivateImportUsage]
        self._accumulate_value("gradient_norm", name, torch.stack(norms).norm())

    def read_and_reset(self) -> dict[str, dict[str, float]]:
        """The means {"terms": {…}, "seen": {…}, "gradient_norm": {…}}; the sums start again at zero."""
        means: dict[str, dict[str, float]] = {"terms": {}, "seen": {}, "gradient_norm": {}}
        values = torch.stack(list(self.sums.values())).tolist() if self.sums else []
        for ((kind, name), count), value in zip(self.counts.items(), values, strict=True):
            means[kind][name] = value / count
        self.sums, self.counts = {}, {}
        return means

    def _accumulate_value(self, kind: str, name: str, value: Tensor) -> None:
        slot = (kind, name)
        self.sums[slot] = self.sums[slot] + value if slot in self.sums else value
        self.counts[slot] = self.counts.get(slot, 0) + 1


def stringify_nonfinite(means: dict[str, dict[str, float]]) -> dict[str, Any]:
    """Replace NaN and infinity by strings, because JSON has neither."""
    return {kind: {n: v if abs(v) < float("inf") else str(v) for n, v in group.items()} for kind, group in means.items()}
