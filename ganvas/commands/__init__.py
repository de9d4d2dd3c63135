"""The commands of the command line, one file each: its first line, its settings, and `main`, which carries it out.

A file here is found by itself. At its top it imports nothing that is slow: `ganvas --help` reads them all.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SamplingArguments:
    """Which samples: of what class, how typical, from which checkpoint.

    label: the class to make, by its name or number; for attributes and vectors, numbers with commas: 1,0. Default: classes as
        often as in the data.
    truncation: how far latents may lie from the middle, such as 0.7. Less gives fewer kinds of samples, each more typical.
    checkpoint: the state of the run: best, last, or a number of samples seen.
    device: where to compute: auto, cpu, cuda or mps.
    """

    label: str | None = None
    truncation: float | None = None
    checkpoint: str = "best"
    device: str = "auto"

    @property
    def sampling_options(self) -> dict[str, Any]:
        """The same, as what samples takes them."""
        return {name: getattr(self, name) for name in ("label", "truncation", "checkpoint", "device")}
