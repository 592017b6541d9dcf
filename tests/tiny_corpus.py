"""A corpus of a few seconds whose pictures show the truth, and contestants that read it there.

Everything that runs, scores and prints can be tested on it without a trained model.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from audeo_bench.api import FRAME_HEIGHT, FRAME_WIDTH, KEYS, Recording, Work
from audeo_bench.corpus import Corpus
from audeo_bench.roll import roll_to_notes

FRAMES = {"wtc2-01": 120, "wtc2-02": 75, "wtc2-03": 60}


class TinyCorpus(Corpus):
    """Column ``10 * k`` of a frame is white where key ``k`` is down, everything else is black."""

    name = "tiny"
    version = "1"
    provenance = "simulated"

    def __reduce__(self):
        return TinyCorpus, (self.seed,)

    def listing(self) -> Mapping[str, tuple[str, ...]]:
        return {"wtc1": ("wtc1-01",), "validation": ("wtc1-02",), "wtc2": tuple(FRAMES)}

    def make(self, recording_id: str) -> Recording:
        rng = np.random.default_rng([self.seed, sum(map(ord, recording_id))])
        starts = rng.random((KEYS, FRAMES.get(recording_id, 50))) < 0.01
        starts[:15] = starts[66:] = False
        pressed = starts.copy()
        for later in range(1, 12):
            pressed[:, later:] |= starts[:, :-later]
        sounding = pressed.copy()
        sounding[:, 1:] |= pressed[:, :-1]  # rings a frame longer than the key is held
        frames = np.zeros((pressed.shape[1], FRAME_HEIGHT, FRAME_WIDTH), np.uint8)
        frames[:, :, : 10 * KEYS : 10] = 255 * pressed.T[:, None, :]
        return Recording(
            recording_id,
            f"Piece {recording_id}",
            Work("Nobody", recording_id),
            recording_id.partition("-")[0],
            self.provenance,
            frames,
            sounding,
            pressed,
            roll_to_notes(sounding),
        )


READER = """
from __future__ import annotations

import numpy as np

from audeo_bench.api import Frames, VideoToRoll, windows


class Reader(VideoToRoll):
    name = "reader"

    def roll(self, frames: Frames) -> np.ndarray:
        columns = [window[:, 0, :880:10].T for _, window in windows(frames)]
        return np.concatenate(columns, axis=1) * np.float32(0.9 / 255)
"""

LENGTHENER = """
import numpy as np

from audeo_bench.api import RollToMidi


class Lengthener(RollToMidi):
    name = "lengthener"

    def midi(self, roll: np.ndarray) -> np.ndarray:
        longer = roll.copy()
        longer[:, 1:] = np.maximum(longer[:, 1:], roll[:, :-1])
        return longer
"""


def write_contestant(folder: Path, name: str, text: str) -> Path:
    """A contestant's file ``name.py``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(text)
    return path
