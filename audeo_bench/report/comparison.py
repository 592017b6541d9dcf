"""A comparison, a check and the fidelity report as tables in the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from rich.table import Table
from rich.text import Text

from audeo_bench.contestants.check import Finding
from audeo_bench.leaderboards.metrics import measure_name
from audeo_bench.leaderboards.opponents import Contest
from audeo_bench.paper.fidelity import Cell, Fidelity
from audeo_bench.report.html import percent
from audeo_bench.score.statistics import Measure

_COLOURS = {"pass": "green", "warn": "yellow", "fail": "red"}


def comparisons(contest: Contest, measure: Measure, title: str) -> Table:
    """The paired comparison with each opponent: difference, interval, p-value, recordings, verdict."""
    recordings = list(contest.comparisons[0].recordings)
    caption = (
        f"Differences in percentage points of F1 ({measure_name(measure)}); p: blocks of 20 s swapped "
        "within recordings, "
        "Holm over these rows. 'different here' speaks of these performances only."
    )
    table = Table(title=title, caption=caption, caption_justify="left")
    table.add_column("against")
    for name in ("F1", "difference", "95 % interval", "p (Holm)", *recordings):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    own = 100 * contest.scores.value(measure.metric, measure.threshold, measure.average, measure.keys)
    for found in contest.comparisons:
        interval = "–" if found.low != found.low else f"{100 * found.low:+.1f} … {100 * found.high:+.1f}"
        table.add_row(
            found.right,
            f"{own - 100 * found.difference:.1f}",
            f"{100 * found.difference:+.2f}",
            interval,
            f"{found.p_adjusted:.4f}",
            *(f"{100 * found.recordings[name]:+.1f}" for name in recordings),
            found.verdict,
        )
    return table


def ranks(contest: Contest) -> Table:
    """Shared ranks of the contestant among those it was compared with."""
    table = Table(
        title="Ranks",
        caption="Shared where the interval\nof the difference to the\nleader contains zero.",
        caption_justify="left",
    )
    table.add_column("rank", justify="right")
    table.add_column("contestant")
    table.add_column("F1", justify="right")
    for place in contest.ranks:
        style = "bold" if place.name == contest.name else None
        table.add_row(str(place.rank), place.name, f"{100 * place.value:.1f}", style=style)
    return table


def finding(found: Finding) -> Text:
    """One line: outcome, contract, what was seen."""
    return Text.assemble(
        (f"{found.outcome:<5}", _COLOURS[found.outcome]), (f"{found.contract}: ", "bold"), found.words
    )


def fidelity_table(cells: Iterable[Cell], title: str) -> Table:
    """Cells one under the other; only ``recorded`` confirms or contradicts the paper."""
    table = Table(title=title)
    for name, justify in (
        ("row", "left"),
        ("column", "left"),
        ("paper", "right"),
        ("reproduced", "right"),
        ("difference", "right"),
        ("95 % interval", "right"),
        ("verdict", "left"),
    ):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for cell in cells:
        interval = "–" if cell.low is None else f"{percent(cell.low)} … {percent(cell.high)}"
        difference = "–" if cell.difference is None else f"{cell.difference:+.1f}"
        label = f"{cell.row} ({cell.variant.rpartition(', ')[2]})" if cell.table == "Table 1" else cell.row
        paper = percent(cell.paper) + (" †" if cell.note else "")
        table.add_row(label, cell.column, paper, percent(cell.reproduced), difference, interval, cell.verdict)
    return table


def by_board(report: Fidelity) -> dict[tuple[str, str, str, str], list[Cell]]:
    """Cells by table, board, provenance and metric variant without the threshold."""
    groups: dict[tuple[str, str, str, str], list[Cell]] = {}
    for cell in report.cells:
        variant = cell.variant.partition(", threshold")[0]
        groups.setdefault((cell.table, cell.board, cell.provenance, variant), []).append(cell)
    return groups


def fidelity_markdown(report: Fidelity) -> str:
    environment = Environment(
        loader=PackageLoader("audeo_bench.report"),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["percent"] = percent
    return environment.get_template("fidelity.md.jinja").render(
        groups=by_board(report), orders=report.orders, notes=notes_of(report.cells)
    )


def notes_of(cells: Sequence[Cell]) -> list[str]:
    return list(dict.fromkeys(f"{cell.row}: {cell.note}" for cell in cells if cell.note))
