"""Short clips of a performance, each moved to another place of the keyboard; some show a part of it only."""

from __future__ import annotations

import numpy as np

from audeo_bench.corpus.simulated.performer import Performance
from audeo_bench.keyboard import KEY_X, KEYBOARD_WIDTH, WHITE_WIDTH
from audeo_bench.roll import KEYS, LOWEST_PITCH, Notes

__all__ = ["CLIP_SECONDS", "move", "short_clip"]

CLIP_SECONDS = 12.0
PARTIAL = 0.05
"""Share of the clips whose film cuts off an end of the keyboard."""
_HIGHEST_PITCH = LOWEST_PITCH + KEYS - 1


def short_clip(
    played: Performance, share: float, rng: np.random.Generator
) -> tuple[Performance, tuple[float, float] | None]:
    """A clip of a performance.

    Parameters
    ----------
    played : Performance
    share : float
        0 takes the first 12 seconds, 1 the last ones.
    rng : np.random.Generator
        Draws where it is played, and what of the keyboard the film shows.

    Returns
    -------
    clip : Performance
        Notes that are down during the clip, moved along the keyboard; those on keys outside of the film are
        left out. Pedal within the clip. A shorter performance stays whole.
    seen : tuple of 2 floats or None
        Left and right end in mm of what is seen of the keyboard; None is all.
    """
    seconds = min(CLIP_SECONDS, played.seconds)
    start = share * (played.seconds - seconds)
    notes, hands, pedal = played.notes, played.hands, played.pedal - start
    intervals = np.clip(notes.intervals - start, 0, seconds)
    there = intervals[:, 1] > intervals[:, 0]
    notes = Notes(intervals[there], notes.pitches[there], notes.velocities[there])
    notes = Notes(notes.intervals, move(notes, hands[there], rng), notes.velocities)
    order = np.lexsort((notes.pitches, notes.intervals[:, 0]))
    hands = hands[there]
    seen = None
    if rng.random() < PARTIAL:
        ends = np.array([0, 52 * WHITE_WIDTH]) + rng.uniform(3, 18, 2) * WHITE_WIDTH * [1, -1]
        whole = rng.integers(3)
        seen = (
            -KEYBOARD_WIDTH if whole == 0 else float(ends[0]),
            2 * KEYBOARD_WIDTH if whole == 1 else float(ends[1]),
        )
        x = KEY_X[notes.pitches - LOWEST_PITCH]
        inside = (x > seen[0] + WHITE_WIDTH / 2) & (x < seen[1] - WHITE_WIDTH / 2)
        order = order[inside[order]]
    notes = Notes(notes.intervals[order], notes.pitches[order], notes.velocities[order])
    pedal = np.clip(pedal, 0, seconds).reshape(-1, 2)
    pedal = pedal[pedal[:, 1] > pedal[:, 0]]
    return Performance(notes, hands[order], pedal, seconds), seen


def move(notes: Notes, hands: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pitches moved together to anywhere on the keyboard; in half of the draws the hands then go apart by
    octaves, as far as it reaches and no key is wanted twice, so that its ends are played too.
    """
    pitches = notes.pitches
    if not len(notes):
        return pitches
    low, high = LOWEST_PITCH - pitches.min(), _HIGHEST_PITCH - pitches.max()
    # The outermost keys sound only where a clip stands at the very end, so it often does.
    room = (high - low) // 6
    pitches = pitches + int(np.clip(rng.integers(low - room, high + room + 1), low, high))
    left, right = pitches[hands == 0], pitches[hands == 1]
    down = 12 * rng.integers(0, min(2, (left.min(initial=_HIGHEST_PITCH) - LOWEST_PITCH) // 12) + 1)
    up = 12 * rng.integers(0, min(2, (_HIGHEST_PITCH - right.max(initial=LOWEST_PITCH)) // 12) + 1)
    apart = pitches + np.where(hands == 0, -down, up)
    order = np.lexsort((notes.intervals[:, 0], apart))
    begins, ends = notes.intervals[order].T
    twice = (np.diff(apart[order]) == 0) & (ends[:-1] > begins[1:])
    return pitches if twice.any() or rng.random() < 0.5 else apart
