"""The order in which rules reduce a table, so that each still finds its columns; and rules that contradict each other."""

from collections.abc import Iterable, Sequence

from ....errors import GanvasError
from .at_most import AtMost
from .dependence import Dependence
from .missing_together import MissingTogether
from .rule import Rule, join_words
from .total import Total


def order_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules, joined where several speak of the same columns, in the order in which they reduce a table.

    Raises:
        GanvasError: rules that contradict each other, or each of which needs another one's result first.
    """
    distinct = list(dict.fromkeys(rules))
    joined = [*_join_at_most(distinct), *_join_missing(distinct)]
    remaining = joined + [rule for rule in distinct if not isinstance(rule, (AtMost, MissingTogether))]
    _check_deciders(remaining)
    _check_parents(remaining)
    ordered = list[Rule]()
    while remaining:
        ready = [rule for rule in remaining if not _find_blockers(rule, remaining)]
        if not ready:
            raise GanvasError(f"{_describe_circle(remaining)} form a circle: leave one of them out")
        ordered += ready
        remaining = [rule for rule in remaining if rule not in ready]
    return tuple(sorted(ordered, key=lambda rule: isinstance(rule, MissingTogether)))  # which restores first


def list_needs(rule: Rule) -> set[str]:
    """The columns that a rule needs as they are, to restore those that it decides."""
    return set() if isinstance(rule, MissingTogether) else set(rule.columns) - set(rule.decided_columns)


def _find_blockers(rule: Rule, rules: Sequence[Rule]) -> list[Rule]:
    """The rules that have to reduce before this one, because they need a column that it decides."""
    return [other for other in rules if other is not rule and list_needs(other) & set(rule.decided_columns)]


def _check_deciders(rules: Sequence[Rule]) -> None:
    deciders = dict[str, Rule]()
    for rule in rules:
        for name in rule.decided_columns:
            if name in deciders:
                pair = join_words(map(_quote, (deciders[name], rule)))
                raise GanvasError(f"two rules decide the column {name!r}, {pair}: leave one of them out")
            deciders[name] = rule


def _check_parents(rules: Sequence[Rule]) -> None:
    """Raise GanvasError for parents that are computed: a child is looked up by values that the data holds."""
    computing_rules = {rule.decided_columns[0]: rule for rule in rules if isinstance(rule, (AtMost, Total))}
    for rule in rules:
        for name in rule.parents if isinstance(rule, Dependence) else ():
            if name in computing_rules:
                pair = join_words(map(_quote, (computing_rules[name], rule)))
                raise GanvasError(f"{name!r} is computed, so no value can be looked up by it: of {pair} leave one out")


def _describe_circle(rules: Sequence[Rule]) -> str:
    """The rules of one circle, out of rules each of which waits for another."""
    path = [rules[0]]
    while True:
        rule = _find_blockers(path[-1], rules)[0]
        if rule in path:
            circle = path[path.index(rule) :]
            return f"the rules {join_words(map(_quote, circle))}" if len(circle) > 1 else "the rules"
        path.append(rule)


def _quote(rule: Rule) -> str:
    return f'"{rule.describe()}"'


def _join_at_most(rules: Sequence[Rule]) -> list[Rule]:
    """One rule for each column that has to be no less than others. a <= b and b <= a: both are the same."""
    lows = dict[str, dict[str, None]]()
    for rule in rules:
        if isinstance(rule, AtMost):
            lows.setdefault(rule.high, {}).update(dict.fromkeys(rule.lows))
    equal = list[Rule]()
    for high in list(lows):
        for low in list(lows[high]):
            if high in lows.get(low, {}):
                del lows[high][low], lows[low][high]
                equal.append(Total(total=high, parts=(low,)))
                lows[low] |= {name: None for name in lows.pop(high) if name != low}
                break
    return [*equal, *(AtMost(lows=tuple(names), high=high) for high, names in lows.items() if names)]


def _join_missing(rules: Sequence[Rule]) -> list[Rule]:
    """Rules of missing values that share a column become one."""
    groups = list[list[str]]()
    for rule in rules:
        if isinstance(rule, MissingTogether):
            shared_groups = [group for group in groups if set(group) & set(rule.columns)]
            groups = [group for group in groups if group not in shared_groups]
            groups.append(list(dict.fromkeys([name for group in shared_groups for name in group] + list(rule.columns))))
    return [MissingTogether(columns=tuple(group)) for group in groups]
