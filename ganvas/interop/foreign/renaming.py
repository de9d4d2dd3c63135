"""Rename others' weights to ours: an ordered list of patterns and replacements. The first that fits is taken."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from ...core import Architecture
from ...errors import GanvasError
from ...nets.critics import CriticDesign
from ...nets.translation import GeneratorDesign

RenameRule = tuple[str, str | Callable[[re.Match[str]], str]]  # a pattern of whole names, and our name
Design = GeneratorDesign | CriticDesign | Architecture
STATISTICS = r".*\.(running_mean|running_var|num_batches_tracked)"


class RenamedNetwork(NamedTuple):
    """A network under our names: its origin, its design with the sizes found, its channels, its weights.

    input_channels: of all that it sees, such as a source; of the source and x, for a critic of pairs.
    channels: of x.
    """

    origin: str
    design: Design
    input_channels: int
    channels: int
    state: Mapping[str, Tensor]


def rename_weights(tensors: Mapping[str, Tensor], rules: Sequence[RenameRule], origin: str) -> dict[str, Tensor]:
    """The tensors by our names; `origin` says whose they are.

    Raises:
        GanvasError: a name that no rule fits.
    """
    renamed: dict[str, Tensor] = {}
    for name, value in tensors.items():
        rule = next(((pattern, ours) for pattern, ours in rules if re.fullmatch(pattern, name)), None)
        if rule is None:
            raise GanvasError(f"{origin} with a weight {name!r} is not supported: convert the file of the published network")
        renamed[re.sub(rule[0], rule[1], name, count=1)] = value
    return renamed


def rename_layers(tensors: Mapping[str, Tensor], names: Mapping[str, str], origin: str) -> dict[str, Tensor]:
    """The tensors of each layer under its new name. Raises GanvasError for a layer without one."""
    return rename_weights(tensors, [(rf"{re.escape(theirs)}\.(\w+)", rf"{ours}.\1") for theirs, ours in names.items()], origin)


def find_numbers(tensors: Mapping[str, Tensor], pattern: str) -> list[int]:
    """The numbers that the pattern's first group takes in the names, each once, in order."""
    matches = (re.fullmatch(pattern, name) for name in tensors)
    return sorted({int(match[1]) for match in matches if match})
