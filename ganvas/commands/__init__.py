"""The commands of the command line, one file each: its first line, its settings, and `main`, which carries it out.

A file here is found by itself. At its top it imports nothing that is slow: `ganvas --help` reads them all.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SamplingArguments:
    """Of which checkpoint, and of what kind samples are.

    label: of which class (its name or number), or like which vector (numbers with commas), for runs with labels. [default:
        as they come in the data]
    truncation: how far latents may lie from the middle, such as 0.7: fewer kinds of samples, each more typical.
    checkpoint: best, last, or samples seen.
    device: auto, cpu, cuda or mps.
    """

    label: str | None = None
    truncation: float | None = None
    checkpoint: str = "best"
    device: str = "auto"

    @property
    def sampling_options(self) -> dict[str, Any]:
        """The same, as what samples takes them."""
        return {name: getattr(self, name) for name in ("label", "truncation", "checkpoint", "device")}
