"""Spectrograms of several sounds side by side, in the manner of the paper's Fig. 7."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from audeo_bench.api import SAMPLE_RATE
from audeo_bench.files import atomic_write

__all__ = ["draw_spectrograms"]

RANGE = 80.0
"""dB shown below the loudest bin."""
SECONDS = 6


def draw_spectrograms(path: Path, title: str, sounds: Mapping[str, np.ndarray]) -> None:
    """Draw a panel a sound, its beginning, all on one scale.

    Parameters
    ----------
    path : Path
        The suffix chooses the format.
    title : str
        Must say where the recording comes from.
    sounds : mapping of str to np.ndarray, shape (n,), float32
        Panel titles and 16 kHz samples, brought to one root mean square.
    """
    from matplotlib.figure import Figure

    from audeo_bench.synth.griffin_lim import stft

    figure = Figure(figsize=(4.2 * len(sounds), 3.6), layout="constrained")
    panels = figure.subplots(1, len(sounds), sharey=True, squeeze=False)[0]
    parts: dict[str, np.ndarray] = {}
    levels: dict[str, np.ndarray] = {}
    for name, samples in sounds.items():
        part = samples[: SECONDS * SAMPLE_RATE]
        loudness = float(np.sqrt(np.mean(np.square(part, dtype=np.float64)))) or 1.0
        power = stft(part / np.float32(loudness)).abs().square().numpy()
        parts[name], levels[name] = part, 10 * np.log10(np.maximum(power, 1e-12))
    top = max(float(level.max()) for level in levels.values())
    for axes, (name, part) in zip(panels, parts.items(), strict=True):
        picture = axes.imshow(
            levels[name],
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=top - RANGE,
            vmax=top,
            extent=(0, len(part) / SAMPLE_RATE, 0, SAMPLE_RATE / 2000),
        )
        axes.set_title(name)
        axes.set_xlabel("seconds")
        if axes is panels[-1]:
            figure.colorbar(picture, ax=list(panels), label="dB")
    panels[0].set_ylabel("kHz")
    figure.suptitle(title, fontsize=10)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)
