"""Spectrogram to sound without phases: Griffin & Lim (1984), with the momentum of Perraudin et al. (2013).

librosa's ``griffinlim`` inverts one array as a whole. Here a spectrogram of any length is inverted span by
span: each span is handed the phases of the end of the one before, so that the two agree where they meet. Two
compiled loops between the Fourier transforms take a third of the time that torch's ``stft`` and ``istft`` do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numba import njit

__all__ = ["BINS", "HOP", "N_FFT", "griffin_lim", "griffin_lim_blocks", "sound_blocks"]

N_FFT, HOP = 2048, 256
"""Of the paper: 128 and 16 ms at 16 kHz."""
BINS = N_FFT // 2 + 1
REACH = N_FFT // HOP
"""Frames that one sample lies in."""
OVERLAP = 4 * REACH
"""Frames of the span before that a span is given: half a second."""
SPAN = 640
"""Frames of one span: about ten seconds."""


def stft(samples: np.ndarray) -> torch.Tensor:
    """Complex spectrum, shape (1025, 1 + samples // 256); frame t is centred on sample 256 t."""
    signal = torch.from_numpy(np.ascontiguousarray(samples, np.float32))
    window = torch.hann_window(N_FFT)
    return torch.stft(signal, N_FFT, HOP, window=window, pad_mode="constant", return_complex=True)


def griffin_lim(
    magnitude: np.ndarray,
    iterations: int = 60,
    known: np.ndarray | None = None,
    momentum: float = 0.99,
) -> np.ndarray:
    """A signal whose spectrogram comes close to ``magnitude``.

    Parameters
    ----------
    magnitude : np.ndarray, shape (1025, T)
        Amplitudes, not powers.
    iterations : int
        With momentum 60 come closer than 300 without (`docs/notebook/synthesis.md`).
    known : np.ndarray or None, shape (1025, k), complex
        Spectrum of the first k frames, to be kept as it is up to the highest bin that ``magnitude`` has; the
        rest is fitted to it.
    momentum : float
        0 is the algorithm of 1984.

    Returns
    -------
    np.ndarray, shape (256 (T - 1),), float32
    """
    frames = magnitude.shape[1]
    length = HOP * (frames - 1)
    if length == 0:
        return np.zeros(0, np.float32)
    # Bins above the highest that sounds stay silent: frames of the others alone are fitted.
    bins = 1 + int(np.flatnonzero(magnitude.any(1)).max(initial=0))
    wanted = np.ascontiguousarray(magnitude[:bins].T, np.float32)
    draws = torch.Generator().manual_seed(0)
    turn = 2 * np.pi * torch.rand((BINS, frames), generator=draws)[:bins].T.contiguous()
    whole = torch.zeros(frames, BINS, dtype=torch.complex64)
    spectrum = whole.numpy()[:, :bins]
    spectrum[:] = torch.polar(torch.from_numpy(wanted), turn).numpy()
    fixed = np.zeros((0, bins), np.complex64) if known is None else known[:bins].T
    spectrum[: len(fixed)] = fixed

    window, share = torch.hann_window(N_FFT), np.float32(momentum / (1 + momentum))
    signal = np.zeros(HOP * (frames + REACH - 1), np.float32)
    _overlap(np.ones((frames, N_FFT), np.float32), window.square().numpy(), signal)
    inner = slice(N_FFT // 2, N_FFT // 2 + length)
    scale = np.zeros_like(signal)
    scale[inner] = 1 / signal[inner]
    before = np.zeros_like(spectrum)
    for iteration in range(iterations + 1):
        _overlap(torch.fft.irfft(whole, N_FFT).numpy(), window.numpy(), signal)
        signal *= scale
        if iteration < iterations:
            spans = torch.from_numpy(signal).unfold(0, N_FFT, HOP) * window
            now = torch.fft.rfft(spans).numpy()[:, :bins]
            _step(wanted, now, before, share, spectrum)
            spectrum[: len(fixed)] = fixed
            before = now
    return signal[inner].copy()


@njit(cache=True)
def _overlap(spans, window, signal):
    """Fill ``signal`` with the sum of windowed spans, (T, 2048), each 256 samples behind the one before."""
    signal[:] = 0
    for frame in range(spans.shape[0]):
        for sample in range(spans.shape[1]):
            signal[HOP * frame + sample] += spans[frame, sample] * window[sample]


@njit(cache=True)
def _step(wanted, now, before, share, spectrum):
    """Fill ``spectrum`` with ``now``, carried on by momentum, at the wanted amplitudes; all (T, bins)."""
    for frame in range(wanted.shape[0]):
        for place in range(wanted.shape[1]):
            ahead = now[frame, place] - share * before[frame, place]
            size = np.float32(np.sqrt(ahead.real * ahead.real + ahead.imag * ahead.imag))
            spectrum[frame, place] = ahead * (wanted[frame, place] / max(size, np.float32(1e-12)))


def griffin_lim_blocks(
    blocks: Iterable[np.ndarray], iterations: int = 60, span: int = SPAN
) -> Iterator[np.ndarray]:
    """Invert a spectrogram that comes in consecutive blocks, with memory for one span.

    Parameters
    ----------
    blocks : iterable of np.ndarray, each (1025, t)
        Consecutive amplitudes.
    span : int
        Frames that are inverted together; more than 64.

    Yields
    ------
    np.ndarray, shape (n,), float32
        Consecutive samples; 256 (T - 1) altogether.
    """
    waiting: list[np.ndarray] = []
    tail: np.ndarray | None = None
    spectra: np.ndarray | None = None

    def invert(frames: np.ndarray, last: bool) -> Iterator[np.ndarray]:
        nonlocal tail, spectra
        made = griffin_lim(frames, iterations, spectra)
        if tail is not None:
            # Both signals are alike here: the first frames were fitted to the span before.
            fade = np.linspace(0, 1, len(tail), dtype=np.float32)
            made = np.concatenate([tail * (1 - fade) + made[: len(tail)] * fade, made[len(tail) :]])
        if last:
            yield made
            return
        # The last frames of a span saw no future; the next span makes them again.
        keep = len(made) - HOP * (OVERLAP - 1)
        yield made[:keep]
        tail = made[keep : keep + HOP * (OVERLAP - 2 * REACH)]
        spectra = stft(made[keep - N_FFT :])[:, REACH : REACH + OVERLAP - 2 * REACH].numpy()

    for block in blocks:
        waiting.append(block)
        # As much again is kept back, so that the last span is never too short to overlap.
        while sum(part.shape[1] for part in waiting) >= span + 2 * OVERLAP:
            frames = np.concatenate(waiting, axis=1)
            yield from invert(frames[:, :span], last=False)
            waiting = [frames[:, span - OVERLAP :]]
    if waiting:
        yield from invert(np.concatenate(waiting, axis=1), last=True)


def sound_blocks(blocks: Iterable[np.ndarray], samples: int, iterations: int) -> Iterator[np.ndarray]:
    """:func:`griffin_lim_blocks`, cut or followed by silence, so that there are ``samples`` altogether."""
    for block in griffin_lim_blocks(blocks, iterations):
        yield block[:samples]
        samples -= len(block[:samples])
    yield np.zeros(samples, np.float32)
