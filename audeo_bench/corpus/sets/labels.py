"""Labels of a film as notes: MIDI, or a table of notes as PianoVAM has them."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

import numpy as np

from audeo_bench.errors import AudeoBenchError
from audeo_bench.formats.midi import read_midi
from audeo_bench.formats.text import read_text
from audeo_bench.roll import KEYS, LOWEST_PITCH, Notes

__all__ = ["read_labels", "read_tsv"]

_COLUMNS = ("onset", "key_offset", "note", "velocity")


def read_labels(path: Path) -> Notes:
    """Notes out of a ``.tsv`` table or a MIDI file, in seconds of the labels' own clock.

    Raises
    ------
    AudeoBenchError
        The file is missing, or not of its form.
    """
    return read_tsv(path) if Path(path).suffix.lower() == ".tsv" else read_midi(path).notes


def read_tsv(path: Path) -> Notes:
    """Read a tab-separated table with one header line, which may begin with ``#``.

    Columns ``onset``, ``key_offset``, ``note`` (MIDI number) and ``velocity`` count, in any order; others,
    such as ``frame_offset`` (where the pedal lets go), do not. Form: PianoVAM's folder ``TSV``.

    Raises
    ------
    AudeoBenchError
        Missing, of other columns, or a line that is no note; names the line.
    """
    path = Path(path)
    text = read_text(path, remedy="give a table of notes")
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
        header = [name.strip().lstrip("# ").lower() for name in next(lines, [])]
        missing = [name for name in _COLUMNS if name not in header]
        if missing:
            raise AudeoBenchError(
                f"{path}: line 1: no column {missing[0]!r}; found {', '.join(header) or 'nothing'}."
            )
        places = [header.index(name) for name in _COLUMNS]
        rows = [
            _note([row[place] for place in places], path, lines.line_num)
            for row in lines
            if row and not row[0].startswith("#")
        ]
    except (csv.Error, IndexError) as fault:
        raise AudeoBenchError(f"{path}: not a table of notes ({fault}); fetch it again.") from None
    table = np.array([row for row in rows if row[1] > row[0]], float).reshape(-1, 4)
    table = table[np.lexsort((table[:, 2], table[:, 0]))]
    table = table[(table[:, 2] >= LOWEST_PITCH) & (table[:, 2] < LOWEST_PITCH + KEYS)]
    return Notes(table[:, :2].copy(), table[:, 2].astype(np.int64), table[:, 3].astype(np.int64))


def _note(cells: list[str], path: Path, line: int) -> tuple[float, float, float, float]:
    try:
        onset, offset, pitch, velocity = map(float, cells)
    except ValueError:
        onset = offset = pitch = velocity = math.nan
    if not (0 <= onset < 1e6 and 0 <= offset < 1e6 and 0 <= pitch <= 127 and 0 <= velocity <= 127):
        raise AudeoBenchError(f"{path}: line {line}: not a note ({', '.join(cells)[:80]}).")
    return onset, offset, round(pitch), max(1, round(velocity))
