"""Rolls as wrong as a network's: correlated errors at a wanted frame precision and recall.

Networks do not flip frames one by one. They miss whole notes or come late, hold a note too long, and see a
neighbour's or an octave's key pressed for a while. Tests and catalogue checks use this model in place of
trained weights.
"""

from __future__ import annotations

import numpy as np

from audeo_bench.roll import FRAMES_PER_SECOND, KEYS

_GHOST_INTERVALS = (-12, -2, -1, 1, 2, 12)


def degrade(roll: np.ndarray, precision: float, recall: float, rng: np.random.Generator) -> np.ndarray:
    """Spoil a roll.

    Half of the missing frames are whole notes, half are late onsets and early releases; half of the added
    frames are notes held too long, half are ghosts beside, or an octave from, a true note.

    Parameters
    ----------
    roll : np.ndarray, shape (88, T), bool
    precision, recall : float
        Over all frames together (micro), in (0, 1]; met within a note's length.
    rng : np.random.Generator

    Returns
    -------
    np.ndarray, shape (88, T), bool
    """
    runs = _runs(roll)
    total = int(roll.sum())
    spoiled = roll.copy()
    if total == 0:
        return spoiled
    missing = round((1 - recall) * total)
    order = rng.permutation(len(runs))
    dropped = 0
    for place in order:
        if dropped >= missing / 2:
            break
        key, start, stop = runs[place]
        spoiled[key, start:stop] = False
        dropped = total - int(spoiled.sum())
    while total - int(spoiled.sum()) < missing:
        key, start, stop = _shrunk(spoiled, runs[rng.integers(len(runs))])
        cut = min(stop - start, 1 + int(rng.exponential(2)))
        late = rng.random() < 0.5
        spoiled[key, start : start + cut] &= not late
        spoiled[key, stop - cut : stop] &= late
    added = round(int(spoiled.sum()) * (1 - precision) / precision)
    extended = 0
    tries = 50 * len(runs)
    while extended < added and (tries := tries - 1) > 0:
        key, start, stop = runs[rng.integers(len(runs))]
        if extended < added / 2:
            start, stop = stop, stop + 1 + int(rng.exponential(0.3 * FRAMES_PER_SECOND))
        else:
            key += int(rng.choice(_GHOST_INTERVALS))
            start = max(0, start + int(rng.integers(-3, 4)))
            stop = start + 2 + int(rng.exponential(0.2 * FRAMES_PER_SECOND))
        if 0 <= key < KEYS:
            ghost = ~roll[key, start:stop] & ~spoiled[key, start:stop]
            spoiled[key, start:stop] |= ghost
            extended += int(ghost.sum())
    return spoiled


def _runs(roll: np.ndarray) -> list[tuple[int, int, int]]:
    """(key, first frame, frame after the last) of every note."""
    edges = np.diff(np.pad(roll.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    keys, starts = np.nonzero(edges == 1)
    _, stops = np.nonzero(edges == -1)
    return list(zip(keys.tolist(), starts.tolist(), stops.tolist(), strict=True))


def _shrunk(roll: np.ndarray, run: tuple[int, int, int]) -> tuple[int, int, int]:
    """The run without the ends that are already gone; empty where nothing is left."""
    key, start, stop = run
    left = np.flatnonzero(roll[key, start:stop])
    return (key, start + int(left[0]), start + int(left[-1]) + 1) if len(left) else (key, start, start)
