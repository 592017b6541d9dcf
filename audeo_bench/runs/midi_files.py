"""A run's answers as MIDI files."""

from __future__ import annotations

from pathlib import Path

from audeo_bench.formats.midi import write_midi
from audeo_bench.roll import THRESHOLD, roll_to_notes
from audeo_bench.runs.folder import read_record, read_roll


def write_midi_files(run: Path, threshold: float = THRESHOLD) -> list[Path]:
    """Write ``midi/<recording>.mid`` into a run folder for every recording that was answered.

    Parameters
    ----------
    run : Path
    threshold : float
        A key sounds from this probability upwards.
    """
    written = []
    for name in read_record(run).answers:
        path = run / "midi" / f"{name}.mid"
        write_midi(roll_to_notes(read_roll(run, name) >= threshold), path)
        written.append(path)
    return written
