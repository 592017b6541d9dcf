"""When the labels begin in a film, and whether both clocks agree: key motion in the pictures against onsets.

A key that goes down changes the brightness of its own place more than that of its neighbours. These changes,
key by key and frame by frame, are correlated with the onsets of the labels at every lag; the two halves of a
film, aligned each for itself, tell how far the clocks drift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from audeo_bench.api import (
    FRAME_HEIGHT,
    FRAME_WIDTH,
    FRAMES_PER_SECOND,
    KEYS,
    LOWEST_PITCH,
    Frames,
    Notes,
    windows,
)
from audeo_bench.keyboard import BEFORE, BEHIND, IS_BLACK, KEY_X, KEYBOARD_WIDTH, WHITE_LENGTH

__all__ = ["CERTAIN", "Alignment", "align", "key_levels"]

LONGEST_LAG_S = 120.0
"""How far from the film's beginning the labels may begin, either way."""
PITCH_SHIFTS = (-24, -12, 0, 12, 24)
"""Semitones by which labels may be too low or too high: whole octaves, as instruments are transposed."""
CERTAIN = 0.45
"""The confidence from which on a measured start is more than a guess: of 70 real films with measured starts,
those above were right within 0.15 s, and the labels of other films stayed below.
"""
LEAST_AGREEMENT = 0.25
"""What :func:`_agreement` is at least on real films with their own labels: of 63, 0.25 to 0.89, the labels of
other films 0.08 to 0.36.
"""
_SMOOTH = 3
_DRIFT_SEARCH_S = 2.0
_LEAST_NOTES = 8
_NEIGHBOURS = 4


@dataclass(frozen=True)
class Alignment:
    """Where labels lie in a film: film time = ``start_s + rate * label time``.

    Attributes
    ----------
    start_s : float
        Seconds after the film's first picture.
    rate : float
        Seconds of film for a second of the labels; 1 where the film is too short to tell.
    pitch_add : int
        Semitones that the labels are too low.
    confidence : float
        0..1: how far the best place stands out from any other, and whether keys move there at all; see
        :data:`CERTAIN`.
    halves_s : tuple of 2 floats
        The start by each half of the notes alone.
    """

    start_s: float
    rate: float
    pitch_add: int
    confidence: float
    halves_s: tuple[float, float]


def key_levels(frames: Frames) -> np.ndarray:
    """The mean brightness of each key's own place in each frame: (88, T), float32.

    A white key's place is its front, which no black key hides; a black key's is its top.
    """
    columns = KEY_X / KEYBOARD_WIDTH * FRAME_WIDTH
    row = FRAME_HEIGHT / (WHITE_LENGTH + BEHIND + BEFORE)
    masks = np.zeros((KEYS, FRAME_HEIGHT, FRAME_WIDTH), np.float32)
    for key in range(KEYS):
        # Millimetres from the front edge, and half the width in pixels.
        near, far, half = (60, 130, 2) if IS_BLACK[key] else (8, 45, 5)
        top, bottom = round((WHITE_LENGTH + BEHIND - far) * row), round((WHITE_LENGTH + BEHIND - near) * row)
        left = max(0, round(columns[key] - half))
        masks[key, top:bottom, left : round(columns[key] + half) + 1] = 1
    weights = (masks / masks.sum((1, 2), keepdims=True)).reshape(KEYS, -1)
    # Most pixels belong to no key: only those that do are read.
    used = np.flatnonzero(weights.any(0))
    weights = np.ascontiguousarray(weights[:, used].T)
    levels = [
        window.reshape(len(window), -1)[:, used].astype(np.float32) @ weights
        for _, window in windows(frames, 512)
    ]
    return np.concatenate(levels).T if levels else np.zeros((KEYS, 0), np.float32)


def align(levels: np.ndarray, notes: Notes) -> Alignment | None:
    """Find the labels' place in a film.

    Parameters
    ----------
    levels : np.ndarray, shape (88, T)
        Of :func:`key_levels`.
    notes : Notes
        The labels.

    Returns
    -------
    Alignment or None
        None where there are fewer than eight notes to go by.
    """
    if len(notes) < _LEAST_NOTES or levels.shape[1] < FRAMES_PER_SECOND:
        return None
    evidence = _evidence(levels)
    found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for shift in PITCH_SHIFTS:
        keys = notes.pitches - LOWEST_PITCH + shift
        inside = (keys >= 0) & (keys < KEYS)
        if inside.mean() >= 0.9:
            found[shift] = _correlation(evidence, keys[inside], notes.intervals[inside])
    if not found:
        return None
    # One scale for all shifts: of keys that nobody plays, two coincidences would stand out of their noise.
    scale = np.max([parts.std(1) for _, parts in found.values()], axis=0)
    scores = {shift: (parts / np.maximum(scale, 1e-9)[:, None]).sum(0) for shift, (_, parts) in found.items()}
    shift = max(scores, key=lambda one: scores[one].max())
    lags, own = found[shift][0], scores[shift]
    best = int(own.argmax())
    start = _refined(lags, own, best)
    rivals = [own[np.abs(lags - lags[best]) > 0.3].max(initial=0.0)]
    rivals += [other.max() for name, other in scores.items() if name != shift]
    confidence = float(np.clip(2 * (1 - max(rivals) / max(own[best], 1e-9)), 0, 1))
    confidence *= min(1.0, _agreement(evidence[0], notes, shift, start) / LEAST_AGREEMENT)
    rate, halves = _drift(evidence, notes, shift, start)
    if rate != 1.0:
        middle = float(np.median(notes.intervals[:, 0]))
        start += (1 - rate) * middle
    return Alignment(start, rate, shift, confidence, halves)


def _evidence(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What speaks for a key's being struck and for its being down, frame by frame: (88, T) both, mean 0."""
    change = np.zeros_like(levels, np.float32)
    change[:, 2:-2] = np.abs(levels[:, 4:] - levels[:, :-4])
    away = np.abs(levels - np.median(levels, axis=1, keepdims=True))
    return _own(change), _own(away)


def _own(values: np.ndarray) -> np.ndarray:
    """What exceeds a key's neighbourhood, since a hand that passes changes all of it; at most 1, mean 0."""
    around = uniform_filter1d(values, 2 * _NEIGHBOURS + 1, axis=0, mode="nearest")
    own = np.maximum(values - around, 0)
    typical = np.percentile(own, 95, axis=1, keepdims=True)
    own = np.minimum(own / np.maximum(typical, 2.0), 1)
    # What all keys do at once, a change of light, is no key's own; nor is what one key always does.
    own = own - own.mean(axis=0, keepdims=True)
    return own - own.mean(axis=1, keepdims=True)


def _correlation(
    evidence: tuple[np.ndarray, np.ndarray],
    keys: np.ndarray,
    intervals: np.ndarray,
    near_s: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Starts in seconds, and how far strikes and held keys agree with the labels at each: (n,), (2, n)."""
    frames = np.rint(intervals * FRAMES_PER_SECOND).astype(np.int64)
    frames -= (first := int(frames.min()))
    length, film = int(frames.max()) + 1, evidence[0].shape[1]
    struck, down = np.zeros((2, KEYS, length + 1), np.float32)
    np.add.at(struck, (keys, frames[:, 0]), 1)
    np.add.at(down, (keys, frames[:, 0]), 1)
    np.add.at(down, (keys, np.maximum(frames[:, 1], frames[:, 0] + 1)), -1)
    down = (np.cumsum(down, axis=1) > 0).astype(np.float32)
    size = 1 << int(np.ceil(np.log2(film + length + 1)))
    lags = np.arange(size)
    lags[lags > size // 2] -= size
    order = np.argsort(lags)
    parts = []
    for seen, said in zip(evidence, (struck, down), strict=True):
        product = (np.fft.rfft(seen, size) * np.conj(np.fft.rfft(said, size))).sum(0)
        parts.append(uniform_filter1d(np.fft.irfft(product, size)[order], _SMOOTH))
    lags = lags[order]
    starts = (lags - first) / FRAMES_PER_SECOND
    # At least half of the notes lie in the film.
    allowed = (np.abs(starts) <= LONGEST_LAG_S) & (lags < film - length / 2) & (lags > -length / 2)
    if near_s is not None:
        allowed &= np.abs(starts - near_s) <= _DRIFT_SEARCH_S
    return (
        (starts[allowed], np.array(parts)[:, allowed]) if allowed.any() else (np.zeros(1), np.zeros((2, 1)))
    )


def _agreement(struck: np.ndarray, notes: Notes, shift: int, start: float) -> float:
    """How much the keys move, 0..1, where the labels say that they are struck, two frames more or less."""
    keys = notes.pitches - LOWEST_PITCH + shift
    frames = np.rint((start + notes.intervals[:, 0]) * FRAMES_PER_SECOND).astype(np.int64)
    there = (keys >= 0) & (keys < KEYS) & (frames >= 2) & (frames < struck.shape[1] - 2)
    if not there.any():
        return 0.0
    near = np.max([struck[keys[there], frames[there] + step] for step in (-2, -1, 0, 1, 2)], axis=0)
    return max(0.0, float(near.mean()))


def _refined(lags: np.ndarray, scores: np.ndarray, best: int) -> float:
    """The lag of a peak between frames, by a parabola through its neighbours."""
    if not 0 < best < len(scores) - 1:
        return float(lags[best])
    left, middle, right = scores[best - 1 : best + 2]
    bend = left - 2 * middle + right
    shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
    return float(lags[best] + np.clip(shift, -0.5, 0.5) / FRAMES_PER_SECOND)


def _drift(
    evidence: tuple[np.ndarray, np.ndarray], notes: Notes, shift: int, start: float
) -> tuple[float, tuple[float, float]]:
    """The rate of the two clocks, from the starts that the two halves of the notes ask for."""
    onsets, keys = notes.intervals[:, 0], notes.pitches - LOWEST_PITCH + shift
    inside = (keys >= 0) & (keys < KEYS) & (start + onsets >= 0)
    inside &= start + onsets < evidence[0].shape[1] / FRAMES_PER_SECOND
    halves, centres = [], []
    split = np.median(onsets[inside]) if inside.any() else 0.0
    for part in (inside & (onsets <= split), inside & (onsets > split)):
        if part.sum() < _LEAST_NOTES:
            return 1.0, (start, start)
        lags, parts = _correlation(evidence, keys[part], notes.intervals[part], start)
        scores = (parts / np.maximum(parts.std(1, keepdims=True), 1e-9)).sum(0)
        halves.append(_refined(lags, scores, int(scores.argmax())))
        centres.append(float(onsets[part].mean()))
    apart = centres[1] - centres[0]
    # A frame of 40 ms is as much as the halves of a short film differ by anyway.
    drift = halves[1] - halves[0]
    rate = 1 + drift / apart if apart > 60 and abs(drift) > 0.06 else 1.0
    return rate, (halves[0], halves[1])
