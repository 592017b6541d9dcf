"""Pictures of rolls, in the manner of the paper's Fig. 5."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from audeo_bench.api import FRAMES_PER_SECOND, LOWEST_PITCH, AudeoBenchError
from audeo_bench.corpus import Corpus
from audeo_bench.files import atomic_write
from audeo_bench.report.terminal import part
from audeo_bench.roll import THRESHOLD
from audeo_bench.runs.folder import read_record, read_roll

SILENT, HIT, FALSE_ALARM, MISS, TRUTH = range(5)
COLOURS = ("#ffffff", "#1b6e53", "#d1495b", "#c9c9c9", "#30343f")
"""Of the outcomes above and of the truth's own panel; told apart in greys too."""


class Picture(Figure):
    """A figure that a notebook shows by itself, whatever its backend."""

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        self.savefig(content, dpi=110, format="png")
        return content.getvalue()


def draw_rolls(
    title: str,
    truth: np.ndarray,
    predictions: Mapping[str, np.ndarray],
    start: int = 0,
    frames: int = 500,
) -> Picture:
    """Draw predicted rolls above the truth: what was found, what was invented, what was missed.

    Parameters
    ----------
    title : str
        Must say where the recording comes from: simulated, re-enacted or recorded.
    truth : np.ndarray, shape (88, T), bool
    predictions : mapping of str to np.ndarray, shape (88, T), bool
        Panel titles and thresholded rolls, from top to bottom.
    start, frames : int
        The span shown; 500 frames are 20 seconds.

    Raises
    ------
    AudeoBenchError
        The span begins behind the recording's end.
    """
    span = slice(start, min(start + frames, truth.shape[1]))
    if span.start >= span.stop:
        raise AudeoBenchError(
            f"figure: starts at frame {start}, but the recording has {truth.shape[1]} frames."
        )
    used = np.flatnonzero(
        truth[:, span].any(1) | np.any([p[:, span].any(1) for p in predictions.values()], axis=0)
    )
    low, high = (used.min() - 2, used.max() + 2) if used.size else (0, 87)
    panels = {name: outcomes(truth, roll)[:, span] for name, roll in predictions.items()}
    panels["truth (sounding)"] = np.where(truth[:, span], TRUTH, SILENT)

    figure = Picture(figsize=(11, 0.6 + 2.3 * len(panels)), layout="constrained")
    axes = figure.subplots(len(panels), 1, sharex=True, sharey=True, squeeze=False)
    extent = (
        span.start / FRAMES_PER_SECOND,
        span.stop / FRAMES_PER_SECOND,
        LOWEST_PITCH - 0.5,
        LOWEST_PITCH + 87.5,
    )
    for axis, (name, picture) in zip(axes[:, 0], panels.items(), strict=True):
        axis.imshow(
            picture,
            ListedColormap(COLOURS),
            vmin=0,
            vmax=4,
            origin="lower",
            aspect="auto",
            extent=extent,
            interpolation="nearest",
        )
        axis.set_title(name, loc="left", fontsize=10)
        axis.set_ylabel("MIDI pitch")
        axis.grid(axis="y", linewidth=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0, 0].set_ylim(LOWEST_PITCH + low, LOWEST_PITCH + high)
    axes[-1, 0].set_xlabel("seconds")
    names = {HIT: "true positive", FALSE_ALARM: "false positive", MISS: "false negative"}
    handles = [Patch(facecolor=COLOURS[kind], label=label) for kind, label in names.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(title)
    return figure


def outcomes(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Each cell's outcome, :data:`SILENT` to :data:`MISS`; shape (88, T), int."""
    return np.where(predicted, np.where(truth, HIT, FALSE_ALARM), np.where(truth, MISS, SILENT))


def run_figure(folder: Path, corpus: Corpus) -> Path:
    """Draw a run's first recording and keep the picture in its folder, as ``figure.png``.

    A chain's panels stand one below another from the first stage on, as the paper shows Roll above Midi.
    """
    record = read_record(folder)
    recording = corpus.recording(next(iter(record.answers)))
    chain = ["+".join(s.name for s in record.stages[: n + 1]) for n in range(len(record.stages))]
    predictions = {
        f"{name}, threshold {THRESHOLD:g}": read_roll(folder.parent / name, recording.id) >= THRESHOLD
        for name in [*chain[:-1], folder.name]
    }
    sounding = np.flatnonzero(recording.sounding.any(0))
    figure = draw_rolls(
        part(record.subject.limit) + f"{recording.title} ({record.subject.provenance})",
        recording.sounding,
        predictions,
        start=int(sounding[0]) if sounding.size else 0,
    )
    with atomic_write(folder / "figure.png") as temporary:
        figure.savefig(temporary, dpi=110)
    return folder / "figure.png"
