"""Table 2 and its strips on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from audeo_bench.identify.ledger import Query
from audeo_bench.identify.table import MOST_ERRORS, error_share, order_of_rates
from audeo_bench.paper.reported import GROUPS, Table2Row, reported
from audeo_bench.records import IdentificationRow, Outcome, Tally
from audeo_bench.report.numbers import percent, spread
from audeo_bench.report.sheet import Sheet
from audeo_bench.report.terminal import beside_paper, table

_MARKS: dict[Outcome | None, tuple[str, str]] = {
    "right": ("█", "green"),
    "wrong": ("▒", "red"),
    "nothing": ("·", "dim"),
    "error": ("!", "yellow"),
    None: (" ", ""),
}
LEGEND = "█ right  ▒ wrong  · nothing  ! error, one mark per 20 seconds"


def table2(rows: Sequence[IdentificationRow], what: str, quick: bool) -> Sheet:
    """One service's rows beside the paper's.

    Parameters
    ----------
    rows : sequence of IdentificationRow
        Of one service.
    what : str
        Provenance and corpus.
    quick : bool
        Only a part of the recordings was played.
    """
    first = rows[0]
    errors = max(map(error_share, rows))
    warnings = ["QUICK LOOK, not all recordings"] * quick
    if errors > MOST_ERRORS:
        warnings.append(f"UP TO {100 * errors:.1f} % ERRORS")
    if any(row.total.unasked for row in rows):
        warnings.append("NOT FINISHED")
    start = f"{', '.join(warnings)}: " if warnings else ""
    made = table(
        f"{start}Table 2 by {first.service} ({what}; % of answered segments named rightly)",
        *("System", "Source", *GROUPS.values(), "95 %", "right", "wrong", "nothing", "error"),
        caption=_caption(rows),
    )
    for row in rows:
        paper = reported().table2.row(row.system)
        if paper:
            cells = [f"{getattr(paper, group):.1f}{'*' if paper.note else ''}" for group in GROUPS]
            made.add_row(paper.label, "paper", *cells, *[""] * 5, style="dim")
        cells = [_cell(tally, paper, group) for group, tally in row.groups.items()]
        counts = [str(getattr(row.total, kind)) for kind in ("right", "wrong", "nothing", "error")]
        made.add_row(paper.label if paper else row.system, first.service, *cells, spread(row), *counts)
    return made


def one_line(row: IdentificationRow) -> str:
    """A row in one line, for those who wait for the table."""
    return (
        f"{row.system}, {row.service}: {percent(row.total.percent)} % of {row.total.answered} ({spread(row)})"
    )


def _cell(tally: Tally, paper: Table2Row | None, group: str) -> Text:
    if tally.percent is None:
        return Text(percent(None))
    difference = tally.percent - getattr(paper, group) if paper else None
    return beside_paper(tally.percent, difference).append(f" of {tally.answered}")


def _caption(rows: Sequence[IdentificationRow]) -> str:
    first = rows[0]
    lines = [
        f"{first.service}: {first.version}. Source paper: SoundHound's rates on real recordings, "
        "another service; signed numbers: reproduced minus reported.",
        "Rates count answered segments only; errors are no answers. 95 %: over performances like these.",
    ]
    left_out = [(row.system, row.false_accepts) for row in rows if row.false_accepts]
    if left_out:
        accepts = ", ".join(f"{system} {found.accepted} of {found.asked}" for system, found in left_out)
        margins = ", ".join(f"{row.system} {row.median_margin or 0:.2f}" for row in rows)
        lines += [
            f"Named all the same with the right piece left out: {accepts}.",
            f"Median margin: {margins}.",
        ]
    ordered = order_of_rates(rows)
    if ordered is not None:
        rates = (" < " if ordered else ", ").join(f"{percent(row.total.percent)}" for row in rows)
        lines.append(f"The rows' order {'shows' if ordered else 'does NOT show'} in the totals ({rates}).")
    notes = [
        row.note for row in reported().table2.rows if row.note and row.system in {r.system for r in rows}
    ]
    return "\n".join([*lines, *(f"* {note}" for note in notes)])


def strips(rows: Sequence[IdentificationRow]) -> Table:
    """Which 20-second pieces were named: a line for every recording, a column for every system."""
    table = Table(title=f"{rows[0].service}: {LEGEND}")
    table.add_column("Recording", overflow="fold")
    for row in rows:
        table.add_column(row.system, overflow="fold")
    for recording in dict.fromkeys(name for row in rows for name in row.strips):
        table.add_row(recording, *(strip(row.strips.get(recording, [])) for row in rows))
    return table


def strip(outcomes: Sequence[Outcome | None]) -> Text:
    """One recording's outcomes as coloured marks."""
    return Text.assemble(*(_MARKS[found] for found in outcomes))


def answers(queries: Sequence[Query], title: str) -> Table:
    """What one listener said of files, segment by segment."""
    table = Table(title=title)
    for heading in ("File", "Seconds", "Title", "Artist", "Album"):
        table.add_column(heading, overflow="fold")
    for query in queries:
        span = f"{query.start:.0f}-{query.start + query.seconds:.0f}"
        if query.reply is None:
            said = [f"error: {query.fault}" if query.fault else "not asked"]
        else:
            answer = query.reply.answer
            said = [answer.title or "nothing", answer.artist, answer.album]
        table.add_row(*(query.recording, span, *said))
    return table
