"""Texts that no network made."""

from typing import cast

import torch

from ganvas.core import Dataset, seeded_generator
from ganvas.media import LettersCodec
from ganvas.metrics.baselines import LetterTrigrams, ShuffledLetters, choose_sample_baselines
from small_recipes import Noise

CODEC = LettersCodec(alphabet="abc", length=5)


def texts(*words: str) -> Dataset:
    data = Noise(CODEC, 4)
    data.columns["x"] = torch.stack([torch.from_numpy(CODEC.encode(word.encode())) for word in words])
    return cast("Dataset", data)


def test_letters_are_those_of_a_training_text_in_another_order() -> None:
    drawn = CODEC.read_texts(ShuffledLetters().draw(texts("abc", "aabbc"), 60, seeded_generator(0)))
    assert {"".join(sorted(word)) for word in drawn} == {"abc", "aabbc"}
    assert len(set(drawn)) > 6


def test_trigrams_are_those_of_training_texts_as_often() -> None:
    drawn = CODEC.read_texts(LetterTrigrams().draw(texts("ab", "ab", "ab", "cab"), 2000, seeded_generator(0)))
    assert set(drawn) == {"ab", "cab"}
    assert abs(drawn.count("cab") / 2000 - 0.25) < 0.04


def test_trigrams_mix_what_agrees_in_two_letters() -> None:
    drawn = CODEC.read_texts(LetterTrigrams().draw(texts("abca", "bbcb"), 500, seeded_generator(0)))
    assert set(drawn) == {"abca", "abcb", "bbca", "bbcb"}


def test_they_are_chosen_for_texts_alone() -> None:
    names = [baseline.name for baseline in choose_sample_baselines(texts("ab", "c", "a", "b"))]
    assert names == ["shuffled letters", "trigrams"]
