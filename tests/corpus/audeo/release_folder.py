"""A data folder in the exact layout of the authors' release, of a few seconds, with its traps.

Book II No. 1 has 128 frames: pieces 253-303, 303-353 and a short 353-381. ``estimate_Roll`` pads the short
one with zeros; ``Roll2Midi_results`` lacks it, since a lone last file is left out. Labels begin earlier, in
the title. Book II No. 2 has 100 frames, from 997 on, so that names as text are in another order.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import logit

FIRST = {1: 253, 2: 997}
FRAMES = {1: 128, 2: 100}


@dataclass(frozen=True)
class Known:
    """What was put into the folder, by frames and keys: (T, 88)."""

    truth: dict[int, np.ndarray]
    probabilities: dict[int, np.ndarray]
    midi: dict[int, np.ndarray]


def called(number: int, book: int = 2) -> str:
    return f"Bach Prelude and Fugue No.{number} B{book}"


def bounds(number: int) -> list[tuple[int, int]]:
    first, stop = FIRST[number], FIRST[number] + FRAMES[number]
    return [(start, min(start + 50, stop)) for start in range(first, stop, 50)]


def write_release(folder: Path, *kinds: str) -> Known:
    """Write the folder, all kinds of data unless some are named."""
    kinds = kinds or ("labels", "midi", "estimate_Roll", "Roll2Midi_results")
    truth, probabilities, midi = {}, {}, {}
    for number in FIRST:
        rng = np.random.default_rng(number)
        played = np.repeat(rng.random((FRAMES[number] // 4, 88)) < 0.05, 4, axis=0)
        likely = np.clip(0.3 * played + 0.7 * rng.random(played.shape) ** 3, 0.02, 0.98)
        likely[:, :15] = likely[:, 66:] = 0  # not modelled
        truth[number], probabilities[number] = played, likely
        midi[number] = (likely >= 0.45).astype(int)
        if number == 1:
            midi[number][100:] = 0
        for kind in kinds:
            _WRITERS[kind](folder, number, played, likely, midi[number])
    return Known(truth, probabilities, midi)


def _labels(folder: Path, number: int, truth: np.ndarray, *_: np.ndarray) -> None:
    first = FIRST[number]
    labels = {first + i: np.where(row, 80.0, 0.0) for i, row in enumerate(truth)}
    labels |= {frame: np.zeros(88) for frame in range(first - 30, first)}
    path = folder / "labels" / "testing" / f"{called(number)}.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(labels, protocol=2 + number))


def _pieces(folder: Path, kind: str, number: int) -> list[tuple[Path, slice]]:
    place = folder / kind / "testing" / called(number)
    place.mkdir(parents=True, exist_ok=True)
    first = FIRST[number]
    return [(place / f"{a}-{b}.npz", slice(a - first, b - first)) for a, b in bounds(number)]


def _midi(folder: Path, number: int, truth: np.ndarray, *_: np.ndarray) -> None:
    for path, frames in _pieces(folder, "midi", number):
        np.savez(path, midi=80.0 * truth[frames])


def _rolls(folder: Path, number: int, _: np.ndarray, likely: np.ndarray, *__: np.ndarray) -> None:
    for path, frames in _pieces(folder, "estimate_Roll", number):
        logits, on = np.zeros((50, 88)), np.zeros((50, 88))
        logits[: len(likely[frames]), 15:66] = logit(likely[frames, 15:66])
        on[: len(likely[frames]), 15:66] = likely[frames, 15:66] >= 0.4
        np.savez(path, logit=logits, roll=on)


def _refined(folder: Path, number: int, _: np.ndarray, __: np.ndarray, midi: np.ndarray) -> None:
    pieces = _pieces(folder, "Roll2Midi_results", number)
    for path, frames in pieces[: 2 * (len(pieces) // 2)]:
        np.savez(path, midi=midi[frames, 15:66])


_WRITERS = {"labels": _labels, "midi": _midi, "estimate_Roll": _rolls, "Roll2Midi_results": _refined}
