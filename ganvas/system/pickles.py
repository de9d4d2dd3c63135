"""Read pickles as data: a small machine that cannot call anything.

Python's own unpickler does what a file says. This one knows containers, numbers, text, and objects, which stay names with their
arguments and state. An unexpected name or instruction ends the reading. Nothing in a file is ever run.
"""

import sys
import warnings
from collections.abc import Callable
from pickletools import genops
from typing import Any, BinaryIO

import numpy as np

from ..errors import GanvasError

VALUE_INSTRUCTIONS = {  # instructions that push their own value
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
}
CONSTANT_INSTRUCTIONS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY_CONTAINERS = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple, "EMPTY_SET": list}  # a set is read as a list
MAPPING_NAMES = {"collections OrderedDict", "dnnlib.util EasyDict"}
BYTES_ENCODER_NAMES = {"_codecs encode"}
TUPLE_SIZES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
ARRAY_NAMES = {"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct"}  # the second since numpy 2
NUMPY_NAMES = ARRAY_NAMES | {"numpy ndarray", "numpy dtype"}


PYTHON_2_MODULES = {"__builtin__", "exceptions", "copy_reg", "commands", "popen2", "cPickle", "StringIO", "urllib2", "UserDict"}


class PickledObject:
    """Stands for an object: the name, arguments and state that a file gives it. Even "os system" is harmless, because names
    are never looked up."""

    def __init__(self, name: str, arguments: Any = ()) -> None:
        self.name, self.arguments = name, arguments
        self.state: Any = None


def read_pickle(data: bytes, path: str) -> dict[str, Any]:
    """The mapping in a pickle of any protocol: keys become str, byte arrays uint8; other values stay.

    Raises:
        GanvasError: the pickle is broken, holds something else, or asks to import or call something.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Python warns about invalid escape sequences: the text is damaged
            mapping = PickleMachine(path, NUMPY_NAMES.__contains__).run_pickle(data)
        return {
            decode_text(key): _build_byte_array(value) if isinstance(value, PickledObject) else value
            for key, value in mapping.items()
        }
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, Warning) as error:
        raise GanvasError(f"{path} is broken, or not a pickle of a data set ({error}): download it again") from error


def decode_text(value: Any) -> str:
    """Text as Python 2 or 3 wrote it. Raises TypeError for anything else."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str):
        return value
    raise TypeError(f"{type(value).__name__} instead of text")


class PickleMachine:
    """Runs a pickle's instructions (see `pickletools`) on a stack.

    Args:
        path: the file, for messages.
        is_known: whether an object may have this name, "module name".
        resolve_persistent_id: what stands for an object outside the pickle, by its id; None: there are no such objects.
        refusal_clause: for messages: 'asks for "…", which {refusal_clause}'.
        spend_bytes: called with the number of bytes before text is encoded to bytes; may raise.
        describe_foreign: for messages: what an object of other code is, by its name, and what to do. It follows the name.
    """

    def __init__(
        self,
        path: str,
        is_known: Callable[[str], bool],
        resolve_persistent_id: Callable[[Any], Any] | None = None,
        refusal_clause: str = "no data set needs",
        spend_bytes: Callable[[int], None] = lambda count: None,
        describe_foreign: Callable[[str], str] = lambda name: "which is not known here: give the file as it is handed out",
    ) -> None:
        self.path, self.is_known, self.resolve_persistent_id = path, is_known, resolve_persistent_id
        self.refusal_clause, self.spend_bytes, self.describe_foreign = refusal_clause, spend_bytes, describe_foreign
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run_pickle(self, data: bytes | BinaryIO) -> Any:
        """The content of the pickle; a file stays at its end. Raises GanvasError, and any error that a broken pickle causes."""
        for instruction, value, _ in genops(data):
            name = instruction.name
            if name in VALUE_INSTRUCTIONS or name in CONSTANT_INSTRUCTIONS:
                self.stack.append(CONSTANT_INSTRUCTIONS.get(name, value))
            elif name in EMPTY_CONTAINERS:
                self.stack.append(EMPTY_CONTAINERS[name]())
            elif name in TUPLE_SIZES:
                self.stack.append(tuple(self.pop_values(TUPLE_SIZES[name])))
            elif name not in ("PROTO", "FRAME", "STOP"):
                self.play_instruction(name, value)
        return self.stack.pop()

    def play_instruction(self, name: str, value: Any) -> None:
        match name:
            case "MARK":
                self.marks.append(len(self.stack))
            case "LIST":
                self.stack.append(self.pop_marked_values())
            case "TUPLE" | "FROZENSET":
                self.stack.append(tuple(self.pop_marked_values()))
            case "DICT":
                self.stack.append(_add_pairs({}, self.pop_marked_values()))
            case "APPEND" | "APPENDS" | "ADDITEMS":
                values = self.pop_values(1) if name == "APPEND" else self.pop_marked_values()
                self.stack[-1].extend(values)
            case "SETITEM" | "SETITEMS":
                values = self.pop_marked_values() if name == "SETITEMS" else self.pop_values(2)
                _add_pairs(self.stack[-1], values)
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memo[value] = self.stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = self.stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                self.stack.append(self.memo[value])
            case "GLOBAL":
                self.stack.append(self.name_object(value))
            case "STACK_GLOBAL":
                self.stack.append(self.name_object(" ".join(self.pop_values(2))))
            case "REDUCE" | "NEWOBJ":
                callee, arguments = self.pop_values(2)
                if callee.name in BYTES_ENCODER_NAMES:
                    self.spend_bytes(len(arguments[0]))
                self.stack.append(rebuild_object(callee.name, arguments))
            case "BUILD":
                (state,) = self.pop_values(1)
                if not isinstance(self.stack[-1], dict):  # attributes of a mapping are dropped
                    self.stack[-1].state = state
            case "BINPERSID" if self.resolve_persistent_id is not None:
                self.stack.append(self.resolve_persistent_id(*self.pop_values(1)))
            case "POP":
                self.pop_values(1)
            case _:
                raise self.build_refusal(f"the instruction {name}")

    def pop_values(self, count: int) -> list[Any]:
        """Remove and return the topmost values."""
        start = len(self.stack) - count
        if start < 0:
            raise ValueError("a value is missing")
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def pop_marked_values(self) -> list[Any]:
        """Remove and return the values above the last mark."""
        return self.pop_values(len(self.stack) - self.marks.pop())

    def name_object(self, name: str) -> PickledObject:
        if self.is_known(name):
            return PickledObject(name)
        if asks_for_call(name):
            raise self.build_refusal(name.replace(" ", "."))
        described_name = name.replace(" ", ".")[:80]
        raise GanvasError(f"{self.path} holds {described_name!r}, {self.describe_foreign(name)} (nothing of it was run)")

    def build_refusal(self, request: str) -> GanvasError:
        return GanvasError(
            f"{self.path} asks for {request[:80]!r}, which {self.refusal_clause}: refused, and nothing in it was run"
        )


def asks_for_call(name: str) -> bool:
    """Whether "module name" is typical of hostile files: a part of Python itself (2 or 3), or a function.

    Classes of other packages are refused too, but those are usual in files of other projects.
    """
    module, _, attribute = name.partition(" ")
    is_of_python = module.partition(".")[0] in sys.stdlib_module_names | PYTHON_2_MODULES
    return is_of_python or not attribute.rpartition(".")[2][:1].isupper()


def rebuild_object(name: str, arguments: Any) -> Any:
    """The object that a file builds by this name: a mapping, bytes, or a PickledObject."""
    if name in MAPPING_NAMES:
        return _add_pairs({}, [part for key, value in arguments[0] for part in (key, value)]) if arguments else {}
    if name in BYTES_ENCODER_NAMES:  # how protocols before 3 store bytes
        return arguments[0].encode("latin-1")
    return PickledObject(name, arguments)


def _add_pairs(mapping: dict[Any, Any], values: list[Any]) -> dict[Any, Any]:
    """The mapping with alternating keys and values added."""
    for key, value in zip(values[::2], values[1::2], strict=True):
        if not isinstance(key, (str, bytes, int)):
            raise TypeError(f"{type(key).__name__} as a key")
        mapping[key] = value
    return mapping


def _build_byte_array(pickled_object: PickledObject) -> np.ndarray:
    """The numpy array of bytes that it stands for."""
    _, shape, kind, is_column_major, data = pickled_object.state
    if (
        pickled_object.name not in ARRAY_NAMES
        or kind.name != "numpy dtype"
        or kind.arguments[0] not in ("u1", "|u1", b"u1", b"|u1")
    ):
        raise ValueError("not an array of bytes")
    data = data.encode("latin-1") if isinstance(data, str) else data
    if not all(isinstance(side, int) and side >= 0 for side in shape):
        raise ValueError(f"an array of shape {shape}"[:80])
    return np.frombuffer(data, np.uint8).reshape(shape, order="F" if is_column_major else "C")
