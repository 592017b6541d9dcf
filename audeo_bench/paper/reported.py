"""The cells of the paper's Tables 1 and 2 as reported, in per cent: ``leaderboards/paper.json``."""

from __future__ import annotations

from functools import cache
from typing import Literal

from audeo_bench.places import shipped
from audeo_bench.records import KeyRange, Strict, read
from audeo_bench.score.frames import METRICS, Average

PAPER_SYSTEM = {
    "authors-roll": "video2roll",
    "authors-midi": "video2roll+roll2midi",
    "video2roll+roll2midi_release": "video2roll+roll2midi",
}
"""Systems whose row of Table 1 bears another name: the authors' own answers as their release stores them, and
the released form of Roll2Midi Net.
"""
GROUPS = {"total": "Total", "wtc1_variants": "WTC I variants", "wtc2_other": "WTC II and other"}
"""Columns of Table 2, by the name of their split with underscores."""
BINARY_AT = {"authors-midi": 0.5}
"""Systems stored as on or off, with the threshold that made them so; they have no row at any other."""


class Table1Row(Strict):
    """A row of Table 1; ``system`` is our name for the chain."""

    label: str
    system: str
    threshold: float
    precision: float
    recall: float
    accuracy: float
    f1: float

    @property
    def values(self) -> dict[str, float]:
        return {metric: getattr(self, metric) for metric in METRICS}


class Table1(Strict):
    """The Midi evaluation: frame by frame against pseudo ground truth."""

    title: str
    test_set: str
    average: Literal["frame_mean"]
    keys: Literal["51"]
    rows: tuple[Table1Row, ...]
    notes: tuple[str, ...]

    def row(self, system: str, threshold: float) -> Table1Row | None:
        """What the paper reports of a system, whatever its row is called there."""
        place = (PAPER_SYSTEM.get(system, system), threshold)
        return next((row for row in self.rows if (row.system, row.threshold) == place), None)

    def comparable(self, average: Average, keys: KeyRange) -> bool:
        """Whether numbers by this average and key range may stand beside the paper's."""
        return (average, keys) == (self.average, self.keys)


class Table2Row(Strict):
    """A row of Table 2; ``note`` says where the row contradicts itself."""

    label: str
    system: str
    total: float
    wtc1_variants: float
    wtc2_other: float
    note: str | None


class Table2(Strict):
    """The audio evaluation: the share of 20-second segments that an identification service named rightly."""

    title: str
    test_set: str
    service: str
    rows: tuple[Table2Row, ...]
    notes: tuple[str, ...]

    def row(self, system: str) -> Table2Row | None:
        return next((row for row in self.rows if row.system == system), None)


class Paper(Strict):
    """What the paper reports."""

    schema_version: Literal[1]
    citation: str
    table1: Table1
    table2: Table2


@cache
def reported() -> Paper:
    """Read the reported cells."""
    return read(shipped("leaderboards") / "paper.json", Paper)
