"""Some private runs look at the data once: noisy statistics are released before the first step, and kept in the run's folder.

A run that lost its checkpoints, or was stopped before the first one, finds them there. To release them again would cost the
same privacy again.
"""

from functools import partial
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from ..core import Dataset, ReleasingMethod
from ..errors import GanvasError
from ..privacy import parse_ledger
from ..runs.folder import RunFolder
from ..runs.state import State
from ..system import distributed
from ..system.console import print_status
from ..system.files import explain_os_errors, write_atomically

LEDGER_NAME = "privacy.json"  # what the run has spent
STATISTICS_NAME = "released.safetensors"
FOLDER_SENTENCE = (
    "share the rows that you generate, and not the run's folder: that says how many rows the data has, and where they lie"
)


def release_once(run: RunFolder, data: Dataset, is_quiet: bool) -> None:
    """Release a private run's statistics, on rank 0, if it has not been done; of other runs, do nothing.

    Raises:
        GanvasError: the ledger says that they were released, and they are missing; or they cannot be written.
    """
    method, path = run.recipe.method, run.path
    if not isinstance(method, ReleasingMethod):
        return
    with distributed.rank_zero_first():
        if distributed.is_main_process() and not has_release(run):
            release = method.release(data)
            for sentence in (*release.sentences, FOLDER_SENTENCE):
                print_status(is_quiet, f"  {sentence}")
            with explain_os_errors("writing the released statistics", path):
                write_atomically(path / LEDGER_NAME, partial(_write_text, release.ledger))  # first: it must never be missing
                write_atomically(path / STATISTICS_NAME, lambda temporary: save_file(dict(release.tensors), temporary))


def has_release(run: RunFolder) -> bool:
    """Whether the statistics have been released. Raises GanvasError for a ledger without them."""
    ledger, statistics = run.path / LEDGER_NAME, run.path / STATISTICS_NAME
    if not ledger.exists():
        if run.checkpoints:
            raise GanvasError(f"{ledger} is missing, so nobody knows what this run has spent: restore it from a copy")
        return False
    parse_ledger(ledger.read_text(encoding="utf-8"))
    if not statistics.exists() and not run.checkpoints:
        raise GanvasError(
            f"{ledger} says that the statistics were released, but {statistics.name} is missing: restore it from a copy, or "
            "train in a new folder, which costs its epsilon as well"
        )
    return True


def load_release(run: RunFolder, state: State) -> None:
    """Put a private run's released statistics among new networks; of other runs, do nothing.

    Raises:
        GanvasError: they cannot be read, or are of other columns.
    """
    method, path = run.recipe.method, run.path / STATISTICS_NAME
    if not isinstance(method, ReleasingMethod):
        return
    try:
        method.load_release(state.nets, load_file(path))
    except (SafetensorError, OSError, KeyError) as error:
        raise GanvasError(f"{path} cannot be read ({error}): restore it from a copy") from error
    for name, average in state.average.items():
        average.load_state_dict(state.nets[name].state_dict())


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
