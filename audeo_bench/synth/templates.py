"""Spectral templates: what each key sounds like at each age of its note, found by least squares.

The spectrogram of many notes is taken for the sum of their templates' amplitudes. An age lies between two of
the moments below, and its template between theirs; after its end a note passes through the moments of its
release. So a roll becomes a matrix of weights, and the templates are the solution of one linear system.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from scipy.linalg import cho_factor, cho_solve

from audeo_bench.api import FRAMES_PER_SECOND, KEYS, SAMPLE_RATE
from audeo_bench.roll import LOWEST_PITCH, roll_to_notes
from audeo_bench.synth.griffin_lim import HOP, stft

__all__ = ["MOMENTS", "TEMPLATE_BINS", "fit_templates", "template_weights"]

TEMPLATE_BINS = 576
"""The bins below 4.5 kHz, where all fundamentals lie."""
AGES = np.array([-4, -1, 1, 4, 16, 70])
"""Moments of a sounding note, in frames of 16 ms from its beginning, which the window sees 4 frames ahead."""
RELEASE = np.array([0, 4, 12, 30])
"""Moments of a released one, in frames from its end; at the last it is silent, and has no template."""
MOMENTS = len(AGES) + len(RELEASE) - 1
_RIDGE = 3.0
"""Added to the squared norm of every weight: a key that is hardly heard stays quiet."""


def template_weights(roll: np.ndarray, start: int, frames: int) -> np.ndarray:
    """How much of each template sounds in each spectrogram frame.

    Parameters
    ----------
    roll : np.ndarray, shape (88, T), bool
    start, frames : int
        The first spectrogram frame, and how many; those outside of the roll are silent.

    Returns
    -------
    np.ndarray, shape (88, 9, frames), float32
        0..1; the second axis are the moments of a note's life.
    """
    weights = np.zeros((KEYS, MOMENTS, frames), np.float32)
    # What began before is as old as a note gets.
    frame = HOP * FRAMES_PER_SECOND / SAMPLE_RATE
    low = max(0, int((start - AGES[-1]) * frame) - 1)
    high = max(low, int((start + frames - AGES[0]) * frame) + 2)
    notes = roll_to_notes(roll[:, low:high])
    # Ages count from the beginning of the frame in which a key turns on.
    moments = np.round((np.floor(notes.intervals * FRAMES_PER_SECOND) + low) / frame, 6) - start
    for key, (onset, offset) in zip(notes.pitches - LOWEST_PITCH, moments, strict=True):
        first, last = max(0, int(np.ceil(onset + AGES[0]))), min(frames, int(offset + RELEASE[-1]) + 1)
        if last <= first:
            continue
        place = np.arange(first, last)
        held = place < offset
        shares = np.concatenate(
            [_shares(place - onset, AGES, held), _shares(place - offset, RELEASE, ~held)[:-1]]
        )
        np.maximum(weights[key, :, first:last], shares, out=weights[key, :, first:last])
    return weights


def _shares(age: np.ndarray, moments: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Weights between neighbouring moments: (moments, n); all of it at the last one beyond it."""
    shares = [np.interp(age, moments, row) * counts for row in np.eye(len(moments))]
    return np.asarray(shares, np.float32)


def fit_templates(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Templates that make the recordings' spectrograms out of their rolls, by least squares.

    Parameters
    ----------
    pairs : iterable of (roll, samples)
        (88, T) bool, and the sound, 16 kHz mono.

    Returns
    -------
    np.ndarray, shape (88, 9, 576), float32
        Amplitudes, 0 or more. A key that no recording plays sounds as the nearest one that is played,
        moved along the frequencies.
    """
    size = KEYS * MOMENTS
    products, targets = np.zeros((size, size), np.float32), np.zeros((size, TEMPLATE_BINS), np.float32)
    played = np.zeros(KEYS, bool)
    for roll, samples in pairs:
        frames = min(1 + len(samples) // HOP, 1 + roll.shape[1] * SAMPLE_RATE // FRAMES_PER_SECOND // HOP)
        played |= roll.any(axis=1)
        spectrum = stft(samples).abs()[:TEMPLATE_BINS, :frames]
        weights = torch.from_numpy(template_weights(roll, 0, frames).reshape(size, frames))
        products += (weights @ weights.T).numpy()
        targets += (weights @ spectrum.T).numpy()
    products[np.diag_indices(size)] += _RIDGE
    solved = cho_solve(cho_factor(products.astype(np.float64)), targets)
    templates = np.maximum(solved, 0).reshape(KEYS, MOMENTS, TEMPLATE_BINS).astype(np.float32)
    return _filled(templates, played)


def _filled(templates: np.ndarray, played: np.ndarray) -> np.ndarray:
    if not played.any():
        return templates
    known, bins = np.flatnonzero(played), np.arange(TEMPLATE_BINS)
    for key in np.flatnonzero(~played):
        nearest = int(known[np.abs(known - key).argmin()])
        from_bins = bins * 2.0 ** ((nearest - key) / 12)
        templates[key] = [np.interp(from_bins, bins, row, right=0) for row in templates[nearest]]
    return templates
