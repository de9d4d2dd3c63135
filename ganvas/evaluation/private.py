"""Scores of private runs: against a test part that people hand in, or none. Any score against training rows tells of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..core import Dataset, Method, Nets, PrivateMethod
from ..data import EncodedDataset
from ..errors import GanvasError
from ..recipe import Evaluation, Recipe
from ..runs.folder import RunFolder
from .evaluator import Evaluator

NO_SCORES = (
    "this run is private, and any score against its training rows would tell of them. To score it, hand in other rows: "
    "ganvas evaluate RUN --data OTHER"
)
TEST_SCORES = (
    "this run is private: scores compare with the test rows alone, and the last checkpoint is kept, not the best by scores. "
    "Scores tell something of the test rows, whose privacy is no part of the promise"
)


class PrivateEvaluator(Evaluator):
    """An evaluator that never looks at training rows. It scores no snapshots, so that none is chosen as the best.

    Args:
        train: only its codec and names are used.
        test: rows that people hand in, half of which take the part of the training rows; None: there are no scores.
    """

    shows_reals = False

    def __init__(
        self,
        evaluation: Evaluation,
        train: Dataset,
        test: Dataset | None,
        cache: Path | None,
        device: torch.device,
        has_progress_bar: bool = False,
    ) -> None:
        self.has_reals = test is not None
        if test is not None:
            super().__init__(evaluation, test, None, cache, device, has_progress_bar)
            self.data_metadata |= {"held_out": self.data_metadata["held_out"].replace("other training", "other test")}
            self.data_metadata |= {"reference": self.data_metadata["reference"].replace("training", "test")}
            return
        self.evaluation, self.codec, self.spec, self.device = evaluation, train.codec, train.spec, device
        self.sources, self.pairs, self.labels, self.texts, self.scorers = None, None, None, None, []
        words = {"reference": "no samples", "held_out": "no samples"}
        self.data_metadata = words | {"data": train.title, "fingerprint": train.fingerprint}

    @property
    def best_by(self) -> tuple[str, bool]:
        return super().best_by if self.has_reals else ("none", True)

    @property
    def sample_counts(self) -> tuple[int, int]:
        return super().sample_counts if self.has_reals else (1, 1)  # the planner divides by them

    def use_evaluation(self, evaluation: Evaluation) -> None:
        if self.has_reals:
            super().use_evaluation(evaluation)
        else:
            self.evaluation = evaluation

    def check_floors(self) -> list[str]:
        return super().check_floors() if self.has_reals else []

    def prepare_snapshots(self) -> None:
        """Nothing: snapshots are not scored."""

    def score_snapshot(self, method: Method, nets: Nets) -> dict[str, Any]:
        return self.build_empty_card([])

    def score_final(self, method: Method, nets: Nets) -> dict[str, Any]:
        if not self.has_reals:
            return self.build_empty_card([NO_SCORES])
        card = super().score_final(method, nets)
        return card | {"cautions": [TEST_SCORES, *card.get("cautions", [])]}

    def build_empty_card(self, cautions: list[str]) -> dict[str, Any]:
        """A card without scores."""
        protocol: Mapping[str, Any] = {"extractor": "none", "samples": 0, **self.data_metadata, "seed": self.evaluation.seed}
        return {"scores": {}, "floor": {}, "lower_is_better": {}, "protocol": protocol, "cautions": cautions}


def check_scorable(
    run: RunFolder, train: EncodedDataset, held_out: EncodedDataset | None, is_other_data: bool
) -> EncodedDataset | None:
    """The held-out set to score with: of a private run all rows that people hand in, if `train` is other data than its own.

    Raises:
        GanvasError: a private run and no other rows.
    """
    if not isinstance(run.recipe.method, PrivateMethod):
        return held_out
    rows = train if is_other_data else held_out
    if rows is None:
        raise GanvasError(NO_SCORES)
    return rows


def open_evaluator(
    recipe: Recipe,
    train: Dataset,
    held_out: Dataset | None,
    cache: Path | None,
    device: torch.device,
    has_progress_bar: bool = False,
) -> Evaluator:
    """The evaluator of a run: of a private one, an evaluator that looks at no training rows."""
    kind = PrivateEvaluator if isinstance(recipe.method, PrivateMethod) else Evaluator
    return kind(recipe.evaluation, train, held_out, cache, device, has_progress_bar)
