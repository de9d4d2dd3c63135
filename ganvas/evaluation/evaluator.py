"""Reliable scores: fixed features, sample counts and real samples, and the score of real data to compare with.

Real samples come in two sets without overlap. The *reference* is the training set, 5,000 samples at most; Fréchet-like
distances compare with it. The *held-out* samples are a test split, if the data has one. Otherwise up to half of the training
samples are put aside for scoring, at most the size of the score card or 10,000, whichever is larger. The *unseen* samples are
those that were held out of training; they show whether samples are copies. The floor is the score of held-out samples in the
place of generated ones, at the same count.

Several judges score the same samples. The first one's first metric chooses the best checkpoint.

If samples are made from others, as translations are, the held-out sources take the place of random numbers. Pair judges compare
each result with the truth, and baselines are scored in the generator's place.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL.Image import Image as Picture
from torch import Tensor

from ..configuration import to_json
from ..core import Batch, Dataset, Extractor, Features, Method, Metric, Nets, RealFeatures, Source, seeded_generator
from ..data import EncodedDataset
from ..data.dataset import open_data
from ..data.files import replace_path
from ..errors import GanvasError
from ..metrics.baselines import choose_baselines, choose_sample_baselines
from ..recipe import Evaluation
from ..runs.folder import RunFolder
from ..sampling.stream import SampleBlock, draw_samples, stream_blocks
from ..sampling.texts import draw_with_texts, drop_texts, find_text_condition
from ..system.device import choose_device
from ..system.files import find_cache_folder
from .captions.text_scorer import build_text_scorer
from .features import FEATURE_BLOCK, Extraction
from .fitting import describe_fit
from .forecasts import add_forecast
from .judges import check_medium, connect_codec, describe_flattery, fill_judges, judge_by_one
from .label_scorer import LabelScorer
from .pair_scorer import PairScorer, list_losses_to_baselines
from .reals import split_reals
from .scorer import Scorer, list_explanations
from .translations import LABEL, find_held_out_sources

PREVIEW_SAMPLES = 256  # held-out samples kept for exhibits
PREVIEW_TRANSLATIONS = 24
LEAST_CONTENT = 0.01  # keeps a quotient finite
CHECK_SAMPLES = 100  # try every metric on this many samples before training


class Evaluator:
    """Scores generators against one data set by one protocol.

    Args:
        evaluation: the protocol; without judges, those that suit the data.
        train: the training set, in stored form.
        held_out: a test split, if there is one.
        cache: a folder for the features of real samples; None always computes them.
        device: the device that computes features.
        has_progress_bar: whether to show a progress bar on a terminal.
    """

    has_reals = True  # there are real samples to compare with
    shows_reals = True  # exhibits may show them

    def __init__(
        self,
        evaluation: Evaluation,
        train: Dataset,
        held_out: Dataset | None,
        cache: Path | None,
        device: torch.device | None = None,
        has_progress_bar: bool = False,
    ) -> None:
        self.train, self.codec, self.cache, self.device = train, train.codec, cache, device or torch.device("cpu")
        self.spec = train.spec
        self.extraction = Extraction(self.device, has_progress_bar)
        self.split = split_reals(train, held_out, evaluation)
        preview = self.split.held_out.take(0, PREVIEW_SAMPLES)
        self.preview_batch: Batch = {name: rows.cpu() for name, rows in preview.items()}
        self.data_metadata = self.split.description | {"data": train.title, "fingerprint": train.fingerprint}
        self.sources = find_held_out_sources(self.split, self.codec, train.spec, self.device)
        self.scorers: list[Scorer] = []
        self.baseline_cards: dict[int, dict[str, dict[str, float]]] = {}  # by the number of samples
        self.use_evaluation(evaluation)

    def use_evaluation(self, evaluation: Evaluation) -> None:
        """Score by this protocol from now on. Judges that it shares with the last one keep their features.

        Raises:
            GanvasError: an extractor does not take this medium.
        """
        self.evaluation = fill_judges(evaluation, self.codec)
        for judge in self.evaluation.judges:
            check_medium(judge.extractor, self.codec)
        known = {scorer.judge: scorer for scorer in self.scorers}
        self.baseline_cards = {}
        judges = self.evaluation.pair_judges
        self.pairs = PairScorer(self.sources, judges) if self.sources and judges else None
        self.labels = self.build_label_scorer()
        judges_at_work = [connect_codec(judge, self.codec) for judge in self.evaluation.judges]
        self.scorers = [known.get(j) or Scorer(j, self.split, self.cache, self.extraction) for j in judges_at_work]
        judge, extractor = self.evaluation.text_judge, self.scorers[0].judge.extractor
        self.texts = build_text_scorer(judge, self.train, self.split, extractor, self.device, self.cache, evaluation.seed)

    def build_label_scorer(self) -> LabelScorer | None:
        """What asks translations for other labels; None of data without sources or labels, or if nothing asks for it."""
        judge = self.evaluation.label_judge
        if self.sources is None:
            return None
        has_labels = judge is not None and LABEL in self.sources.training.conditions
        self.sources.label_seed = self.evaluation.seed if has_labels else None
        return LabelScorer(judge, self.sources, self.cache, self.split.cache_key) if judge and has_labels else None

    @property
    def translation_directions(self) -> dict[str, bool]:
        """Scores of translations one by one: (name, whether lower is better), the most telling first."""
        return {name: lower for scorer in self.translation_scorers for name, lower in scorer.lower_is_better.items()}

    @property
    def translation_scorers(self) -> list[LabelScorer | PairScorer]:
        return [scorer for scorer in (self.labels, self.pairs) if scorer is not None]

    @property
    def real_features(self) -> RealFeatures:
        """The first judge's features of the real samples that a card needs."""
        return self.scorers[0].load_reals(max(self.sample_counts))

    @property
    def training_features(self) -> np.ndarray:
        """The first judge's features of training samples, [M, D]; row i belongs to training sample `training_rows[i]`."""
        reals = self.real_features
        held_out = reals.held_out.features[: len(self.split.held_out.rows)]
        return np.concatenate([held_out, reals.reference.features])

    @property
    def training_rows(self) -> Tensor:
        """The rows of the training set whose features are in `training_features`, int64 [M]."""
        loaded = len(self.real_features.held_out.features)
        return torch.cat([self.split.held_out.rows[:loaded], self.split.reference.rows])

    @property
    def primary_metric(self) -> Metric:
        """The first metric of the first judge: snapshots have its score."""
        return self.evaluation.judges[0].metrics[0]

    @property
    def best_by(self) -> tuple[str, bool]:
        """(The name of the score that chooses the best checkpoint, whether lower is better): the first one of a card.

        Without a truth it is the distance to the domain, divided by the content kept: neither a translator that changes
        nothing nor one that makes other pictures has both.
        """
        if self.labels is not None or (self.pairs is not None and self.pairs.knows_truth):
            return next(iter(self.translation_directions.items()))
        name, is_lower_better = self.primary_direction
        if self.pairs is None or self.pairs.content_name is None or not is_lower_better:
            return name, is_lower_better
        return f"{name} / {self.pairs.content_name}", True

    @property
    def primary_direction(self) -> tuple[str, bool]:
        """(The first score of the first judge, whether lower is better)."""
        name, is_lower_better = next(iter(self.primary_metric.lower_is_better.items()))
        assert is_lower_better is not None
        return name, is_lower_better

    def is_better(self, score: float, best_score: float | None) -> bool:
        # of equal scores, the later one is better
        return best_score is None or (score <= best_score if self.best_by[1] else score >= best_score)

    def score_snapshot(self, method: Method, nets: Nets) -> dict[str, Any]:
        """A quick score card with only the first metric of the first judge."""
        return self.build_card(method, nets, [(self.scorers[0], (self.primary_metric,))], self.sample_counts[0])

    def prepare_snapshots(self) -> None:
        """Compute what snapshots share: features of real samples, and their score in the place of generated ones."""
        self.scorers[0].compute_floor(self.primary_metric, self.sample_counts[0])

    def score_final(self, method: Method, nets: Nets) -> dict[str, Any]:
        """The full score card, beside what baselines reach."""
        n = self.sample_counts[1]
        card, baselines = self.build_card(method, nets, self.list_parts(), n), self.score_baselines(n)
        card = add_forecast(card, self.split, self.codec, method, nets, self.evaluation.seed)
        if self.texts is not None and find_text_condition(self.spec, method.traits(nets)) is not None:
            card = self.texts.add_scores(card, method, nets)
        if not baselines:
            return card
        # sources are as good as any picture by distances to the data: those say nothing of a change of labels
        primary = {} if self.labels else dict([self.primary_direction])
        rivalry = dict([self.best_by]) | ({} if self.pairs is None else self.pairs.truth_directions) | primary
        losses = list_losses_to_baselines(card["scores"], baselines, rivalry)
        rivals = {**baselines, **card.get("baselines", {})}
        return card | {"baselines": rivals, "cautions": [*card.get("cautions", []), *losses]}

    def list_parts(self) -> list[tuple[Scorer, tuple[Metric, ...]]]:
        """All judges with all their metrics that the real samples allow."""
        return [(scorer, scorer.metrics) for scorer in self.scorers]

    def build_card(
        self, method: Method, nets: Nets, parts: Sequence[tuple[Scorer, tuple[Metric, ...]]], n: int
    ) -> dict[str, Any]:
        """{"scores": …, "floor": …, "lower_is_better": …, "protocol": …} for `n` generated samples, and what to know of them.

        Scores of judges after the first one have the judge's word in front: "classifier/frechet".
        """
        stored: list[Tensor] = []
        blocks = keep_samples(self.stream_fakes(method, nets, n), stored if self.translation_directions else None)
        fakes = self.extract([scorer for scorer, _ in parts], blocks, n, "generated samples")
        scores = self.weigh_content(
            self.compute_scores(parts, fakes, n) | self.compare_pairs(torch.cat(stored) if stored else None)
        )
        pair_scores = self.translation_directions
        floor = {} if self.labels is None else self.labels.compute_floor(n)
        first_scores = dict([self.best_by]) | (pair_scores if self.best_by[0] in pair_scores else {})
        card: dict[str, Any] = {"floor": floor, "lower_is_better": first_scores}
        cautions, remarks = describe_flattery(self.evaluation.judges, nets), list[str]()
        for scorer, metrics in parts:
            prefix = self.get_prefix(scorer)
            for metric in metrics:
                card["floor"] |= {f"{prefix}{name}": value for name, value in scorer.compute_floor(metric, n).items()}
                card["lower_is_better"] |= {f"{prefix}{name}": lower for name, lower in metric.lower_is_better.items()}
                cautions += scorer.list_cautions(metric, n)
            own_scores = {name: scores[f"{prefix}{name}"] for metric in metrics for name in metric.lower_is_better}
            remarks += list_explanations(metrics, own_scores)
        card["lower_is_better"] |= pair_scores
        card |= {"scores": {name: scores[name] for name in card["lower_is_better"]}, "protocol": self.describe_protocol(n)}
        others = {scorer.judge.extractor.word: scorer.judge.extractor.name for scorer, _ in parts[1:]}
        notes = {"judges": others, "remarks": remarks, "cautions": list(dict.fromkeys(cautions))}
        return card | {name: lines for name, lines in notes.items() if lines}

    def compute_scores(
        self, parts: Sequence[tuple[Scorer, tuple[Metric, ...]]], fakes: Sequence[Features], n: int
    ) -> dict[str, float]:
        """The scores of `n` samples, from their features for each judge."""
        scores: dict[str, float] = {}
        for (scorer, metrics), fake in zip(parts, fakes, strict=True):
            prefix = self.get_prefix(scorer)
            scores |= {f"{prefix}{name}": value for name, value in scorer.compute_scores(metrics, fake, n).items()}
        return scores

    def compare_pairs(self, stored: Tensor | None) -> dict[str, float]:
        """The scores of translations [N, …] one by one; {} of other samples."""
        if stored is None:
            return {}
        return {name: value for scorer in self.translation_scorers for name, value in scorer.compute_scores(stored).items()}

    def weigh_content(self, scores: dict[str, float]) -> dict[str, float]:
        """The scores, and the one that `best_by` makes of two of them, if it does."""
        name, _ = self.best_by
        if name in scores or self.pairs is None or self.pairs.content_name is None:
            return scores
        content = max(scores[self.pairs.content_name], LEAST_CONTENT)
        return {name: scores[self.primary_direction[0]] / content, **scores}

    # ------------------------------------------------------------ translations

    def stream_fakes(self, method: Method, nets: Nets, n: int) -> Iterator[SampleBlock]:
        """`n` generated samples: of data with sources, the translations of held-out ones."""
        if self.sources:
            return self.sources.translate(method, nets, n, self.evaluation.seed)
        return drop_texts(stream_blocks(method, nets, self.codec, n, self.evaluation.seed), self.spec)

    def draw_fakes(self, method: Method, nets: Nets, n: int) -> Tensor:
        """`n` generated samples in stored form, [n, …]; fewer if there are fewer sources to translate."""
        n = min(n, self.sources.reals.size) if self.sources else n
        return torch.cat([block.stored for block in self.stream_fakes(method, nets, n)])

    def draw_preview(self, method: Method, nets: Nets, seed: int) -> Picture:
        """Samples as a picture: of translators, rows of source, result and truth."""
        if self.sources and self.labels:
            return self.sources.draw_labels(method, nets, seed)
        if self.sources:
            has_truth = self.pairs is not None and self.pairs.knows_truth
            return self.sources.draw(self.draw_fakes(method, nets, PREVIEW_TRANSLATIONS), has_truth)
        text = find_text_condition(self.spec, method.traits(nets))
        if text is not None:
            return draw_with_texts(method, nets, self.codec, text, seed)
        return self.codec.preview(draw_samples(method, nets, self.codec, self.codec.preview_count, seed))

    def score_baselines(self, n: int) -> dict[str, dict[str, float]]:
        """The scores of each baseline in the generator's place, by its name."""
        if self.sources is None:
            return self.score_sample_baselines(n)
        if n not in self.baseline_cards:
            knows_truth = self.pairs is not None and self.pairs.knows_truth
            chosen = self.evaluation.baselines or choose_baselines(self.train.spec, knows_truth)
            baselines = [baseline for baseline in chosen if baseline.applies_to(self.train.spec)]
            self.baseline_cards[n] = {b.name: self._score_baseline(self.sources.make_baseline(b, n)) for b in baselines}
        return self.baseline_cards[n]

    def score_sample_baselines(self, n: int) -> dict[str, dict[str, float]]:
        """`score_baselines` of data without sources: baselines make new samples from training samples."""
        if n not in self.baseline_cards:
            seed = self.evaluation.seed
            self.baseline_cards[n] = {
                baseline.name: self._score_baseline(baseline.draw(self.train, n, seeded_generator(seed, baseline.name)))
                for baseline in choose_sample_baselines(self.train)
            }
        return self.baseline_cards[n]

    def _score_baseline(self, stored: Tensor) -> dict[str, float]:
        blocks, parts = (SampleBlock(part, {}) for part in stored.split(FEATURE_BLOCK)), self.list_parts()
        fakes = self.extract([scorer for scorer, _ in parts], blocks, len(stored), "baselines")
        return self.weigh_content(self.compute_scores(parts, fakes, len(stored)) | self.compare_pairs(stored))

    def get_prefix(self, scorer: Scorer) -> str:
        """What stands in front of the names of a judge's scores."""
        return "" if scorer is self.scorers[0] else f"{scorer.judge.extractor.word}/"

    def check_floors(self) -> list[str]:
        """Try every metric on a few real samples; returns how metrics change because there are few samples.

        Raises:
            GanvasError: this data does not allow a metric.
        """
        snapshot_count, final_count = self.sample_counts
        changes: list[str] = []
        for scorer, metrics in self.list_parts():
            for metric in metrics:
                self._try_metric(scorer, metric, final_count)
                changes.append(describe_fit(metric, self.split.count_fewest(final_count)))
        self._try_metric(self.scorers[0], self.primary_metric, snapshot_count)
        return [change for change in dict.fromkeys(changes) if change]

    def _try_metric(self, scorer: Scorer, metric: Metric, n: int) -> None:
        try:
            scorer.compute_floor(metric, min(n, CHECK_SAMPLES))
        except GanvasError:  # it may need more samples
            scorer.compute_floor(metric, n)

    @property
    def sample_counts(self) -> tuple[int, int]:
        """(samples for a snapshot's card, samples for a final card), each at most the number of held-out samples."""
        held_out_count = self.sources.reals.size if self.sources else self.split.held_out.size
        return min(self.evaluation.snapshot_samples, held_out_count), min(self.evaluation.card_samples, held_out_count)

    def describe_protocol(self, n: int) -> dict[str, Any]:
        """What decides the first judge's scores, apart from its metrics."""
        evaluation = self.evaluation
        parts = {"extractor": evaluation.judges[0].extractor.name, "samples": n, **self.data_metadata, "seed": evaluation.seed}
        parts |= {} if self.labels is None else {"labels": str(to_json(self.labels.judge))}
        return parts | dict(self.codec.protocol())

    def extract(self, scorers: Sequence[Scorer], blocks: Iterable[SampleBlock], n: int, noun: str) -> list[Features]:
        """The features of `n` samples for each of these judges."""
        return self.extraction.extract([scorer.judge.extractor for scorer in scorers], blocks, n, noun)


def keep_samples(blocks: Iterable[SampleBlock], kept: list[Tensor] | None) -> Iterator[SampleBlock]:
    """The same blocks; their samples also go to the list, if there is one."""
    for block in blocks:
        if kept is not None:
            kept.append(block.stored.cpu())
        yield block


def open_scored_data(run: RunFolder, source: Source) -> tuple[EncodedDataset, EncodedDataset | None]:
    """(the training set, the held-out set or None) of a run, or of other data. The run's training saw none of other data."""
    held_out = run.recipe.held_out if source == run.recipe.data else None
    _, training_set, held_out_set = open_data(
        source, run.recipe.medium, run.read_codec(), held_out=held_out, held_out_key=run.held_out_key
    )
    return training_set, held_out_set


def build_run_evaluator(
    run: RunFolder, extractor: str | Extractor | None = None, data: str | None = None, device: str = "auto"
) -> Evaluator:
    """An evaluator by the run's protocol, on the run's data or on other data."""
    recipe = run.recipe if data is None else replace(run.recipe, data=replace_path(run.recipe.data, data))
    codec = run.read_codec()
    if extractor is not None:
        recipe = replace(recipe, evaluation=judge_by_one(recipe.evaluation, extractor, codec))
    training, held_out = open_scored_data(run, recipe.data)
    return Evaluator(recipe.evaluation, training, held_out, find_cache_folder(), choose_device(device), has_progress_bar=True)
