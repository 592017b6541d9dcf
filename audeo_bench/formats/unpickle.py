"""Labels in pickles from the internet, read without an unpickler.

A pickle is a program: it may name any function and call it. The standard library's parser (``pickletools``)
only splits it into its instructions; here those are followed that build dicts, lists, tuples, numbers, texts
and bytes. Six names of numpy's stand for plain data, any other name is refused, and nothing is ever imported
or called on a file's behalf.
"""

from __future__ import annotations

import math
import pickletools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.regular import regular_file

__all__ = ["LAST_FRAME", "read_vectors"]

LIMIT = 2**26
"""Bytes of a file; an hour of labels has 65 million."""
OPERATIONS = 3_000_000
"""Instructions at most; a frame of labels takes 10 to 25."""
LARGEST = 2**12
"""Bytes of one array: instructions may make many of the same bytes."""
LAST_FRAME = 10_000_000
"""Numbers above it (four days of video) are no frame numbers."""
NUMBERS = re.compile(r"[biuf][1248]", re.ASCII)
"""Types of numpy's that labels may have."""


class Refused(Exception):
    """Something that a pickle of numbers has no need of."""


def read_vectors(path: Path, length: int) -> dict[int, np.ndarray]:
    """Read a pickled dict of frame number -> vector.

    Parameters
    ----------
    path : Path
    length : int
        Of every vector.

    Returns
    -------
    dict of int to np.ndarray, shape (length,), float64, finite

    Raises
    ------
    AudeoBenchError
        No file, longer than 64 MB, a pickle that asks for anything but dict, int and numeric numpy arrays
        (none of it is run), or whose content is not such a dict.
    """
    regular_file(path, "copy it again", LIMIT)
    try:
        return _vectors(_built(path.read_bytes()), length)
    except Refused as fault:
        raise AudeoBenchError(
            f"{path}: refused, {fault}. None of it was run; do not trust this file."
        ) from None
    except OSError as fault:
        raise AudeoBenchError(f"{path}: cannot be read ({fault.strerror}); copy it again.") from fault
    except (ValueError, LookupError, TypeError, OverflowError, AttributeError) as fault:
        raise AudeoBenchError(f"{path}: not a whole pickle ({fault}); copy it again.") from fault


# What stands on the stack for what is no number, text or container.


class _Name(str):
    """A function or class that was asked for by this name."""


class _Dtype:
    """``numpy.dtype("f8", False, True)``, then its state ``(3, "<", None, None, None, -1, -1, 0)``."""

    def __init__(self, text: Any) -> None:
        if not isinstance(text, str) or not NUMBERS.fullmatch(text):
            raise Refused(f"it holds an array of type {_shown(text)}, not of numbers")
        self.value = np.dtype(text)

    def build(self, state: Any) -> None:
        _, order, subarray, names, fields, *_ = state
        if order not in ("<", ">", "|", "=") or (subarray, names, fields) != (None, None, None):
            raise Refused("it holds an array of records")
        self.value = self.value.newbyteorder(order)


class _Array:
    """``_reconstruct(ndarray, (0,), b"b")``; shape, type and bytes come as its state."""

    value: np.ndarray | None = None

    def build(self, state: Any) -> None:
        _, shape, dtype, fortran, content = state
        self.value = _numbers(content, dtype, shape, "F" if fortran else "C")


def _from_buffer(content: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    array = _Array()
    array.value = _numbers(content, dtype, shape, order)
    return array


def _bytes(text: Any, encoding: Any) -> _Text:
    """``_codecs.encode(text, "latin1")``: how protocols before 3 spell bytes."""
    if type(text) is not str or encoding != "latin1":
        raise Refused("it asks for text to be recoded")
    return _Text(text)


class _Text(NamedTuple):
    """Bytes that are spelled as text, encoded only when an array of their size wants them."""

    text: str


CALLS: dict[str, Callable[..., Any]] = {
    "numpy.dtype": lambda text, *_: _Dtype(text),
    "numpy.core.multiarray._reconstruct": lambda *_: _Array(),
    "numpy.core.multiarray.scalar": lambda dtype, content=b"": _numbers(content, dtype, (), "C").item(),
    "numpy.core.numeric._frombuffer": _from_buffer,
    "_codecs.encode": _bytes,
}
NAMES = {*CALLS, "numpy.ndarray"}


def _name(module: Any, name: Any) -> _Name:
    # numpy 2 moved these from numpy.core to numpy._core; pickles of both ages are about.
    place = f"{_shown(module)}.{_shown(name)}".replace("'", "")
    if place.replace("numpy._core.", "numpy.core.") not in NAMES:
        raise Refused(f"it asks for {place}, while labels hold only dict, int and numeric arrays")
    return _Name(place.replace("numpy._core.", "numpy.core."))


CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
# fmt: off
VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "UNICODE",
    "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}
# fmt: on
"""Instructions that push their own argument."""


def _built(content: bytes) -> Any:
    """Follow a pickle's instructions; what is on top of the stack when it stops."""
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[int, Any] = {}

    def since_mark() -> list[Any]:
        start = marks.pop()
        items = stack[start:]
        del stack[start:]
        return items

    argument: Any
    for count, (operation, argument, _) in enumerate(pickletools.genops(content)):
        if count > OPERATIONS:
            raise Refused(f"it has more than {OPERATIONS:,} instructions")
        match operation.name:
            case "PROTO" | "FRAME":
                pass
            case "STOP":
                return stack.pop()
            case name if name in VALUES:
                stack.append(argument)
            case name if name in CONSTANTS:
                stack.append(CONSTANTS[name])
            case "MARK":
                marks.append(len(stack))
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_LIST":
                stack.append([])
            case "DICT":
                stack.append(_filled({}, since_mark()))
            case "LIST":
                stack.append(since_mark())
            case "TUPLE":
                stack.append(tuple(since_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3" as name:
                size = int(name[-1])
                stack[-size:] = [tuple(stack[-size:])]
            case "APPEND":
                value = stack.pop()
                _of(list, stack[-1]).append(value)
            case "APPENDS":
                items = since_mark()
                _of(list, stack[-1]).extend(items)
            case "SETITEM":
                items = [stack.pop(-2), stack.pop()]
                _filled(_of(dict, stack[-1]), items)
            case "SETITEMS":
                items = since_mark()
                _filled(_of(dict, stack[-1]), items)
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                stack.append(_name(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                stack[-2:] = [_name(*stack[-2:])]
            case "REDUCE":
                function, arguments = stack[-2:]
                stack[-2:] = [CALLS[_of(_Name, function)](*_of(tuple, arguments))]
            case "BUILD":
                state = stack.pop()
                _of((_Dtype, _Array), stack[-1]).build(_of(tuple, state))
            case name:
                raise Refused(f"it has the instruction {name}, which labels do not need")
    raise ValueError("it does not stop")


def _of(kind: Any, value: Any) -> Any:
    if not isinstance(value, kind):
        raise Refused(f"it treats {type(value).__name__.strip('_')} as something else")
    return value


def _filled(target: dict[Any, Any], items: list[Any]) -> dict[Any, Any]:
    for key, value in zip(items[::2], items[1::2], strict=True):
        if type(key) is not int or not 0 <= key <= LAST_FRAME:  # a deeply nested key could not even be hashed
            raise Refused(f"it has the key {_shown(key)} where frame numbers are expected")
        target[key] = value
    return target


def _shown(value: Any) -> str:
    return repr(value[:40]) if isinstance(value, str) else type(value).__name__.strip("_")


def _numbers(content: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(dtype, _Dtype) or not isinstance(content, bytes | bytearray | _Text):
        raise Refused("it holds an array of objects")
    if not isinstance(shape, tuple) or not all(type(size) is int and 0 <= size <= LIMIT for size in shape):
        raise Refused("it holds an array of no size")
    size = math.prod(shape) * dtype.value.itemsize
    content = content.text if isinstance(content, _Text) else content
    if size != len(content) or size > LARGEST:
        raise Refused(f"it holds an array of {size:,} bytes in {len(content):,}")
    if isinstance(content, str):
        content = content.encode("latin1")
    return np.frombuffer(content, dtype.value).reshape(shape, order="F" if order == "F" else "C")


def _vectors(content: Any, length: int) -> dict[int, np.ndarray]:
    if type(content) is not dict or not content:
        found = "an empty dict" if content == {} else type(content).__name__.strip("_")
        raise Refused(f"it holds no dict of vectors but {found}")
    vectors = {}
    for frame, value in content.items():
        array = value.value if isinstance(value, _Array) else value
        if isinstance(array, list) and all(type(number) in (int, float, bool) for number in array):
            array = np.array(array, float)
        if not isinstance(array, np.ndarray) or array.size != length or not np.isfinite(array).all():
            what = array.shape if isinstance(array, np.ndarray) else type(array).__name__.strip("_")
            raise Refused(f"frame {frame} holds {what}, not {length} finite numbers")
        vectors[frame] = array.reshape(length).astype(np.float64)
    return vectors
