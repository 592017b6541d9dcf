"""Frames of several clips under each other, pressed keys marked below, as in docs/notebook/camera.md.

``python -m studies.contact_sheet docs/images/simulated_frames.png``
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy as np
import typer

from audeo_bench.api import FRAME_WIDTH, Recording
from audeo_bench.corpus import open_corpus
from audeo_bench.files import atomic_write
from audeo_bench.keyboard import IS_BLACK, KEY_X, KEYBOARD_WIDTH

_STRIP = 12


def contact_sheet(recordings: list[Recording], second: float) -> np.ndarray:
    """One frame of each recording, ``second`` seconds in, over a strip that marks its pressed keys.

    Returns
    -------
    np.ndarray, shape (112 * len(recordings), 900), uint8
        In each strip the upper half holds the white keys' marks, the lower half the black keys'.
    """
    rows = []
    for recording in recordings:
        assert recording.pressed is not None
        # The next frame in which at least two keys are down.
        start = round(second * 25)
        frame = start + int((recording.pressed[:, start:].sum(0) >= 2).argmax())
        strip = np.zeros((_STRIP, FRAME_WIDTH), np.uint8)
        for key in np.flatnonzero(recording.pressed[:, frame]):
            middle, half = KEY_X[key] / KEYBOARD_WIDTH * FRAME_WIDTH, 4 if IS_BLACK[key] else 8
            columns = slice(max(0, int(middle) - half), int(middle) + half)
            strip[slice(7, 11) if IS_BLACK[key] else slice(2, 6), columns] = 160 if IS_BLACK[key] else 255
        rows += [recording.frames[frame : frame + 1][0], strip]
    return np.concatenate(rows)


def main(path: Path) -> None:
    """Write the sheet of six training clips to PATH."""
    corpus = open_corpus("simulated")
    recordings = [corpus.recording(f"wtc1-{number:02d}@0{number}") for number in (1, 2, 3, 4, 6, 7)]
    with atomic_write(path) as temporary:
        matplotlib.image.imsave(temporary, contact_sheet(recordings, 6.0), cmap="gray", vmin=0, vmax=255)


if __name__ == "__main__":
    typer.run(main)
