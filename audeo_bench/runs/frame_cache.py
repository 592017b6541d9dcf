"""Frames that are rendered or decoded once and read again, for several systems over the same recordings."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from audeo_bench.api import Frames, Recording

LIMIT_BYTES = 4 * 2**30
"""So much is kept and no more: rendering again is cheaper than so much disk."""
LIMIT_FILES = 200


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


class _Kept(Sequence[Recording]):
    """Recordings whose frames are kept once they were asked for, as far as disk and limits allow."""

    def __init__(self, recordings: Sequence[Recording], folder: Path, files: ExitStack) -> None:
        self._recordings, self._folder, self._files = recordings, folder, files
        self._frames: dict[int, KeptFrames] = {}
        self._left = LIMIT_BYTES

    def __len__(self) -> int:
        return len(self._recordings)

    def __getitem__(self, index: Any) -> Any:
        place = range(len(self))[index]
        if isinstance(place, range):
            return [self[one] for one in place]
        recording = self._recordings[place]
        if place not in self._frames:
            size = int(np.prod(recording.frames.shape))
            if (
                isinstance(recording.frames, np.ndarray)
                or size > self._left
                or len(self._frames) == LIMIT_FILES
            ):
                return recording
            try:
                file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 (the stack closes it)
                self._frames[place] = KeptFrames(recording.frames, self._files.enter_context(file))
            except OSError:
                self._left = 0
                return recording
            self._left -= size
        return replace(recording, frames=self._frames[place])


@contextmanager
def kept_frames(recordings: Sequence[Recording], folder: Path) -> Iterator[Sequence[Recording]]:
    """The same recordings with :class:`KeptFrames`, or as they are: where they are arrays already, where disk
    is short, and beyond :data:`LIMIT_BYTES` and :data:`LIMIT_FILES`.

    Parameters
    ----------
    recordings : sequence of Recording
        Asked for when they are wanted.
    folder : Path
        On whose disk the frames are kept meanwhile.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as files:
        yield _Kept(recordings, folder, files)
