"""Write files so that the old one stays until the new one is complete: temporary name, flush, rename."""

import errno
import json
import os
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import GanvasError


def find_cache_folder() -> Path:
    """$GANVAS_CACHE, else ganvas in $XDG_CACHE_HOME, else ~/.cache/ganvas."""
    chosen_path, base = os.environ.get("GANVAS_CACHE"), os.environ.get("XDG_CACHE_HOME")
    if chosen_path:
        return Path(chosen_path).expanduser()
    return (Path(base) if base else Path.home() / ".cache") / "ganvas"


LEFTOVER = re.compile(r"\.(.+)\.(\d+)\.tmp")  # the temporary names of `write_atomically`: a file and a process


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Have `write` fill a temporary file beside `path`, flush it to the disk and rename it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        flush_to_disk(temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_leftovers(folder: Path, is_own: Callable[[str], bool]) -> None:
    """Remove temporary files of `write_atomically` whose process is gone, for files whose names `is_own` accepts."""
    for path in folder.glob(".*.tmp"):
        match = LEFTOVER.fullmatch(path.name)
        if match and is_own(match[1]) and not is_running(int(match[2])):
            path.unlink(missing_ok=True)


def is_running(process: int) -> bool:
    """Whether a process of this number is alive; where that cannot be known, True."""
    if os.name == "nt":  # there the question would end the process
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def write_bytes(path: Path, data: bytes) -> Path:
    """Write `data` to `path`, creating its folder; returns `path`. Not flushed: only for files that can be made again.

    Raises:
        GanvasError: the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with explain_os_errors("writing", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    return path


LONE_SURROGATES = re.compile("[\ud800-\udfff]")  # Python's form of bytes in file names that are not UTF-8


def repair_text(text: str) -> str:
    """Text that can be written as UTF-8. Bytes in other encodings are read as Western European letters.

    Paths that are opened must stay as they are.
    """
    return LONE_SURROGATES.sub(_read_surrogate, text)


def _read_surrogate(match: re.Match[str]) -> str:
    code = ord(match[0]) - 0xDC00  # Python's code for a byte from 0x80 to 0xff
    return bytes([code]).decode("cp1252", "replace") if 0x80 <= code <= 0xFF else "\ufffd"


def check_path_text(path: Path) -> None:
    """Raises GanvasError for a folder whose name, or a name above it, is no UTF-8: safetensors opens no file there."""
    if LONE_SURROGATES.search(str(path.absolute())):
        raise GanvasError(
            f"{repair_text(str(path))} or a folder above it has a name that is no UTF-8: weights cannot be opened there, "
            "choose another folder"
        )


def encode_json(data: Any, indent: int | None = None, allow_nan: bool = True) -> str:
    """JSON with all letters as they are. Only lone surrogates are escaped, so that every path is read back unchanged."""
    text = json.dumps(data, indent=indent, allow_nan=allow_nan, ensure_ascii=False)
    return LONE_SURROGATES.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def write_json(path: Path, data: Any) -> None:
    text = encode_json(data, indent=1, allow_nan=False)
    write_atomically(path, lambda temporary: temporary.write_text(text + "\n", encoding="utf-8"))


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises GanvasError if there is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise GanvasError(f"{path} does not exist: is {path.parent} a run's folder?") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise GanvasError(f"{path} cannot be read ({error}): restore it, or train into a new folder") from None
    if not isinstance(data, dict):
        raise GanvasError(f"{path} does not hold what ganvas wrote: restore it, or train into a new folder")
    return data


def flush_to_disk(path: Path) -> None:
    """Have the operating system write a file or folder to the disk now."""
    if path.is_dir() and os.name == "nt":  # Windows has no handle on folders
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def is_without_room(error: BaseException | None) -> bool:
    """Whether an error, or what caused it, says that the disk is full or takes nothing: later files fail, too."""
    while error is not None:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            return True
        error = error.__cause__
    return False


@contextmanager
def explain_os_errors(action: str, path: Path) -> Generator[None]:
    """Turn an error of the operating system (read-only, full, not a folder) into a GanvasError."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise GanvasError(f"{action} failed at {path}: {reason}. Choose another place, or make room there") from error
