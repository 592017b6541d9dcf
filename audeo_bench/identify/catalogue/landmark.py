"""The strict engine: a constellation of onsets, as in Wang's audio search (2003).

The onsets that stand out (semitone and moment) are joined to those that follow within a second and a half;
a pair is a hash of both semitones and the time between them. A query is recognised where many of its hashes
occur in one entry at one and the same time shift. Missing and added notes break pairs, so that the share of
recognised queries falls with the quality of a reconstruction: like a fingerprint service, and unlike the
pitch engine.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from scipy.ndimage import maximum_filter

from audeo_bench.api import SAMPLE_RATE
from audeo_bench.identify.catalogue.pitch import Candidate, semitone_filters, taper

FEATURE_VERSION = 1
"""Goes up whenever :func:`landmarks` changes; a catalogue of another version is refused."""

SEARCH_VERSION = 2
"""Goes up whenever the scores of :meth:`LandmarkIndex.search` change; part of the listener's version."""

TICKS_PER_SECOND = 20
"""Moments are counted in hops of 800 samples."""

_WINDOW, _HOP = 4096, SAMPLE_RATE // TICKS_PER_SECOND
_LAG = 2
_LOWEST, _SEMITONES = 12, 64
"""From MIDI 33 up, so that a semitone takes six bits."""
_PEAKS_PER_SECOND = 12
_FAN = 6
_LONGEST_TICKS = 30
_HASHES = 1 << 17
_SHIFT_TICKS = 12
"""Time shifts are counted in bins of 0.6 seconds, neighbours added: a passage's tempo may drift a little."""


def peaks(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The strongest onsets: ticks (sorted) and semitones (0..63 from MIDI 33), at most 12 a second."""
    padded = np.pad(np.asarray(audio, np.float32), _WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP]
    energy = np.empty((len(frames), _SEMITONES), np.float32)
    filters = semitone_filters()[:, _LOWEST : _LOWEST + _SEMITONES]
    for start in range(0, len(frames), 512):
        spectrum = np.asarray(scipy.fft.rfft(frames[start : start + 512] * taper(), axis=1))
        energy[start : start + 512] = np.abs(spectrum) @ filters
    loud = np.log1p(energy * np.float32(100 / max(float(np.percentile(energy.max(axis=1), 95)), 1e-6)))
    rise = np.zeros_like(loud)
    rise[_LAG:] = np.maximum(loud[_LAG:] - loud[:-_LAG], 0)
    strongest = (rise == maximum_filter(rise, (7, 3))) & (rise > 0.3)
    ticks, semitones = np.nonzero(strongest)
    # The strongest of every second, so that quiet passages have landmarks, too.
    order = np.lexsort((-rise[ticks, semitones], ticks // TICKS_PER_SECOND))
    second = ticks[order] // TICKS_PER_SECOND
    rank = np.arange(len(order)) - np.searchsorted(second, second)
    kept = np.sort(order[rank < _PEAKS_PER_SECOND])
    return ticks[kept], semitones[kept]


def landmarks(audio: np.ndarray) -> np.ndarray:
    """Every onset joined to the next ones, up to six, within 0.1 to 1.5 seconds.

    Returns
    -------
    np.ndarray, shape (n, 4), uint32
        Both semitones, the ticks between them, and the tick of the first.
    """
    ticks, semitones = peaks(audio)
    joined = np.zeros(len(ticks), np.int64)
    rows = [np.zeros((0, 4), np.uint32)]
    for ahead in range(1, min(len(ticks), 4 * _FAN)):
        between = ticks[ahead:] - ticks[:-ahead]
        near = (between >= _LAG) & (between <= _LONGEST_TICKS) & (joined[:-ahead] < _FAN)
        first = np.flatnonzero(near)
        joined[first] += 1
        columns = (semitones[first], semitones[first + ahead], between[first], ticks[first])
        rows.append(np.stack(columns, axis=1).astype(np.uint32))
    return np.concatenate(rows)


def hashes(pairs: np.ndarray) -> np.ndarray:
    """The hash, below 2^17, of every row of :func:`landmarks`."""
    return (pairs[:, 0] * _SEMITONES + pairs[:, 1]) * 32 + pairs[:, 2]


RATIOS = 2.0 ** np.linspace(-0.5, 0.5, 13)
"""Tempi at which a query is looked up, from 0.71 to 1.41."""
_GAP_TICKS = 40 * TICKS_PER_SECOND


class LandmarkIndex:
    """Postings of every hash, ready to be searched.

    Parameters
    ----------
    moments : np.ndarray, shape (n,), uint32
        For every hash in turn, the moments at which it occurs, in ticks from the beginning of the
        catalogue; entries are :data:`_GAP_TICKS` apart. May be a memory map.
    pointers : np.ndarray, shape (2^17 + 1,), int64
        Hash ``h`` occurs at ``moments[pointers[h]:pointers[h + 1]]``.
    starts : np.ndarray, shape (entries + 1,), int64
        The moment at which each entry starts; the last is the catalogue's end.
    """

    def __init__(self, moments: np.ndarray, pointers: np.ndarray, starts: np.ndarray) -> None:
        self._moments, self._pointers, self._starts = moments, np.asarray(pointers), np.asarray(starts)
        self._bins = int(starts[-1]) // _SHIFT_TICKS + 2

    def search(self, audio: np.ndarray) -> list[Candidate]:
        """The entries that share most landmarks at one time shift, best first.

        A landmark counts once, however often a figure that repeats has it there. A candidate's score is the
        square root of the share of the query's landmarks found: chance agreements are counts, which scatter
        as the roots of what is expected, so that equal differences of roots mean equally much everywhere.
        """
        audio = audio[: 20 * SAMPLE_RATE]
        pairs = landmarks(audio).astype(np.int64)
        entries = len(self._starts) - 1
        best, shift, ratio = np.zeros(entries), np.zeros(entries), np.ones(entries)
        if not len(pairs) or not entries:
            return []
        first = (self._starts[:-1] - _GAP_TICKS * 3 // 4) // _SHIFT_TICKS
        for stretch in RATIOS:
            between = np.rint(pairs[:, 2] * stretch).astype(np.int64)
            possible = (between >= _LAG) & (between <= _LONGEST_TICKS)
            wanted = hashes(np.column_stack([pairs[:, :2], between])[possible])
            low = self._pointers[wanted]
            count = self._pointers[wanted + 1] - low
            place = np.repeat(low - np.cumsum(count) + count, count) + np.arange(count.sum())
            origin = np.repeat(np.rint(pairs[possible, 3] * stretch).astype(np.int64), count)
            bins = np.maximum(self._moments[place].astype(np.int64) - origin, 0) // _SHIFT_TICKS
            found = self._landmarks_in(bins, np.repeat(np.arange(len(wanted)), count))
            top = np.maximum.reduceat(found, first)
            for entry in np.flatnonzero(top > best):
                stop = first[entry + 1] if entry + 1 < entries else None
                best[entry], ratio[entry] = top[entry], stretch
                shift[entry] = (first[entry] + found[first[entry] : stop].argmax() + 1) * _SHIFT_TICKS
        order = np.argsort(-best, kind="stable")[:32]
        starts = (shift - self._starts[:-1]) / TICKS_PER_SECOND
        return [
            Candidate(int(e), float(np.sqrt(best[e] / len(pairs))), float(starts[e]), float(ratio[e]))
            for e in order
        ]

    def _landmarks_in(self, bins: np.ndarray, landmark: np.ndarray) -> np.ndarray:
        """How many landmarks fall into each bin or the next one, (bins,), from the bins of each landmark in
        turn, which ascend as its moments do.
        """
        size = self._bins + 1
        same = landmark[1:] == landmark[:-1]
        again = same & (bins[1:] == bins[:-1])
        alone = np.bincount(bins, minlength=size) - np.bincount(bins[1:][again], minlength=size)
        in_both = np.bincount(bins[:-1][same & (bins[1:] == bins[:-1] + 1)], minlength=size)
        return alone[:-1] + alone[1:] - in_both[:-1]


def build_postings(parts: list[np.ndarray], lengths: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``moments``, ``pointers`` and ``starts`` of :class:`LandmarkIndex`.

    Parameters
    ----------
    parts : list of np.ndarray, shape (n, 4)
        :func:`landmarks` of every entry.
    lengths : list of int
        Ticks of every entry.
    """
    first = starts(lengths)
    moments = np.concatenate([part[:, 3] + start for part, start in zip(parts, first[:-1], strict=True)])
    keys = np.concatenate([hashes(part) for part in parts])
    order = np.argsort(keys, kind="stable")
    pointers = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=_HASHES))])
    return moments[order].astype(np.uint32), pointers, first


def starts(lengths: list[int]) -> np.ndarray:
    """The moment at which each entry starts, and the catalogue's end; a gap comes before every entry."""
    return _GAP_TICKS + np.concatenate([[0], np.cumsum(np.asarray(lengths, np.int64) + _GAP_TICKS)])
