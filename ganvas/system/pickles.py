"""Pickles read as data: a small machine that has nothing to call.

Python's own unpickler does what a file tells it to. This one knows containers, numbers, words, and objects by the names that
files give them, as names with what belongs to them; a name or an instruction that it is not told to expect ends the reading,
and nothing has been run.
"""

import warnings
from collections.abc import Callable
from pickletools import genops
from typing import Any, BinaryIO

import numpy as np

from ..errors import GanvasError

VALUES = {  # instructions that put down what they carry
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple, "EMPTY_SET": list}  # a set is read as a list
MAPPINGS = {"collections OrderedDict", "dnnlib.util EasyDict"}
COPIES = {"_codecs encode"}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
ARRAYS = {"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct"}  # so called since numpy 2
NUMPY = ARRAYS | {"numpy ndarray", "numpy dtype"}


class Named:
    """What stands for an object: the name, the arguments and the state that a file gives it. "os system" is as good a name as
    any: nothing is ever looked up by it."""

    def __init__(self, name: str, arguments: Any = ()) -> None:
        self.name, self.arguments = name, arguments
        self.state: Any = None


def read_pickle(data: bytes, where: str) -> dict[str, Any]:
    """The mapping in a pickle of any protocol: its keys as str, its values as they are, arrays of bytes as uint8.

    Raises:
        GanvasError: a broken pickle, one of anything else, or one that asks for something to be imported or called.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Python warns of escape sequences that there are not: the words are damaged
            found = Machine(where, NUMPY.__contains__).run(data)
        return {text(key): _array(value) if isinstance(value, Named) else value for key, value in found.items()}
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, Warning) as error:
        raise GanvasError(f"{where} is broken, or no pickle of a data set ({error}): fetch it again") from error


def text(value: Any) -> str:
    """Words as Python 2 or 3 wrote them. Raises TypeError for anything else."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, str):
        return value
    raise TypeError(f"{type(value).__name__} in the place of words")


class Machine:
    """Plays a pickle's instructions (`pickletools` describes them) on a stack.

    Args:
        where: the file, for messages.
        known: whether an object may be of this name, "module name".
        stored: what stands for an object that the file keeps elsewhere, by what it says of it; None: there are none.
        needs: who needs no more than what is known, for messages.
        spend: is told how many bytes are made of others, and may refuse.
    """

    def __init__(
        self,
        where: str,
        known: Callable[[str], bool],
        stored: Callable[[Any], Any] | None = None,
        needs: str = "no data set needs",
        spend: Callable[[int], None] = lambda count: None,
    ) -> None:
        self.where, self.known, self.stored, self.needs, self.spend = where, known, stored, needs, spend
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run(self, data: bytes | BinaryIO) -> Any:
        """What the pickle holds; a file is left standing behind it. Raises GanvasError and whatever a broken one leads to."""
        for instruction, value, _ in genops(data):
            name = instruction.name
            if name in VALUES or name in CONSTANTS:
                self.stack.append(CONSTANTS.get(name, value))
            elif name in EMPTY:
                self.stack.append(EMPTY[name]())
            elif name in TUPLES:
                self.stack.append(tuple(self.popped(TUPLES[name])))
            elif name not in ("PROTO", "FRAME", "STOP"):
                self.play(name, value)
        return self.stack.pop()

    def play(self, name: str, value: Any) -> None:
        match name:
            case "MARK":
                self.marks.append(len(self.stack))
            case "LIST":
                self.stack.append(self.above())
            case "TUPLE" | "FROZENSET":
                self.stack.append(tuple(self.above()))
            case "DICT":
                self.stack.append(_paired({}, self.above()))
            case "APPEND" | "APPENDS" | "ADDITEMS":
                values = self.popped(1) if name == "APPEND" else self.above()
                self.stack[-1].extend(values)
            case "SETITEM" | "SETITEMS":
                values = self.above() if name == "SETITEMS" else self.popped(2)
                _paired(self.stack[-1], values)
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memo[value] = self.stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = self.stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                self.stack.append(self.memo[value])
            case "GLOBAL":
                self.stack.append(self.named(value))
            case "STACK_GLOBAL":
                self.stack.append(self.named(" ".join(self.popped(2))))
            case "REDUCE" | "NEWOBJ":
                made, arguments = self.popped(2)
                if made.name in COPIES:
                    self.spend(len(arguments[0]))
                self.stack.append(made_of(made.name, arguments))
            case "BUILD":
                (state,) = self.popped(1)
                if not isinstance(self.stack[-1], dict):  # what hangs on a mapping beside its content is left out
                    self.stack[-1].state = state
            case "BINPERSID" if self.stored is not None:
                self.stack.append(self.stored(*self.popped(1)))
            case "POP":
                self.popped(1)
            case _:
                raise self.refused(f"the instruction {name}")

    def popped(self, count: int) -> list[Any]:
        """The uppermost values."""
        start = len(self.stack) - count
        if start < 0:
            raise ValueError("a value is missing")
        values = self.stack[start:]
        del self.stack[start:]
        return values

    def above(self) -> list[Any]:
        """The values above the last mark."""
        return self.popped(len(self.stack) - self.marks.pop())

    def named(self, name: str) -> Named:
        if not self.known(name):
            raise self.refused(name.replace(" ", "."))
        return Named(name)

    def refused(self, what: str) -> GanvasError:
        return GanvasError(f"{self.where} asks for {what[:80]!r}, which {self.needs}: refused, and nothing of it was run")


def made_of(name: str, arguments: Any) -> Any:
    """What stands for the object that a file has made of this name: mappings and bytes are such, all else a name."""
    if name in MAPPINGS:
        return _paired({}, [part for key, value in arguments[0] for part in (key, value)]) if arguments else {}
    if name in COPIES:  # bytes, as protocols before 3 have them
        return arguments[0].encode("latin-1")
    return Named(name, arguments)


def _paired(mapping: dict[Any, Any], values: list[Any]) -> dict[Any, Any]:
    """The mapping with keys and values added that take turns."""
    for key, value in zip(values[::2], values[1::2], strict=True):
        if not isinstance(key, (str, bytes, int)):
            raise TypeError(f"{type(key).__name__} for a key")
        mapping[key] = value
    return mapping


def _array(made: Named) -> np.ndarray:
    """What numpy would make of it, if that is an array of bytes."""
    _, shape, kind, by_columns, data = made.state
    if made.name not in ARRAYS or kind.name != "numpy dtype" or kind.arguments[0] not in ("u1", "|u1", b"u1", b"|u1"):
        raise ValueError("not an array of bytes")
    data = data.encode("latin-1") if isinstance(data, str) else data
    if not all(isinstance(side, int) and side >= 0 for side in shape):
        raise ValueError(f"an array of shape {shape}"[:80])
    return np.frombuffer(data, np.uint8).reshape(shape, order="F" if by_columns else "C")
