"""Short texts as letters: words, names, formulas. A sample is a line."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from PIL.Image import Image as Picture
from torch import Tensor
from torch.nn.functional import one_hot

from ..configuration import config
from ..core import Exhibit, Field, Items, Spec
from ..errors import GanvasError, require
from ..system.files import explain_os_errors, write_bytes

END = 0  # the code after the last letter; it fills what is left
MAX_ALPHABET = 255  # letters: codes are uint8
PREVIEW_LINES, FONT_SIZE, MARGIN_PIXELS, LETTER_PIXELS, LINE_PIXELS = 32, 14, 12, 10, 20


@config
class LettersCodec:
    """Codes of letters, uint8 [T]: 0 is the end, and k is the k-th letter of the alphabet. x is one-hot, [T, V]."""

    alphabet: str
    length: int

    @property
    def medium(self) -> str:
        return "letters"

    @property
    def noun(self) -> str:
        return "texts"

    @property
    def is_visual(self) -> bool:
        return False

    @property
    def preview_count(self) -> int:
        return 4 * PREVIEW_LINES

    @property
    def spec(self) -> Spec:
        values = len(self.alphabet) + 1
        return Spec((self.length, values), (Field("letter", values, "categorical", end=END),), {})

    def protocol(self) -> Mapping[str, str]:
        return {}

    def encode(self, item: bytes | np.ndarray) -> np.ndarray:
        """A text in UTF-8 as codes. Raises GanvasError for one that is too long, or has a letter that the data lack."""
        text = read_text(item)
        if len(text) > self.length:
            raise GanvasError(f"has {len(text)} letters, and {self.length} are the most: raise `longest` of Letters, or cut it")
        codes = np.zeros(self.length, np.uint8)
        for k, letter in enumerate(text):
            code = self.alphabet.find(letter) + 1
            if not code:
                raise GanvasError(f"holds {letter!r}, which the training texts lack: remove it, or train with it")
            codes[k] = code
        return codes

    def load(self, stored: Tensor, generator: torch.Generator | None) -> Tensor:
        """float32 [N, T, V], of zeros and ones."""
        return one_hot(stored.long(), len(self.alphabet) + 1).to(torch.float32)

    def store(self, x: Tensor) -> Tensor:
        """The largest value at each position, uint8 [N, T]; after an end there are only ends."""
        codes = x.detach().argmax(2).cpu()
        return torch.where((codes == END).cumsum(1) > 0, END, codes).to(torch.uint8)

    def read_texts(self, stored: Tensor) -> list[str]:
        """The texts of codes [N, T]."""
        symbols = np.array(["", *self.alphabet])
        return ["".join(row) for row in symbols[stored.cpu().numpy()].tolist()]

    def preview(self, stored: Tensor) -> Picture:
        """The texts in columns, 32 lines each."""
        texts = self.read_texts(stored)
        columns = [texts[k : k + PREVIEW_LINES] for k in range(0, len(texts), PREVIEW_LINES)] or [[]]
        width = LETTER_PIXELS * (max((len(text) for text in texts), default=1) + 1)
        size = (2 * MARGIN_PIXELS + max(48, width * len(columns)), 2 * MARGIN_PIXELS + LINE_PIXELS * max(4, len(columns[0])))
        picture, font = Image.new("L", size, 255), ImageFont.load_default(FONT_SIZE)
        canvas = ImageDraw.Draw(picture)
        for k, column in enumerate(columns):
            for line, text in enumerate(column):
                canvas.text((MARGIN_PIXELS + k * width, MARGIN_PIXELS + LINE_PIXELS * line), text, 24, font)
        return picture

    def exhibit(self, name: str, caption: str, stored: Tensor) -> Exhibit:
        """The texts, a line each."""
        return Exhibit(name, caption, ".txt", self.format_lines(stored))

    def write(self, stored: Tensor, folder: Path, start: int, metadata: Mapping[str, str]) -> list[Path]:
        """Write [N, T] to samples.txt, a line each, at its end if `start` > 0; `metadata` goes to PROVENANCE.json."""
        path = folder / "samples.txt"
        if start == 0:
            write_bytes(folder / "PROVENANCE.json", json.dumps(dict(metadata), indent=2).encode())
            return [write_bytes(path, self.format_lines(stored))]
        with explain_os_errors("writing", path), path.open("ab") as file:
            file.write(self.format_lines(stored))
        return [path]

    def format_lines(self, stored: Tensor) -> bytes:
        return "".join(f"{text}\n" for text in self.read_texts(stored)).encode()


@config
class Letters:
    """Short texts, letter by letter. The alphabet is that of the data.

    longest: the most letters of a text. Longer ones are left out.
    """

    longest: int = 32

    def __post_init__(self) -> None:
        require(1 <= self.longest <= 1000, "longest", self.longest, "from 1 to 1000")

    @property
    def suffixes(self) -> tuple[str, ...]:
        return ()  # a text is a line, not a file

    def fit(self, items: Items) -> LettersCodec:
        """The codec of these texts. Raises GanvasError for items that are no texts, or for more than 255 letters."""
        try:
            texts = [read_text(items[i]) for i in range(len(items))]
        except GanvasError as error:
            raise GanvasError(f"{items.title}: a sample {error}") from error
        short = [text for text in texts if len(text) <= self.longest]
        if not short:
            raise GanvasError(f"{items.title}: all texts have more than {self.longest} letters: raise `longest` of Letters")
        alphabet = "".join(sorted(set("".join(short))))
        if len(alphabet) > MAX_ALPHABET:
            raise GanvasError(
                f"{items.title} has {len(alphabet):,} different letters, and {MAX_ALPHABET} are the most: write it in fewer"
            )
        return LettersCodec(alphabet=alphabet, length=max(map(len, short)))


def read_text(item: bytes | np.ndarray) -> str:
    """The item, if it is a text of one line or more letters; else raises GanvasError."""
    if not isinstance(item, bytes):
        raise GanvasError("is an array, not a text: give a .txt file with a sample on each line")
    try:
        return item.decode()
    except UnicodeDecodeError:
        raise GanvasError("is no UTF-8 text: give a .txt file with a sample on each line") from None
