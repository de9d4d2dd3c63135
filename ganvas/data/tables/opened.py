"""A table that is open for reading, whatever its format."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...errors import GanvasError
from ...system.arrow import import_arrow
from ..names import list_examples

TEXTS_KEY = b"ganvas.texts"  # in the metadata of a schema: the columns are texts, whose types have yet to be found
BLOCK_ROWS, BLOCK_BYTES = 65_536, 4 * 2**20  # of a block of rows; of a block of text


@dataclass
class OpenTable:
    """A table's blocks of rows (pyarrow.RecordBatch). They can be read as often as needed, always the same."""

    title: str  # "people.csv"
    fingerprint: str
    schema: Any  # pyarrow.Schema
    read_blocks: Callable[[], Iterator[Any]]
    is_text: bool = False  # its columns are texts, whose types have yet to be found
    notes: tuple[str, ...] = ()


def check_column_names(names: list[str], title: str) -> list[str]:
    """The names, each once and none empty. Raises GanvasError for a table without columns or with a name twice."""
    if not names:
        raise GanvasError(f"{title} has no columns: the first line of a table names them")
    doubles = sorted({name for name in names if name and names.count(name) > 1})
    if doubles:
        raise GanvasError(f"{title} has several columns of one name ({list_examples(doubles)}): rename all but one of each")
    return [name or f"column_{k + 1}" for k, name in enumerate(names)]


@contextmanager
def explain_arrow_errors(title: str) -> Generator[None]:
    """Turn pyarrow's errors about a broken table into a GanvasError."""
    arrow = import_arrow()
    try:
        yield
    except (arrow.ArrowException, OSError, EOFError) as error:
        reason = str(error).partition("\n")[0][:200].rstrip(".")
        raise GanvasError(f"{title} cannot be read ({reason}): repair it, or write it again") from error
