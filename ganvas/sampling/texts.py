"""Samples of texts: the text of each sample, and samples of several texts with the same latents."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from ..core import Codec, Method, Nets, Spec, Traits
from ..errors import GanvasError
from ..media import TextCondition
from ..pictures.captioned import draw_captioned_tiles
from .generator import Sampler, parse_conditions
from .stream import SampleBlock, stream_blocks

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

TEXT = "text"  # the condition's name
CAPTION_KEYWORD = "Description"  # of PNG, for what a picture shows
MAX_TEXTS, MAX_FILE_BYTES = 1_000, 2**20
PREVIEW_TEXTS = 24


def find_text_condition(spec: Spec, traits: Traits) -> TextCondition | None:
    """The generator's condition on a text; None if it has none."""
    condition = spec.conditions.get(TEXT)
    return condition if TEXT in traits.conditions and isinstance(condition, TextCondition) else None


class CaptionedBlock(NamedTuple):
    """Some samples and the text of each."""

    stored: Tensor  # [N, …]
    captions: Sequence[str]  # () of samples without texts; "" of a sample whose text is unknown, such as a mixture of two


def caption_block(sampler: Sampler, block: SampleBlock) -> CaptionedBlock:
    """The samples with their texts, if the generator takes any."""
    condition = find_text_condition(sampler.spec, sampler.traits)
    if condition is None:
        return CaptionedBlock(block.stored, ())
    if TEXT in sampler.wishes:
        return CaptionedBlock(block.stored, [sampler.wishes[TEXT]] * len(block.stored))
    return CaptionedBlock(block.stored, condition.find_texts(block.conditions[TEXT]))


def encode_texts(sampler: Sampler, texts: Sequence[str]) -> Tensor:
    """Texts as the generator takes them, [N, …]. Raises GanvasError for a generator without texts."""
    parsed = [parse_conditions({TEXT: text}, sampler.spec, sampler.traits)[TEXT] for text in texts]
    return torch.stack(parsed).to(sampler.device)


def stream_texts(sampler: Sampler, texts: Sequence[str], n: int, seed: int) -> Iterator[CaptionedBlock]:
    """`n` samples of each text, block by block. Sample i of each text has the same latents: only the text makes them differ.

    Raises:
        GanvasError: a generator without texts, or a text that cannot be read.
    """
    samplers = [sampler.request_conditions({**sampler.wishes, TEXT: text}) for text in texts]
    return (caption_block(one, block) for one in samplers for block in one.stream_blocks(n, seed))


def drop_texts(blocks: Iterator[SampleBlock], spec: Spec) -> Iterator[SampleBlock]:
    """The same samples without the vectors of their texts, which would fill the memory."""
    names = {name for name, condition in spec.conditions.items() if isinstance(condition, TextCondition)}
    for block in blocks:
        yield SampleBlock(block.stored, {name: value for name, value in block.conditions.items() if name not in names})


def draw_with_texts(method: Method, nets: Nets, codec: Codec, condition: TextCondition, seed: int) -> "Picture":
    """A picture of samples of captions of the data, each with its caption."""
    blocks = list(stream_blocks(method, nets, codec, PREVIEW_TEXTS, seed))
    stored, texts = (torch.cat(parts) for parts in zip(*((b.stored, b.conditions[TEXT]) for b in blocks), strict=True))
    return draw_captioned_tiles(codec, stored, condition.find_texts(texts))


def read_prompts(path: Path) -> list[str]:
    """The lines of a file that are not empty. Raises GanvasError for a file without any, or with too many."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise GanvasError(f"{path} is larger than {MAX_FILE_BYTES // 2**20} MB: give a text a line, {MAX_TEXTS:,} at most")
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except OSError as error:
        raise GanvasError(f"{path} cannot be read ({error.strerror or error}): give a file with a text a line") from None
    except UnicodeDecodeError:
        raise GanvasError(f"{path} is not a text in UTF-8: save it as such, a text a line") from None
    texts = [line for line in lines if line]
    if not 1 <= len(texts) <= MAX_TEXTS:
        raise GanvasError(f"{path} has {len(texts):,} texts: give from 1 to {MAX_TEXTS:,}, one a line")
    return texts
