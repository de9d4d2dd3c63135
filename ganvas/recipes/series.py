"""Windows of time series."""

from ..data import Windows
from ..losses import FiniteDifferenceR1, FiniteDifferenceR2
from ..losses.objectives import RelativisticPairing
from ..media import Series
from ..methods import Adversarial
from ..nets import WindowConvolutions
from ..optim import Linear
from ..optim.optimisers import Adam
from ..recipe import Evaluation, Recipe, Train


def series() -> Recipe:
    """Time series: the default for them. Windows that move, and depend on each other, as those of your data do.

    Numbers are learnt as ranks, so each column's distribution is nearly right from the start. D sees changes between steps
    as well as values. Its penalties move a window as a whole more than its steps, so that D may look at small changes.

    Paper: Huang et al. 2024 (R3GAN's loss), with its penalties by finite differences.
    Expected: hourly weather, ten minutes of one busy core: detection .972, autocorrelation error .016 (docs/results.md).
    """
    schedule = Linear(start=0.0, final=0.02)  # at full rates for minutes, D learns to know every window
    slow, fast = (Adam(lr=lr, betas=(0.0, 0.99), schedule=schedule) for lr in (1e-3, 2e-3))
    return Recipe(
        name="series",
        data=Windows(path="series.csv"),
        medium=Series(places="step"),
        nets=WindowConvolutions(is_anchored=True),
        method=Adversarial(
            objective=RelativisticPairing(),
            penalties=(FiniteDifferenceR1(gamma=0.3, common=0.95), FiniteDifferenceR2(gamma=0.3, common=0.95)),
        ),
        optim={"G": slow, "D": fast},
        train=Train(minutes=5.0, batch=128, ema_kimg=10_000.0, ema_ramp=0.1, precision="auto"),
        evaluation=Evaluation(samples=5_000, snapshot_samples=3_000),
    )
