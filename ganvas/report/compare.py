"""Compare several runs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..evaluation import comparison
from ..runs.folder import RunFolder
from .contact_sheet import write_sheet


def compare(runs: Sequence[str | Path | RunFolder], *, out: str | Path | None = None) -> dict[str, Any]:
    """Compare several runs: their facts, costs and scores, with a ranking if one protocol scored all of them.

    Args:
        out: a PNG to write, with one column of samples per run; None writes none.

    Returns:
        {"runs": …, "groups": …, "problems": …}, see comparison.compare_runs; "problems" says why runs are not ranked.

    Raises:
        GanvasError: fewer than two runs, one run twice, no run with a score card, or a picture that cannot be written.
    """
    result = comparison.compare_runs([run if isinstance(run, RunFolder) else RunFolder(run) for run in runs])
    return result if out is None else result | {"picture": str(write_sheet(result, Path(out)))}
