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


def draw_spectrograms(
    path: Path, title: str, sounds: Mapping[str, np.ndarray], start: float = 0.0, seconds: float = 6.0
) -> None:
    """Draw a panel a sound, all on one scale.

    Parameters
    ----------
    path : Path
        The suffix chooses the format.
    title : str
        Must say where the recording comes from.
    sounds : mapping of str to np.ndarray, shape (n,), float32
        Panel titles and 16 kHz samples, brought to one root mean square.
    start, seconds : float
        The span shown.
    """
    from matplotlib.figure import Figure

    from audeo_bench.synth.griffin_lim import stft

    figure = Figure(figsize=(4.2 * len(sounds), 3.6), layout="constrained")
    panels = figure.subplots(1, len(sounds), sharey=True, squeeze=False)[0]
    picture = None
    for axes, (name, samples) in zip(panels, sounds.items(), strict=True):
        part = samples[round(start * SAMPLE_RATE) : round((start + seconds) * SAMPLE_RATE)]
        loudness = float(np.sqrt(np.mean(np.square(part, dtype=np.float64)))) or 1.0
        power = stft(part / np.float32(loudness)).abs().square().numpy()
        levels = 10 * np.log10(np.maximum(power, 1e-12))
        if picture is None:
            top = float(levels.max())
        picture = axes.imshow(
            levels,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=top - RANGE,
            vmax=top,
            extent=(start, start + len(part) / SAMPLE_RATE, 0, SAMPLE_RATE / 2000),
        )
        axes.set_title(name)
        axes.set_xlabel("seconds")
    panels[0].set_ylabel("kHz")
    figure.colorbar(picture, ax=list(panels), label="dB")
    figure.suptitle(title, fontsize=10)
    with atomic_write(path) as temporary:
        figure.savefig(temporary, dpi=110)
