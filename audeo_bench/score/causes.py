"""Why a roll is wrong: kinds of false positives, and what is missed by polyphony and by key register.

Every false positive (a key wrongly on in a frame) is counted under the first of these that holds:

``pressed``
    The key is held down though it no longer sounds: the eye is right and the ear's truth disagrees, as in
    Fig. 6 of the paper. Where nobody knows which keys are held, the count is None and these fall under the
    kinds below.
``edge``
    The key truly sounds within 2 frames (80 ms): a note begun early or ended late.
``octave``
    The key an octave above or below sounds in that frame.
``neighbour``
    A key one or two semitones away sounds in that frame: the key beside it, white or black.
``other``
    The rest.
"""

from __future__ import annotations

from typing import get_args

import numpy as np

from audeo_bench.api import AudeoBenchError
from audeo_bench.records import POLYPHONIES, REGISTERS, Cause, CauseCounts, CellCounts
from audeo_bench.roll import KEYS, LOWEST_PITCH

CAUSES: tuple[Cause, ...] = get_args(Cause)
EDGE_FRAMES = 2

_REGISTER_OF_KEY = (np.arange(KEYS) + LOWEST_PITCH) // 12 - 1


def cause_counts(truth: np.ndarray, predicted: np.ndarray, pressed: np.ndarray | None = None) -> CauseCounts:
    """Sort the errors of a thresholded roll by cause, on all 88 keys.

    Parameters
    ----------
    truth : np.ndarray, shape (88, T), bool
        Which keys sound.
    predicted : np.ndarray, shape (88, T), bool
    pressed : np.ndarray or None, shape (88, T), bool
        Which keys are held down.

    Raises
    ------
    AudeoBenchError
        Rolls of unequal shapes.
    """
    for name, roll in (("predicted", predicted), ("pressed", pressed)):
        if roll is not None and roll.shape != truth.shape:
            raise AudeoBenchError(f"causes: found {name} of shape {roll.shape} for truth of {truth.shape}.")
    wrong = predicted & ~truth
    masks: dict[Cause, np.ndarray] = {
        "pressed": np.zeros_like(truth) if pressed is None else pressed,
        "edge": _beside(truth, range(1, EDGE_FRAMES + 1), axis=1),
        "octave": _beside(truth, (12,), axis=0),
        "neighbour": _beside(truth, (1, 2), axis=0),
        "other": np.ones_like(truth),
    }
    kinds: dict[Cause, int | None] = {}
    unexplained = wrong
    for cause, mask in masks.items():
        kinds[cause] = int(np.count_nonzero(unexplained & mask))
        unexplained = unexplained & ~mask
    if pressed is None:
        kinds["pressed"] = None
    cells = (predicted & truth, wrong, truth & ~predicted)
    polyphony = np.minimum(truth.sum(0), len(POLYPHONIES) - 1)
    groups = np.bincount(polyphony, minlength=len(POLYPHONIES))
    lengths = np.full(len(REGISTERS), truth.shape[1])
    return CauseCounts(
        false_positives=kinds,
        by_polyphony=_cells(groups, [np.bincount(polyphony, c.sum(0), len(POLYPHONIES)) for c in cells]),
        by_register=_cells(lengths, [np.bincount(_REGISTER_OF_KEY, c.sum(1), len(REGISTERS)) for c in cells]),
    )


def _cells(frames: np.ndarray, cells: list[np.ndarray]) -> CellCounts:
    tp, fp, fn = (each.astype(np.int64).tolist() for each in cells)
    return CellCounts(frames=frames.tolist(), tp=tp, fp=fp, fn=fn)


def _beside(roll: np.ndarray, steps: range | tuple[int, ...], axis: int) -> np.ndarray:
    """Where a cell ``step`` away along the axis, on either side, is on."""
    near = np.zeros_like(roll)
    source, target = np.moveaxis(roll, axis, 0), np.moveaxis(near, axis, 0)
    for step in steps:
        target[step:] |= source[:-step]
        target[:-step] |= source[step:]
    return near
