"""The boards as Markdown: what a reader of the repository sees, made by jinja2."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from audeo_bench.leaderboards.boards import Board
from audeo_bench.leaderboards.identification import Identification
from audeo_bench.leaderboards.metrics import MAIN, main_percents, mean_note_f1, measure_name
from audeo_bench.paper.reported import Paper
from audeo_bench.report.html import GROUPS, PROVENANCE_NOTES, amount, percent


def render_boards(boards: Sequence[Board], identifications: Sequence[Identification], paper: Paper) -> str:
    """All boards and the paper's reported cells as one Markdown text."""
    # A pipe would end a table's cell; names and marks are the only text of strangers here.
    environment = Environment(
        loader=PackageLoader("audeo_bench.report"),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"percent": percent, "amount": amount, "cell": cell}
    return environment.get_template("boards.md.jinja").render(
        boards=boards,
        identifications=identifications,
        groups=GROUPS,
        reported2={row.system: row for row in paper.table2.rows},
        paper=paper,
        main=measure_name(MAIN),
        notes=PROVENANCE_NOTES,
        scores=lambda row: main_percents(row.scores),
        onset=lambda row: mean_note_f1(row.scores, "onset@50", MAIN.threshold),
        reported={row.system: row for row in paper.table1.rows if row.threshold == MAIN.threshold},
    )


def cell(text: str) -> str:
    """Text that stays inside one cell and means nothing to Markdown or HTML."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for sign in "\\|`*_[]":
        escaped = escaped.replace(sign, f"\\{sign}")
    return " ".join(escaped.split())
