"""list rules that hold in all rows of a table"""

import sys
from dataclasses import dataclass

from .parsing import parse_settings


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Print rules that hold in all rows of a table: one column follows from another, one is never above another, sums.

    Delete those that hold by chance, then train with the file: generated rows keep every rule.

    Example:
        ganvas rules people.csv > rules.toml
        ganvas train --data people.csv --rules rules.toml

    data: a table, of any kind that training reads.
    """

    data: str = ""


def main(argv: list[str]) -> int:
    has_data = bool(argv) and not argv[0].startswith("-")
    data = argv.pop(0) if has_data else ""
    arguments = parse_settings(Arguments, Arguments(data=data), argv, "ganvas rules TABLE")
    from ..data.tables import read_table_rows
    from ..errors import GanvasError
    from ..media import find_rules, write_rules_toml

    if not arguments.data:
        raise GanvasError("which table? ganvas rules people.csv > rules.toml")
    items = read_table_rows(arguments.data)
    rules = find_rules(items.sample, kinds={survey.name: survey.kind for survey in items.surveys})
    print(write_rules_toml(rules))
    print(f"{len(rules)} rules hold in all of {items.title}", file=sys.stderr)
    return 0
