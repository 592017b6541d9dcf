"""Notes acted out before the simulated camera, and the streams of chance behind it.

Used by every corpus without a real video: the simulated one and the re-enacted ones.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH
from audeo_bench.roll import Notes

if TYPE_CHECKING:
    from audeo_bench.corpus.simulated.camera import SimulatedFrames

__all__ = ["WORLD", "ActedFrames", "seed_of", "stream"]

WORLD = "3"
"""The simulated world's version, part of that of every corpus that is filmed in it: rises with any pixel."""
KEPT_FILMS = 8
"""Recordings whose hands and piano stay in memory; others are made again when they are sliced again."""


def seed_of(seed: int, recording_id: str, purpose: str) -> np.random.SeedSequence:
    """The seed of one purpose (performer, hands, ear, ...) in one recording.

    It depends on nothing but its arguments, so that adding recordings, takes or purposes changes no other
    one.
    """
    digest = hashlib.sha256(f"{recording_id}/{purpose}".encode()).digest()
    return np.random.SeedSequence([seed, *np.frombuffer(digest[:16], "<u4").tolist()])


def stream(seed: int, recording_id: str, purpose: str) -> np.random.Generator:
    """A generator of its own for one purpose in one recording; see :func:`seed_of`."""
    return np.random.default_rng(seed_of(seed, recording_id, purpose))


@dataclass(frozen=True, eq=False)
class ActedFrames:
    """``api.Frames`` of a performance, whose hands and pictures are made when it is first sliced.

    Attributes
    ----------
    notes : Notes
        Key presses.
    hands : np.ndarray, shape (n,), int8
        0 left, 1 right.
    frames : int
    seed, recording_id
        Name the streams of the hands, the camera's appearance and its noise.
    seen : tuple of 2 floats or None
        Left and right end of the keys that the film shows, mm; None shows all.
    """

    notes: Notes
    hands: np.ndarray
    frames: int
    seed: int
    recording_id: str
    seen: tuple[float, float] | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.frames, FRAME_HEIGHT, FRAME_WIDTH)

    def __len__(self) -> int:
        return self.frames

    def __getitem__(self, window: slice, /) -> np.ndarray:
        return _film(self)[window]

    def idle(self) -> np.ndarray:
        """The keyboard while nobody plays, shape (100, 900), uint8."""
        return _film(self).idle()


@lru_cache(maxsize=KEPT_FILMS)
def _film(acted: ActedFrames) -> SimulatedFrames:
    """The camera's frames, in front of moving hands."""
    from audeo_bench.corpus.simulated.appearance import Appearance
    from audeo_bench.corpus.simulated.camera import film
    from audeo_bench.corpus.simulated.hands import track

    tracks = track(acted.notes, acted.hands, acted.frames, stream(acted.seed, acted.recording_id, "hands"))
    appearance = Appearance.draw(stream(acted.seed, acted.recording_id, "appearance"))
    if acted.seen is not None:
        appearance = replace(appearance, seen=acted.seen)
    noise = int(seed_of(acted.seed, acted.recording_id, "camera").generate_state(1)[0])
    return film(acted.notes, tracks, appearance, noise, acted.frames)
