"""How many samples a run's last score card takes: few of a short run, for scoring is to stay a small part of it.

The number follows from the budget and not from a measurement: cards of the same number can be compared, and two runs of one
budget are to have such cards. Only where drawing samples is slow (large images on a CPU) does what it takes lower the number.
"""

from ..recipe import MAX_CARD_SAMPLES, Evaluation, Train

CARD_SIZES = (500, 1_000, 2_000, 5_000, MAX_CARD_SAMPLES)
MINUTES_FOR_SIZE = (0, 3, 6, 10, 15)  # of a run, from which its card is of so many samples
SAMPLES_FOR_SIZE = (0, 50_000, 100_000, 200_000, 300_000)  # of a run on samples
CARD_TIME_SHARE = 0.02  # of a run's minutes that drawing the samples of its last cards may take
LAST_CARDS = 2  # of the last checkpoint and of the best


def choose_card_size(requested: Evaluation, train: Train) -> int:
    """Samples of the last card: those that were asked for, or as many as the budget is worth."""
    if requested.samples is not None:
        return requested.samples
    budget, bounds = (train.samples, SAMPLES_FOR_SIZE) if train.minutes is None else (train.minutes, MINUTES_FOR_SIZE)
    if budget is None:
        return MAX_CARD_SAMPLES
    return max(size for size, bound in zip(CARD_SIZES, bounds, strict=True) if budget >= bound)


def limit_card_size(requested: Evaluation, card_size: int, seconds_per_sample: float, run_seconds: float) -> int:
    """The same, or fewer where drawing so many would take too long; never fewer than the fewest."""
    if requested.samples is not None:
        return card_size
    affordable = CARD_TIME_SHARE * run_seconds / (LAST_CARDS * seconds_per_sample)
    return max((size for size in CARD_SIZES if size <= min(card_size, affordable)), default=CARD_SIZES[0])


def extend_card_size(requested: Evaluation, card_size: int, train: Train, growth: float) -> int:
    """Samples of the last card of a run whose budget has grown by a factor, to `train`'s."""
    if requested.samples is not None:
        return card_size
    worth = min(growth * card_size, choose_card_size(requested, train))
    return max([card_size, *(size for size in CARD_SIZES if size <= worth)])
