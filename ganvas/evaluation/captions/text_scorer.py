"""Scores of pictures made from captions, each beside that of real pictures and of chance.

Captions that training never saw and captions of training pictures are scored separately: the difference is memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...configuration import to_json
from ...core import Codec, Dataset, Extractor, Method, Nets, Request, seed_from, seeded_generator
from ...data import EncodedDataset
from ...data.columns import list_column_codecs, load_batch
from ...data.rows import take_rows
from ...media import CaptionCodec
from ...metrics.captions import (
    draw_candidates,
    find_near_candidates,
    measure_fine_detail,
    measure_r_precision,
    measure_variety,
)
from ...recipe import TextJudge
from ...sampling.stream import split_for_rendering, use_evaluation_mode
from ...system.device import get_device
from ..label_classifier import load_or_train
from ..reals import RealSplit
from .captioned_set import ATTRIBUTES, TEXT, CaptionedSet, CaptionPool, join_captions
from .matching_network import MatchingNetwork, measure_matching_loss, shift_pictures
from .real_groups import GROUP_PICTURES, GROUPS, RealGroups, find_real_groups

MAX_PICTURES, MAX_POOL_PICTURES = 1_000, 4_000  # scored, and whose captions are candidates
R_PRECISION, HARD_R_PRECISION, NAMED = "R-precision", "hard R-precision", "attributes named"
VARIETY, PIXEL_VARIETY, FINE_DETAIL = "variety of a caption", "pixel variety of a caption", "fine detail"
KNOWN = "known"  # in front of scores of captions that training saw
UNSEEN = ""
CHANCE = "chance"  # a baseline
NO_SHARED_CAPTIONS = "no two real pictures share a caption: real variety is that of pictures with the most similar captions"
GRAY_LEVELS = 127.5  # from [-1, 1] to those of a picture


class TextScores(NamedTuple):
    """Scores by name."""

    scores: dict[str, float]
    floor: dict[str, float]
    chance: dict[str, float]


@dataclass
class TextScorer:
    """Scores pictures of the captions of real ones.

    train: the training set. split: the real samples, some of which training may not have seen.
    extractor: of features, in which variety is measured.
    cache: a folder for the matching network's weights; None always trains it.
    """

    judge: TextJudge
    train: EncodedDataset
    split: RealSplit
    extractor: Extractor
    device: torch.device
    cache: Path | None
    seed: int

    # ------------------------------------------------------------ real pictures

    @property
    def codec(self) -> Codec:
        return self.train.codec

    @cached_property
    def text_codec(self) -> CaptionCodec:
        codec = list_column_codecs(self.codec)[TEXT]
        assert isinstance(codec, CaptionCodec)
        return codec

    @cached_property
    def sets(self) -> dict[str, CaptionedSet]:
        """Pictures that training never saw, if there are any, and as many training pictures."""
        unseen = self.split.held_out if not self.split.is_from_training else self.split.unseen
        count = min(MAX_PICTURES, len(self.train) if unseen is None else unseen.size)
        sets = {} if unseen is None else {UNSEEN: CaptionedSet(unseen.columns, torch.arange(count), self.text_codec)}
        return sets | {KNOWN: self._select_training_rows(min(count, len(self.train)))}

    @cached_property
    def pool(self) -> CaptionPool:
        return join_captions([*self.sets.values(), self._select_training_rows(min(MAX_POOL_PICTURES, len(self.train)))])

    def _select_training_rows(self, count: int) -> CaptionedSet:
        order = torch.randperm(len(self.train), generator=seeded_generator(self.seed, "captions"))
        return CaptionedSet(self.train.columns, order[:count], self.text_codec)

    # ------------------------------------------------------------ the matching network

    @cached_property
    def network(self) -> MatchingNetwork:
        attributes = [len(attribute.values) for attribute in self.train.attributes]

        def build() -> MatchingNetwork:
            shape, judge = self.codec.spec.shape, self.judge
            return MatchingNetwork(shape, self.pool.sentences.shape[1], attributes, judge.width, judge.size).to(
                self.device,
                memory_format=torch.channels_last,  # type: ignore[call-overload]
            )

        def measure_loss(network: MatchingNetwork, rows: Tensor, generator: torch.Generator) -> Tensor:
            batch = load_batch(self.codec, take_rows(self.train.columns, rows), generator)
            x = shift_pictures(batch["x"].float(), generator).to(self.device, memory_format=torch.channels_last)
            values = batch[ATTRIBUTES].to(self.device) if attributes else None
            return measure_matching_loss(network, x, batch[TEXT][:, 0, :-1].to(self.device), values)

        judge, count = self.judge, len(self.train)
        name = f"{seed_from(self.split.cache_key, str(to_json(judge)), self.train.attributes):016x}.safetensors"
        path = self.cache / "matching-networks" / name if self.cache else None
        return load_or_train(build, measure_loss, count, judge.steps, judge.seed, path, "matching network", judge.batch)

    def see(self, stored: Tensor) -> Tensor:
        """The network's features of pictures in stored form, on the CPU."""
        with torch.inference_mode():
            blocks = (self.load_pictures(block).to(self.device) for block in stored.split(256))
            return torch.cat([self.network.see(block).cpu() for block in blocks])

    def load_pictures(self, stored: Tensor) -> Tensor:
        return list_column_codecs(self.codec)["x"].load(stored, None).float()

    # ------------------------------------------------------------ generated pictures

    def draw_pictures(self, method: Method, nets: Nets, captioned: CaptionedSet, copies: int = 1) -> Tensor:
        """Pictures of the first caption of each row, in stored form [N * copies, …]; the copies of a caption lie together."""
        device, parts = get_device(nets), list[Tensor]()
        with use_evaluation_mode(nets), torch.inference_mode():
            for number, captions in enumerate(captioned.load_captions()):
                values = captions.repeat_interleave(copies, 0)
                generator = seeded_generator(self.seed, "captions", copies, number)
                drawn = method.draw_latents(nets, len(values), generator, Request({TEXT: values[0]}))
                latents = {name: value.to(device) for name, value in {**drawn, TEXT: values}.items()}
                pieces = split_for_rendering(latents, self.codec.spec)
                parts += [self.codec.store(method.render(nets, piece)).cpu() for _, piece in pieces]
        return torch.cat(parts)

    # ------------------------------------------------------------ scores

    def compute_scores(self, method: Method, nets: Nets) -> TextScores:
        """All scores of a generator; those of captions that training never saw come first."""
        joined = TextScores({}, {}, {})
        generated = {word: self.draw_pictures(method, nets, captioned) for word, captioned in self.sets.items()}
        for word, captioned in self.sets.items():
            real = self._score_matches(captioned, captioned.take("x"), word)
            fake = self._score_matches(captioned, generated[word], word)
            joined.scores.update(fake.scores)
            joined.floor.update(real.scores)
            joined.chance.update(fake.chance)
        for scores in (self._score_variety(method, nets), self._score_detail(torch.cat(list(generated.values())))):
            joined.scores.update(scores.scores)
            joined.floor.update(scores.floor)
        return joined

    def _score_matches(self, captioned: CaptionedSet, stored: Tensor, word: str) -> TextScores:
        """How many pictures are told by their captions, and by their attributes."""
        features = self.see(stored)
        own, is_mismatch = self.pool.number_captions(captioned)
        with torch.inference_mode():
            pictures = self.network.picture_vector(features.to(self.device)).cpu()
            captions = self.network.text_vector(self.pool.sentences.to(self.device)).cpu()
        candidates = {
            R_PRECISION: draw_candidates(is_mismatch, seeded_generator(self.seed, "candidates", word)),
            HARD_R_PRECISION: find_near_candidates(is_mismatch, self.pool.sentences, own),
        }
        candidates = {name: rows for name, rows in candidates.items() if rows.shape[1]}  # none if all captions are the same
        scores = {name: measure_r_precision(pictures, captions, own, rows) for name, rows in candidates.items()}
        chance = {name: 1 / (1 + rows.shape[1]) for name, rows in candidates.items()}
        if (attributes := captioned.attributes) is not None:
            rates, guesses = self._name_attributes(features, attributes)
            scores |= {NAMED: sum(rates.values()) / len(rates)} | ({} if word else rates)
            chance |= {NAMED: sum(guesses.values()) / len(guesses)} | ({} if word else guesses)
        scores, chance = ({f"{word} {name}".strip(): value for name, value in part.items()} for part in (scores, chance))
        return TextScores(scores, {}, chance)

    def _name_attributes(self, features: Tensor, attributes: Tensor) -> tuple[dict[str, float], dict[str, float]]:
        """(the share of pictures that show each attribute as it should be, what always naming its commonest value reaches)."""
        rates, guesses = dict[str, float](), dict[str, float]()
        with torch.inference_mode():
            for k, attribute in enumerate(self.train.attributes):
                named_values = self.network.attributes[k](features.to(self.device)).argmax(1).cpu()
                rates[f"{attribute.name} named"] = float((named_values == attributes[:, k]).double().mean())
                counts = attributes[:, k].bincount()
                guesses[f"{attribute.name} named"] = float(counts.max() / counts.sum())
        return rates, guesses

    def _score_variety(self, method: Method, nets: Nets) -> TextScores:
        """How much 8 pictures of a caption differ, in features and in pixels, and how much real ones do."""
        captioned = next(iter(self.sets.values()))
        varied = CaptionedSet(captioned.columns, captioned.rows[:GROUPS], self.text_codec)
        stored = self.draw_pictures(method, nets, varied, GROUP_PICTURES)
        groups = list(stored.split(GROUP_PICTURES))
        return TextScores(self._measure_groups(groups), self._measure_groups(self.real_groups.pictures), {})

    def _measure_groups(self, groups: Sequence[Tensor]) -> dict[str, float]:
        sizes, stored = [len(group) for group in groups], torch.cat(list(groups))
        features = torch.from_numpy(self.extractor(stored.to(self.device)).features)
        pixels = self.load_pictures(stored).flatten(1) * GRAY_LEVELS / stored[0].numel() ** 0.5  # root mean square, gray levels
        values = {VARIETY: features, PIXEL_VARIETY: pixels}
        scores = {name: measure_variety(rows.split(sizes)) for name, rows in values.items()}
        return {name: score for name, score in scores.items() if score is not None}

    @cached_property
    def real_groups(self) -> RealGroups:
        """Real pictures that share a caption; where none do, pairs of pictures whose captions are nearest."""
        return find_real_groups(self._select_training_rows(min(MAX_POOL_PICTURES, len(self.train))))

    def _score_detail(self, stored: Tensor) -> TextScores:
        reals = self.load_pictures(torch.cat([captioned.take("x") for captioned in self.sets.values()]))
        others = self.load_pictures(self._select_training_rows(2 * len(reals)).take("x")[-len(reals) :])
        fine_detail = measure_fine_detail(self.load_pictures(stored), reals)
        return TextScores({FINE_DETAIL: fine_detail}, {FINE_DETAIL: measure_fine_detail(others, reals)}, {})

    def add_scores(self, card: dict[str, Any], method: Method, nets: Nets) -> dict[str, Any]:
        """The card with these scores after its own."""
        scores, floor, chance = self.compute_scores(method, nets)
        is_lower_better = {name: None if name in (VARIETY, PIXEL_VARIETY, FINE_DETAIL) else False for name in scores}
        baselines = {**card.get("baselines", {}), CHANCE: chance}
        parts = {"scores": scores, "floor": floor, "lower_is_better": is_lower_better}
        joined = {part: {**card[part], **values} for part, values in parts.items()}
        return card | joined | {"baselines": baselines, "remarks": [*card.get("remarks", []), *self.list_remarks()]}

    def list_remarks(self) -> list[str]:
        """What these scores mean, in sentences."""
        counts = {word: len(captioned) for word, captioned in self.sets.items()}
        unseen = f"{counts[UNSEEN]:,} captions that training never saw, and " if UNSEEN in counts else ""
        candidates = min(99, len(self.pool.texts) - 1)
        lines = [
            f"R-precision: a network trained for scores alone finds each picture's caption among {candidates:,} others; "
            "hard: among those most like it",
            f"scores of captions: of {unseen}{counts[KNOWN]:,} of training pictures (known)",
            "variety of a caption: the mean distance of 8 pictures of it by the scores' features; of pixels, in gray levels",
            "fine detail: power at the highest frequencies against real pictures; more is noise, less is blur",
        ]
        return [*lines, *([] if self.real_groups.share_captions else [NO_SHARED_CAPTIONS])]


def build_text_scorer(
    judge: TextJudge,
    train: Dataset,
    split: RealSplit,
    extractor: Extractor,
    device: torch.device,
    cache: Path | None,
    seed: int,
) -> TextScorer | None:
    """A scorer of data with captions; None of other data."""
    if not isinstance(train, EncodedDataset) or not isinstance(list_column_codecs(train.codec).get(TEXT), CaptionCodec):
        return None
    return TextScorer(judge, train, split, extractor, device, cache, seed)
