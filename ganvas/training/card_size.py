"""The number of samples of a run's last score card: fewer for a short run, so that scoring takes little of its time.

The number follows from the budget, not from a measurement. So two runs of one budget have cards of the same number, which
can be compared. A measurement lowers it only if drawing samples is slow, as for large images on a CPU.
"""

from ..recipe import MAX_CARD_SAMPLES, Evaluation, Train

CARD_SIZES = (500, 1_000, 2_000, 5_000, MAX_CARD_SAMPLES)
MINUTES_FOR_SIZE = (0, 3, 6, 10, 15)  # the shortest run for each card size
SAMPLES_FOR_SIZE = (0, 50_000, 100_000, 200_000, 300_000)  # the same for a budget in samples
CARD_TIME_SHARE = 0.02  # drawing the samples of the last cards may take this share of a run's minutes
LAST_CARDS = 2  # one for the last checkpoint, one for the best


def choose_card_size(requested: Evaluation, train: Train) -> int:
    """The number of samples of the last card: as requested, or by the budget."""
    if requested.samples is not None:
        return requested.samples
    budget, bounds = (train.samples, SAMPLES_FOR_SIZE) if train.minutes is None else (train.minutes, MINUTES_FOR_SIZE)
    if budget is None:
        return MAX_CARD_SAMPLES
    return max(size for size, bound in zip(CARD_SIZES, bounds, strict=True) if budget >= bound)


def limit_card_size(requested: Evaluation, card_size: int, seconds_per_sample: float, run_seconds: float) -> int:
    """`card_size`, or a smaller size if drawing the samples would take too long; never below the smallest size."""
    if requested.samples is not None:
        return card_size
    affordable = CARD_TIME_SHARE * run_seconds / (LAST_CARDS * seconds_per_sample)
    return max((size for size in CARD_SIZES if size <= min(card_size, affordable)), default=CARD_SIZES[0])


def extend_card_size(requested: Evaluation, card_size: int, train: Train, growth: float) -> int:
    """The number of samples of the last card after the budget grew to `train`'s, by the factor `growth`."""
    if requested.samples is not None:
        return card_size
    worth = min(growth * card_size, choose_card_size(requested, train))
    return max([card_size, *(size for size in CARD_SIZES if size <= worth)])
