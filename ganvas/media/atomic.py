"""Files that are whole or absent: written under a temporary name, then renamed."""

import os
from pathlib import Path

from ..errors import GanvasError


def write_bytes(path: Path, data: bytes) -> Path:
    """Put `data` in the file `path`, making its folder; returns `path`. Raises GanvasError where that cannot be done."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        raise GanvasError(f"{path} cannot be written ({error.strerror}): choose another folder, or free some space") from error
    finally:
        if part.exists():
            part.unlink()
    return path
