"""Settings that change during training, by samples seen."""

from math import cos, pi
from typing import Protocol, runtime_checkable

from ..configuration import config
from ..core import Clock
from ..errors import require


@runtime_checkable
class Schedule(Protocol):
    """A factor, for instance on a learning rate. Frozen settings (@config)."""

    def __call__(self, clock: Clock) -> float: ...
    def compute_progress(self, clock: Clock) -> float:
        """How much of the change is done, from 0 to 1."""
        ...


@config
class Constant:
    """Always 1."""

    def __call__(self, clock: Clock) -> float:
        return 1.0

    def compute_progress(self, clock: Clock) -> float:
        return 0.0


@config
class Linear:
    """1 until `start`, a share of the run; then in equal steps to `final`."""

    final: float = 0.0
    start: float = 0.0

    def __post_init__(self) -> None:
        require(0 <= self.final <= 1000, "final", self.final, "from 0 to 1000")
        require(0 <= self.start < 1, "start", self.start, "in [0, 1)")

    def __call__(self, clock: Clock) -> float:
        return 1 + (self.final - 1) * self.compute_progress(clock)

    def compute_progress(self, clock: Clock) -> float:
        position = clock.samples / max(1, clock.total)
        return min(1.0, max(0.0, (position - self.start) / (1.0 - self.start)))


@config
class Cosine:
    """1 until `start`, a share of the run or of its first `kimg` thousand samples; then half a cosine to `final`."""

    final: float = 0.0
    start: float = 0.0
    kimg: float = 0.0

    def __post_init__(self) -> None:
        require(0 <= self.final <= 1000, "final", self.final, "from 0 to 1000")
        require(0 <= self.start < 1, "start", self.start, "in [0, 1)")
        require(self.kimg >= 0, "kimg", self.kimg, "0 or more")

    def __call__(self, clock: Clock) -> float:
        return 1 + (self.final - 1) * self.compute_progress(clock)

    def compute_progress(self, clock: Clock) -> float:
        position = clock.samples / (1000 * self.kimg or max(1, clock.total))
        return (1 - cos(pi * min(1.0, max(0.0, (position - self.start) / max(1e-9, 1.0 - self.start))))) / 2
