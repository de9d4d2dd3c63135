"""Views of samples in parts."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from ..configuration import config
from ..errors import GanvasError
from ..nets.together.layout import WORD_SCALE
from .views import FeaturePyramid


class Layout(Protocol):
    """What a view asks of the layout of samples in parts."""

    def cut_picture(self, x: Tensor) -> Tensor: ...
    def cut_words(self, x: Tensor) -> Tensor: ...


@runtime_checkable
class KnowsLayout(Protocol):
    """A network that knows where the parts of a sample lie."""

    @property
    def layout(self) -> Layout: ...


@config
class PartPyramid:
    """The picture's features at three sizes, then all other parts, scaled: x [N, F] -> [N, F']."""

    def see(self, x: Tensor, network: nn.Module) -> Tensor:
        """Raises GanvasError for a critic of samples that have no parts."""
        if not isinstance(network, KnowsLayout):
            raise GanvasError("PartPyramid is for samples in parts, and this critic sees others: take FeaturePyramid")
        picture = FeaturePyramid()(network.layout.cut_picture(x))
        return torch.cat([picture, WORD_SCALE * network.layout.cut_words(x).to(picture.dtype)], 1)
