"""What the networks here share: reading geometry and classes from a spec, and labels from a batch."""

from math import log2

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot
from torch.nn.utils.parametrize import is_parametrized

from ...core import Condition, GeneratorNetwork, Spec
from ...errors import GanvasError, refuse


def read_image_levels(spec: Spec, network: str, smallest: int = 8, largest: int = 2048) -> tuple[int, int]:
    """(channels, number of doublings from 4 px) of square images whose size is a power of two.

    Raises:
        GanvasError: any other spec.
    """
    if len(spec.shape) != 3:
        raise GanvasError(
            f"{network} makes images, and a sample here has shape {spec.shape}: use a recipe for it (ganvas recipes)"
        )
    channels, height, width = spec.shape
    if height != width or not smallest <= height <= largest or height & (height - 1):
        nearest = min(largest, max(smallest, 2 ** round(log2(min(height, width)))))
        raise GanvasError(
            f"{network} makes square images whose size is a power of two from {smallest} to {largest}, got {height} x {width}: "
            f"resize the data with --medium.size {nearest}"
        )
    return channels, height.bit_length() - 3


def check_widths(**widths: int) -> None:
    """Raises GanvasError for a layer of no channels, or of more than any network here has."""
    for name, width in widths.items():
        refuse(not 1 <= width <= 65536, f"nets.{name}", width, "between 1 and 65536", f"--nets.{name.replace('_', '-')} 64")


def read_condition_names(net: nn.Module) -> tuple[str, ...]:
    """The names of the conditions that a generator takes."""
    return net.conditions if isinstance(net, GeneratorNetwork) else ()


def count_classes(spec: Spec) -> int:
    """How many classes samples come in; 0 where they have none."""
    label = spec.conditions.get("label")
    return label.size if label is not None and label.kind == "class" else 0


def compute_class_shares(label: Tensor, classes: int) -> Tensor:
    """Classes int64 [N] as float [N, K], one of K; mixtures of classes [N, K] are that already."""
    return label.float() if label.is_floating_point() else one_hot(label, classes).float()


def embed_labels(table: nn.Embedding, label: Tensor) -> Tensor:
    """A class's row, [N, size]; of a mixture of classes the mixture of theirs."""
    return label.float() @ table.weight if label.is_floating_point() else table(label)


def make_placeholder_labels(label: Condition) -> Tensor:
    """Labels for two samples that are looked at for their shapes alone."""
    return torch.zeros(2, dtype=torch.int64) if label.kind == "class" else torch.zeros(2, label.size)


def get_learned_weight(layer: nn.Module) -> Tensor:
    """A layer's weight as it is kept and learned: what spectral norm, for instance, is computed from."""
    return layer.parametrizations.weight.original if is_parametrized(layer, "weight") else layer.weight  # type: ignore[union-attr, return-value]


def is_zero_weight(weight: Tensor) -> bool:
    """Whether it starts at 0 on purpose; of a shape without values, no."""
    return not weight.is_meta and not bool(weight.any())
