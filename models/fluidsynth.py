"""FluidSynth, the paper's synthesiser: every note of a roll at velocity 100, General MIDI piano unless told
otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from audeo_bench.api import FRAMES_PER_SECOND, Notes, Synthesizer, roll_to_notes
from audeo_bench.synth.fluidsynth import default_soundfont, instrument, render_blocks, render_roll


class FluidSynth(Synthesizer):
    name = "fluidsynth"

    def __init__(self, program: str | int = 0, soundfont: str | Path | None = None) -> None:
        self.program = instrument(program)
        self.soundfont = Path(soundfont) if soundfont is not None else default_soundfont()

    def audio(self, roll: np.ndarray) -> np.ndarray:
        return render_roll(roll, self.program, self.soundfont)

    def stream(self, roll: np.ndarray) -> Iterator[np.ndarray]:
        """The same sound in consecutive blocks, not yet scaled."""
        return self.play(roll_to_notes(roll), roll.shape[1] / FRAMES_PER_SECOND)

    def play(self, notes: Notes, seconds: float) -> Iterator[np.ndarray]:
        """The sound of notes with their velocities, in consecutive blocks, not yet scaled."""
        return render_blocks(notes, None, self.program, self.soundfont, seconds)

    def describe(self) -> dict[str, Any]:
        return {"program": self.program, "soundfont": self.soundfont.name}
