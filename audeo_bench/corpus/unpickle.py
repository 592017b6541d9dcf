"""Pickles from the internet, read without running anything in them.

A pickle is a program: it may name any function and call it. The release keeps its labels in pickles, so they
are read by an unpickler that knows six names of numpy's and nothing else, and even those stand for objects of
this module: no numpy object is built before its type, shape and bytes have been checked.
"""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from audeo_bench.api import AudeoBenchError

__all__ = ["read_vectors"]

NUMERIC = "biuf"
"""Kinds of numpy types admitted: bool, integers, floats."""


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
        A pickle that asks for anything but dict, int and numeric numpy arrays (none of it is run), or whose
        content is not such a dict.
    """
    try:
        with path.open("rb") as file:
            content = _Numbers(file).load()
        return _vectors(content, length)
    except Refused as fault:
        raise AudeoBenchError(
            f"{path}: refused, {fault}. None of it was run; do not trust this file."
        ) from None
    except OSError as fault:
        raise AudeoBenchError(f"{path}: cannot be read ({fault.strerror}).") from fault
    except Exception as fault:  # a damaged pickle fails in any way it likes
        raise AudeoBenchError(f"{path}: not a readable pickle ({type(fault).__name__}: {fault}).") from fault


class _Numbers(pickle.Unpickler):
    """Builds dicts, lists, tuples, numbers, text and bytes; of everything else, what is named below."""

    def find_class(self, module: str, name: str, /) -> Any:
        # numpy 2 moved these from numpy.core to numpy._core; pickles of both ages are about.
        place = f"{module}.{name}".replace("numpy._core.", "numpy.core.")
        if place not in _ADMITTED:
            raise Refused(f"it asks for {module}.{name}, while labels hold only dict, int and numeric arrays")
        return _ADMITTED[place]()

    def persistent_load(self, pid: Any, /) -> Any:
        raise Refused(f"it asks for an outside object {pid!r}")


# Stand-ins. What find_class gives has no attributes to set (``__slots__``), so that a pickle cannot change
# what they do.


class _DtypeMaker:
    __slots__ = ()

    def __call__(self, text: Any, *_: Any) -> _Dtype:
        return _Dtype(text)


class _Dtype:
    """``numpy.dtype("f8", False, True)``, then its state ``(3, "<", None, None, None, -1, -1, 0)``."""

    __slots__ = ("value",)

    def __init__(self, text: Any) -> None:
        if not isinstance(text, str) or text[:1] not in NUMERIC or not text[1:].isdigit():
            raise Refused(f"it holds an array of type {text!r}, not of numbers")
        self.value = np.dtype(text)

    def __setstate__(self, state: Any) -> None:
        _, order, subarray, names, fields, *_ = state
        if order not in ("<", ">", "|", "=") or (subarray, names, fields) != (None, None, None):
            raise Refused("it holds an array of records")
        self.value = self.value.newbyteorder(order)


class _Array:
    """An array on its way: shape, type and bytes come as its state."""

    __slots__ = ("value",)

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, fortran, content = state
        self.value = _numbers(content, dtype, shape, "F" if fortran else "C")


class _ArrayType:
    __slots__ = ()


class _ArrayMaker:
    """``_reconstruct(ndarray, (0,), b"b")``."""

    __slots__ = ()

    def __call__(self, *_: Any) -> _Array:
        return _Array()


class _BufferReader:
    """``_frombuffer(bytes, dtype, shape, order)``, of pickle protocol 5."""

    __slots__ = ()

    def __call__(self, content: Any, dtype: Any, shape: Any, order: Any) -> _Array:
        array = _Array()
        array.value = _numbers(content, dtype, shape, "F" if order == "F" else "C")
        return array


class _ScalarMaker:
    """``scalar(dtype, bytes)``."""

    __slots__ = ()

    def __call__(self, dtype: Any, content: Any = b"") -> Any:
        return _numbers(content, dtype, (), "C").item()


class _BytesMaker:
    """``_codecs.encode(text, "latin1")``: how protocols before 3 spell bytes."""

    __slots__ = ()

    def __call__(self, text: Any, encoding: Any = None) -> bytes:
        if not isinstance(text, str) or encoding != "latin1":
            raise Refused("it asks for text to be recoded")
        return text.encode("latin1")


_ADMITTED = {
    "numpy.dtype": _DtypeMaker,
    "numpy.ndarray": _ArrayType,
    "numpy.core.multiarray._reconstruct": _ArrayMaker,
    "numpy.core.multiarray.scalar": _ScalarMaker,
    "numpy.core.numeric._frombuffer": _BufferReader,
    "_codecs.encode": _BytesMaker,
}


def _numbers(content: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(dtype, _Dtype) or not isinstance(content, bytes | bytearray):
        raise Refused("it holds an array of objects")
    if not isinstance(shape, tuple) or not all(type(size) is int and size >= 0 for size in shape):
        raise Refused(f"it holds an array of shape {shape!r}")
    if math.prod(shape) * dtype.value.itemsize != len(content):
        raise Refused(f"it holds an array of shape {shape} in {len(content)} bytes")
    return np.frombuffer(content, dtype.value).reshape(shape, order=order)


def _vectors(content: Any, length: int) -> dict[int, np.ndarray]:
    if type(content) is not dict or not content:
        raise Refused(f"it holds no dict of vectors but {type(content).__name__.strip('_')}")
    vectors = {}
    for frame, value in content.items():
        if type(frame) is not int or frame < 0:
            raise Refused(f"it has the key {str(frame)[:40]!r} where frame numbers are expected")
        array = value.value if isinstance(value, _Array) else value
        if isinstance(array, list) and all(type(number) in (int, float, bool) for number in array):
            array = np.array(array)
        if not isinstance(array, np.ndarray) or array.size != length or not np.isfinite(array).all():
            what = array.shape if isinstance(array, np.ndarray) else type(array).__name__
            raise Refused(f"frame {frame} holds {what}, not {length} finite numbers")
        vectors[frame] = array.reshape(length).astype(np.float64)
    return vectors
