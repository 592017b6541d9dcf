"""What passes between the harness and a contestant's process: JSON, and arrays as their bytes.

Nothing is unpickled on either side.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

LONGEST_HEADER = 2**20
LARGEST_ARRAY = 2**31


def send(connection: Connection, header: Mapping[str, Any], array: np.ndarray | None = None) -> None:
    """Send a message, and an array of numbers behind it.

    Raises
    ------
    ValueError
        It is longer than the other side takes.
    """
    described = {} if array is None else {"dtype": array.dtype.str, "shape": array.shape}
    content = json.dumps({**header, **described}).encode()
    if len(content) > LONGEST_HEADER:
        raise ValueError(f"{len(content):,} bytes of facts, at most {LONGEST_HEADER:,} are taken")
    connection.send_bytes(content)
    if array is not None:
        connection.send_bytes(_bytes_of(np.ascontiguousarray(array)))


Message = tuple[dict[str, Any], np.ndarray | None]


def receive(connection: Connection, out: np.ndarray | None = None) -> Message:
    """The next message, and the array behind it if there is one.

    Parameters
    ----------
    connection : Connection
    out : np.ndarray or None
        Contiguous memory for an array of its own type and shape.

    Raises
    ------
    EOFError, OSError
        The other side is gone.
    ValueError
        It did not send a message.
    """
    header = json.loads(connection.recv_bytes(LONGEST_HEADER))
    if not isinstance(header, dict):
        raise ValueError("not a message")
    if "dtype" not in header:
        return header, None
    dtype, shape = np.dtype(header["dtype"]), tuple(map(int, header["shape"]))
    if dtype.kind not in "biuf" or math.prod(shape) * dtype.itemsize > LARGEST_ARRAY:
        raise ValueError("not an array of numbers")
    array = np.empty(shape, dtype) if out is None else out
    if (array.dtype, array.shape) != (dtype, shape):
        raise ValueError(f"{dtype} of shape {shape}")
    connection.recv_bytes_into(_bytes_of(array))
    return header, array


def _bytes_of(array: np.ndarray) -> memoryview:
    return array.reshape(-1).data.cast("B") if array.size else memoryview(bytearray())
