"""Rows of tables."""

from ..data import Rows
from ..losses import FiniteDifferenceR1, FiniteDifferenceR2
from ..losses.objectives import RelativisticPairing
from ..media import Table
from ..methods import Adversarial
from ..nets import RowPerceptrons
from ..optim import Linear
from ..optim.optimisers import Adam
from ..recipe import Evaluation, Recipe, Train


def table() -> Recipe:
    """Tables: the default for them. Rows with the same columns and dependences as yours, and nobody's own row.

    Numbers are learnt as ranks, so each column's distribution is right from the start. Some rows are completed from known
    cells, so any column can be a condition.

    Paper: Huang et al. 2024 (R3GAN's loss), with its penalties by finite differences.
    Expected: docs/results.md.
    """
    adam = Adam(lr=2e-3, betas=(0.0, 0.99), schedule=Linear(start=0.5, final=0.02))
    return Recipe(
        name="table",
        data=Rows(path="table.csv"),
        medium=Table(),
        nets=RowPerceptrons(),
        method=Adversarial(
            objective=RelativisticPairing(),
            penalties=(FiniteDifferenceR1(gamma=0.1), FiniteDifferenceR2(gamma=0.1)),
        ),
        optim={"G": adam, "D": adam},
        train=Train(minutes=5.0, batch=500, ema_kimg=30.0, ema_ramp=0.25, precision="fp32"),
        evaluation=Evaluation(samples=20_000, snapshot_samples=4_000),
    )
