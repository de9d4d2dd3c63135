"""CUT's H: features at some places of an image become points on a sphere. Park et al. 2020, section 3."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

NORM_OFFSET = 1e-7  # keeps the length of a vector above 0


class ProjectionHead(nn.Module):
    """Features [N, C, H, W] by name, places int64 [P] by name -> [N, P, size] by name, of length 1.

    widths: the channels of the features by name. Each has two linear layers of its own.
    """

    def __init__(self, widths: Mapping[str, int], size: int) -> None:
        super().__init__()
        self.projections = nn.ModuleDict(
            {name: nn.Sequential(nn.Linear(width, size), nn.ReLU(), nn.Linear(size, size)) for name, width in widths.items()}
        )
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, 0.0, 0.02)
                nn.init.zeros_(layer.bias)

    @property
    def names(self) -> tuple[str, ...]:
        """The layers of the translator whose features it takes."""
        return tuple(self.projections)

    def forward(self, features: Mapping[str, Tensor], places: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {
            name: scale_to_unit_length(projection(take_places(features[name], places[name])))
            for name, projection in self.projections.items()
        }


def take_places(features: Tensor, places: Tensor) -> Tensor:
    """Features [N, C, H, W] at places int64 [P], counted row by row: [N, P, C]."""
    return features.flatten(2).index_select(2, places).transpose(1, 2)


def scale_to_unit_length(vectors: Tensor) -> Tensor:
    """[…, C] of any length -> length 1, in fp32."""
    vectors = vectors.float()
    return vectors / (torch.linalg.vector_norm(vectors, dim=-1, keepdim=True) + NORM_OFFSET)


def draw_places(features: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
    """Random places, int64 [P] by name, the same for all images: `count` of each size, or all if there are fewer."""
    return {
        name: torch.randperm(value.shape[2] * value.shape[3], device=value.device)[:count] for name, value in features.items()
    }
