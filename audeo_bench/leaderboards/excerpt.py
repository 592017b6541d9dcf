"""Twenty seconds of a roll as text, so that a committed row carries a picture that reviews as a diff."""

from __future__ import annotations

import re
from functools import cache

import numpy as np

from audeo_bench.api import AudeoBenchError
from audeo_bench.keyboard.names import key_name
from audeo_bench.records import Excerpt
from audeo_bench.roll import FRAMES_PER_SECOND, KEYS

EXCERPT_FRAMES = 20 * FRAMES_PER_SECOND


@cache
def _keys() -> dict[str, int]:
    return {key_name(key): key for key in range(KEYS)}


def cut_excerpt(answer: np.ndarray, truth: np.ndarray, threshold: float) -> Excerpt:
    """The 20-second block (on the grid of the block sums) with the most notes in the truth, the first of
    equals.

    Chosen by the truth alone, so every contestant shows the same music and none shows its best side.

    Parameters
    ----------
    answer : np.ndarray, shape (88, T), float
        Probabilities.
    truth : np.ndarray, shape (88, T), bool
    threshold : float
        A key is on where its probability is at least this.
    """
    length = truth.shape[1]
    starts = range(0, max(1, length - EXCERPT_FRAMES + 1), EXCERPT_FRAMES)
    onsets = np.diff(truth.astype(np.int8), axis=1, prepend=0) == 1
    start = max(starts, key=lambda first: (onsets[:, first : first + EXCERPT_FRAMES].sum(), -first))
    window = slice(start, min(length, start + EXCERPT_FRAMES))
    return Excerpt(
        start=start,
        frames=window.stop - window.start,
        threshold=threshold,
        answer=to_runs(np.asarray(answer)[:, window] >= threshold),
        truth=to_runs(truth[:, window]),
    )


def to_runs(roll: np.ndarray) -> dict[str, str]:
    """``{"C4": "0+12 40+3"}``: first frame and length of every unbroken run, for the pitches that sound at
    all.
    """
    steps = np.diff(np.asarray(roll, np.int8), axis=1, prepend=0, append=0)
    keys, firsts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    runs: dict[str, list[str]] = {}
    for key, first, end in zip(keys, firsts, ends, strict=True):
        runs.setdefault(key_name(int(key)), []).append(f"{first}+{end - first}")
    return {name: " ".join(parts) for name, parts in runs.items()}


def from_runs(runs: dict[str, str], frames: int) -> np.ndarray:
    """The inverse of :func:`to_runs`: bool, shape (88, frames).

    Raises
    ------
    AudeoBenchError
        A pitch that no piano has, or runs that are malformed, out of order or beyond the end.
    """
    roll = np.zeros((KEYS, frames), bool)
    for name, text in runs.items():
        if name not in _keys():
            raise AudeoBenchError(
                f"excerpt: {name!r} is no key of a piano; pitches run from A0 to C8 with sharps."
            )
        previous = -1
        for run in text.split(" "):
            found = re.fullmatch(r"(\d+)\+([1-9]\d*)", run)
            first, end = (int(found[1]), int(found[1]) + int(found[2])) if found else (0, 0)
            if not previous < first < end <= frames:
                raise AudeoBenchError(
                    f"excerpt: {name} {run!r}: not a run first+length after frame {previous} of {frames}."
                )
            roll[_keys()[name], first:end] = True
            previous = end
    return roll
