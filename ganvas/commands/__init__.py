"""The commands of the command line, one file each: its first line, its settings, and `main`, which carries it out.

A file here is found by itself. At its top it imports nothing that is slow: `ganvas --help` reads them all.
"""

from dataclasses import dataclass
from typing import Any

from ..errors import GanvasError


@dataclass(frozen=True, kw_only=True)
class SamplingArguments:
    """Which samples: of what class, how typical, from which checkpoint.

    label: the class to make, by its name or number; for attributes and vectors, numbers with commas: 1,0. Default: classes as
        often as in the data.
    text: what samples should show, in words, for runs that were trained on captions.
    conditions: what else samples should be, for runs with conditions of other names. Once for each.
    truncation: how far latents may lie from the middle, such as 0.7. Less gives fewer kinds of samples, each more typical.
    checkpoint: the state of the run: best, last, or a number of samples seen.
    device: where to compute: auto, cpu, cuda or mps.
    """

    label: str | None = None
    text: str | None = None
    conditions: tuple[str, ...] = ()
    truncation: float | None = None
    checkpoint: str = "best"
    device: str = "auto"

    @property
    def sampling_options(self) -> dict[str, Any]:
        """The same, as what samples takes them."""
        options = {name: getattr(self, name) for name in ("truncation", "checkpoint", "device")}
        return {"conditions": collect_conditions(self.label, self.conditions, self.text), **options}


def collect_conditions(label: str | None, conditions: tuple[str, ...], text: str | None = None) -> dict[str, str]:
    """What samples are to be, by name. Raises GanvasError for a condition that is not NAME=VALUE, or one given twice."""
    pairs = [text.partition("=") for text in conditions]
    for name, equals, _ in pairs:
        if not equals or not name.strip():
            raise GanvasError(f"a condition is NAME=VALUE, such as text='a red house', got {name + equals!r}")
    named = {name: value for name, value in (("label", label), ("text", text)) if value is not None}
    for name, _, value in pairs:
        if name in named:
            raise GanvasError(f"{name} is asked for twice, {named[name]!r} and {value!r}: name each condition once")
        named[name] = value
    return named
