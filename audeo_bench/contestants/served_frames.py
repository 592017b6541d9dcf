"""The frames that a contestant is given: they lie with the harness and are fetched when they are sliced."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection
from typing import Any

import numpy as np

from audeo_bench.contestants.wire import receive, send
from audeo_bench.errors import AudeoBenchError

CHUNK = 64
"""Frames of one message."""


@dataclass(frozen=True)
class Place:
    """Where the harness listens."""

    address: str
    key: bytes

    def connect(self, role: str) -> Connection:
        connection = Client(self.address, authkey=self.key)
        send(connection, {"role": role})
        return connection


class ServedFrames:
    """``api.Frames`` that index as a numpy array of shape (T, height, width), uint8, does.

    Every thread and every process has a connection of its own, so they may be read from a thread pool and in
    forked or spawned workers of a data loader; they can be pickled.

    Raises
    ------
    AudeoBenchError
        The harness cannot read a frame, or its recording is over.
    """

    dtype, ndim = np.dtype(np.uint8), 3

    def __init__(self, place: Place, number: int, shape: tuple[int, int, int]) -> None:
        self.shape = shape
        self._place, self._number = place, number
        self._own = threading.local()

    def __len__(self) -> int:
        return self.shape[0]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_own"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _own=threading.local())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        whole = self._consecutive(0, len(self))
        return whole if dtype is None else whole.astype(dtype)

    def __getitem__(self, index: Any) -> np.ndarray:
        first, *rest = index if isinstance(index, tuple) and index else (index,)
        if first is None or first is Ellipsis or isinstance(first, (bool, tuple)) or np.ndim(first) > 1:
            return np.asarray(self)[index]
        rows = np.arange(len(self))[first]  # by numpy's rules, with its errors
        if rows.ndim == 0:
            return self._consecutive(int(rows), int(rows) + 1)[(0, *rest)]
        if not isinstance(first, slice):
            wanted, places = np.unique(rows, return_inverse=True)
            return self._gathered(wanted)[(places, *rest)]
        return self._gathered(rows)[(slice(None), *rest)]

    def _gathered(self, rows: np.ndarray) -> np.ndarray:
        if len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
            return self._consecutive(int(rows[0]), int(rows[0]) + len(rows))
        found = np.empty((len(rows), *self.shape[1:]), np.uint8)
        for start in range(0, len(rows), CHUNK // 4):
            part = rows[start : start + CHUNK // 4]
            low, high = int(part.min()), int(part.max()) + 1
            if high - low <= CHUNK:
                found[start : start + len(part)] = self._consecutive(low, high)[part - low]
            else:
                for place, row in enumerate(part.tolist(), start):
                    found[place] = self._consecutive(row, row + 1)[0]
        return found

    def _consecutive(self, low: int, high: int) -> np.ndarray:
        found = np.empty((high - low, *self.shape[1:]), np.uint8)
        for start in range(low, high, CHUNK):
            stop = min(start + CHUNK, high)
            self._fetch({"low": start, "high": stop, "asked": high - low}, found[start - low : stop - low])
        return found

    def _fetch(self, wanted: dict[str, int], out: np.ndarray) -> None:
        owner, connection = getattr(self._own, "connection", (None, None))
        if connection is None or owner != os.getpid():  # a forked process must not share its parent's
            connection = self._place.connect("frames")
            self._own.connection = os.getpid(), connection
        send(connection, {"number": self._number, **wanted})
        header, found = receive(connection, out)
        if found is None:
            raise AudeoBenchError(header.get("error", "the harness has no frames"))
