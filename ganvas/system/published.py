"""Published files that come in packages of their own: found without running them, known by their checksum."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from ..errors import GanvasError


def find_package_file(package: str, file: str) -> Path | None:
    """Where a file of an installed package lies, or None without the package. The package is not imported."""
    found = find_spec(package)
    return None if found is None or found.origin is None else Path(found.origin).parent / file


def read_published_file(path: Path, sha256: str) -> bytes:
    """The bytes of a file, once its SHA-256 is checked.

    Raises:
        GanvasError: the file is missing, or another one.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise GanvasError(f"the weights {path} cannot be read: {(error.strerror or str(error)).lower()}") from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise GanvasError(
            f"{path} is not the weights file that was published, or is damaged: its SHA-256 begins with {digest[:8]}, not "
            f"with {sha256[:8]}. Download it again"
        )
    return content
