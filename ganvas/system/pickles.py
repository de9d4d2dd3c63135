"""Pickles read as data: a small machine that has nothing to call.

Python's own unpickler does what a file tells it to. This one knows containers, numbers, words, and objects by the names that
files give them, as names with what belongs to them; a name or an instruction that it is not told to expect ends the reading,
and nothing has been run.
"""

import sys
import warnings
from collections.abc import Callable
from pickletools import genops
from typing import Any, BinaryIO

import numpy as np

from ..errors import GanvasError

VALUE_INSTRUCTIONS = {  # instructions that put down what they carry
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
}
CONSTANT_INSTRUCTIONS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY_CONTAINERS = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple, "EMPTY_SET": list}  # a set is read as a list
MAPPING_NAMES = {"collections OrderedDict", "dnnlib.util EasyDict"}
BYTES_ENCODER_NAMES = {"_codecs encode"}
TUPLE_SIZES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
ARRAY_NAMES = {"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct"}  # so called since numpy 2
NUMPY_NAMES = ARRAY_NAMES | {"numpy ndarray", "numpy dtype"}


PYTHON_2_MODULES = {"__builtin__", "exceptions", "copy_reg", "commands", "popen2", "cPickle", "StringIO", "urllib2", "UserDict"}


class PickledObject:
    """What stands for an object: the name, the arguments and the state that a file gives it. "os system" is as good a name as
    any: nothing is ever looked up by it."""

    def __init__(self, name: str, arguments: Any = ()) -> None:
        self.name, self.arguments = name, arguments
        self.state: Any = None


def read_pickle(data: bytes, path: str) -> dict[str, Any]:
    """The mapping in a pickle of any protocol: its keys as str, its values as they are, arrays of bytes as uint8.

    Raises:
        GanvasError: a broken pickle, one of anything else, or one that asks for something to be imported or called.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Python warns of escape sequences that there are not: the words are damaged
            mapping = PickleMachine(path, NUMPY_NAMES.__contains__).run_pickle(data)
        return {
            decode_text(key): _build_byte_array(value) if isinstance(value, PickledObject) else value
            for key, value in mapping.items()
        }
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, Warning) as error:
        raise GanvasError(f"{path} is broken, or no pickle of a data set ({error}): fetch it again") from error


def decode_text(value: Any) -> str:
    """Words as Python 2 or 3 wrote them. Raises TypeError for anything else."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str):
        return value
    raise TypeError(f"{type(value).__name__} in the place of words")


class PickleMachine:
    """Plays a pickle's instructions (`pickletools` describes them) on a stack.

    Args:
        path: the file, for messages.
        is_known: whether an object may be of this name, "module name".
        resolve_persistent_id: what stands for an object that the file keeps elsewhere, by what it says of it; None: there are
            none.
        refusal_clause: who needs no more than what is known, for messages.
        spend_bytes: is told how many bytes are made of others, and may refuse.
        describe_foreign: what an object of other code is, by its name, and what to do; it goes on after the name.
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
        """What the pickle holds; a file is left standing behind it. Raises GanvasError and whatever a broken one leads to."""
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
                if not isinstance(self.stack[-1], dict):  # what hangs on a mapping beside its content is left out
                    self.stack[-1].state = state
            case "BINPERSID" if self.resolve_persistent_id is not None:
                self.stack.append(self.resolve_persistent_id(*self.pop_values(1)))
            case "POP":
                self.pop_values(1)
            case _:
                raise self.build_refusal(f"the instruction {name}")

    def pop_values(self, count: int) -> list[Any]:
        """The uppermost values."""
        start = len(self.stack) - count
        if start < 0:
            raise ValueError("a value is missing")
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def pop_marked_values(self) -> list[Any]:
        """The values above the last mark."""
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
            f"{self.path} asks for {request[:80]!r}, which {self.refusal_clause}: refused, and nothing of it was run"
        )


def asks_for_call(name: str) -> bool:
    """Whether "module name" is what a hostile file asks for: something of Python itself, of any version, or a function.

    Classes of other packages are refused as well, but they are what a file of another family has.
    """
    module, _, attribute = name.partition(" ")
    is_of_python = module.partition(".")[0] in sys.stdlib_module_names | PYTHON_2_MODULES
    return is_of_python or not attribute.rpartition(".")[2][:1].isupper()


def rebuild_object(name: str, arguments: Any) -> Any:
    """What stands for the object that a file has made of this name: mappings and bytes are such, all else a name."""
    if name in MAPPING_NAMES:
        return _add_pairs({}, [part for key, value in arguments[0] for part in (key, value)]) if arguments else {}
    if name in BYTES_ENCODER_NAMES:  # bytes, as protocols before 3 have them
        return arguments[0].encode("latin-1")
    return PickledObject(name, arguments)


def _add_pairs(mapping: dict[Any, Any], values: list[Any]) -> dict[Any, Any]:
    """The mapping with keys and values added that take turns."""
    for key, value in zip(values[::2], values[1::2], strict=True):
        if not isinstance(key, (str, bytes, int)):
            raise TypeError(f"{type(key).__name__} for a key")
        mapping[key] = value
    return mapping


def _build_byte_array(pickled_object: PickledObject) -> np.ndarray:
    """What numpy would make of it, if that is an array of bytes."""
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
