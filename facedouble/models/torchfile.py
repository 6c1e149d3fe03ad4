"""Read the numbers out of a file that torch wrote before version 1.6, without torch and without unpickling.

Such a file is five pickles and then the bytes of the storages. A pickle is a program; this reads it as a list of opcodes, builds
nothing but numbers, texts, lists, tuples and dicts of them, and knows three names, none of which it imports or calls.
Anything else is refused.
"""

from __future__ import annotations

import io
import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from facedouble.errors import ModelError
from facedouble.types import Floats

MAGIC: Final = 0x1950A86A20F9469CFC6C
PROTOCOL: Final = 1001
ORDERED, REBUILD, STORAGE = "collections OrderedDict", "torch._utils _rebuild_tensor_v2", "torch FloatStorage"


@dataclass(frozen=True)
class _Name:
    text: str


@dataclass(frozen=True)
class _Stored:
    key: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    stored: _Stored
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def tensors(data: bytes, part: str) -> dict[str, Floats]:
    """The float32 tensors of one dict of the file, such as "model_state", by name; ModelError for any other kind of file."""
    stream = io.BytesIO(data)
    try:
        magic, protocol, machine, tree, keys = (_plain(stream) for _ in range(5))
        if magic != MAGIC or protocol != PROTOCOL or machine["little_endian"] is not True:
            raise ValueError("another kind of file")
        storages = _storages(data, stream.tell(), keys)
        return {name: _array(held, storages) for name, held in tree[part].items() if isinstance(held, _Tensor)}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise ModelError(f"the file of weights is not what torch writes ({error}); delete it and install it again") from error


def _storages(data: bytes, at: int, keys: list[str]) -> dict[str, Floats]:
    """What follows the pickles: of each storage its length, eight bytes, and its float32 numbers."""
    found = {}
    for key in keys:
        count = int.from_bytes(data[at : at + 8], "little")
        if at + 8 + 4 * count > len(data):
            raise ValueError("cut off")
        found[key] = np.frombuffer(data, "<f4", count, at + 8)
        at += 8 + 4 * count
    if at != len(data):
        raise ValueError("more than it says")
    return found


def _array(held: _Tensor, storages: dict[str, Floats]) -> Floats:
    dense = tuple(math.prod(held.shape[k + 1 :]) for k in range(len(held.shape)))
    if held.strides != dense or held.offset < 0 or min(held.shape, default=1) < 1:
        raise ValueError("a tensor that is not dense")
    flat = storages[held.stored.key][held.offset : held.offset + math.prod(held.shape)]
    if len(storages[held.stored.key]) != held.stored.count:
        raise ValueError("a storage of another length")
    return flat.reshape(held.shape).copy()


def _plain(stream: io.BytesIO) -> Any:
    """The one value of a pickle, as plain data."""
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def marked() -> list[Any]:
        start = marks.pop()
        items = stack[start:]
        del stack[start:]
        return items

    for opcode, arg, _ in pickletools.genops(stream):
        name = opcode.name
        if name in CONSTANTS:
            stack.append(CONSTANTS[name]())
        elif name in LITERALS:
            stack.append(arg)
        elif name in ("BINPUT", "LONG_BINPUT"):
            memo[int(str(arg))] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[int(str(arg))])
        elif name == "MARK":
            marks.append(len(stack))
        elif name == "TUPLE":
            stack.append(tuple(marked()))
        elif name in TUPLES:
            items = stack[-TUPLES[name] :]
            del stack[-TUPLES[name] :]
            stack.append(tuple(items))
        elif name in ("SETITEMS", "SETITEM"):
            pairs = marked() if name == "SETITEMS" else [stack.pop(-2), stack.pop()]
            stack[-1].update(zip(pairs[::2], pairs[1::2], strict=True))
        elif name in ("APPENDS", "APPEND"):
            new = marked() if name == "APPENDS" else [stack.pop()]
            stack[-1].extend(new)
        elif name == "GLOBAL" and arg in (ORDERED, REBUILD, STORAGE):
            stack.append(_Name(str(arg)))
        elif name == "BINPERSID":
            stack.append(_stored(stack.pop()))
        elif name == "REDUCE":
            args = stack.pop()
            stack.append(_made(stack.pop(), args))
        elif name == "BUILD":
            stack.pop()  # the attributes of a dict of torch: versions of its modules
        elif name not in ("PROTO", "STOP"):
            raise ValueError(f"it asks for {name} {arg}")
    (value,) = stack
    return value


def _stored(said: Any) -> _Stored:
    kind, storage, key, _, count, view = said
    if kind != "storage" or storage != _Name(STORAGE) or view is not None:
        raise ValueError("a storage of another kind")
    return _Stored(str(key), int(count))


def _made(what: Any, args: tuple[Any, ...]) -> Any:
    if what == _Name(ORDERED) and args == ():
        return {}
    if what == _Name(REBUILD):
        stored, offset, shape, strides = args[:4]
        if isinstance(stored, _Stored):
            return _Tensor(stored, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))
    raise ValueError("it calls something")


CONSTANTS: Final[dict[str, Callable[[], Any]]] = {
    "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "NONE": lambda: None,
    "NEWTRUE": lambda: True, "NEWFALSE": lambda: False}
LITERALS: Final = ("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE")
TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
