"""Several runs side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..evaluation import comparison
from ..runs.folder import RunFolder
from .contact_sheet import write_sheet


def compare(runs: Sequence[str | Path | RunFolder], *, out: str | Path | None = None) -> dict[str, Any]:
    """Several runs side by side: what they are, what they cost and scored, ranked where one protocol scored them all.

    Args:
        out: a PNG to write, with a column of samples for each run; None writes none.

    Returns:
        {"runs": …, "groups": …, "problems": …} as comparison.compare says; "problems" tells why runs are not ranked.

    Raises:
        GanvasError: no run, fewer than two, one named twice, none with a score card, or a picture that cannot be written.
    """
    result = comparison.compare_runs([run if isinstance(run, RunFolder) else RunFolder(run) for run in runs])
    return result if out is None else result | {"picture": str(write_sheet(result, Path(out)))}
