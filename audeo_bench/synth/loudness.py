"""How loud a sound is written: by its usual level, not by its loudest sample.

Scaled to its loudest sample, a recording with one chord of fifty keys comes out 10 dB too quiet throughout.
Here its level is the root mean square that 19 of 20 sounding stretches stay under; what then still exceeds
full scale is bent under it.
"""

from __future__ import annotations

import numpy as np

from audeo_bench.api import SAMPLE_RATE

__all__ = ["LevelMeter", "at_level", "limited"]

LEVEL = 0.16
"""The level that sounds are brought to, of full scale (-16 dB): a piano's ordinary peaks stay below 1."""
_STRETCH = 2 * SAMPLE_RATE // 5
_SILENT = 1e-5
_KNEE = 0.9


class LevelMeter:
    """Measures the level of a sound that comes in blocks."""

    def __init__(self) -> None:
        self._stretches: list[float] = []

    def add(self, block: np.ndarray) -> None:
        """Hear consecutive samples, shape (n,)."""
        for start in range(0, len(block), _STRETCH):
            part = np.asarray(block[start : start + _STRETCH], np.float64)
            self._stretches.append(float(np.sqrt(np.mean(part**2))))

    @property
    def gain(self) -> float:
        """What brings the sound heard so far to :data:`LEVEL`; 1 for silence."""
        sounding = [level for level in self._stretches if level > _SILENT]
        return LEVEL / float(np.percentile(sounding, 95)) if sounding else 1.0


def limited(samples: np.ndarray) -> np.ndarray:
    """Samples within -1..1: what exceeds 0.9 is bent towards 1, the rest is left as it is."""
    over = np.abs(samples) - _KNEE
    room = 1 - _KNEE
    bent = np.sign(samples) * (_KNEE + room * np.tanh(np.maximum(over, 0) / room))
    return np.where(over > 0, bent, samples).astype(np.float32)


def at_level(samples: np.ndarray) -> np.ndarray:
    """A whole sound, shape (n,), float32, at :data:`LEVEL` and within -1..1."""
    meter = LevelMeter()
    meter.add(samples)
    return limited(samples * np.float32(meter.gain))
