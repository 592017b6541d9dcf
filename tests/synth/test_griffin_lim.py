"""Spectrogram to sound: as long as asked, close to the spectrogram, and without joins between spans."""

from __future__ import annotations

import numpy as np
import pytest

from audeo_bench.api import AudeoBenchError
from audeo_bench.synth.distances import log_spectral_distance, mel_cepstral_distance
from audeo_bench.synth.griffin_lim import HOP, griffin_lim, griffin_lim_blocks, stft

SECONDS = 6


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """Three decaying tones that begin one after another."""
    time = np.arange(SECONDS * 16_000) / 16_000
    tones = [
        (time >= start) * np.exp(-(time - start).clip(0)) * np.sin(2 * np.pi * pitch * time)
        for start, pitch in ((0, 220), (1.3, 331), (2.9, 523))
    ]
    return (0.3 * np.sum(tones, axis=0)).astype(np.float32)


def miss(samples: np.ndarray, magnitude: np.ndarray) -> float:
    """Spectral convergence: the norm of the difference, relative to the norm."""
    frames = min(1 + len(samples) // HOP, magnitude.shape[1])
    made = stft(samples).abs().numpy()[:, :frames]
    return float(np.linalg.norm(made - magnitude[:, :frames]) / np.linalg.norm(magnitude[:, :frames]))


def test_spectra_have_the_papers_frames_and_bins(sound: np.ndarray) -> None:
    spectrogram = stft(sound).abs().numpy()
    assert spectrogram.shape == (1025, 1 + len(sound) // 256)
    peak = np.argmax(spectrogram[:, 40]) * 16_000 / 2048
    assert peak == pytest.approx(220, abs=8)


def test_momentum_comes_closer(sound: np.ndarray) -> None:
    magnitude = stft(sound[:32_000]).abs().numpy()
    plain = griffin_lim(magnitude, 20, momentum=0)
    fast = griffin_lim(magnitude, 20)
    assert plain.shape == fast.shape == (HOP * (magnitude.shape[1] - 1),)
    assert miss(fast, magnitude) < miss(plain, magnitude) < 0.6


@pytest.mark.parametrize("block", [50, 400])
def test_spans_meet_without_a_jump(sound: np.ndarray, block: int) -> None:
    """Where spans meet the spectrogram is as close to the wanted one as anywhere else."""
    magnitude = stft(sound).abs().numpy()
    blocks = [magnitude[:, start : start + block] for start in range(0, magnitude.shape[1], block)]
    parts = list(griffin_lim_blocks(blocks, iterations=30, span=128))
    assert len(parts) > 2
    samples = np.concatenate(parts)
    assert samples.shape == (HOP * (magnitude.shape[1] - 1),)
    made = stft(samples).abs().numpy()
    wrong = np.linalg.norm(made - magnitude, axis=0)
    joins = np.cumsum([len(part) for part in parts])[:-1] // HOP
    near = np.unique(np.clip(joins[:, None] + np.arange(-8, 9), 0, len(wrong) - 1))
    elsewhere = np.setdiff1d(np.arange(len(wrong)), near)
    assert wrong[near].mean() < 1.6 * wrong[elsewhere].mean()
    assert np.abs(np.diff(samples)).max() < 2 * np.abs(np.diff(sound)).max()


def test_equal_sounds_have_no_distance_and_loudness_does_not_matter(sound: np.ndarray) -> None:
    for distance in (log_spectral_distance, mel_cepstral_distance):
        assert distance(sound, sound) == pytest.approx(0, abs=1e-4)
        assert distance(sound, 0.5 * sound) == pytest.approx(0, abs=0.05)


def test_the_further_the_larger(sound: np.ndarray) -> None:
    noise = np.random.default_rng(0).standard_normal(len(sound)).astype(np.float32)
    for distance in (log_spectral_distance, mel_cepstral_distance):
        little, much = (distance(sound, sound + share * noise) for share in (0.001, 0.05))
        assert 0 < little < much


def test_log_spectral_distance_of_a_known_difference() -> None:
    """Two noises whose powers differ by 10 dB in the upper half of the spectrum, after levelling."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal(64_000)
    spectrum = np.fft.rfft(noise)
    spectrum[len(spectrum) // 2 :] *= 10**0.5
    louder = np.fft.irfft(spectrum).astype(np.float32)
    level = 10 * np.log10((1 + 10) / 2)  # what the levelling takes off
    expected = np.sqrt((level**2 + (10 - level) ** 2) / 2)
    assert log_spectral_distance(noise.astype(np.float32), louder) == pytest.approx(expected, rel=0.05)


def test_sounds_of_other_lengths_are_refused(sound: np.ndarray) -> None:
    with pytest.raises(AudeoBenchError, match=r"6.00 and 4.00 s"):
        log_spectral_distance(sound, sound[: 4 * 16_000])
    with pytest.raises(AudeoBenchError, match="reference is silent"):
        mel_cepstral_distance(np.zeros_like(sound), sound)
