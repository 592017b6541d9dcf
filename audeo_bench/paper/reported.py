"""The cells of the paper's Tables 1 and 2 as reported, in per cent: ``leaderboards/paper.json``."""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict

from audeo_bench.places import shipped

PAPER_SYSTEM = {
    "authors-roll": "video2roll",
    "authors-midi": "video2roll+roll2midi",
    "video2roll+roll2midi_release": "video2roll+roll2midi",
}
"""Systems whose row of Table 1 bears another name: the authors' own answers as their release stores them, and
the released form of Roll2Midi Net.
"""
BINARY_AT = {"authors-midi": 0.5}
"""Systems stored as on or off, with the threshold that made them so; they have no row at any other."""


class _Reported(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Table1Row(_Reported):
    """A row of Table 1; ``system`` is our name for the chain."""

    label: str
    system: str
    threshold: float
    precision: float
    recall: float
    accuracy: float
    f1: float


class Table1(_Reported):
    """The Midi evaluation: frame by frame against pseudo ground truth."""

    title: str
    test_set: str
    average: Literal["frame_mean"]
    keys: Literal["51"]
    rows: tuple[Table1Row, ...]
    notes: tuple[str, ...]


class Table2Row(_Reported):
    """A row of Table 2; ``note`` says where the row contradicts itself."""

    label: str
    system: str
    total: float
    wtc1_variants: float
    wtc2_other: float
    note: str | None


class Table2(_Reported):
    """The audio evaluation: the share of 20-second segments that an identification service named rightly."""

    title: str
    test_set: str
    service: str
    rows: tuple[Table2Row, ...]
    notes: tuple[str, ...]


class Paper(_Reported):
    """What the paper reports."""

    schema_version: Literal[1]
    citation: str
    table1: Table1
    table2: Table2


@cache
def reported() -> Paper:
    """Read the reported cells."""
    return Paper.model_validate_json((shipped("leaderboards") / "paper.json").read_bytes())
