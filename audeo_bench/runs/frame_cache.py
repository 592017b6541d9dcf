"""Frames that are rendered or decoded once and read again, for several systems over the same recordings."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from audeo_bench.api import Frames, Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT_BYTES = 4 * 2**30
"""Recordings of more than this in all are not kept: rendering again is cheaper than so much disk."""


class KeptFrames:
    """Frames in an anonymous file that fills as they are read, and that vanishes with the process.

    Raises
    ------
    OSError
        There is no room for the file.
    """

    def __init__(self, frames: Frames, file: IO[bytes]) -> None:
        self.shape = frames.shape
        self._frames = frames
        # Reserved beforehand: a memory map that meets a full disk later kills the process instead of raising.
        os.posix_fallocate(file.fileno(), 0, int(np.prod(self.shape)))
        self._kept = np.memmap(file, np.uint8, "r+", shape=self.shape)
        self._known = np.zeros(len(self), bool)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, window: slice, /) -> np.ndarray:
        low, high, _ = window.indices(len(self))
        missing = low + np.flatnonzero(~self._known[low:high])
        if missing.size:
            span = slice(int(missing[0]), int(missing[-1]) + 1)
            self._kept[span] = self._frames[span]
            self._known[span] = True
        return np.array(self._kept[low:high])


@contextmanager
def kept_frames(recordings: Iterable[Recording], folder: Path) -> Iterator[list[Recording]]:
    """The same recordings with :class:`KeptFrames`, or as they are where disk is short or they are too long.

    Parameters
    ----------
    recordings : iterable of Recording
    folder : Path
        On whose disk the frames are kept meanwhile.
    """
    recordings = list(recordings)
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:
        if sum(int(np.prod(r.frames.shape)) for r in recordings) > LIMIT_BYTES:
            yield recordings
            return
        try:
            kept = [
                replace(
                    r, frames=KeptFrames(r.frames, files.enter_context(tempfile.TemporaryFile(dir=folder)))
                )
                for r in recordings
            ]
        except OSError:
            kept = recordings
        yield kept
