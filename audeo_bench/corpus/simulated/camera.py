"""The simulated camera: notes and hands in, grey frames of the keyboard out, rendered when they are read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH
from audeo_bench.corpus.simulated.appearance import Appearance
from audeo_bench.corpus.simulated.codec import COSINES, code
from audeo_bench.corpus.simulated.optics import plane_to_picture
from audeo_bench.corpus.simulated.piano import build_piano
from audeo_bench.corpus.simulated.rendering import COLUMNS, ROWS, Scene, render
from audeo_bench.roll import FRAMES_PER_SECOND, KEYS, LOWEST_PITCH, Notes

if TYPE_CHECKING:
    from audeo_bench.corpus.simulated.hands import HandTracks

__all__ = ["Appearance", "SimulatedFrames", "film", "key_depths"]

_BANK = 1 << 20
_GROUPS = 4


def key_depths(notes: Notes, frames: int, shutter: float = 0.0) -> np.ndarray:
    """How far every key is down at the middle of every frame.

    A key starts to sink before its note sounds (the hammer is let go near the bottom): it takes about 40 ms,
    25 for the loudest and 60 for the softest, and is 70 % down at the onset. From the offset on it needs 60
    ms to rise.

    Parameters
    ----------
    notes : Notes
    frames : int
    shutter : float
        Share of the frame's 40 ms that the shutter is open; the depth is averaged over it.

    Returns
    -------
    np.ndarray, shape (frames, 88), float32
        0 is up, 1 is at the bottom.
    """
    depths = np.zeros((frames, KEYS), np.float32)
    exposures = np.array([-shutter / 3, 0.0, shutter / 3]) + 0.5
    attack = 0.060 - 0.035 * np.asarray(notes.velocities, float) / 127
    start = notes.intervals[:, 0] - 0.7 * attack
    stop = np.maximum(notes.intervals[:, 1], notes.intervals[:, 0] + 0.3 * attack)
    first = np.clip(np.floor(start * FRAMES_PER_SECOND).astype(np.int64) - 1, 0, frames)
    last = np.clip(np.floor((stop + 0.06) * FRAMES_PER_SECOND).astype(np.int64) + 2, 0, frames)
    # One entry for every frame of every note.
    count = np.maximum(last - first, 0)
    note = np.repeat(np.arange(len(notes)), count)
    frame = np.arange(len(note)) - np.repeat(np.cumsum(count) - count, count) + first[note]
    seconds = (frame[:, None] + exposures) / FRAMES_PER_SECOND
    fall = np.clip((seconds - start[note, None]) / attack[note, None], 0, 1)
    rise = np.clip(1 - (seconds - stop[note, None]) / 0.06, 0, 1)
    depth = np.minimum(fall * fall * (3 - 2 * fall), rise * rise * (3 - 2 * rise)).mean(1)
    np.maximum.at(depths, (frame, np.asarray(notes.pitches)[note] - LOWEST_PITCH), depth.astype(np.float32))
    return depths


@cache
def _noise_bank() -> np.ndarray:
    return np.random.default_rng(20_201_206).standard_normal(_BANK + ROWS * COLUMNS, np.float32)


@dataclass(frozen=True)
class SimulatedFrames:
    """Frames of one recording, rendered on reading; an :class:`audeo_bench.api.Frames`.

    A slice costs its own frames alone, and the same frame has the same pixels whichever slice it is read in.
    The first read looks at the piano (about half a second); after that several hundred frames come a second.
    """

    notes: Notes
    tracks: HandTracks
    appearance: Appearance
    seed: int
    frames: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.frames, FRAME_HEIGHT, FRAME_WIDTH

    def __len__(self) -> int:
        return self.frames

    def __getitem__(self, window: slice, /) -> np.ndarray:
        start, stop, step = window.indices(self.frames)
        if step != 1:
            raise ValueError(f"frames are read in windows of step 1, not {step}")
        out = np.empty((max(0, stop - start), FRAME_HEIGHT, FRAME_WIDTH), np.uint8)
        if len(out):
            render(out, start, self.tracks.fingertips, self.tracks.wrists, self._scene)
        return out

    def __getstate__(self) -> dict[str, object]:
        """Leave the pictures behind when sent to another process: they are cheaper to draw than to send."""
        return {name: value for name, value in self.__dict__.items() if name != "_scene"}

    @cached_property
    def _scene(self) -> Scene:
        return _build_scene(self.notes, self.appearance, self.seed, self.frames)


def film(notes: Notes, tracks: HandTracks, appearance: Appearance, seed: int, frames: int) -> SimulatedFrames:
    """Film a performance.

    Parameters
    ----------
    notes : Notes
        The keys that go down, and when; not what the pedal keeps sounding.
    tracks : HandTracks
        At least ``frames`` long.
    appearance : Appearance
    seed : int
        Of noise, flicker and shake.
    frames : int
        Length of the film at 25 frames a second.

    Raises
    ------
    ValueError
        The tracks are shorter than the film.
    """
    if len(tracks.fingertips) < frames:
        raise ValueError(f"hand tracks of {len(tracks.fingertips)} frames for a film of {frames}")
    return SimulatedFrames(notes, tracks, appearance, seed, frames)


def _build_scene(notes: Notes, appearance: Appearance, seed: int, frames: int) -> Scene:
    rng = np.random.default_rng([seed, 25])
    piano = build_piano(appearance)
    up = np.pad(piano.up, ((0, ROWS - FRAME_HEIGHT), (0, COLUMNS - FRAME_WIDTH)), mode="edge")
    # Each group of frames begins with a key frame, whose coding errors the idle parts of the picture then
    # keep.
    references = np.empty((_GROUPS, ROWS, COLUMNS), np.float32)
    everywhere = np.ones((ROWS // 8, COLUMNS // 8), np.uint8)
    for group in range(_GROUPS):
        references[group] = up
        noise = _noise_bank()[rng.integers(_BANK) :]
        level = np.float32(appearance.sensor_noise)
        code(
            references[group],
            np.zeros_like(up),
            everywhere,
            noise,
            level,
            0.6 * appearance.quantiser,
            COSINES,
        )
    time = np.arange(frames) / FRAMES_PER_SECOND
    swings = rng.uniform([[0.05], [0.3], [1.5]], [[0.2], [1.0], [4.0]], (3, 3))
    phases = rng.uniform(0, 2 * np.pi, (3, 3))
    waves = np.sin(2 * np.pi * swings[..., None] * time + phases[..., None])
    shifts = appearance.shake * (np.array([1.0, 0.7, 0.4])[:, None, None] * waves).sum(0)[:2].T
    gains = 1 + appearance.flicker * (waves[2, 2] + 0.6 * rng.standard_normal(frames))
    sleeved = appearance.sleeve != "bare"
    nearest = 1.0 / appearance.lens_blur**2
    look = [
        appearance.skin_level,
        appearance.nail_contrast,
        appearance.sleeve_level,
        float(appearance.sleeve == "striped"),
        appearance.hand_scale,
        appearance.sleeve_cuff if sleeved else -1000.0,
    ]
    softness = float(np.exp(-0.5 * nearest))
    return Scene(
        piano=piano,
        up=up.astype(np.float32),
        references=references,
        depths=key_depths(notes, frames, appearance.shutter),
        gains=gains.astype(np.float32),
        shifts=shifts.astype(np.float32),
        noise_at=rng.integers(0, _BANK, (frames, 2)),
        noise=_noise_bank(),
        camera=np.array(appearance.camera),
        homography=plane_to_picture(appearance),
        light=np.array(appearance.light),
        look=np.array(look),
        shadow_strength=appearance.shadow_strength,
        shutter=appearance.shutter,
        edge=softness / (1 + 2 * softness),
        sensor_noise=appearance.sensor_noise,
        quantiser=appearance.quantiser,
    )
