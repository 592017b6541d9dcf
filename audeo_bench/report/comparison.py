"""A comparison, a check and the fidelity report as tables in the terminal and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from rich.text import Text

from audeo_bench.contestants.check import Finding
from audeo_bench.leaderboards.boards import reading
from audeo_bench.leaderboards.opponents import Contest
from audeo_bench.paper.fidelity import Cell, Fidelity
from audeo_bench.report.markdown import environment
from audeo_bench.report.numbers import percent
from audeo_bench.report.sheet import Sheet
from audeo_bench.report.terminal import part, table
from audeo_bench.score.spread import RECORDINGS_FROM
from audeo_bench.score.statistics import Comparison

_COLOURS = {"pass": "green", "warn": "yellow", "fail": "red"}


def comparisons(contest: Contest, title: str) -> Sheet:
    """The paired comparison with each opponent: difference, interval, p-value, recordings, verdict."""
    found = contest.comparisons
    # So many columns only where a terminal has room for them.
    recordings = list(found[0].recordings) if len(found[0].recordings) < RECORDINGS_FROM else []
    caption = (
        f"Differences in percentage points of F1 ({contest.standing.measure}), each with its own 95 % "
        f"interval. p (Holm): over all {contest.standing.pairs} pairs of these contestants.\n"
        f"{reading(contest.standing)}"
    )
    headings = (
        *("against", "trained on", "F1", "difference", "95 % interval", "p (Holm)"),
        *recordings,
        "verdict",
    )
    subject = contest.scores.subject
    made = table(part(subject.limit) + title + subject.particulars, *headings, caption=caption)
    for each in found:
        interval = "–" if each.low != each.low else f"{100 * each.low:+.1f} … {100 * each.high:+.1f}"
        made.add_row(
            each.right,
            contest.lines[each.right].trained_on,
            f"{100 * contest.standing.systems[each.right].value:.1f}",
            f"{100 * each.difference:+.2f}",
            interval,
            f"{each.p_adjusted:.4f}",
            *(f"{100 * each.recordings[name]:+.1f}" for name in recordings),
            verdict(each),
        )
    return made


def verdict(found: Comparison) -> str:
    """The verdict with its direction, as people read it."""
    better = "better" if found.difference > 0 else "worse"
    return {
        "general": f"generally {better}",
        "consistent": f"consistently {better}",
        "different here": f"{better} here",
    }.get(found.verdict, found.verdict)


def as_json(contest: Contest) -> str:
    standing = contest.standing
    answer = {
        "contestant": contest.name,
        "trained_on": contest.lines[contest.name].trained_on,
        "limit": contest.scores.subject.limit,
        "comparisons": [asdict(each) for each in contest.comparisons],
        "ranks": [
            {"name": name, "value": each.value, "rank": standing.ranks[name]}
            for name, each in standing.systems.items()
        ],
        "detectable": standing.detectable(),
    }
    return json.dumps(answer, indent=1)


def ranks(contest: Contest) -> Sheet:
    """Shared ranks of the system among those it was compared with."""
    made = table("Ranks", "rank", "contestant", "trained on", "F1")
    for name, each in contest.standing.systems.items():
        style = "bold" if name == contest.name else None
        rank = f"{contest.standing.ranks[name]}{'=' if contest.standing.shared(name) else ''}"
        made.add_row(rank, name, contest.lines[name].trained_on, percent(100 * each.value), style=style)
    return made


def finding(found: Finding) -> Text:
    """One line: outcome, contract, what was seen."""
    return Text.assemble(
        (f"{found.outcome:<5}", _COLOURS[found.outcome]), (f"{found.contract}: ", "bold"), found.words
    )


def fidelity_tables(report: Fidelity) -> Iterator[Sheet | str]:
    """A table for each board, cells one under the other; then the orders and the notes, a line each."""
    for (name, board, provenance, variant), cells in by_board(report).items():
        made = table(
            f"{name} ({variant}); board {board} ({provenance})",
            *("row", "column", "paper", "reproduced", "difference", "95 % interval", "verdict"),
        )
        for cell in cells:
            interval = "–" if cell.low is None else f"{percent(cell.low)} … {percent(cell.high)}"
            difference = "–" if cell.difference is None else f"{cell.difference:+.1f}"
            paper = percent(cell.paper) + (" †" if cell.note else "")
            made.add_row(
                *(
                    cell.label,
                    cell.column,
                    paper,
                    percent(cell.reproduced),
                    difference,
                    interval,
                    cell.verdict,
                )
            )
        yield made
    for order in report.orders:
        verdict = "as in the paper" if not order.broken else "; ".join(order.broken)
        yield (
            f"{order.board} ({order.provenance}), order by {order.column} of {order.systems} rows: {verdict}"
        )
    yield from (f"† {note}" for note in notes_of(report.cells))


def by_board(report: Fidelity) -> dict[tuple[str, str, str, str], list[Cell]]:
    """Cells by table, board, provenance and metric variant without the threshold."""
    groups: dict[tuple[str, str, str, str], list[Cell]] = {}
    for cell in report.cells:
        variant = cell.variant.partition(", threshold")[0]
        groups.setdefault((cell.table, cell.board, cell.provenance, variant), []).append(cell)
    return groups


def fidelity_markdown(report: Fidelity) -> str:
    return (
        environment()
        .get_template("fidelity.md.jinja")
        .render(groups=by_board(report), orders=report.orders, notes=notes_of(report.cells))
    )


def notes_of(cells: Sequence[Cell]) -> list[str]:
    return list(dict.fromkeys(f"{cell.row}: {cell.note}" for cell in cells if cell.note))
