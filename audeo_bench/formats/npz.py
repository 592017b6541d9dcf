"""Arrays of numbers from .npz and .npy files.

Types, shapes and sizes are read first and judged; only then is memory taken. Objects, texts and records are
refused, so nothing is ever unpickled.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple
from zipfile import ZipFile

import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.archive import FAULTS, open_archive
from audeo_bench.formats.regular import regular_file

__all__ = ["LIMIT", "array_names", "map_array", "read_array", "read_arrays"]

LIMIT = 2**28
"""Bytes of all arrays read from one file: more than eight hours of a roll in float32."""
HEADER = 2**10
"""Bytes of the text that describes one array; numpy writes 118."""
DIMENSIONS, LONGEST = 32, 2**60
"""What numpy can address."""
CHUNK = 2**18
SHOWN = 6
"""Names of arrays that an error lists."""
MAGIC = b"\x93NUMPY"
_DESCRIPTION = re.compile(
    r"\s*\{\s*'descr'\s*:\s*(?P<type>.+?)\s*,\s*'fortran_order'\s*:\s*(?P<order>True|False)\s*,"
    r"\s*'shape'\s*:\s*\((?P<shape>[\d\s,L]*)\)\s*,?\s*\}\s*",
    re.ASCII,
)
_NUMBERS = re.compile(r"'[<>|=]?([biuf]\d{1,2}|\?)'", re.ASCII)


class _Header(NamedTuple):
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read_arrays(
    path: Path, names: Sequence[str] | None = None, *, remedy: str, limit: int = LIMIT
) -> dict[str, np.ndarray]:
    """Read arrays of an .npz file.

    Parameters
    ----------
    path : Path
    names : sequence of str or None
        Those wanted, all of which must be there; None reads all.
    remedy : str
        What the user can do about a bad file, as the end of a sentence.
    limit : int
        Bytes of all arrays read.

    Returns
    -------
    dict of str to np.ndarray
        bool, integers or floats in this machine's byte order, of any shape and value.

    Raises
    ------
    AudeoBenchError
        Missing, no file, no whole .npz file, an array missing, too large, or not of numbers.
    """
    regular_file(path, remedy)
    try:
        with open_archive(path) as archive:
            there = _names(archive)
            chosen = there if names is None else names
            missing = [name for name in chosen if name not in there]
            if missing:
                raise ValueError(f"it holds {_listed(there)}, not {', '.join(missing)}")
            _check_total([_member(archive, name)[0] for name in chosen], limit)
            return {name: _member(archive, name, whole=True)[1] for name in chosen}
    except FAULTS as fault:
        raise _refused(path, fault, remedy) from fault


def array_names(path: Path, *, remedy: str) -> list[str]:
    """The names of an .npz file's arrays, which are not read; errors as in :func:`read_arrays`."""
    regular_file(path, remedy)
    try:
        with open_archive(path) as archive:
            return _names(archive)
    except FAULTS as fault:
        raise _refused(path, fault, remedy) from fault


def read_array(path: Path, names: Sequence[str], *, remedy: str) -> np.ndarray:
    """Read one array: that of an .npy file; of an .npz file the first of ``names``, or the only one.

    Everything else is as in :func:`read_arrays`.
    """
    regular_file(path, remedy)
    try:
        with path.open("rb") as stream:
            if stream.peek(6)[:6] == MAGIC:
                header = _header(stream, path.stat().st_size, "it")
                _check_total([header], LIMIT)
                return _content(stream, header)
        with open_archive(path) as archive:
            there = _names(archive)
        known = [name for name in names if name in there] or (there if len(there) == 1 else [])
        if not known:
            raise ValueError(f"it holds {_listed(there)}; name the array {' or '.join(names)}")
    except FAULTS as fault:
        raise _refused(path, fault, remedy) from fault
    return read_arrays(path, known[:1], remedy=remedy)[known[0]]


def map_array(path: Path, *, remedy: str) -> np.ndarray:
    """An .npy file's array as a read-only memory map, of any size; errors as in :func:`read_arrays`."""
    regular_file(path, remedy)
    try:
        with path.open("rb") as stream:
            header = _header(stream, path.stat().st_size, "it")
            order = "F" if header.fortran else "C"
            return np.memmap(path, header.dtype, "r", stream.tell(), header.shape, order)
    except FAULTS as fault:
        raise _refused(path, fault, remedy) from fault


def _names(archive: ZipFile) -> list[str]:
    raw = [name for name in archive.namelist() if not name.endswith(".npy")]
    if raw:
        raise ValueError(f"{raw[0]!r} in it is no array")
    return [name.removesuffix(".npy") for name in archive.namelist()]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + ", ..." * (len(names) > SHOWN) or "nothing"


def _member(archive: ZipFile, name: str, whole: bool = False) -> tuple[_Header, np.ndarray]:
    """What a member holds; its array is empty unless the ``whole`` is wanted."""
    with archive.open(f"{name}.npy") as stream:
        header = _header(stream, archive.getinfo(f"{name}.npy").file_size, name)
        return header, _content(stream, header) if whole else np.empty(0)


def _header(stream: IO[bytes], size: int, name: str) -> _Header:
    """Read what describes an array, in a file or member of ``size`` bytes, and check it.

    Not by numpy's own reader, which evaluates the text and whose words may recommend to unpickle the file.
    """
    start = stream.read(10)
    if start[:6] != MAGIC or len(start) < 10:
        raise ValueError(f"{name} is no array of numpy's")
    wide = start[6] > 1
    length = int.from_bytes(start[8:] + (stream.read(2) if wide else b""), "little")
    if length > HEADER:
        raise ValueError(f"{name} has a header of {length:,} bytes")
    text = stream.read(length).decode("latin1")
    parts = _DESCRIPTION.fullmatch(text)
    if not parts:
        raise ValueError(f"{name} has a damaged header")
    try:
        if not _NUMBERS.fullmatch(parts["type"]):
            raise TypeError
        dtype = np.dtype(parts["type"].strip("'"))
    except TypeError:
        raise ValueError(f"{name} is of type {parts['type'][:40]}, not of numbers") from None
    shape = tuple(int(digits) for digits in re.findall(r"\d+", parts["shape"]))
    if len(shape) > DIMENSIONS or max(shape, default=0) > LONGEST:
        raise ValueError(f"{name} has a damaged header")
    header = _Header(shape, parts["order"] == "True", dtype)
    left = size - len(start) - 2 * wide - length
    if header.bytes != left:
        raise ValueError(f"{name} has {left:,} bytes, not the {header.bytes:,} of {dtype} of shape {shape}")
    return header


def _check_total(headers: Iterable[_Header], limit: int) -> None:
    total = sum(header.bytes for header in headers)
    if total > limit:
        raise ValueError(f"its arrays have {total:,} bytes, more than {limit:,} are not read")


def _content(stream: IO[bytes], header: _Header) -> np.ndarray:
    """What follows the header, read to the end: only there does zipfile compare its checksum."""
    content = bytearray(header.bytes)
    view, done = memoryview(content), 0
    while piece := stream.read(CHUNK):
        view[done : done + len(piece)] = piece
        done += len(piece)
    if done != header.bytes:
        raise EOFError("cut off")
    array = np.frombuffer(content, header.dtype)
    if header.dtype == bool:  # a byte above 1 is no bool that compiled code may meet
        array = array.view(np.uint8).astype(bool)
    native = array.astype(header.dtype.newbyteorder("="), copy=False)
    return native.reshape(header.shape, order="F" if header.fortran else "C")


def _refused(path: Path, fault: Exception, remedy: str) -> AudeoBenchError:
    reason = fault.strerror if isinstance(fault, OSError) and fault.strerror else fault
    return AudeoBenchError(f"{path}: not a whole array file ({reason}); {remedy}.")
