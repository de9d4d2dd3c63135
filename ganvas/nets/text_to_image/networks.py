"""The networks of `text2image`."""

from dataclasses import replace

from torch import nn

from ...configuration import config
from ...core import Condition, Spec
from ...errors import GanvasError
from ..compact import compute_compact_widths
from ..layers.labels import check_widths, read_image_grid
from ..projected import compute_pyramid_shapes
from .critics import TextDiscriminator, TextFeatureCritic
from .generator import TextGenerator
from .reader import TextReader


@config
class TextToImage:
    """Pictures from texts, with sides that are multiples of 8 px: G, D on pixels, and F on features (`FeaturePyramid`).

    questions: how many of them each network asks a text (reader.TextReader).
    attend: places of G's features look at the words, at 8 and 16 px.
    """

    z_dim: int = 64
    g_width: int = 32  # G's channels at the image's size; they double inwards
    d_width: int = 16  # D's channels next to the image
    f_width: int = 64  # channels of F's first layers
    cap: int = 256  # no layer of G or D is wider than this
    sentence_width: int = 64  # numbers that a network takes of the sentence
    questions: int = 8
    answer_width: int = 16  # numbers of an answer
    attend: bool = True

    def __post_init__(self) -> None:
        widths = {"g_width": self.g_width, "d_width": self.d_width, "f_width": self.f_width}
        widths |= {"sentence_width": self.sentence_width, "questions": self.questions, "answer_width": self.answer_width}
        check_widths(z_dim=self.z_dim, cap=self.cap, **widths)

    def build_reader(self, size: int) -> TextReader:
        """A new reader of texts with `size` numbers a word: each network has its own."""
        return TextReader(size, self.sentence_width, self.questions, self.answer_width)

    def build(self, spec: Spec) -> nn.ModuleDict:
        channels, grid, levels = read_image_grid(spec, "TextToImage")
        size = require_texts(spec, "TextToImage").size
        g_widths = compute_compact_widths(self.g_width, self.cap, levels + 1)
        d_widths = compute_compact_widths(self.d_width, self.cap, levels)[::-1]
        return nn.ModuleDict(
            {
                "G": TextGenerator(self.z_dim, g_widths, channels, grid, self.build_reader(size), size if self.attend else 0),
                "D": TextDiscriminator(d_widths, channels, grid, self.build_reader(size)),
                "F": TextFeatureCritic(compute_pyramid_shapes(*spec.shape[1:]), self.f_width, self.build_reader(size)),
            }
        )

    def smallest(self) -> "TextToImage":
        return replace(self, z_dim=2, g_width=2, d_width=2, f_width=2, cap=4, sentence_width=2, questions=2, answer_width=2)


def require_texts(spec: Spec, network: str) -> Condition:
    """The condition "text". Raises GanvasError if the data has no captions."""
    text = spec.conditions.get("text")
    if text is None or text.kind != "text":
        raise GanvasError(
            f"{network} makes pictures from texts, and the data has no captions: give a folder of pictures with a .txt beside "
            "each, or with a captions.csv"
        )
    return text
