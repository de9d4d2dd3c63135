"""Rules that all rows of a table keep, by construction. One file for each."""

from .at_most import AtMost
from .bounds import Bounds
from .decimals import Decimals
from .dependence import Dependence
from .finding import find_rules
from .fitting import drop_broken_rules, find_breaks, fit_rules
from .fixed_combinations import FixedCombinations
from .missing_together import MissingTogether
from .ordering import order_rules
from .rule import ColumnForm, Rule, RuleContext
from .rules_file import read_rules, write_rules_toml
from .total import Total
from .unique import Unique

__all__ = [
    "AtMost",
    "Bounds",
    "ColumnForm",
    "Decimals",
    "Dependence",
    "FixedCombinations",
    "MissingTogether",
    "Rule",
    "RuleContext",
    "Total",
    "Unique",
    "drop_broken_rules",
    "find_breaks",
    "find_rules",
    "fit_rules",
    "order_rules",
    "read_rules",
    "write_rules_toml",
]
