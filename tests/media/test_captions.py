"""Captions: how they are stored, scaled, chosen and found again."""

import json

import numpy as np
import pytest
import torch

from ganvas.data import ItemList
from ganvas.errors import GanvasError
from ganvas.media import CaptionCodec, Captions, TextCondition
from ganvas.text import pack_text, unpack_text
from hashed_words import SIZE, HashedWords

TEXTS = [[f"a {colour} {thing}", f"{thing} in {colour}"] for colour in ("red", "blue", "green") for thing in ("hat", "car")]


def pack(texts: list[str]) -> bytes:
    return json.dumps(texts, ensure_ascii=False).encode()


def fit(texts: list[list[str]], **settings: int) -> tuple[CaptionCodec, torch.Tensor]:
    items = ItemList([str(k) for k in range(len(texts))], lambda k: pack(texts[k]), "texts", "texts")
    codec = Captions(encoder=HashedWords(), **settings).fit(items)
    return codec, torch.from_numpy(np.stack([codec.encode(items[k]) for k in range(len(texts))]))


def test_sentences_and_words_are_centred_and_have_deviation_one() -> None:
    codec, stored = fit(TEXTS)
    first, second = (codec.load(stored[:, k : k + 1], None) for k in range(2))
    vectors = unpack_text(torch.cat([first, second]))
    assert vectors.sentence.mean(0).abs().max() < 1e-3
    assert vectors.sentence.square().mean().sqrt() == pytest.approx(1, abs=1e-3)
    words = vectors.words[vectors.mask > 0]
    assert words.mean(0).abs().max() < 1e-3
    assert words.square().mean().sqrt() == pytest.approx(1, abs=1e-3)


def test_rows_without_a_word_stay_zero() -> None:
    codec, stored = fit([["one"], ["one two three"]])
    vectors = unpack_text(codec.load(stored, None))
    assert vectors.mask.tolist() == [[1, 0, 0], [1, 1, 1]]
    assert not vectors.words[0, 1:].any()


def test_training_takes_any_caption_and_scores_the_first() -> None:
    codec, stored = fit(TEXTS)
    assert codec.read_texts(stored) == TEXTS
    condition = codec.derive_condition(stored)
    assert isinstance(condition, TextCondition)
    firsts = condition.parse_all([texts[0] for texts in TEXTS])
    assert torch.allclose(codec.load(stored, None), firsts, atol=0.02)  # stored in 16 bits
    seen = {False: 0, True: 0}
    for seed in range(40):
        loaded = codec.load(stored, torch.Generator().manual_seed(seed))
        is_first = (loaded - firsts).abs().flatten(1).amax(1) < 0.05
        seen[True], seen[False] = seen[True] + int(is_first.sum()), seen[False] + int((~is_first).sum())
    assert 0.35 < seen[True] / (40 * len(TEXTS)) < 0.65


def test_a_sample_with_one_caption_always_gives_it() -> None:
    codec, stored = fit([["a hat"], ["a car", "a red car", "a fast car"]])
    for seed in range(20):
        loaded = codec.load(stored, torch.Generator().manual_seed(seed))
        assert torch.equal(loaded[0], codec.load(stored, None)[0])


def test_at_most_so_many_captions_are_kept() -> None:
    codec, stored = fit([["a", "b", "c"], ["d"]], per_sample=2)
    assert codec.read_texts(stored) == [["a", "b"], ["d"]]


def test_the_caption_of_a_value_is_found_and_a_mixture_has_none() -> None:
    codec, stored = fit(TEXTS)
    condition = codec.derive_condition(stored)
    values = condition.draw(20, torch.Generator().manual_seed(0))
    names = condition.find_texts(values)
    assert torch.equal(condition.parse_all(names), values)
    assert len(set(names)) > 3
    other = next(k for k, name in enumerate(names) if name != names[0])
    assert condition.find_texts((values[:1] + values[other : other + 1]) / 2) == [""]


def test_a_long_text_is_cut_where_it_is_shown_and_never_between_the_bytes_of_a_sign() -> None:
    long = "ä" * 40 + " hat"
    codec, _ = fit([["a hat"], ["a car"]])
    assert codec.text_bytes == 64
    assert codec.read_texts(torch.from_numpy(codec.encode(pack([long])))[None]) == [["ä" * 32]]


@pytest.mark.parametrize("item", [b"a hat", b"[]", b'[""]', b"[1]", b'{"a": 1}', b"\xff"])
def test_what_is_no_list_of_captions_is_refused(item: bytes) -> None:
    codec, _ = fit(TEXTS)
    with pytest.raises(GanvasError, match="has no captions"):
        codec.encode(item)


def test_packing_keeps_everything() -> None:
    vectors = HashedWords().encode(["a red hat", "a car"])
    back = unpack_text(pack_text(vectors))
    assert torch.equal(back.sentence, vectors.sentence)
    assert torch.equal(back.words, vectors.words)
    assert torch.equal(back.mask, vectors.mask.float())
    assert pack_text(vectors).shape == (2, 4, SIZE + 1)
