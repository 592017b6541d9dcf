"""Where ten fingertips and two wrists are in every frame while a performance is played.

Each finger follows one rule: while it presses it is on its key and goes down with it; before an onset it
comes over the key, after the release it goes back to hovering, and in between it is carried by the hand,
whose place is decided by what its fingers play. All motion is minimum-jerk (Flash & Hogan 1985). The
constants were set beside real pianists: see ``docs/notebook/hands.md``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from audeo_bench.corpus.simulated.fingering import finger, split_hands
from audeo_bench.keyboard import (
    BLACK_HEIGHT,
    BLACK_LENGTH,
    BLACK_WIDTH,
    IS_BLACK,
    KEY_DIP,
    KEY_X,
    WHITE_LENGTH,
    WHITE_WIDTH,
)
from audeo_bench.roll import FRAMES_PER_SECOND, LOWEST_PITCH, Notes

__all__ = ["HandTracks", "finger", "frame_times", "split_hands", "track"]

PIVOT = 220.0
"""mm from the front edge of the white keys to the point about which keys turn."""
BLACK_FRONT = WHITE_LENGTH - BLACK_LENGTH

# Right hand at rest, from the middle finger: thumb .. little finger, mm; the left is its mirror image.
_NATURAL_X = np.array([-49.0, -23.5, 0.0, 23.0, 45.0])
_NATURAL_Y = np.array([14.0, 52.0, 58.0, 50.0, 28.0])
_HOVER = np.array([7.0, 10.0, 10.0, 11.0, 12.0])
_CENTRE_WEIGHT = np.array([0.4, 1.0, 1.0, 1.0, 0.7])
_WRIST_BEHIND = 165.0
_WRIST_HEIGHT = 50.0

_ANTICIPATION = 0.40
"""Seconds a finger takes to come over its next key, if it has them."""
_READY = 0.05
"""Seconds before the onset at which it is there."""
_RELEASE = 0.20
_DOWN, _UP = 0.045, 0.06
"""Seconds a key takes down and up again."""
_BLACK_DEPTH = 22.0
"""mm by which the hand goes further in when it plays black keys."""
_REST, _LONG_REST = 0.8, 3.0
"""Seconds without a note for which a hand may lift off between phrases, and may leave the keyboard."""
_STILL = 14.0
"""mm by which a hand tolerates that its fingers stand off their natural places before it moves."""


@dataclass(frozen=True)
class HandTracks:
    """Both hands in every frame, in the coordinates of ``keyboard.py``.

    Attributes
    ----------
    fingertips : np.ndarray, shape (T, 2, 5, 3), float32
        mm; hand 0 = left, 1 = right; finger 0 = thumb; z = 0 is the surface of an unpressed white key.
    wrists : np.ndarray, shape (T, 2, 3), float32
        mm.
    fingering : np.ndarray, shape (n,), int8
        hand * 5 + finger of every note.
    """

    fingertips: np.ndarray
    wrists: np.ndarray
    fingering: np.ndarray


def frame_times(frames: int) -> np.ndarray:
    """Seconds at which frames are shown: the middle of each frame's 40 ms."""
    return (np.arange(frames) + 0.5) / FRAMES_PER_SECOND


def track(notes: Notes, hands: np.ndarray, frames: int, rng: np.random.Generator) -> HandTracks:
    """Act out a performance.

    Parameters
    ----------
    notes : Notes
    hands : np.ndarray, shape (n,)
        0 left, 1 right, from the performer or from :func:`split_hands`.
    frames : int
        At 25 a second; frame t is shown at (t + 0.5) / 25 s.
    rng : np.random.Generator
        Draws one pianist: hand size, depth, hover heights, habits.

    Returns
    -------
    HandTracks
        In every frame at which a note is down its finger is within the key's width and at the pressed key's
        height, unless the notes ask one hand to hold more than five keys or keys out of its reach (a finger
        then leaves the older key, as a pianist who has caught it with the pedal does).
    """
    fingering = finger(notes, hands)
    times = frame_times(frames)
    pianist = rng.uniform(0.93, 1.07), rng.normal(0, 7)
    sides = [_one_hand(notes, fingering, hand, times, pianist, rng) for hand in (0, 1)]
    _make_room(sides[0], sides[1])
    fingertips = np.stack([_rest_on_surface(side) for side in sides], axis=1)
    wrists = np.stack([side.wrist for side in sides], axis=1)
    return HandTracks(fingertips.astype(np.float32), wrists.astype(np.float32), fingering)


@dataclass
class _Side:
    """One hand being laid out: tips (T, 5, 3), wrist (T, 3), hold (T, 5) = 1 where a finger is bound."""

    tips: np.ndarray
    wrist: np.ndarray
    hold: np.ndarray


def _glide(share: np.ndarray) -> np.ndarray:
    """Minimum-jerk from 0 to 1."""
    share = np.clip(share, 0, 1)
    return share**3 * (10 - 15 * share + 6 * share**2)


def _wander(
    times: np.ndarray, seconds: float, deviation: float, rng: np.random.Generator, width: int = 1
) -> np.ndarray:
    """Smooth noise with the given time scale and standard deviation, shape (T, width)."""
    step = seconds * 0.7
    anchors = rng.normal(0, deviation, (int(len(times) / FRAMES_PER_SECOND / step) + 4, width))
    place = (times - times[:1]) / step + 1 if len(times) else times
    left = np.floor(place).astype(int)
    share = _glide(place - left)[:, None]
    return anchors[left] * (1 - share) + anchors[left + 1] * share


def key_part(key: int, y: float) -> tuple[float, float]:
    """Left and right edge of a key's top at depth ``y``, mm; white keys are narrow between black ones."""
    x = float(KEY_X[key])
    if IS_BLACK[key]:
        return x - BLACK_WIDTH / 2, x + BLACK_WIDTH / 2
    left, right = x - WHITE_WIDTH / 2, x + WHITE_WIDTH / 2
    if y > BLACK_FRONT - 3:
        if key > 0 and IS_BLACK[key - 1]:
            left = float(KEY_X[key - 1]) + BLACK_WIDTH / 2
        if key < 87 and IS_BLACK[key + 1]:
            right = float(KEY_X[key + 1]) - BLACK_WIDTH / 2
    return left, right


def dip(y: np.ndarray) -> np.ndarray:
    """How far the top of a fully pressed key has sunk at depth ``y``, mm."""
    return KEY_DIP * (1 - np.asarray(y) / PIVOT)


@dataclass(frozen=True)
class _Presses:
    """What one finger plays, sorted, one key at a time; times (n,), place (n, 3) on the unpressed key."""

    on: np.ndarray
    off: np.ndarray
    place: np.ndarray


def _one_hand(
    notes: Notes,
    fingering: np.ndarray,
    hand: int,
    times: np.ndarray,
    pianist: tuple[float, float],
    rng: np.random.Generator,
) -> _Side:
    """One hand's fingertips and wrist; of its ``pianist`` the hands' size, and by how many mm they lie
    deeper in the keys than usual.
    """
    size, inward = pianist
    sign = 1.0 if hand else -1.0
    members = np.flatnonzero(fingering // 5 == hand)
    members = members[np.argsort(notes.intervals[members, 0], kind="stable")]
    fingers = fingering[members] % 5
    keys = notes.pitches[members] - LOWEST_PITCH
    on, off = notes.intervals[members, 0], notes.intervals[members, 1]
    natural_x = sign * _NATURAL_X * size
    natural_y = _NATURAL_Y * size + inward

    centre, depth = _hand_path(times, on, fingers, keys, natural_x, sign)
    depth = depth + _wander(times, 3.0, 7.0, rng)[:, 0]
    spread = 1 + _wander(times, 2.0, 0.05, rng)
    carried = np.empty((len(times), 5, 3))
    carried[..., 0] = centre[:, None] + natural_x * spread + _wander(times, 0.5, 2.0, rng, 5)
    carried[..., 1] = natural_y + depth[:, None] + _wander(times, 0.6, 4.0, rng, 5)
    carried[..., 2] = np.maximum(_HOVER * rng.uniform(0.8, 1.3) + _wander(times, 0.6, 4.0, rng, 5), 3.0)

    bound = np.zeros((len(times), 5))
    target = np.zeros((len(times), 5, 3))
    down = np.zeros((len(times), 5))
    for index in range(5):
        mine = fingers == index
        if mine.any():
            at = np.interp(on[mine], times, depth)
            presses = _presses(on[mine], off[mine], keys[mine], natural_y[index] + at, rng)
            bound[:, index], target[:, index], down[:, index] = _follow(times, presses)
            _wait_over_keys(carried[:, index], times, presses)

    away = _absence(times, on, off, rng)
    leave = np.array([sign * rng.uniform(-20, 60), -rng.uniform(60, 110)])
    carried[..., :2] += away[:, None, None] * leave
    # It rises at first, and then comes no higher.
    carried[..., 2] += rng.uniform(25, 55) * np.minimum(1.6 * away, 1.0)[:, None]
    target[..., :2] += _wander(times, 0.3, 0.5, rng, 10).reshape(-1, 5, 2)
    _carry_along(carried, target, bound)
    tips = bound[..., None] * target + (1 - bound[..., None]) * carried
    _keep_apart(tips, bound, sign)
    tips[..., 2] -= down * dip(tips[..., 1])
    wrist = _wrist(tips, times, sign, size, rng)
    return _Side(tips, wrist, bound)


def _hand_path(
    times: np.ndarray,
    on: np.ndarray,
    fingers: np.ndarray,
    keys: np.ndarray,
    natural_x: np.ndarray,
    sign: float,
) -> tuple[np.ndarray, np.ndarray]:
    """x of the hand's middle and its extra depth, shape (T,) each, from what its fingers play."""
    if len(on) == 0:
        return np.full(len(times), KEY_X[44] + sign * 260.0), np.zeros(len(times))
    first = np.flatnonzero(np.concatenate([[True], np.diff(on) > 0.06]))
    weight = _CENTRE_WEIGHT[fingers]
    total = np.add.reduceat(weight, first)
    place = np.add.reduceat(weight * (KEY_X[keys] - natural_x[fingers]), first) / total
    # A hand stays where it is as long as its fingers reach their keys from there.
    for group in range(1, len(place)):
        place[group] = min(max(place[group - 1], place[group] - _STILL), place[group] + _STILL)
    black = IS_BLACK[keys] * np.where(fingers == 0, 1.6, 1.0)
    deep = np.minimum(np.add.reduceat(weight * black, first) / total * 1.5, 1.0)
    start = on[first]
    group = np.clip(np.searchsorted(start, times, side="right") - 1, 0, len(start) - 1)
    after = np.minimum(group + 1, len(start) - 1)
    travel = np.clip(start[after] - start[group] - 0.03, 0.04, 0.45)
    share = _glide((times - (start[after] - 0.03 - travel)) / travel)
    share[times < start[0]] = 0.0
    centre = gaussian_filter1d(place[group] * (1 - share) + place[after] * share, 1.6, mode="nearest")
    depth = gaussian_filter1d(deep[group] * (1 - share) + deep[after] * share, 5.0, mode="nearest")
    return centre, _BLACK_DEPTH * depth


def _presses(
    on: np.ndarray, off: np.ndarray, keys: np.ndarray, depth: np.ndarray, rng: np.random.Generator
) -> _Presses:
    black = IS_BLACK[keys]
    y = depth + rng.normal(-4, 5, len(on))
    y = np.where(black, np.clip(np.maximum(y, 60) + rng.normal(4, 4, len(on)), 60, 130), np.clip(y, 4, 120))
    parts = np.array([key_part(int(k), float(v)) for k, v in zip(keys, y, strict=True)])
    middle, half = parts.mean(axis=1), (parts[:, 1] - parts[:, 0]) / 2
    x = middle + np.clip(rng.normal(0, 0.28, len(on)), -0.65, 0.65) * half
    z = np.where(black, BLACK_HEIGHT, 0.0)
    # A finger that is wanted elsewhere lets its old key go a moment earlier.
    free = np.concatenate([on[1:] - 0.012, [np.inf]])
    off = np.maximum(np.minimum(off, free), on + 0.005)
    return _Presses(on, off, np.stack([x, y, z], axis=1))


def _follow(times: np.ndarray, presses: _Presses) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How strongly a finger is bound to keys (T,), where they are (T, 3), how far down they are (T,) 0..1."""
    count = len(presses.on)
    before = np.searchsorted(presses.on, times, side="right") - 1
    after = before + 1
    off = np.where(before >= 0, presses.off[np.maximum(before, 0)], -np.inf)
    on = np.where(after < count, presses.on[np.minimum(after, count - 1)], np.inf)
    gap = np.maximum(on - off, 1e-3)
    ready = np.minimum(_READY, 0.3 * gap)
    release = np.minimum(_RELEASE, 0.6 * gap)
    approach = np.minimum(_ANTICIPATION, gap - ready)
    leaving = 1 - _glide((times - off) / release)
    coming = _glide((times - (on - ready - approach)) / approach)
    both = leaving + coming
    scale = np.maximum(both, 1.0)
    leaving, coming = leaving / scale, coming / scale
    old, new = presses.place[np.maximum(before, 0)], presses.place[np.minimum(after, count - 1)]
    total = np.maximum(leaving + coming, 1e-9)[:, None]
    target = (leaving[:, None] * old + coming[:, None] * new) / total
    # From key to key the finger lifts, higher for longer hops.
    hop = np.minimum(3 + 0.12 * np.abs(new[:, 0] - old[:, 0]), 15)
    target[:, 2] += 4 * leaving * coming * hop * (before >= 0) * (after < count)
    sinking = np.minimum(_DOWN, 0.4 * gap)
    rising = np.minimum(_UP, 0.4 * gap)
    down = 1 - _glide((times - off) / rising) + _glide((times - (on - sinking)) / sinking)
    return np.minimum(both, 1.0), target, np.clip(down, 0, 1)


def _wait_over_keys(carried: np.ndarray, times: np.ndarray, presses: _Presses) -> None:
    """An idle finger waits over the key that it played or will play, if the hand is near enough; in place."""
    count = len(presses.on)
    before = np.searchsorted(presses.on, times, side="right") - 1
    after = np.minimum(before + 1, count - 1)
    before = np.maximum(before, 0)
    gap = np.maximum(presses.on[after] - presses.off[before], 1e-3)
    share = _glide((times - presses.off[before]) / gap)[:, None]
    wanted = presses.place[before, :2] * (1 - share) + presses.place[after, :2] * share
    missing = wanted - carried[:, :2]
    pull = 1 - _glide((np.abs(missing[:, 0]) - 16) / 20)
    carried[:, 0] += 0.9 * pull * missing[:, 0]
    carried[:, 1] += 0.5 * pull * missing[:, 1]


def _absence(times: np.ndarray, on: np.ndarray, off: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How far the hand has left the keyboard, shape (T,): 0 plays, 1 off the near edge, more in the lap.

    Between phrases it may lift off for a moment, in long rests it mostly leaves.
    """
    away = np.zeros(len(times))
    if len(on) == 0:
        return away + 2.5
    last = np.maximum.accumulate(off)
    starts = np.concatenate([[-np.inf], last])
    stops = np.concatenate([on, [np.inf]])
    for start, stop in zip(starts, stops, strict=True):
        rest = stop - start
        if rest < _REST or rng.random() < (0.4 if rest < _LONG_REST else 0.25):
            continue
        short = min(1.0, rest / _LONG_REST)
        near, far = (0.15, 0.5) if short < 1 else ((0.25, 0.8) if rest < 6 else (0.6, 2.5))
        leave_at = start + rng.uniform(0.2, 0.7) * short
        back_at, move = stop - rng.uniform(0.25, 0.45), rng.uniform(0.45, 0.7) * max(short, 0.4)
        gone = _glide((times - leave_at) / move) * (1 - _glide((times - (back_at - move)) / move))
        away = np.maximum(away, rng.uniform(near, far) * gone)
    return away


def _carry_along(carried: np.ndarray, target: np.ndarray, bound: np.ndarray) -> None:
    """Idle fingers are pulled by the neighbours that press; in place."""
    pull = (target - carried) * bound[..., None]
    steps = np.abs(np.arange(5)[:, None] - np.arange(5)[None, :])
    kernel = np.exp(-steps / 0.9) * (steps > 0)
    kernel[:, 0] *= 0.3  # the thumb pulls little
    kernel[0] *= 0.5  # and is pulled little
    weight = bound @ kernel.T
    carried[..., :2] += np.einsum("fg,tgc->tfc", kernel, pull[..., :2]) / (weight + 0.35)[..., None]


def _keep_apart(tips: np.ndarray, bound: np.ndarray, sign: float) -> None:
    """Idle fingers 2..5 stay beside their neighbours, not through them; in place."""
    x = sign * tips[..., 0]
    idle = 1 - bound
    least = 13.0
    for low in (1, 2, 3):
        x[:, low + 1] += np.maximum(x[:, low] + least - x[:, low + 1], 0) * idle[:, low + 1]
    for high in (4, 3, 2):
        x[:, high - 1] -= np.maximum(x[:, high - 1] + least - x[:, high], 0) * idle[:, high - 1]
    x[:, 0] -= np.maximum(x[:, 0] + 10 - x[:, 1], 0) * idle[:, 0]
    tips[..., 0] = sign * x


def _wrist(
    tips: np.ndarray, times: np.ndarray, sign: float, size: float, rng: np.random.Generator
) -> np.ndarray:
    """The wrist follows the fingers with a lag, and leans towards the player's middle on outer keys."""
    middle = tips[:, 1:, :].mean(axis=1)
    smooth = gaussian_filter1d(middle, 4.0, axis=0, mode="nearest")
    smooth = (
        np.concatenate([smooth[:1].repeat(2, axis=0), smooth[:-2]])[: len(times)] if len(times) else smooth
    )
    wrist = np.empty((len(times), 3))
    lean = 0.10 * (smooth[:, 0] - (KEY_X[43] + sign * 180))
    wrist[:, 0] = smooth[:, 0] - sign * 8 - lean + _wander(times, 1.5, 3.0, rng)[:, 0]
    wrist[:, 1] = smooth[:, 1] - _WRIST_BEHIND * size + _wander(times, 1.5, 4.0, rng)[:, 0]
    wrist[:, 2] = _WRIST_HEIGHT + 0.5 * smooth[:, 2] + _wander(times, 1.0, 5.0, rng)[:, 0]
    return wrist


def _make_room(left: _Side, right: _Side) -> None:
    """Where the hands would meet, idle fingers give way and the right hand goes over the left; in place."""
    meet = left.tips[..., 0].max(axis=1) - right.tips[..., 0].min(axis=1) + 20
    meet = gaussian_filter1d(np.maximum(meet, 0), 2.0, mode="nearest") if len(meet) else meet
    give = np.minimum(meet, 80)[:, None] / 2
    near = np.array([1.0, 0.9, 0.8, 0.7, 0.6])
    left.tips[..., 0] -= give * near * (1 - left.hold)
    right.tips[..., 0] += give * near * (1 - right.hold)
    right.tips[..., 2] += np.minimum(0.3 * meet, 14)[:, None] * (1 - right.hold)
    right.wrist[:, 2] += np.minimum(0.4 * meet, 20)


def _rest_on_surface(side: _Side) -> np.ndarray:
    """Idle fingertips never sink into keys: they pass over black ones, at least 3 mm above the rest."""
    tips = side.tips
    x, y = tips[..., 0], tips[..., 1]
    blacks = np.flatnonzero(IS_BLACK)
    nearest = np.abs(x[..., None] - KEY_X[blacks]).min(axis=-1)
    over_black = _glide((13 - nearest) / 8) * _glide((y - BLACK_FRONT + 8) / 8)
    floor = 3 + BLACK_HEIGHT * over_black
    lift = np.maximum(floor - tips[..., 2], 0) * (1 - side.hold)
    tips[..., 2] += lift
    return tips
