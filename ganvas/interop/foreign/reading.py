"""Files of weights as plain values and tensors: safetensors, what torch.save writes (zip, or the older form), and pickles of
whole networks as NVIDIA's code writes them. Nothing in them is run: see data/pickles.py."""

import io
import struct
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ...errors import GanvasError
from ...system.pickles import ARRAYS, NUMPY, Machine, Named
from . import Found

KINDS = {
    "Float": torch.float32,
    "Double": torch.float64,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
}
TENSOR, PARAMETER = "torch._utils _rebuild_tensor", "torch._utils _rebuild_parameter"
LOADED, PERSISTENT = "torch.storage _load_from_bytes", "torch_utils.persistence _reconstruct_persistent_obj"
NAMES = {
    *(f"torch {kind}Storage" for kind in KINDS),
    *(f"torch.storage {kind}" for kind in ("UntypedStorage", "_UntypedStorage", "TypedStorage", "_TypedStorage")),
    *("torch float32", "torch float64", "torch float16", "torch bfloat16", "torch int64", "torch uint8", "torch bool"),
    *(TENSOR, f"{TENSOR}_v2", PARAMETER, LOADED, PERSISTENT, "torch Size", "torch device", "torch.nn.parameter Parameter"),
    *("collections OrderedDict", "dnnlib.util EasyDict", "argparse Namespace", "_codecs encode", "builtins set"),
    *("numpy.core.multiarray scalar", "numpy._core.multiarray scalar", "__builtin__ set", *NUMPY),
}
LAYERS = "torch.nn.modules."  # of networks that were pickled whole
MAGIC = 0x1950A86A20F9469CFC6C  # of torch.save's older form
BROKEN = (
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, MemoryError, Warning),
    *(OSError, EOFError, zipfile.BadZipFile, struct.error, SafetensorError),
)
LARGEST = 64 * 2**30  # bytes of a file
DEEPEST = 200  # values within values
TIMES, BESIDES = 4, 2**20  # what a file may unfold to: so many times its size, and so many bytes
MODULES, LONGEST = 100_000, 1000  # of a network: how many, weights and all, and letters of a name


def networks(path: Path) -> list[Found]:
    """The networks in a file.

    Raises:
        GanvasError: no file, none that is known, a broken one, or one that asks for something to be run.
    """
    if not path.is_file():
        raise GanvasError(f"{path} is no file: give a .pkl, .pth, .pt or .safetensors of a trained generator")
    if path.stat().st_size > LARGEST:
        raise GanvasError(f"{path} has {path.stat().st_size / 2**30:.0f} GB, more than a generator needs")
    try:
        if path.suffix == ".safetensors":
            return list(parted(load_file(path)))
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of escape sequences that there are not: the words are damaged
            # from memory: a file that says it holds more than it does would have room made for all of it
            data = path.read_bytes()
            return list(parted(opened(io.BytesIO(data), Reading(path.name, TIMES * len(data) + BESIDES))))
    except BROKEN as error:
        raise GanvasError(f"{path} is broken, or holds no weights that are known here ({error}): fetch it again") from None


# ---------------------------------------------------------------- the three forms


class Reading:
    """One file being read: what it is called, and how many bytes it may still unfold to, for a few can mention many again and
    again."""

    def __init__(self, where: str, left: int) -> None:
        self.where, self.left = where, left

    def spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise ValueError("it unfolds to many times its size")


def known(name: str) -> bool:
    return name in NAMES or name.startswith(LAYERS)


def machine(reading: Reading, storages: "Storages | None" = None) -> Machine:
    stored = storages.get if storages is not None else None
    return Machine(reading.where, known, stored, "no network's weights need", reading.spend)


def opened(file: BinaryIO, reading: Reading) -> Any:
    """What a file holds, tensors in their places."""
    head = file.read(2)
    file.seek(0)
    if head == b"PK":
        return zipped(file, reading)
    first = machine(reading).run(file)
    if first == MAGIC:
        return older(file, reading)
    return Settling(reading).made(first)


def zipped(file: BinaryIO, reading: Reading) -> Any:
    """torch.save's form since 1.6: a zip with one pickle and a file for each storage."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        main = next((name for name in names if name == "data.pkl" or name.endswith("/data.pkl")), None)
        if main is None:
            raise ValueError("a zip without data.pkl")
        folder = main.removesuffix("data.pkl")
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            raise ValueError("it is compressed, which torch.save does not do: unpack it")  # to nobody knows how much
        reading.spend(sum(info.file_size for info in archive.infolist()))  # which may overlap
        if f"{folder}byteorder" in names and archive.read(f"{folder}byteorder") != b"little":
            raise ValueError("its numbers are written the other way round")
        storages = Storages()
        found = machine(reading, storages).run(archive.read(main))
        for key in storages.wanted:
            storages.bytes[key] = archive.read(f"{folder}data/{key}")
        return Settling(reading).made(found)


def older(file: BinaryIO, reading: Reading) -> Any:
    """torch.save's form before 1.6, the magic number read: version, system, content, keys, and the storages one by one."""
    for _ in range(2):
        machine(reading).run(file)
    storages = Storages()
    found = machine(reading, storages).run(file)
    for key in machine(reading).run(file):
        (count,) = struct.unpack("<q", file.read(8))
        width = torch.empty((), dtype=storages.wanted[str(key)]).element_size()
        if not 0 <= count * width <= LARGEST:
            raise ValueError(f"a storage of {count} numbers")
        storages.bytes[str(key)] = file.read(count * width)
    return Settling(reading).made(found)


class Storages:
    """The numbers that a file's tensors share, kept beside its pickle: first their kinds, then they themselves."""

    def __init__(self) -> None:
        self.wanted: dict[str, torch.dtype] = {}
        self.bytes: dict[str, bytes] = {}
        self.numbers: dict[str, Tensor] = {}

    def get(self, words: Any) -> "Storage":
        """What stands for the storage that a pickle means by ("storage", kind, key, device, count)."""
        what, kind, key = words[0], words[1], words[2]
        if what != "storage" or not isinstance(kind, Named) or not isinstance(key, str) or not key.isalnum():
            raise ValueError("something else than numbers is kept beside the pickle")
        name = kind.name.rpartition(" ")[2].removesuffix("Storage")
        self.wanted[key] = KINDS[name]
        return Storage(self, key)


class Storage:
    """A place in `Storages`."""

    def __init__(self, held: Storages, key: str) -> None:
        self.held, self.key = held, key

    def numbers(self) -> Tensor:
        """[count]; copied once, for what is read from a file cannot be written to."""
        numbers, key = self.held.numbers, self.key
        if key not in numbers:
            numbers[key] = torch.frombuffer(bytearray(self.held.bytes[key]), dtype=self.held.wanted[key])
        return numbers[key]


# ---------------------------------------------------------------- from names to tensors


class Settling:
    """Makes names what they stand for: tensors, arrays, the settings and weights of networks; other names stay.

    Goes through values once each, however often a file mentions them.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.done: dict[int, Any] = {}
        self.within: set[int] = set()

    def made(self, value: Any) -> Any:
        if not isinstance(value, (dict, list, tuple, Storage, Named)):
            return value
        place = id(value)
        if place in self.within or len(self.within) > DEEPEST:
            raise ValueError("values within values without end")
        if place not in self.done:
            self.within.add(place)
            self.done[place] = self.unfolded(value)
            self.within.remove(place)
        return self.done[place]

    def unfolded(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.made(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.made(inner) for inner in value]
        if isinstance(value, Storage):
            return value.numbers()
        if value.name in (TENSOR, f"{TENSOR}_v2"):
            return self.tensor(value.arguments)
        if value.name in (PARAMETER, PERSISTENT):
            return self.made(value.arguments[0])
        if value.name == LOADED:
            self.reading.spend(len(value.arguments[0]))
            return opened(io.BytesIO(value.arguments[0]), self.reading)
        if value.name in ARRAYS:
            return array(value, self.reading)
        if isinstance(value.state, dict):  # a layer of torch's own, or a namespace
            return {"state": self.made(value.state)}
        return value

    def tensor(self, arguments: Any) -> Tensor:
        """A tensor as torch would rebuild it, within its storage."""
        storage, offset, size, stride = arguments[:4]
        numbers = self.made(storage)
        if not isinstance(numbers, Tensor) or numbers.dim() != 1:
            raise ValueError("a tensor without numbers")
        if not all(isinstance(n, int) and n >= 0 for n in (offset, *size, *stride)) or len(size) != len(stride):
            raise ValueError("a tensor of no shape")
        reach = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) + 1
        if 0 not in size and (reach > len(numbers) or prod(size) > len(numbers)):
            raise ValueError("a tensor that reaches beyond its numbers")
        return numbers.as_strided(tuple(size), tuple(stride), offset)


def array(value: Named, reading: Reading) -> Tensor:
    """An array of numpy's."""
    _, shape, kind, by_columns, data = value.state
    reading.spend(len(data))
    data = data.encode("latin-1") if isinstance(data, str) else data
    words = kind.arguments[0]
    words = words.decode("latin-1") if isinstance(words, bytes) else words
    if not isinstance(words, str) or words.lstrip("<|=") not in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "b1"):
        raise ValueError("an array of other than numbers")
    found = np.frombuffer(data, np.dtype(words.lstrip("|="))).reshape(tuple(shape), order="F" if by_columns else "C")
    return torch.from_numpy(np.ascontiguousarray(found).copy())


# ---------------------------------------------------------------- networks among values


def parted(value: Any) -> Iterator[Found]:
    """Every network among the values: a mapping of names to tensors, or an object with weights and settings."""
    if not isinstance(value, Mapping):
        raise ValueError("neither a network nor a mapping of weights")
    found = list(_parted("", value, set()))
    if not found:
        raise ValueError("there are no weights in it")
    yield from found


def _parted(name: str, value: Any, seen: set[int], beside: Mapping[str, Any] | None = None) -> Iterator[Found]:
    if not isinstance(value, Mapping) or id(value) in seen:
        return
    seen.add(id(value))
    if is_network(value):
        state = value["state"]
        yield Found(name, dict(weights(state)), state.get("_init_kwargs") or {})
        return
    own = {str(key): inner for key, inner in value.items() if isinstance(inner, Tensor)}
    if own and not any(isinstance(inner, Mapping) for inner in value.values()):
        yield Found(name, {key.removeprefix("module."): inner for key, inner in own.items()}, beside or {})
        return
    for key, inner in value.items():
        yield from _parted(str(key), inner, seen, own)


def is_network(value: Any) -> bool:
    """Whether this is a module of torch's as it was pickled."""
    return isinstance(value, Mapping) and isinstance(value.get("state"), Mapping) and "_parameters" in value["state"]


def weights(network: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """A module's parameters and buffers, and those of the modules in it, by name."""
    waiting: list[tuple[str, Mapping[str, Any]]] = [("", network)]
    count = 0
    for prefix, state in waiting:
        groups = [state.get(group, {}) for group in ("_parameters", "_buffers", "_modules")]
        count += 1 + sum(map(len, groups))
        if count > MODULES or len(prefix) > LONGEST:
            raise ValueError("modules within modules without end")
        for name, value in (*groups[0].items(), *groups[1].items()):
            if isinstance(value, Tensor):
                yield f"{prefix}{name}", value
        waiting += [(f"{prefix}{name}.", module["state"]) for name, module in groups[2].items() if is_network(module)]
