"""The account of a private run: steps are booked in the run's folder before they look at data, so that none is ever forgotten.

A run that is killed has spent what it booked. Restarted, it adds to the same ledger, and ends earlier.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from ..core import NoisyMethod
from ..errors import GanvasError
from ..privacy import Ledger, NoisyRelease, parse_ledger
from ..runs.folder import RunFolder
from ..runs.state import State
from ..system import distributed
from ..system.console import print_status
from ..system.files import explain_os_errors, write_atomically
from .release import LEDGER_NAME

BOOKED_STEPS = 50  # at once, because writing takes milliseconds; a killed run loses so many at most
PURPOSE = "gradients of D"


class PrivacyAccount:
    """Books steps of one kind, and gives their secret randomness.

    Args:
        path: of the ledger.
        step: what one step costs.
        ledger: what was spent before.
    """

    def __init__(self, path: Path, step: NoisyRelease, ledger: Ledger, epsilon: float) -> None:
        self.path, self.step, self.ledger = path, step, ledger
        self.affordable_steps = ledger.count_affordable_steps(step, epsilon)
        self.booked_steps = 0  # in the file, and not taken yet
        self.random = np.random.default_rng()  # 128 bits of the system's entropy

    def book_step(self) -> np.random.Generator:
        """Book one step. Returns the generator of its batch and noise.

        Raises:
            GanvasError: the promise allows no further step, or the ledger cannot be written.
        """
        if self.affordable_steps < 1:
            raise GanvasError(f"{self.path} has spent its epsilon: train in a new folder, which costs its own epsilon as well")
        if not self.booked_steps:
            self.booked_steps = min(BOOKED_STEPS, self.affordable_steps)
            self.write(self.ledger.add(self.step._replace(steps=self.booked_steps)))
        self.booked_steps -= 1
        self.affordable_steps -= 1
        self.ledger = self.ledger.add(self.step)
        return self.random

    def close(self) -> None:
        """Write what was really spent, without steps that were booked and not taken."""
        if self.booked_steps:
            self.booked_steps = 0
            self.write(self.ledger)

    def write(self, ledger: Ledger) -> None:
        with explain_os_errors("writing the privacy ledger", self.path.parent):
            write_atomically(self.path, partial(_write_text, ledger.to_json()))


def open_account(run: RunFolder, rows: int) -> PrivacyAccount | None:
    """The account of a run whose method adds noise in every step; of other runs, None.

    Args:
        rows: of the training set.

    Raises:
        GanvasError: the ledger is missing or older than the last checkpoint, or there are several ranks.
    """
    method, path = run.recipe.method, run.path / LEDGER_NAME
    if not isinstance(method, NoisyMethod):
        return None
    if distributed.count_ranks() > 1:
        raise GanvasError("private training by noisy gradients runs in one process: start it without torchrun")
    assert method.sigma is not None  # fixed by the plan
    step = NoisyRelease(run.recipe.train.batch / rows, method.sigma, 1, PURPOSE)
    ledger = parse_ledger(path.read_text(encoding="utf-8")) if path.exists() else Ledger(method.delta)
    trained_steps = int(run.checkpoints[-1].name) // run.recipe.train.batch if run.checkpoints else 0
    if sum(release.steps for release in ledger.releases) < trained_steps:
        raise GanvasError(
            f"{path} is missing or older than the last checkpoint, and nobody knows what this run has spent: restore it from "
            "a copy"
        )
    return PrivacyAccount(path, step, ledger, method.epsilon)


def limit_budget(run: RunFolder, state: State, account: PrivacyAccount, is_quiet: bool) -> RunFolder:
    """The run with no more steps than its promise allows, after a kill has lost some; also updates the clock in `state`.

    Raises:
        GanvasError: nothing is left, and no checkpoint either.
    """
    batch = run.recipe.train.batch
    total = state.clock.samples + account.affordable_steps * batch
    if total >= state.clock.total:
        return run
    if not account.affordable_steps and not run.checkpoints:
        raise GanvasError(
            f"{run.path} has spent its epsilon and kept no checkpoint: train in a new folder, which costs as much"
        )
    print_status(is_quiet, f"steps that were lost have cost privacy, too: training ends at {total:,} samples")
    state.clock = state.clock._replace(total=total)
    recipe = replace(run.recipe, train=replace(run.recipe.train, samples=total))
    return RunFolder.write_settings(run.path, recipe, run.requested, run.seed, run.meta["data"], run.meta["environment"])


def refuse_longer_promise(run: RunFolder, minutes: float | None, samples: int | None) -> None:
    """Raise GanvasError if a run that has planned its noise is to get a larger budget."""
    settings = run.requested.train
    is_longer = (minutes or 0) > (settings.minutes or 0) or (samples or 0) > (settings.samples or 0)
    if isinstance(run.recipe.method, NoisyMethod) and is_longer:
        raise GanvasError(
            f"{run.path} has its noise for the steps that were planned, and more would break its promise: train in a new "
            "folder, which has its own epsilon"
        )


def find_open_minutes(run: RunFolder) -> float | None:
    """The minutes that a run may use up; None if its number of steps is fixed."""
    return None if isinstance(run.recipe.method, NoisyMethod) else run.requested.train.minutes


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
