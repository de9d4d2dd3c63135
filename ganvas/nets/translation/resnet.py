"""The residual translator of CycleGAN and CUT: two halvings, blocks at a quarter of the size, two doublings.

Johnson et al. 2016, as in Zhu et al. 2017 (CycleGAN), section 7.2. CUT's form blurs before it halves and after it doubles.
"""

from collections.abc import Iterable
from dataclasses import replace

from torch import Tensor, nn

from ...configuration import config
from ...errors import GanvasError, require
from ..layers.antialiasing import BlurredDoubling, BlurredHalving
from ..layers.instance_norm import Norm, build_norm, initialise_translation_weights, needs_bias
from ..layers.labels import check_widths
from ..layers.reach import compute_reach
from .translator import ImageShape, TranslatorNetwork, check_multiple

HALVINGS = 2
SMALLEST_SOURCE = 8  # pixels: below, the borders at a quarter of the size could not be mirrored


class ResNetBlock(nn.Module):
    """x + norm(conv(ReLU(norm(conv(x))))), at one size, with mirrored borders."""

    def __init__(self, width: int, norm: Norm, has_dropout: bool) -> None:
        super().__init__()
        self.first, self.second = (
            nn.Conv2d(width, width, 3, padding=1, bias=needs_bias(norm), padding_mode="reflect") for _ in range(2)
        )
        self.first_norm, self.second_norm = build_norm(norm, width), build_norm(norm, width)
        self.dropout = nn.Dropout(0.5) if has_dropout else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        h = self.first_norm(self.first(x)).relu()
        return x + self.second_norm(self.second(self.dropout(h)))


class Generator(TranslatorNetwork):
    """source [N, C, H, W] -> x [N, C', H, W] in [-1, 1]. Its layers have names: features can be taken after any of them.

    Names: "pad", "first", "down1", "down2" (the convolutions), "block1" …, "up1", "up2", "last", and "…_norm" for a norm with
    what follows it.
    """

    def __init__(
        self, source_channels: int, channels: int, width: int, blocks: int, norm: Norm, is_antialiased: bool, has_dropout: bool
    ) -> None:
        super().__init__()
        self.norm: Norm = norm
        self.layers, self.feature_widths = nn.ModuleDict(), dict[str, int]()
        self.add_layer("pad", nn.ReflectionPad2d(3), source_channels)
        self.add_normed("first", nn.Conv2d(source_channels, width, 7, bias=needs_bias(norm)), width)
        for k in range(1, HALVINGS + 1):
            self.add_halving(f"down{k}", width, is_antialiased)
            width *= 2
        for k in range(1, blocks + 1):
            self.add_layer(f"block{k}", ResNetBlock(width, norm, has_dropout), width)
        for k in range(1, HALVINGS + 1):
            self.add_doubling(f"up{k}", width, is_antialiased)
            width //= 2
        self.add_layer("last_pad", nn.ReflectionPad2d(3), width)
        self.add_layer("last", nn.Conv2d(width, channels, 7), channels)
        self.add_layer("tanh", nn.Tanh(), channels)

    def add_layer(self, name: str, layer: nn.Module, outputs: int) -> None:
        self.layers[name], self.feature_widths[name] = layer, outputs

    def add_normed(self, name: str, layer: nn.Module, outputs: int, *after: nn.Module) -> None:
        self.add_layer(name, layer, outputs)
        self.add_layer(f"{name}_norm", nn.Sequential(build_norm(self.norm, outputs), nn.ReLU(), *after), outputs)

    def add_halving(self, name: str, inputs: int, is_antialiased: bool) -> None:
        stride, blur = (1, [BlurredHalving()]) if is_antialiased else (2, [])
        layer = nn.Conv2d(inputs, 2 * inputs, 3, stride, 1, bias=needs_bias(self.norm))
        self.add_normed(name, layer, 2 * inputs, *blur)

    def add_doubling(self, name: str, inputs: int, is_antialiased: bool) -> None:
        has_bias = needs_bias(self.norm)
        if is_antialiased:
            self.add_layer(f"{name}_blur", BlurredDoubling(), inputs)
            layer = nn.Conv2d(inputs, inputs // 2, 3, padding=1, bias=has_bias)
        else:
            layer = nn.ConvTranspose2d(inputs, inputs // 2, 3, 2, 1, output_padding=1, bias=has_bias)
        self.add_normed(name, layer, inputs // 2)

    def forward(self, source: Tensor) -> Tensor:
        for layer in self.layers.values():
            source = layer(source)
        return source

    def translate_with_features(self, source: Tensor, names: Iterable[str]) -> tuple[Tensor, dict[str, Tensor]]:
        """(x, the features after each layer named): the translation and what it saw, in one pass."""
        return self._run(source, tuple(names), is_complete=True)

    def extract_features(self, source: Tensor, names: Iterable[str]) -> dict[str, Tensor]:
        """The features after each layer named; later layers do not run."""
        return self._run(source, tuple(names), is_complete=False)[1]

    def _run(self, h: Tensor, names: tuple[str, ...], is_complete: bool) -> tuple[Tensor, dict[str, Tensor]]:
        check_feature_names(self, names)
        features: dict[str, Tensor] = {}
        for name, layer in self.layers.items():
            if len(features) == len(set(names)) and not is_complete:
                break
            h = layer(h)
            if name in names:
                features[name] = h
        return h, {name: features[name] for name in names}

    @property
    def multiple(self) -> int:
        return 2**HALVINGS

    @property
    def convolutional_reach(self) -> int:
        return compute_reach(self.modules(), self.multiple)


def check_feature_names(network: Generator, names: Iterable[str]) -> None:
    """Raises GanvasError for a name that none of the network's layers has."""
    unknown_names = [name for name in names if name not in network.feature_widths]
    if unknown_names:
        raise GanvasError(
            f"the translator has no layer {unknown_names[0]!r}: take features after {', '.join(network.feature_widths)}"
        )


@config
class ResNet:
    """A residual translator for sides that are multiples of 4. The paper has 9 blocks from 256 px, and 6 below.

    norm: "instance" in the papers. With "none", large images can go through in tiles.
    dropout: drop half of the features inside each block.
    antialiased: blur before each halving and after each doubling, as CUT does.
    """

    width: int = 64  # channels at full size; four times as many in the blocks
    blocks: int = 9
    norm: Norm = "instance"
    antialiased: bool = False
    dropout: bool = False

    def __post_init__(self) -> None:
        check_widths(width=self.width)
        require(0 <= self.blocks <= 1000, "blocks", self.blocks, "from 0 to 1000")

    def build_translator(self, source: ImageShape, channels: int) -> Generator:
        check_multiple(source, 2**HALVINGS, SMALLEST_SOURCE, "ResNet")
        G = Generator(source[0], channels, self.width, self.blocks, self.norm, self.antialiased, self.dropout)
        initialise_translation_weights(G, self.norm)
        return G

    def smallest(self) -> "ResNet":
        return replace(self, width=2, blocks=1)
