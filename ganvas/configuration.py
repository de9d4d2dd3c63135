"""Components are frozen dataclasses that hold their own settings. They can be written to JSON and read back."""

import dataclasses
import importlib
import os
import sys
import types
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from math import isfinite
from typing import Any, Literal, TypeVar, Union, dataclass_transform, get_args, get_origin, get_type_hints

from .errors import GanvasError, SettingError

TYPE_KEY = "is"  # {"is": "ganvas.losses:R1", "gamma": 1.0}
ENTRY_POINTS = "ganvas.components"  # the entry-point group for components of installed packages
_component_classes: set[type] = set()
_allowed_modules: set[str] = set()  # a file may name their components
T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def config(cls: type[T]) -> type[T]:
    """Make `cls` a frozen, keyword-only dataclass whose instances `to_json` writes and `from_json` reads."""
    component = dataclasses.dataclass(frozen=True, kw_only=True)(cls)
    _component_classes.add(component)
    return component


def is_config(value: object) -> bool:
    return type(value) in _component_classes


def to_json(value: Any) -> Any:
    """The JSON form of a component, or of a tuple, mapping or scalar inside one."""
    if is_config(value):
        cls = type(value)
        fields = {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {TYPE_KEY: public_name(cls)} | fields
    if isinstance(value, Mapping):
        return {str(k): to_json(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_json(v) for v in value]
    if isinstance(value, float) and not isfinite(value):
        raise GanvasError(f"a setting is {value}: settings must be finite numbers")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{type(value).__name__} has no place in a configuration: use a @config class, tuple, mapping or scalar")


def public_name(cls: type) -> str:
    """ "package:Class" with the outermost package that exports the class, so that runs survive moves of its file."""
    words = cls.__module__.split(".")
    packages = (".".join(words[: k + 1]) for k in range(len(words)))
    package = next((name for name in packages if vars(sys.modules.get(name, types)).get(cls.__name__) is cls), cls.__module__)
    return f"{package}:{cls.__qualname__}"


def from_json(data: Any, location: str = "recipe") -> Any:
    """Rebuild what `to_json` wrote.

    Raises:
        GanvasError: a class that is not a component or not allowed, an unknown field, or a value of the wrong type.
    """
    if isinstance(data, list):
        return tuple(from_json(v, f"{location}[{i}]") for i, v in enumerate(data))
    if not isinstance(data, dict):
        return data
    if TYPE_KEY not in data:
        return {k: from_json(v, f"{location}.{k}") for k, v in data.items()}
    cls = _import_component(data[TYPE_KEY], location)
    values = {k: from_json(v, f"{location}.{k}") for k, v in data.items() if k != TYPE_KEY}
    hints = _read_hints(cls)
    for name, value in values.items():
        if name not in hints:
            raise GanvasError(
                f"{location}: {cls.__name__} has no field {name!r}: the file was made by a newer ganvas, or edited; "
                "update ganvas"
            )
        if not _fits_hint(value, hints[name]):
            raise GanvasError(f"{location}.{name}: {value!r} is not {hints[name]}: correct the file")
    try:
        return cls(**values)
    except SettingError as error:
        raise GanvasError(f"{location}: {error}: correct the file") from error
    except TypeError as error:
        raise GanvasError(f"{location}: {cls.__name__} cannot be made from this file ({error})") from error


def allow_components(modules: Iterable[str]) -> None:
    """Allow runs and recipes to name components of these modules or packages. They are imported when needed.

    Raises:
        GanvasError: a name that is not a module name.
    """
    for module in modules:
        if not all(part.isidentifier() for part in module.split(".")):
            raise GanvasError(f"{module!r} is not a module name: give a package, such as my_losses, or a module of one")
        _allowed_modules.add(module)


def import_named(module: str) -> types.ModuleType:
    """Import a module, also from the folder where ganvas was started, and allow its components.

    Raises:
        GanvasError: no such module.
    """
    allow_components([module])
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise GanvasError(
            f"there is no module {error.name!r}: install it, or start ganvas in the folder that holds it"
        ) from None


def _import_component(name: Any, location: str) -> Callable[..., Any]:
    """The @config class with this public name, from the running program, ganvas or an allowed package."""
    own_name = str(name).rpartition(":")[2]  # compared first: a codec of 2,000 columns is 2,000 components
    known = next((cls for cls in _component_classes if cls.__qualname__ == own_name and public_name(cls) == name), None)
    if known is not None:
        return known
    module_name, _, attribute = str(name).partition(":")
    if not all(part.isidentifier() for part in module_name.split(".")) or not attribute.isidentifier():
        raise GanvasError(f"{location}: {name!r} is not a ganvas component: its name has the form package:Class")
    if not _is_allowed(module_name):
        package = module_name.partition(".")[0]
        raise GanvasError(
            f"{location}: {name!r} is not a ganvas component, and a file alone loads no other code. If you trust {package}, "
            f"allow it: --components {package}, or in Python components=[{package!r}]"
        )
    try:
        found = getattr(importlib.import_module(module_name), attribute, None)
    except ImportError as error:
        raise GanvasError(
            f"{location}: {name!r} is not a ganvas component that can be imported ({error}): install or update it"
        ) from None
    if not isinstance(found, type) or found not in _component_classes or public_name(found) != name:
        raise GanvasError(f"{location}: {name!r} is not a ganvas component: it must be a class made with @ganvas.config")
    return found


def _is_allowed(module: str) -> bool:
    """Whether a file may import this module: part of ganvas, allowed by the caller, or registered as an entry point."""
    installed = {entry.value.partition(":")[0] for entry in entry_points(group=ENTRY_POINTS)}
    return any(module == name or module.startswith(f"{name}.") for name in {"ganvas", *_allowed_modules, *installed})


@cache
def _read_hints(cls: type) -> Mapping[str, Any]:
    return get_type_hints(cls)


def _fits_hint(value: Any, hint: Any) -> bool:
    """Whether a value from a file fits the field's type: a scalar of its type, or a component of its protocol."""
    if get_origin(hint) in (Union, types.UnionType):
        return any(_fits_hint(value, h) for h in get_args(hint))
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is tuple:
        inner = get_args(hint)
        return isinstance(value, tuple) and (inner[-1:] != (...,) or all(_fits_hint(v, inner[0]) for v in value))
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (bool, str, type(None)):
        return isinstance(value, hint)
    if get_origin(hint) in (dict, Mapping):
        return isinstance(value, dict) and all(_fits_hint(v, get_args(hint)[1]) for v in value.values())
    return is_config(value) and isinstance(value, hint)
