"""How near the reproduced cells come to the paper's: cell by cell, and whether the order of the systems is
the paper's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from audeo_bench.leaderboards.boards import Board, Entry, read_boards
from audeo_bench.leaderboards.identification import read_identifications
from audeo_bench.leaderboards.trainings import untrained_name
from audeo_bench.paper.reported import GROUPS, Paper, Table1Row, reported
from audeo_bench.records import Identification, Scores
from audeo_bench.score import Measure, frame_sums, value
from audeo_bench.score.frames import METRICS
from audeo_bench.score.measure import PAPER_SPLIT
from audeo_bench.score.spread import interval

ROUNDING = 0.05
"""The paper prints one decimal."""
NO_BOARD = "none"

CellVerdict = Literal["within", "above", "below", "another service", "not reproduced"]


@dataclass(frozen=True)
class Cell:
    """One cell of Table 1 or 2 beside its reproduction, in percent.

    Attributes
    ----------
    table, row, column : str
    variant : str
        The metric behind the reproduced number, such as ``frame_mean, 51 keys, threshold 0.4``.
    board, provenance : str
        Where the reproduced number comes from. Only ``recorded`` can confirm or contradict the paper; the
        others say what the systems do on other recordings.
    paper, reproduced, difference : float or None
    low, high : float or None
        The 95 % interval of the reproduced number on its recordings.
    verdict : str
        ``within``: the paper's number lies in that interval; ``above`` or ``below``: the reproduced number is
        significantly so.
    note : str or None
        What is doubtful about the paper's number.
    """

    table: str
    row: str
    column: str
    variant: str
    board: str
    provenance: str
    paper: float
    reproduced: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: CellVerdict
    note: str | None

    @property
    def label(self) -> str:
        """The row, and the threshold where the table has one."""
        _, at, threshold = self.variant.rpartition(", threshold ")
        return f"{self.row} at {threshold}" if at else self.row


@dataclass(frozen=True)
class Order:
    """Whether the systems of one board come in the paper's order in one column; ``broken`` names the pairs
    that do not.
    """

    table: str
    column: str
    board: str
    provenance: str
    systems: int
    broken: tuple[str, ...]


@dataclass(frozen=True)
class Fidelity:
    """The whole report."""

    cells: tuple[Cell, ...]
    orders: tuple[Order, ...]


def fidelity(folder: Path) -> Fidelity:
    """Hold the boards' rows against the paper's tables.

    Parameters
    ----------
    folder : Path
        ``leaderboards/``. Boards of the split ``wtc2`` are held against Table 1.

    Raises
    ------
    AudeoBenchError
        A row that cannot be read.
    """
    paper = reported()
    boards = [board for board in read_boards(folder) if board.subject.split == PAPER_SPLIT]
    cells = [cell for board in boards or [None] for cell in _table1(board, paper)]
    orders = [order for board in boards for order in _orders(board, paper)]
    return Fidelity((*cells, *_table2(paper, read_identifications(folder))), tuple(orders))


def _table1(board: Board | None, paper: Paper) -> Iterator[Cell]:
    table, scores = paper.table1, _by_system(board)
    for row in table.rows:
        for column in METRICS:
            measure = Measure(column, table.average, table.keys, row.threshold)
            found = _reproduced(scores.get(row.system, ()), measure)
            yield Cell(
                table="Table 1",
                row=row.label,
                column=column,
                variant=f"{table.average}, {table.keys} keys, threshold {row.threshold:g}",
                board=board.name if board else NO_BOARD,
                provenance=str(board.subject.provenance) if board else NO_BOARD,
                paper=getattr(row, column),
                note=None,
                **_against(getattr(row, column), *found),
            )


def _table2(paper: Paper, identifications: Sequence[Identification]) -> Iterator[Cell]:
    """Cells of Table 2 beside each committed run and engine; the service is never the paper's."""
    sources = [(found, engine) for found in identifications for engine in _engines(found)]
    for found, engine in sources or [(None, "")]:
        rates = {row.system: row for row in found.rows if row.service == engine} if found else {}
        for row in paper.table2.rows:
            for column in GROUPS:
                there = rates[row.system].groups if row.system in rates else {}
                tally = there.get(column)  # type: ignore[call-overload]
                against = _against(getattr(row, column), tally.percent if tally else None)
                if against["reproduced"] is not None:
                    against["verdict"] = "another service"
                yield Cell(
                    table="Table 2",
                    row=row.label,
                    column=column,
                    variant=f"segments named by {engine or 'nobody yet'}; the paper asked SoundHound",
                    board=f"identification-{found.corpus.name}" if found else NO_BOARD,
                    provenance=str(found.provenance) if found else NO_BOARD,
                    paper=getattr(row, column),
                    note=row.note if column == "total" else None,
                    **against,
                )


def _engines(found: Identification) -> list[str]:
    return list(dict.fromkeys(row.service for row in found.rows))


def _by_system(board: Board | None) -> dict[str, tuple[Scores, ...]]:
    """What stands for each of the paper's systems, whatever it was trained on: the line of its very name, or
    the only one that is it.
    """
    systems: dict[str, list[Entry]] = {}
    for entry in board.entries if board else ():
        systems.setdefault(untrained_name(entry.name), []).append(entry)
    chosen = {
        name: next((entry for entry in entries if entry.name == name), entries[0])
        for name, entries in systems.items()
        if len(entries) == 1 or any(entry.name == name for entry in entries)
    }
    return {name: tuple(row.scores for row in entry.rows) for name, entry in chosen.items()}


def _reproduced(scores: Sequence[Scores], measure: Measure) -> tuple[float, ...]:
    """Value and 95 % interval in percent; nothing where the system is not there or was not scored so."""
    if not scores or measure.threshold not in scores[0].thresholds:
        return ()
    ends = interval([frame_sums(each, measure.keys) for each in scores], measure)
    return tuple(100 * each for each in (_value(scores, measure), *ends))


def _value(scores: Sequence[Scores], measure: Measure) -> float:
    """Mean over training seeds."""
    return sum(value(each, measure) for each in scores) / len(scores)


def _against(
    paper: float, value: float | None = None, low: float | None = None, high: float | None = None
) -> dict[str, Any]:
    """A cell's fields that depend on both numbers."""
    verdict: CellVerdict = "not reproduced"
    if low is not None and high is not None:
        verdict = "above" if low > paper + ROUNDING else "below" if high < paper - ROUNDING else "within"
    difference = None if value is None else value - paper
    return {"reproduced": value, "difference": difference, "low": low, "high": high, "verdict": verdict}


def _orders(board: Board, paper: Paper) -> list[Order]:
    table, scores = paper.table1, _by_system(board)
    there = [
        row
        for row in table.rows
        if row.system in scores and row.threshold in scores[row.system][0].thresholds
    ]
    orders = []
    for column in METRICS:
        values = {
            row: 100 * _value(scores[row.system], Measure(column, table.average, table.keys, row.threshold))
            for row in there
        }
        broken = tuple(_broken(there, values, column))
        orders.append(Order("Table 1", column, board.name, str(board.subject.provenance), len(there), broken))
    return orders


def _broken(rows: Sequence[Table1Row], values: dict[Table1Row, float], column: str) -> list[str]:
    """Pairs that stand the other way round than in the paper."""
    pairs = (sorted(pair, key=lambda row: -getattr(row, column)) for pair in combinations(rows, 2))
    return [
        f"{upper.system}@{upper.threshold:g} {values[upper]:.1f} under {lower.system}@{lower.threshold:g} "
        f"{values[lower]:.1f}"
        for upper, lower in pairs
        if getattr(upper, column) != getattr(lower, column) and values[upper] < values[lower]
    ]
