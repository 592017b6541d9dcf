"""The simulated camera: notes and hands in, grey frames of the keyboard out, rendered when they are read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH
from audeo_bench.corpus.simulated.appearance import Appearance
from audeo_bench.corpus.simulated.codec import COSINES, code
from audeo_bench.corpus.simulated.optics import plane_to_picture
from audeo_bench.corpus.simulated.piano import PATCH_WIDTH, build_piano
from audeo_bench.corpus.simulated.skin import CAPSULES, cast, draw, pose
from audeo_bench.roll import FRAMES_PER_SECOND, KEYS, LOWEST_PITCH, Notes

if TYPE_CHECKING:
    from audeo_bench.corpus.simulated.hands import HandTracks

__all__ = ["Appearance", "SimulatedFrames", "film", "key_depths"]

_ROWS, _COLUMNS = 104, 904
_BANK = 1 << 20
_GROUP = 25
_GROUPS = 4


def key_depths(notes: Notes, frames: int, shutter: float = 0.0) -> np.ndarray:
    """How far every key is down at the middle of every frame.

    A key starts to sink before its note sounds (the hammer is let go near the bottom): it takes about 40 ms, 25 for
    the loudest and 60 for the softest, and is 70 % down at the onset. From the offset on it needs 60 ms to rise.

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
    for (onset, offset), pitch, velocity in zip(
        notes.intervals, notes.pitches, notes.velocities, strict=True
    ):
        attack = 0.060 - 0.035 * float(velocity) / 127
        start, stop = onset - 0.7 * attack, max(offset, onset + 0.3 * attack)
        first = max(0, int(start * FRAMES_PER_SECOND) - 1)
        last = min(frames, int((stop + 0.06) * FRAMES_PER_SECOND) + 2)
        if first >= last:
            continue
        seconds = (np.arange(first, last)[:, None] + exposures) / FRAMES_PER_SECOND
        fall = np.clip((seconds - start) / attack, 0, 1)
        rise = np.clip(1 - (seconds - stop) / 0.06, 0, 1)
        depth = (np.minimum(fall * fall * (3 - 2 * fall), rise * rise * (3 - 2 * rise))).mean(1)
        column = depths[first:last, int(pitch) - LOWEST_PITCH]
        np.maximum(column, depth, out=column)
    return depths


@cache
def _noise_bank() -> np.ndarray:
    return np.random.default_rng(20_201_206).standard_normal(_BANK + _ROWS * _COLUMNS, np.float32)


@dataclass(frozen=True)
class _Scene:
    """Everything that is the same for all frames of a recording, and what is known of each frame beforehand."""

    up: np.ndarray
    patches: np.ndarray
    columns: np.ndarray
    rows: np.ndarray
    references: np.ndarray
    depths: np.ndarray
    gains: np.ndarray
    shifts: np.ndarray
    noise_at: np.ndarray
    camera: np.ndarray
    homography: np.ndarray
    light: np.ndarray
    look: np.ndarray
    optics: np.ndarray


@dataclass(frozen=True)
class SimulatedFrames:
    """Frames of one recording, rendered on reading; an :class:`audeo_bench.api.Frames`.

    A slice costs its own frames alone, and the same frame has the same pixels whichever slice it is read in. The first
    read looks at the piano (about half a second); after that several hundred frames come a second.
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
            _render(out, start, self.tracks.fingertips, self.tracks.wrists, *self._arguments)
        return out

    def __getstate__(self) -> dict[str, object]:
        """Leave the pictures behind when sent to another process: they are cheaper to draw than to send."""
        return {name: value for name, value in self.__dict__.items() if name != "_arguments"}

    @cached_property
    def _arguments(self) -> tuple[np.ndarray, ...]:
        scene = _build_scene(self.notes, self.appearance, self.seed, self.frames)
        return (*vars(scene).values(), _noise_bank(), COSINES)


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


def _build_scene(notes: Notes, appearance: Appearance, seed: int, frames: int) -> _Scene:
    rng = np.random.default_rng([seed, 25])
    piano = build_piano(appearance)
    up = np.pad(piano.up, ((0, _ROWS - FRAME_HEIGHT), (0, _COLUMNS - FRAME_WIDTH)), mode="edge")
    # Each group of frames begins with a key frame, whose coding errors the idle parts of the picture then keep.
    references = np.empty((_GROUPS, _ROWS, _COLUMNS), np.float32)
    everywhere = np.ones((_ROWS // 8, _COLUMNS // 8), np.uint8)
    for group in range(_GROUPS):
        references[group] = up + appearance.sensor_noise * rng.standard_normal(up.shape, np.float32)
        code(references[group], np.zeros_like(up), everywhere, 0.6 * appearance.quantiser, COSINES)
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
    optics = [
        appearance.shadow_strength,
        np.exp(-0.5 * nearest) / (1 + 2 * np.exp(-0.5 * nearest)),
        appearance.shutter,
        appearance.sensor_noise,
        appearance.quantiser,
    ]
    return _Scene(
        up=up.astype(np.float32),
        patches=piano.patches,
        columns=piano.columns,
        rows=piano.rows,
        references=references,
        depths=key_depths(notes, frames, appearance.shutter),
        gains=gains.astype(np.float32),
        shifts=shifts.astype(np.float32),
        noise_at=rng.integers(0, _BANK, (frames, 2)),
        camera=np.array(appearance.camera),
        homography=plane_to_picture(appearance),
        light=np.array(appearance.light),
        look=np.array(look),
        optics=np.array(optics),
    )


@njit(cache=True)
def _touch(busy, top, bottom, left, right):
    for row in range(max(0, top) // 8, min(_ROWS - 1, bottom) // 8 + 1):
        for column in range(max(0, left) // 8, min(_COLUMNS - 1, right) // 8 + 1):
            busy[row, column] = 1


@njit(cache=True)
def _soften(layer, swap, edge, box):
    """Three-tap blur of ``layer`` inside ``box`` (rows then columns), through the buffer ``swap``."""
    centre = np.float32(1.0 - 2.0 * edge)
    side = np.float32(edge)
    top, bottom, left, right = box[0], box[1], box[2], box[3]
    for row in range(top, bottom):
        for column in range(left, right):
            before, after = max(column - 1, 0), min(column + 1, layer.shape[1] - 1)
            swap[row, column] = centre * layer[row, column] + side * (layer[row, before] + layer[row, after])
    for row in range(top, bottom):
        above, below = max(row - 1, top), min(row + 1, bottom - 1)
        for column in range(left, right):
            layer[row, column] = centre * swap[row, column] + side * (
                swap[above, column] + swap[below, column]
            )


@njit(cache=True)
def _render(
    out, first, tips, wrists, up, patches, columns, rows, references, depths, gains, shifts, noise_at,
    camera, homography, light, look, optics, bank, cosines,
):  # fmt: skip
    picture = np.empty((_ROWS, _COLUMNS), np.float32)
    height = np.zeros((FRAME_HEIGHT, FRAME_WIDTH), np.float32)
    alpha, colour = np.zeros_like(height), np.zeros_like(height)
    cover, hands, swap = np.zeros_like(height), np.zeros_like(height), np.zeros_like(height)
    shadow = np.zeros((FRAME_HEIGHT // 2 + 1, FRAME_WIDTH // 2 + 1), np.float32)
    busy = np.zeros((_ROWS // 8, _COLUMNS // 8), np.uint8)
    parts = np.zeros((CAPSULES, 9))
    box = np.zeros(4, np.int64)
    whole = np.zeros(4, np.int64)
    for index in range(len(out)):
        frame = first + index
        picture[:] = up
        busy[:] = 0
        for key in range(KEYS):
            depth = depths[frame, key]
            if depth > 0.001:
                left = columns[key]
                _touch(busy, rows[key, 0], rows[key, 1], left, left + PATCH_WIDTH)
                for row in range(rows[key, 0], rows[key, 1]):
                    for column in range(PATCH_WIDTH):
                        picture[row, left + column] += depth * patches[key, row, column]
        for hand in range(2):
            before, after = max(frame - 1, 0), min(frame + 1, len(tips) - 1)
            farthest = 0.0
            for finger in range(5):
                for axis in range(2):
                    moved = abs(tips[after, hand, finger, axis] - tips[before, hand, finger, axis]) / 2
                    farthest = max(farthest, moved)
            exposures = 1 if farthest * optics[2] < 1.2 else (2 if farthest * optics[2] < 5.0 else 3)
            whole[0], whole[1], whole[2], whole[3] = FRAME_HEIGHT, 0, FRAME_WIDTH, 0
            for exposure in range(exposures):
                at = optics[2] * ((exposure + 0.5) / exposures - 0.5)
                other = after if at > 0 else before
                share = abs(at)
                tip = tips[frame, hand] * (1.0 - share) + tips[other, hand] * share
                wrist = wrists[frame, hand] * (1.0 - share) + wrists[other, hand] * share
                side = 1.0 if hand == 1 else -1.0
                count = pose(tip, wrist, side, look[4], look[5], parts)
                box[0], box[1], box[2], box[3] = FRAME_HEIGHT, 0, FRAME_WIDTH, 0
                draw(parts, count, camera, homography, light, look, bank, height, alpha, colour, box)
                weight = np.float32(1.0 / exposures)
                for row in range(box[0], box[1]):
                    for column in range(box[2], box[3]):
                        cover[row, column] += weight * alpha[row, column]
                        hands[row, column] += weight * colour[row, column]
                        height[row, column] = 0
                        alpha[row, column] = 0
                        colour[row, column] = 0
                whole[0], whole[1] = min(whole[0], box[0]), max(whole[1], box[1])
                whole[2], whole[3] = min(whole[2], box[2]), max(whole[3], box[3])
            # The last sub-exposure's pose casts the shadow: its edges are too soft to show the others.
            box[:] = whole
            cast(parts, count, camera, homography, light, shadow, whole)
            whole[0], whole[1] = max(0, whole[0] - 2), min(FRAME_HEIGHT, whole[1] + 2)
            whole[2], whole[3] = max(0, whole[2] - 2), min(FRAME_WIDTH, whole[3] + 2)
            if whole[0] >= whole[1] or whole[2] >= whole[3]:
                continue
            box[0], box[1] = max(0, box[0] - 1), min(FRAME_HEIGHT, box[1] + 1)
            box[2], box[3] = max(0, box[2] - 1), min(FRAME_WIDTH, box[3] + 1)
            _soften(cover, swap, optics[1], box)
            _soften(hands, swap, optics[1], box)
            _touch(busy, whole[0], whole[1], whole[2], whole[3])
            for row in range(whole[0], whole[1]):
                cell_row = row // 2
                next_row = min(cell_row + 1, shadow.shape[0] - 1) if row % 2 else max(cell_row - 1, 0)
                for column in range(whole[2], whole[3]):
                    cell = column // 2
                    beside = min(cell + 1, shadow.shape[1] - 1) if column % 2 else max(cell - 1, 0)
                    dark = 0.5625 * shadow[cell_row, cell] + 0.1875 * shadow[cell_row, beside]
                    dark += 0.1875 * shadow[next_row, cell] + 0.0625 * shadow[next_row, beside]
                    lit = picture[row, column] * (1.0 - optics[0] * dark)
                    picture[row, column] = lit * (1.0 - cover[row, column]) + hands[row, column]
                    cover[row, column] = 0
                    hands[row, column] = 0
            shadow[whole[0] // 2 : whole[1] // 2 + 1, whole[2] // 2 : whole[3] // 2 + 1] = 0
        offset = noise_at[frame, 0]
        for row in range(_ROWS):
            for column in range(_COLUMNS):
                picture[row, column] += np.float32(optics[3]) * bank[offset + row * _COLUMNS + column]
        code(picture, references[(frame // _GROUP) % len(references)], busy, optics[4], cosines)
        _expose(
            picture,
            gains[frame],
            shifts[frame],
            bank,
            noise_at[frame, 1],
            np.float32(0.35 * optics[3]),
            out[index],
        )


@njit(cache=True)
def _expose(picture, gain, shift, bank, offset, noise, out):
    """Shift by less than a pixel, scale, add the last noise, round."""
    down, across = int(np.floor(shift[1])), int(np.floor(shift[0]))
    low, near = np.float32(shift[1] - down), np.float32(shift[0] - across)
    one = np.float32(1)
    line = np.empty(FRAME_WIDTH + 4, np.float32)
    for row in range(FRAME_HEIGHT):
        above = min(max(row + down, 0), FRAME_HEIGHT - 1)
        below = min(max(row + down + 1, 0), FRAME_HEIGHT - 1)
        for column in range(FRAME_WIDTH):
            line[column + 2] = gain * ((one - low) * picture[above, column] + low * picture[below, column])
        line[0] = line[1] = line[2]
        line[FRAME_WIDTH + 2] = line[FRAME_WIDTH + 3] = line[FRAME_WIDTH + 1]
        for column in range(FRAME_WIDTH):
            place = column + 2 + across
            level = (one - near) * line[place] + near * line[place + 1]
            level += noise * bank[offset + row * FRAME_WIDTH + column] + np.float32(0.5)
            out[row, column] = np.uint8(min(max(level, np.float32(0)), np.float32(255)))
