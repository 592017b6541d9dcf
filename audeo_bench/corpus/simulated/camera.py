"""The simulated camera: notes and hands in, grey frames of the keyboard out, rendered when they are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH
from audeo_bench.corpus.simulated.appearance import Appearance
from audeo_bench.corpus.simulated.codec import BLOCK, COSINES, code
from audeo_bench.corpus.simulated.lap import look_down, sit
from audeo_bench.corpus.simulated.optics import lens, plane_to_picture
from audeo_bench.corpus.simulated.piano import build_piano
from audeo_bench.corpus.simulated.rendering import Scene, render, shoot
from audeo_bench.keyboard import BEFORE, BEHIND, KEYBOARD_WIDTH, WHITE_LENGTH
from audeo_bench.roll import FRAMES_PER_SECOND, KEYS, LOWEST_PITCH, Notes

if TYPE_CHECKING:
    from audeo_bench.corpus.simulated.hands import HandTracks

__all__ = ["Appearance", "SimulatedFrames", "film", "key_depths"]

_BANK = 1 << 20
_GROUPS = 4


def key_depths(
    notes: Notes, frames: int, shutter: float = 0.0, rate: float = FRAMES_PER_SECOND
) -> np.ndarray:
    """How far every key is down at the middle of every frame.

    A key starts to sink before its note sounds (the hammer is let go near the bottom): it takes about 40 ms,
    25 for the loudest and 60 for the softest, and is 70 % down at the onset. From the offset on it needs 60
    ms to rise.

    Parameters
    ----------
    notes : Notes
    frames : int
    shutter : float
        Share of a frame's time that the shutter is open; the depth is averaged over it.
    rate : float
        Frames a second.

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
    first = np.clip(np.floor(start * rate).astype(np.int64) - 1, 0, frames)
    last = np.clip(np.floor((stop + 0.06) * rate).astype(np.int64) + 2, 0, frames)
    # One entry for every frame of every note.
    count = np.maximum(last - first, 0)
    note = np.repeat(np.arange(len(notes)), count)
    frame = np.arange(len(note)) - np.repeat(np.cumsum(count) - count, count) + first[note]
    seconds = (frame[:, None] + exposures) / rate
    fall = np.clip((seconds - start[note, None]) / attack[note, None], 0, 1)
    rise = np.clip(1 - (seconds - stop[note, None]) / 0.06, 0, 1)
    depth = np.minimum(fall * fall * (3 - 2 * fall), rise * rise * (3 - 2 * rise)).mean(1)
    np.maximum.at(depths, (frame, np.asarray(notes.pitches)[note] - LOWEST_PITCH), depth.astype(np.float32))
    return depths


@cache
def _noise_bank() -> np.ndarray:
    return np.random.default_rng(20_201_206).standard_normal(_BANK + 104 * 904, np.float32)


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
            render(out, start, self._scene)
        return out

    def idle(self) -> np.ndarray:
        """The same view while nobody plays: all keys up, hands away; shape (100, 900), uint8."""
        scene = self._scene
        away = np.array([0, -1000, 0], scene.tips.dtype)
        nobody = replace(
            scene,
            depths=np.zeros_like(scene.depths[:1]),
            tips=scene.tips[:1] + away,
            wrists=scene.wrists[:1] + away,
            shown=np.zeros(1, scene.shown.dtype),
        )
        out = np.empty((1, FRAME_HEIGHT, FRAME_WIDTH), np.uint8)
        render(out, 0, nobody)
        return out[0]

    def __getstate__(self) -> dict[str, object]:
        """Leave the pictures behind when sent to another process: they are cheaper to draw than to send."""
        return {name: value for name, value in self.__dict__.items() if name != "_scene"}

    @cached_property
    def _scene(self) -> Scene:
        return _build_scene(self.notes, self.tracks, self.appearance, self.seed, self.frames)


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


def _build_scene(notes: Notes, tracks: HandTracks, appearance: Appearance, seed: int, frames: int) -> Scene:
    rng = np.random.default_rng([seed, 25])
    piano = build_piano(appearance)
    homography = plane_to_picture(appearance)
    lap = look_down(appearance.lap, piano.up, piano.light, homography)
    # All keys up, and the player's legs in their place.
    every, still = np.empty(FRAME_WIDTH, np.bool_), np.float32(0)
    sit(piano.up, every, lap.first, lap.bare, lap.cloth, lap.share, lap.free, still)
    # The film's frames, and which of them each of the benchmark's shows: the one that stands at its time.
    rate = appearance.film_rate
    shown = np.floor((np.arange(frames) + 0.5) / FRAMES_PER_SECOND * rate).astype(np.int64)
    count = int(shown[-1]) + 1
    times = (np.arange(count) + 0.5) / rate
    sway = appearance.lap.swaying(times, np.random.default_rng([seed, 26])) * (FRAME_WIDTH / KEYBOARD_WIDTH)

    rows, columns = (
        max(BLOCK, round(pixels * scale))
        for pixels, scale in zip((FRAME_HEIGHT, FRAME_WIDTH), appearance.film_scale[::-1], strict=True)
    )
    # A pixel of the picture is longer along the keys than across them, the lens's blur is not.
    flat = (KEYBOARD_WIDTH / FRAME_WIDTH) / ((WHITE_LENGTH + BEHIND + BEFORE) / FRAME_HEIGHT)
    through = (
        lens(FRAME_HEIGHT, rows, appearance.lens_blur * flat, appearance.sharpening),
        lens(FRAME_WIDTH, columns, appearance.lens_blur, appearance.sharpening),
    )
    tone = _tone(appearance)
    idle = np.empty((-(-rows // BLOCK) * BLOCK, -(-columns // BLOCK) * BLOCK), np.float32)
    everywhere = np.ones(FRAME_WIDTH, np.bool_)
    shoot(piano.up, everywhere, *through[0], *through[1], tone, idle)
    # Each group of frames begins with a key frame, whose coding errors the idle parts of the picture then
    # keep.
    references = np.repeat(idle[None], _GROUPS, 0)
    blocks = np.ones((idle.shape[0] // BLOCK, idle.shape[1] // BLOCK), np.uint8)
    # A coder spends bits on detail that stays, and noise does not.
    level = np.float32(0.3 * appearance.sensor_noise)
    for reference in references:
        noise = _noise_bank()[rng.integers(_BANK) :]
        code(reference, np.zeros_like(idle), blocks, noise, level, 0.6 * appearance.quantiser, COSINES)

    swings = rng.uniform([[0.05], [0.3], [1.5]], [[0.2], [1.0], [4.0]], (3, 3))
    phases = rng.uniform(0, 2 * np.pi, (3, 3))
    waves = np.sin(2 * np.pi * swings[..., None] * times + phases[..., None])
    shifts = appearance.shake * (np.array([1.0, 0.7, 0.4])[:, None, None] * waves).sum(0)[:2].T
    gains = 1 + appearance.flicker * (waves[2, 2] + 0.6 * rng.standard_normal(count))
    sleeved = appearance.sleeve != "bare"
    look = [
        appearance.skin_level,
        appearance.nail_contrast,
        appearance.sleeve_level,
        float(appearance.sleeve == "striped"),
        appearance.hand_scale,
        appearance.sleeve_cuff if sleeved else -1000.0,
        appearance.skin_contrast,
        appearance.crease_depth,
        appearance.curl,
    ]
    ends = [homography @ [x, WHITE_LENGTH / 2, 1] for x in np.clip(appearance.seen, -1e3, 1e4)]
    left, right = (int(np.clip(round(column / factor), 0, FRAME_WIDTH)) for column, _, factor in ends)
    return Scene(
        piano=piano,
        shown=shown,
        tips=_at(times, tracks.fingertips),
        wrists=_at(times, tracks.wrists),
        depths=key_depths(notes, count, appearance.shutter, rate),
        lens=through,
        tone=tone,
        film_size=(rows, columns),
        idle=idle,
        references=references,
        key_frames=appearance.key_frames,
        skips=appearance.skips,
        gains=gains.astype(np.float32),
        shifts=shifts.astype(np.float32),
        seen=(left, right),
        noise_at=rng.integers(0, _BANK, count),
        noise=_noise_bank(),
        camera=np.array(appearance.camera),
        homography=homography,
        light=np.array(appearance.light),
        look=np.array(look),
        lap=lap,
        sway=sway.astype(np.float32),
        shadow_strength=appearance.shadow_strength,
        shutter=appearance.shutter,
        sensor_noise=appearance.sensor_noise,
        quantiser=appearance.quantiser,
    )


def _tone(appearance: Appearance) -> np.ndarray:
    """Level in the film by eighths of the scene's level, float32."""
    level = np.arange(0, 512, 1 / 8)
    return np.clip(255 * appearance.gain * (level / 255) ** appearance.gamma, 0, 255).astype(np.float32)


def _at(times: np.ndarray, tracks: np.ndarray) -> np.ndarray:
    """Tracks of 25 frames a second, shape (T, ...), at other times: (len(times), ...), float32."""
    place = np.clip(times * FRAMES_PER_SECOND - 0.5, 0, len(tracks) - 1)
    before = np.minimum(place.astype(np.int64), max(0, len(tracks) - 2))
    share = (place - before).reshape(-1, *[1] * (tracks.ndim - 1)).astype(np.float32)
    after = np.minimum(before + 1, len(tracks) - 1)
    return np.ascontiguousarray(tracks[before] * (1 - share) + tracks[after] * share, np.float32)
