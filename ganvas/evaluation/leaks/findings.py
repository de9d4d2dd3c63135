"""The result of an attack in plain words: what it tries, how many guesses were right, and how many by chance."""

from typing import Any

from ...privacy.attacks import AttackResult, MembershipResult

VERDICTS = {True: "a sign of a leak", False: "no sign of a leak"}
CHANCE_OF_RATE, CHANCE_OF_MEMBERSHIP = 0.025, 0.05  # how often an attack sees a sign where there is none
Finding = dict[str, Any]  # an attack's entry on the card


def describe_membership(result: MembershipResult, question: str) -> Finding:
    """An attack that guesses who was a member, at half of all rows and at the surest ones."""
    guesses, right = _count_guesses(result.half)
    sure_guesses, sure_right = _count_guesses(result.surest)
    low, high = result.auc_interval
    sentence = (
        f"of {guesses:,} guesses {right:,} were right, by chance {_format_chance(guesses)}; "
        f"of the {sure_guesses:,} surest {sure_right:,}, by chance {_format_chance(sure_guesses)}"
    )
    auc = {"auc": result.auc, "auc_interval": [low, high]}
    surest = {"surest": {"guesses": sure_guesses, "right": sure_right, "is_leak": bool(result.surest.is_leak)}}
    return (
        _describe(result.half, question, sentence, result.is_leak, CHANCE_OF_MEMBERSHIP) | auc | surest | {"name": result.name}
    )


def describe_rate(result: AttackResult, question: str) -> Finding:
    """An attack that guesses something of each row, or of each description."""
    if not result.main.trials:
        return _describe(result, question, "nothing to try: no synthetic row stands alone in this way", False, 0.0)
    sentence = (
        f"of {result.main.trials:,} guesses {result.main.hits:,} were right, and on data that training never saw "
        f"{result.control.hits:,}"
    )
    return _describe(result, question, sentence, result.is_leak, CHANCE_OF_RATE)


def _count_guesses(result: AttackResult) -> tuple[int, int]:
    """(How many were called members, how many of those were)."""
    return result.main.hits + result.control.hits, result.main.hits


def _format_chance(guesses: int) -> str:
    """Members and others are as many, so half of the guesses."""
    return f"{round(guesses / 2):,}"


def _describe(result: AttackResult, question: str, sentence: str, is_leak: bool, chance: float) -> Finding:
    return {
        "name": result.name,
        "question": question,
        "members": float(result.main.share),
        "control": float(result.control.share),
        "trials": [result.main.trials, result.control.trials],
        "difference": result.difference,
        "interval": list(result.interval),
        "is_leak": bool(is_leak),
        "chance_of_false_sign": chance,
        "sentence": f"{sentence}: {VERDICTS[is_leak]}",
    }
