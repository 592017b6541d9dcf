"""How far a synthesised sound is from the true one: two distances of spectra, in dB, 0 = equal.

Both compare frame by frame on one clock, without time warping: the two sounds come from the same notes. Both
first bring the estimate to the reference's root mean square, since loudness is not what they judge.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import dct

from audeo_bench.api import SAMPLE_RATE, AudeoBenchError
from audeo_bench.synth.griffin_lim import N_FFT, stft

__all__ = ["log_spectral_distance", "mel_cepstral_distance"]

RANGE = 80.0
"""dB below the reference's loudest bin under which nothing is told apart."""
MEL_BANDS, CEPSTRA = 80, 24


def log_spectral_distance(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Root mean square over bins of the difference in dB, mean over frames (Gray & Markel, 1976).

    Parameters
    ----------
    reference, estimate : np.ndarray, shape (n,)
        16 kHz mono; equally long up to one tenth of a second, the longer one is cut.

    Returns
    -------
    float
        dB, 0 or more. Frames of 2048 samples, hop 256, 1025 bins, levels more than 80 dB below the
        reference's loudest bin raised to that.

    Raises
    ------
    AudeoBenchError
        The lengths differ, or the reference is silent.
    """
    powers = [stft(samples).abs().square().numpy() for samples in _alike(reference, estimate)]
    floor = powers[0].max() * 10 ** (-RANGE / 10)
    levels = [10 * np.log10(np.maximum(power, floor)) for power in powers]
    return float(np.sqrt(np.mean((levels[0] - levels[1]) ** 2, axis=0)).mean())


def mel_cepstral_distance(reference: np.ndarray, estimate: np.ndarray) -> float:
    """``10 / ln 10 * sqrt(2 * sum of squared differences of cepstra 1..24)``, mean over frames (Kubichek,
    1993).

    The cepstra are the cosine transform of 80 logarithmic mel bands, ``c_d = 1/80 * sum ln(power_m)
    cos(...)``; c_0, the loudness, is left out.

    Parameters, returns and errors are those of :func:`log_spectral_distance`.
    """
    import librosa

    bank = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=N_FFT, n_mels=MEL_BANDS)
    powers = [bank @ stft(samples).abs().square().numpy() for samples in _alike(reference, estimate)]
    floor = powers[0].max() * 10 ** (-RANGE / 10)
    logarithms = [np.log(np.maximum(power, floor)) for power in powers]
    cepstra = [np.asarray(dct(bands, axis=0)) / (2 * MEL_BANDS) for bands in logarithms]
    difference = (cepstra[0] - cepstra[1])[1 : CEPSTRA + 1]
    return float(10 / np.log(10) * np.sqrt(2 * np.sum(difference**2, axis=0)).mean())


def _alike(reference: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    length = min(len(reference), len(estimate))
    if max(len(reference), len(estimate)) - length > SAMPLE_RATE // 10:
        raise AudeoBenchError(
            f"distance: sounds of {len(reference) / SAMPLE_RATE:.2f} "
            f"and {len(estimate) / SAMPLE_RATE:.2f} s; give two of the same notes."
        )
    reference, estimate = reference[:length], estimate[:length]
    loudness, own = (float(np.sqrt(np.mean(np.square(x, dtype=np.float64)))) for x in (reference, estimate))
    if not loudness:
        raise AudeoBenchError("distance: the reference is silent; give a sound.")
    return reference, estimate * np.float32(loudness / own) if own else estimate
