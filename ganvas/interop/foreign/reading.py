"""Read files of weights as plain values and tensors; nothing in them is run (see system/pickles.py).

The files are safetensors, torch.save's (zip, or the older form), and whole networks pickled by NVIDIA's code.
"""

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
from ...system.pickles import ARRAY_NAMES, NUMPY_NAMES, PickledObject, PickleMachine
from . import FileNetwork

STORAGE_DTYPES = {
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
REBUILD_TENSOR, REBUILD_PARAMETER = "torch._utils _rebuild_tensor", "torch._utils _rebuild_parameter"
LOAD_FROM_BYTES, RECONSTRUCT_PERSISTENT = (
    "torch.storage _load_from_bytes",
    "torch_utils.persistence _reconstruct_persistent_obj",
)
ALLOWED_NAMES = {
    *(f"torch {kind}Storage" for kind in STORAGE_DTYPES),
    *(f"torch.storage {kind}" for kind in ("UntypedStorage", "_UntypedStorage", "TypedStorage", "_TypedStorage")),
    *("torch float32", "torch float64", "torch float16", "torch bfloat16", "torch int64", "torch uint8", "torch bool"),
    *(
        REBUILD_TENSOR,
        f"{REBUILD_TENSOR}_v2",
        REBUILD_PARAMETER,
        LOAD_FROM_BYTES,
        RECONSTRUCT_PERSISTENT,
        "torch Size",
        "torch device",
        "torch.nn.parameter Parameter",
    ),
    *("collections OrderedDict", "dnnlib.util EasyDict", "argparse Namespace", "_codecs encode", "builtins set"),
    *("numpy.core.multiarray scalar", "numpy._core.multiarray scalar", "__builtin__ set", *NUMPY_NAMES),
}
FOREIGN_FAMILIES = {  # by the start of a pickled object's name: what the object is, and what can be done
    "dnnlib.tflib": "a network of StyleGAN's TensorFlow time: convert the file with legacy.py of stylegan2-ada-pytorch first",
    "pg_modules": "a part of Projected GAN, whose networks (FastGAN) are not known here",
    "timm": "a network of timm's, as Projected GAN has in its D: not known here",
    "tensorflow": "an object of TensorFlow's, which is not known here",
    "keras": "an object of Keras's, which is not known here",
    "jax": "an object of JAX's, which is not known here",
    "pytorch_lightning": "an object of Lightning's: save the generator's state_dict() alone, with torch.save",
    "lightning": "an object of Lightning's: save the generator's state_dict() alone, with torch.save",
}
LAYER_PREFIX = "torch.nn.modules."  # of the layers of networks that were pickled whole
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # marks torch.save's older form
BROKEN_FILE_ERRORS = (
    *(ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, MemoryError, Warning),
    *(OSError, EOFError, zipfile.BadZipFile, struct.error, SafetensorError),
)
MAX_FILE_BYTES = 64 * 2**30  # of a file
MAX_NESTING = 200  # depth of nested values
MAX_UNFOLDING_FACTOR, EXTRA_UNFOLDED_BYTES = 4, 2**20  # a file may unfold to this multiple of its size, plus these bytes
MAX_MODULES, MAX_NAME_CHARACTERS = 100_000, 1000  # modules and weights in a network; letters in a name


def read_networks(path: Path) -> list[FileNetwork]:
    """The networks in a file.

    Raises:
        GanvasError: no file, an unknown or broken one, or one that asks to run something.
    """
    if not path.is_file():
        raise GanvasError(f"{path} is not a file: give a .pkl, .pth, .pt or .safetensors file of a trained generator")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise GanvasError(f"{path} has {path.stat().st_size / 2**30:.0f} GB, more than a generator needs")
    try:
        if path.suffix == ".safetensors":
            return list(find_networks(load_file(path)))
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # about invalid escape sequences: the text is damaged
            # from memory: reading a claimed length from the disk would allocate all of it
            data = path.read_bytes()
            return list(
                find_networks(
                    unpickle_weights(
                        io.BytesIO(data), UnfoldingBudget(path.name, MAX_UNFOLDING_FACTOR * len(data) + EXTRA_UNFOLDED_BYTES)
                    )
                )
            )
    except BROKEN_FILE_ERRORS as error:
        raise GanvasError(f"{path} is broken, or holds no known weights ({error}): download it again") from None


# ---------------------------------------------------------------- the three forms


class UnfoldingBudget:
    """A file's name, and how many bytes it may still unfold to: a few bytes can refer to many others again and again."""

    def __init__(self, file_name: str, bytes_left: int) -> None:
        self.file_name, self.bytes_left = file_name, bytes_left

    def spend_bytes(self, count: int) -> None:
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise ValueError("it unfolds to many times its size")


def is_known_name(name: str) -> bool:
    return name in ALLOWED_NAMES or name.startswith(LAYER_PREFIX)


def build_machine(budget: UnfoldingBudget, storages: "StorageTable | None" = None) -> PickleMachine:
    find_stored = storages.find_storage if storages is not None else None
    return PickleMachine(
        budget.file_name, is_known_name, find_stored, "no network's weights need", budget.spend_bytes, describe_foreign_name
    )


def describe_foreign_name(name: str) -> str:
    """What an object of other code is, by its name, and what to do."""
    module = name.partition(" ")[0]
    families = (text for prefix, text in FOREIGN_FAMILIES.items() if module == prefix or module.startswith(f"{prefix}."))
    return next(families, "which is not known here: save the generator's state_dict() alone, with torch.save, and convert that")


def unpickle_weights(file: BinaryIO, budget: UnfoldingBudget) -> Any:
    """The content of a file, with its tensors."""
    magic = file.read(2)
    file.seek(0)
    if magic == b"PK":
        return unpickle_zip(file, budget)
    content = build_machine(budget).run_pickle(file)
    if content == LEGACY_MAGIC:
        return unpickle_legacy(file, budget)
    return ValueResolver(budget).resolve_value(content)


def unpickle_zip(file: BinaryIO, budget: UnfoldingBudget) -> Any:
    """torch.save's form since 1.6: a zip with one pickle and a file for each storage."""
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        pickle_name = next((name for name in names if name == "data.pkl" or name.endswith("/data.pkl")), None)
        if pickle_name is None:
            raise ValueError("a zip without data.pkl")
        folder = pickle_name.removesuffix("data.pkl")
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            raise ValueError("it is compressed, which torch.save does not do: unpack it")  # its unpacked size is unknown
        budget.spend_bytes(sum(info.file_size for info in archive.infolist()))  # entries may overlap
        if f"{folder}byteorder" in names and archive.read(f"{folder}byteorder") != b"little":
            raise ValueError("its numbers are big-endian")
        storages = StorageTable()
        content = build_machine(budget, storages).run_pickle(archive.read(pickle_name))
        for key in storages.dtypes:
            storages.raw_bytes[key] = archive.read(f"{folder}data/{key}")
        return ValueResolver(budget).resolve_value(content)


def unpickle_legacy(file: BinaryIO, budget: UnfoldingBudget) -> Any:
    """torch.save's form before 1.6, after the magic number: version, system, content, keys, then each storage."""
    for _ in range(2):
        build_machine(budget).run_pickle(file)
    storages = StorageTable()
    content = build_machine(budget, storages).run_pickle(file)
    for key in build_machine(budget).run_pickle(file):
        (count,) = struct.unpack("<q", file.read(8))
        width = torch.empty((), dtype=storages.dtypes[str(key)]).element_size()
        if not 0 <= count * width <= MAX_FILE_BYTES:
            raise ValueError(f"a storage of {count} numbers")
        storages.raw_bytes[str(key)] = file.read(count * width)
    return ValueResolver(budget).resolve_value(content)


class StorageTable:
    """The storages of a file's tensors, which are kept outside its pickle: first their types, later their bytes."""

    def __init__(self) -> None:
        self.dtypes: dict[str, torch.dtype] = {}
        self.raw_bytes: dict[str, bytes] = {}
        self.tensors: dict[str, Tensor] = {}

    def find_storage(self, persistent_id: Any) -> "StorageReference":
        """A reference to the storage that a pickle describes by ("storage", kind, key, device, count)."""
        tag, kind, key = persistent_id[0], persistent_id[1], persistent_id[2]
        if tag != "storage" or not isinstance(kind, PickledObject) or not isinstance(key, str) or not key.isalnum():
            raise ValueError("something other than numbers is kept outside the pickle")
        name = kind.name.rpartition(" ")[2].removesuffix("Storage")
        self.dtypes[key] = STORAGE_DTYPES[name]
        return StorageReference(self, key)


class StorageReference:
    """A storage in a StorageTable."""

    def __init__(self, table: StorageTable, key: str) -> None:
        self.table, self.key = table, key

    def read_numbers(self) -> Tensor:
        """The numbers, [count]. They are copied once, because bytes read from a file are read-only."""
        tensors, key = self.table.tensors, self.key
        if key not in tensors:
            tensors[key] = torch.frombuffer(bytearray(self.table.raw_bytes[key]), dtype=self.table.dtypes[key])
        return tensors[key]


# ---------------------------------------------------------------- from names to tensors


class ValueResolver:
    """Replaces names by what they stand for: tensors, arrays, settings and weights of networks. Other names stay.

    Each value is resolved once, however often a file refers to it.
    """

    def __init__(self, budget: UnfoldingBudget) -> None:
        self.budget = budget
        self.resolved_values: dict[int, Any] = {}
        self.ids_in_progress: set[int] = set()

    def resolve_value(self, value: Any) -> Any:
        if not isinstance(value, (dict, list, tuple, StorageReference, PickledObject)):
            return value
        value_id = id(value)
        if value_id in self.ids_in_progress or len(self.ids_in_progress) > MAX_NESTING:
            raise ValueError("values nested without end")
        if value_id not in self.resolved_values:
            self.ids_in_progress.add(value_id)
            self.resolved_values[value_id] = self.unfold_value(value)
            self.ids_in_progress.remove(value_id)
        return self.resolved_values[value_id]

    def unfold_value(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.resolve_value(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.resolve_value(inner) for inner in value]
        if isinstance(value, StorageReference):
            return value.read_numbers()
        if value.name in (REBUILD_TENSOR, f"{REBUILD_TENSOR}_v2"):
            return self.rebuild_tensor(value.arguments)
        if value.name in (REBUILD_PARAMETER, RECONSTRUCT_PERSISTENT):
            return self.resolve_value(value.arguments[0])
        if value.name == LOAD_FROM_BYTES:
            self.budget.spend_bytes(len(value.arguments[0]))
            return unpickle_weights(io.BytesIO(value.arguments[0]), self.budget)
        if value.name in ARRAY_NAMES:
            return rebuild_array(value, self.budget)
        if isinstance(value.state, dict):  # a layer of torch, or a namespace
            return {"state": self.resolve_value(value.state)}
        return value

    def rebuild_tensor(self, arguments: Any) -> Tensor:
        """A tensor as torch would rebuild it, within its storage."""
        storage, offset, size, stride = arguments[:4]
        numbers = self.resolve_value(storage)
        if not isinstance(numbers, Tensor) or numbers.dim() != 1:
            raise ValueError("a tensor without numbers")
        if not all(isinstance(n, int) and n >= 0 for n in (offset, *size, *stride)) or len(size) != len(stride):
            raise ValueError("a tensor without a valid shape")
        reach = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) + 1
        if 0 not in size and (reach > len(numbers) or prod(size) > len(numbers)):
            raise ValueError("a tensor that reaches beyond its numbers")
        return numbers.as_strided(tuple(size), tuple(stride), offset)


def rebuild_array(value: PickledObject, budget: UnfoldingBudget) -> Tensor:
    """A numpy array."""
    _, shape, kind, by_columns, data = value.state
    budget.spend_bytes(len(data))
    data = data.encode("latin-1") if isinstance(data, str) else data
    dtype_name = kind.arguments[0]
    dtype_name = dtype_name.decode("latin-1") if isinstance(dtype_name, bytes) else dtype_name
    if not isinstance(dtype_name, str) or dtype_name.lstrip("<|=") not in (
        "f2",
        "f4",
        "f8",
        "i1",
        "i2",
        "i4",
        "i8",
        "u1",
        "b1",
    ):
        raise ValueError("an array of something other than numbers")
    values = np.frombuffer(data, np.dtype(dtype_name.lstrip("|="))).reshape(tuple(shape), order="F" if by_columns else "C")
    return torch.from_numpy(np.ascontiguousarray(values).copy())


# ---------------------------------------------------------------- networks among values


def find_networks(value: Any) -> Iterator[FileNetwork]:
    """Every network among the values: a mapping of names to tensors, or an object with weights and settings."""
    if not isinstance(value, Mapping):
        raise ValueError("neither a network nor a mapping of weights")
    found_networks = list(_walk_networks("", value, set()))
    if not found_networks:
        raise ValueError("there are no weights in it")
    yield from found_networks


def _walk_networks(
    name: str, value: Any, visited_ids: set[int], sibling_tensors: Mapping[str, Any] | None = None
) -> Iterator[FileNetwork]:
    if not isinstance(value, Mapping) or id(value) in visited_ids:
        return
    visited_ids.add(id(value))
    if is_network(value):
        state = value["state"]
        yield FileNetwork(name, dict(iterate_weights(state)), state.get("_init_kwargs") or {})
        return
    own_tensors = {str(key): inner for key, inner in value.items() if isinstance(inner, Tensor)}
    if own_tensors and not any(isinstance(inner, Mapping) for inner in value.values()):
        yield FileNetwork(
            name, {key.removeprefix("module."): inner for key, inner in own_tensors.items()}, sibling_tensors or {}
        )
        return
    for key, inner in value.items():
        yield from _walk_networks(str(key), inner, visited_ids, own_tensors)


def is_network(value: Any) -> bool:
    """Whether this is a pickled torch module."""
    return isinstance(value, Mapping) and isinstance(value.get("state"), Mapping) and "_parameters" in value["state"]


def iterate_weights(network: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
    """The parameters and buffers of a module and of its submodules, by name."""
    queue: list[tuple[str, Mapping[str, Any]]] = [("", network)]
    count = 0
    for prefix, state in queue:
        groups = [state.get(group, {}) for group in ("_parameters", "_buffers", "_modules")]
        count += 1 + sum(map(len, groups))
        if count > MAX_MODULES or len(prefix) > MAX_NAME_CHARACTERS:
            raise ValueError("modules nested without end")
        for name, value in (*groups[0].items(), *groups[1].items()):
            if isinstance(value, Tensor):
                yield f"{prefix}{name}", value
        queue += [(f"{prefix}{name}.", module["state"]) for name, module in groups[2].items() if is_network(module)]
