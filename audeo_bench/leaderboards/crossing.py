"""Trained on this, tested on that: the lines of all boards side by side, by measures that all have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audeo_bench.leaderboards.boards import Board, Entry
from audeo_bench.records import NoteMetric
from audeo_bench.score.measure import RECORDED, Measure

NOTES: NoteMetric = "onset@100"


@dataclass(frozen=True)
class Cell:
    """A line on one board, in percent; notes are None where the true ones are unknown."""

    f1: float
    notes: float | None


@dataclass(frozen=True)
class CrossedLine:
    """One contestant of one training; a cell for each board, None where it does not stand there."""

    name: str
    trained_on: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Crossed:
    """All lines that stand on two boards or more, by contestant and training."""

    measure: Measure
    notes: str
    boards: tuple[str, ...]
    lines: tuple[CrossedLine, ...]


def crossed(boards: Sequence[Board]) -> Crossed:
    """Put boards side by side; their recordings differ, so nothing is ranked."""
    lines: dict[tuple[str, str], dict[str, Entry]] = {}
    for board in boards:
        for entry in board.entries:
            lines.setdefault((entry.name, entry.trained_on), {})[board.name] = entry
    found = (
        CrossedLine(
            name, data, tuple(_cell(there[board.name]) if board.name in there else None for board in boards)
        )
        for (name, data), there in sorted(lines.items())
        if len(there) > 1
    )
    return Crossed(RECORDED, NOTES, tuple(board.name for board in boards), tuple(found))


def _cell(entry: Entry) -> Cell:
    return Cell(entry.numbers(RECORDED).values["f1"], entry.note_f1(NOTES, RECORDED.threshold))
