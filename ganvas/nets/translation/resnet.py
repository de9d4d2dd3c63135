"""The residual generator of CycleGAN, CUT and pix2pixHD: halvings, blocks at the smallest size, doublings.

Johnson et al. 2016, as in Zhu et al. 2017 (CycleGAN), section 7.2. CUT's form blurs before it halves and after it doubles.
pix2pixHD's global generator has four halvings: Wang et al. 2018b, section 3.1 and appendix.
"""

from collections.abc import Iterable
from dataclasses import replace

from torch import Tensor, nn

from ...configuration import config
from ...errors import GanvasError, require
from ..layers.antialiasing import BlurredDoubling, BlurredHalving
from ..layers.instance_norm import Norm, build_norm, initialise_translation_weights, needs_bias
from ..layers.labels import ImageShape, check_widths
from ..layers.reflected import ReflectedResidual
from .feature_translator import FeatureTranslator
from .source_generator import SourceGenerator

MAX_HALVINGS = 6


class Generator(SourceGenerator):
    """source [N, C, H, W] -> x [N, C', H, W] in [-1, 1]. Its layers have names: features can be taken after any of them.

    Names: "pad", "first", "down1", "down2" … (the convolutions), "block1" …, "up1", "up2" …, "last", and "…_norm" for a norm
    with what follows it.
    """

    def __init__(
        self,
        source_channels: int,
        channels: int,
        width: int,
        halvings: int,
        blocks: int,
        norm: Norm,
        is_antialiased: bool,
        has_dropout: bool,
    ) -> None:
        super().__init__()
        self.norm: Norm = norm
        self.multiple = 2**halvings
        self.layers, self.feature_widths = nn.ModuleDict(), dict[str, int]()
        self.add_layer("pad", nn.ReflectionPad2d(3), source_channels)
        self.add_normed("first", nn.Conv2d(source_channels, width, 7, bias=needs_bias(norm)), width)
        for k in range(1, halvings + 1):
            self.add_halving(f"down{k}", width, is_antialiased)
            width *= 2
        for k in range(1, blocks + 1):
            self.add_layer(f"block{k}", ReflectedResidual(width, norm, has_dropout), width)
        for k in range(1, halvings + 1):
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

    @property
    def smallest_side(self) -> int:
        return 2 * self.multiple

    def forward(self, source: Tensor) -> Tensor:
        self.check_source(source)
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
        self.check_source(h)
        check_feature_names(self, names)
        features: dict[str, Tensor] = {}
        for name, layer in self.layers.items():
            if len(features) == len(set(names)) and not is_complete:
                break
            h = layer(h)
            if name in names:
                features[name] = h
        return h, {name: features[name] for name in names}


def check_feature_names(network: FeatureTranslator, names: Iterable[str]) -> None:
    """Raises GanvasError for a name that none of the network's layers has."""
    unknown_names = [name for name in names if name not in network.feature_widths]
    if unknown_names:
        raise GanvasError(
            f"the generator has no layer {unknown_names[0]!r}: take features after {', '.join(network.feature_widths)}"
        )


@config
class ResNet:
    """A residual generator for sides that are multiples of 2^halvings. CycleGAN has 9 blocks from 256 px, and 6 below.

    width: channels at full size; they double with each halving.
    halvings: 2 in CycleGAN and CUT, 4 in pix2pixHD.
    norm: "instance" in the papers. With "none", large images can go through in tiles.
    dropout: drop half of the features inside each block.
    antialiased: blur before each halving and after each doubling, as CUT does.
    """

    width: int = 64
    halvings: int = 2
    blocks: int = 9
    norm: Norm = "instance"
    antialiased: bool = False
    dropout: bool = False

    def __post_init__(self) -> None:
        check_widths(width=self.width)
        require(1 <= self.halvings <= MAX_HALVINGS, "halvings", self.halvings, f"from 1 to {MAX_HALVINGS}")
        require(0 <= self.blocks <= 1000, "blocks", self.blocks, "from 0 to 1000")

    def build_generator(self, source: ImageShape, channels: int) -> Generator:
        sizes = (self.width, self.halvings, self.blocks)
        G = Generator(source[0], channels, *sizes, self.norm, self.antialiased, self.dropout)
        initialise_translation_weights(G, self.norm)
        return G

    def smallest(self) -> "ResNet":
        return replace(self, width=2, halvings=1, blocks=1)
