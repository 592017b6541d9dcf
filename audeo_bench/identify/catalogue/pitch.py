"""The tolerant engine: which catalogue piece has the same pitches sounding in the same order?

Sound becomes a *salience*: how much each of 61 semitones stands out from the octave around it, 2.5 times a
second. A query's salience is stretched to 17 tempi and slid along the whole catalogue; its score with a
piece is the best normalised correlation. Like a listener, it forgives tempo, timbre, missing and added
notes: on rolls with half of their frames wrong it still names most pieces, so it tells a piece that is
there from one that is not, and little more.

The search has two passes. The coarse one looks everywhere, on half the frames and the leading principal
components, by FFT over blocks; the fine one looks at the best places of the best entries only, with
everything there is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.fft
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from audeo_bench.api import SAMPLE_RATE

FEATURE_VERSION = 1
"""Goes up whenever :func:`salience` changes; a catalogue of another version is refused."""

FRAME_RATE = 2.5
PITCHES = range(36, 97)
SHORTEST_QUERY_SECONDS = 4

_WINDOW, _HOP = 4096, 1600
_ANALYSED = range(21, 109)
_FAST_RATE = SAMPLE_RATE / _HOP
_SMOOTHING_SECONDS = 0.4
_NORM_FLOOR = 0.3


@cache
def semitone_filters() -> np.ndarray:
    """Triangles between neighbouring semitones, shape (2049, 88), float32."""
    frequencies = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE)
    with np.errstate(divide="ignore"):
        pitch = 69 + 12 * np.log2(frequencies / 440)
    triangles = np.maximum(0, 1 - np.abs(pitch[:, None] - np.asarray(_ANALYSED)))
    # A low semitone may be narrower than a bin; it takes the nearest bin whole.
    for column in np.flatnonzero(triangles.sum(0) < 1):
        triangles[np.abs(pitch - _ANALYSED[column]).argmin(), column] += 1 - triangles[:, column].sum()
    return triangles.astype(np.float32)


@cache
def taper() -> np.ndarray:
    """The Hann window of both engines, shape (4096,), float32."""
    return np.hanning(_WINDOW + 1)[:-1].astype(np.float32)


def fast_salience(audio: np.ndarray) -> np.ndarray:
    """Smoothed salience, shape (frames, 61), float32, at 10 frames a second, centred frames.

    Magnitudes of 256 ms windows in semitone triangles, compressed by ``log1p(100 p / q)`` with q the 95th
    percentile of the frames' maxima; minus the mean of the surrounding octaves; negative values cut; frames
    scaled to unit length (quiet ones stay short); smoothed in time by a Gaussian of 0.4 s.
    """
    padded = np.pad(np.asarray(audio, np.float32), _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    energy = np.empty((len(frames), len(_ANALYSED)), np.float32)
    for start in range(0, len(frames), 512):
        spectrum = np.asarray(scipy.fft.rfft(frames[start : start + 512] * taper(), axis=1))
        energy[start : start + 512] = np.abs(spectrum) @ semitone_filters()
    loud = np.percentile(energy.max(axis=1), 95)
    compressed = np.log1p(energy * np.float32(100 / max(loud, 1e-6)))
    whitened = compressed - uniform_filter1d(compressed, 25, axis=1, mode="constant")
    kept = np.maximum(whitened[:, PITCHES[0] - _ANALYSED[0] : PITCHES[-1] + 1 - _ANALYSED[0]], 0)
    kept /= np.maximum(np.linalg.norm(kept, axis=1, keepdims=True), _NORM_FLOOR)
    return gaussian_filter1d(kept, _SMOOTHING_SECONDS * _FAST_RATE, axis=0, mode="constant")


def salience(audio: np.ndarray) -> np.ndarray:
    """What the catalogue keeps of a recording: shape (frames, 61), float16, 2.5 frames a second."""
    return _sample(fast_salience(audio), len(audio) / SAMPLE_RATE, 1.0).astype(np.float16)


def _sample(fast: np.ndarray, seconds: float, stretch: float) -> np.ndarray:
    """Read the fast salience at 2.5 frames a second, as if played ``stretch`` times as long."""
    times = np.arange(0, seconds * stretch, 1 / FRAME_RATE) / stretch * _FAST_RATE
    left = np.minimum(times.astype(np.int64), len(fast) - 2)
    share = (times - left).astype(np.float32)[:, None]
    return fast[left] * (1 - share) + fast[left + 1] * share


STRETCHES = 2.0 ** np.linspace(-1, 1, 17)
_COMPONENTS = 24
_BLOCK = 256
_CANDIDATES = 32
_LONGEST = 52
"""Frames of the longest coarse template: 20 seconds at half the tempo, 1.25 frames a second, and a little."""
_PAD = 8
_ENERGY_FLOOR = 0.5


@dataclass(frozen=True)
class Candidate:
    """An entry that resembles the query.

    Attributes
    ----------
    entry : int
        Its index in the catalogue.
    score : float
        Normalised correlation, at most 1.
    start : float
        Where in the entry the query was found, seconds.
    stretch : float
        How many times as long the passage lasts there.
    """

    entry: int
    score: float
    start: float
    stretch: float


class PitchIndex:
    """The catalogue's saliences, ready to be searched.

    Parameters
    ----------
    frames : np.ndarray, shape (n, 61), float16
        All entries one after the other; may be a memory map.
    borders : np.ndarray, shape (entries + 1,), int64
        Entry ``i`` is ``frames[borders[i]:borders[i + 1]]``.
    """

    def __init__(self, frames: np.ndarray, borders: np.ndarray) -> None:
        self._frames, self._borders = frames, np.asarray(borders)
        self._mean, self._basis, self._typical_fine = _principal_components(frames)
        coarse, self._starts, self._lengths = self._coarse_frames()
        step = _BLOCK - _LONGEST + 1
        blocks = -(-len(coarse) // step)
        self._offsets = blocks * step
        padded = np.zeros((self._offsets + _BLOCK, _COMPONENTS), np.float32)
        padded[: len(coarse)] = coarse
        # Energy of every window of n frames is a difference of two of these.
        self._energy = np.concatenate([[0], np.cumsum((padded**2).sum(1), dtype=np.float64)])
        self._typical = self._energy[-1] / max(1, len(coarse))
        spectra = np.empty((_BLOCK // 2 + 1, _COMPONENTS, blocks), np.complex64)
        for block in range(blocks):
            spectra[:, :, block] = np.asarray(
                scipy.fft.rfft(padded[block * step : block * step + _BLOCK], axis=0)
            )
        self._spectra, self._step = spectra, step
        self._known_weights: dict[int, np.ndarray] = {}

    def _coarse_frames(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Projected pairs of frames with silence between entries; where entries start; their lengths."""
        parts: list[np.ndarray] = [np.zeros((_PAD, _COMPONENTS), np.float32)]
        starts, lengths, position = [], [], _PAD
        for begin, end in zip(self._borders[:-1], self._borders[1:], strict=True):
            projected = _halve((np.asarray(self._frames[begin:end], np.float32) - self._mean) @ self._basis)
            parts += [projected, np.zeros((_PAD, _COMPONENTS), np.float32)]
            starts.append(position)
            lengths.append(len(projected))
            position += len(projected) + _PAD
        return np.concatenate(parts), np.asarray(starts), np.asarray(lengths)

    def search(self, audio: np.ndarray) -> list[Candidate]:
        """The entries most like a query, best first.

        Parameters
        ----------
        audio : np.ndarray, shape (n,), float32
            16 kHz mono, from 4 to 20 seconds (longer queries are searched for by their first 20). What is
            shorter, or silent, is like no entry.
        """
        audio = audio[: 20 * SAMPLE_RATE]
        if len(audio) < SHORTEST_QUERY_SECONDS * SAMPLE_RATE:
            return []
        fast = fast_salience(audio)
        if not fast.any():  # silence would equal the silence around every entry
            return []
        seconds = len(audio) / SAMPLE_RATE
        templates = [_sample(fast, seconds, stretch) - self._mean for stretch in STRETCHES]
        best, where, which = self._coarse_search([_halve(template @ self._basis) for template in templates])
        chosen = np.argsort(-best)[:_CANDIDATES]
        found = [
            self._refine(int(entry), int(where[entry]), int(which[entry]), templates) for entry in chosen
        ]
        return sorted(found, key=lambda candidate: -candidate.score)

    def _coarse_search(self, templates: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Per entry: best score, and the coarse frame (from the entry's start) and stretch of it."""
        queries = np.zeros((len(templates), _BLOCK, _COMPONENTS), np.float32)
        for query, template in zip(queries, templates, strict=True):
            query[: len(template)] = template
        spectra = np.asarray(scipy.fft.rfft(queries, axis=1)).conj().transpose(1, 0, 2)
        product = np.matmul(spectra, self._spectra)
        correlation = np.asarray(scipy.fft.irfft(product, _BLOCK, axis=0, overwrite_x=True))[: self._step]
        best = np.full(len(self._starts), -1.0)
        where, which = np.zeros(len(best), np.int64), np.zeros(len(best), np.int64)
        first = self._starts - _PAD
        for stretch, template in enumerate(templates):
            scores = np.ascontiguousarray(correlation[:, stretch].T).reshape(-1)
            size = len(template)
            scores *= self._weights(size)
            scores *= np.float32(1 / max(float(np.linalg.norm(template)), 1e-9))
            last = np.maximum(self._starts, self._starts + self._lengths - size + _PAD) + 1
            peaks = np.maximum.reduceat(scores, np.ravel([first, last], order="F"))[::2]
            for entry in np.flatnonzero(peaks > best):
                best[entry], which[entry] = peaks[entry], stretch
                where[entry] = scores[first[entry] : last[entry]].argmax() - _PAD
        return best, where, which

    def _weights(self, size: int) -> np.ndarray:
        """One over the norm of every window of so many coarse frames; kept, as queries are equally long."""
        if size not in self._known_weights:
            energy = self._energy[size : size + self._offsets] - self._energy[: self._offsets]
            floor = max(_ENERGY_FLOOR * self._typical * size, 1e-12)
            self._known_weights[size] = (1 / np.sqrt(np.maximum(energy, floor))).astype(np.float32)
        return self._known_weights[size]

    def _refine(self, entry: int, coarse: int, stretch: int, templates: list[np.ndarray]) -> Candidate:
        """The best score near a coarse find, with all frames and pitches, at neighbouring stretches."""
        begin, end = self._borders[entry], self._borders[entry + 1]
        start, reach = 2 * coarse - 3, 6
        best = Candidate(entry, -1.0, 0.0, 1.0)
        for nearby in range(max(0, stretch - 1), min(len(templates), stretch + 2)):
            template = templates[nearby]
            size = len(template)
            wanted = np.arange(start, start + reach + size)
            inside = (wanted >= 0) & (wanted < end - begin)
            passage = np.zeros((len(wanted), template.shape[1]), np.float32)
            passage[inside] = np.asarray(self._frames[begin + wanted[inside]], np.float32) - self._mean
            windows = np.lib.stride_tricks.sliding_window_view(passage, template.shape)[:, 0]
            energy = np.convolve((passage**2).sum(1), np.ones(size), "valid")
            scores = np.tensordot(windows, template, 2)
            scores /= np.sqrt(np.maximum(energy, _ENERGY_FLOOR * self._typical_fine * size))
            scores /= max(float(np.linalg.norm(template)), 1e-9)
            peak = int(scores.argmax())
            if scores[peak] > best.score:
                place = float(start + peak) / FRAME_RATE
                best = Candidate(entry, float(scores[peak]), place, float(STRETCHES[nearby]))
        return best


def _halve(frames: np.ndarray) -> np.ndarray:
    """Means of neighbouring frames: 1.25 a second."""
    return (frames[: len(frames) // 2 * 2 : 2] + frames[1::2]) / 2


def _principal_components(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean frame (61,), leading components (61, 24) and mean energy, from at most 20,000 frames."""
    sample = np.asarray(frames[:: max(1, len(frames) // 20_000)], np.float32)
    mean = sample.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(sample - mean, rowvar=False))
    energy = float(((sample - mean) ** 2).sum(axis=1).mean())
    return mean, np.ascontiguousarray(vectors[:, ::-1][:, :_COMPONENTS], np.float32), energy
