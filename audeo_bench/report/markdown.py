"""The boards as Markdown: what a reader of the repository sees, made by jinja2."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from audeo_bench.formats.text import plain
from audeo_bench.leaderboards.boards import Board, Entry, Numbers
from audeo_bench.leaderboards.crossing import crossed
from audeo_bench.leaderboards.trainings import trained_on, untrained_name
from audeo_bench.paper.reported import GROUPS, Paper
from audeo_bench.provenance import machine
from audeo_bench.records import Identification, Row
from audeo_bench.report.numbers import percent, spread
from audeo_bench.score import MAIN
from audeo_bench.score.measure import PAPER_SPLIT
from audeo_bench.score.notes import SHOWN_NOTES

PROVENANCE_NOTES = {
    "simulated": "Simulated: composed, performed and filmed by this program; real video may say otherwise.",
    "re-enacted": "Re-enacted: labels of real performances, acted out before a simulated camera.",
    "recorded": "Recorded: real video.",
}
COST_NOTE = (
    "s/min of film: seconds of the whole chain for a minute of film, on the wall's clock of the hardware "
    "beside them, rendering or decoding the frames left out; of the first seed. Training: CPU- or GPU-hours "
    "of all stages together."
)
TIES_NOTE = "Ties: lines with one letter are not shown to differ from the first that has it."


def environment(html: bool = False, finalize: Callable[[Any], Any] | None = None) -> Environment:
    """Where the templates beside this module are rendered; every text put into them is escaped, for Markdown
    unless another ``finalize`` does it.
    """
    made = Environment(
        loader=PackageLoader("audeo_bench.report"),
        autoescape=html,
        finalize=finalize or (_shown if html else cell),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not html,
    )
    made.filters |= {
        "spread": spread,
        "percent": percent,
        "amount": amount,
        "seeds": over_seeds,
        "verified": verified,
        "untrained": untrained_name,
        "trained_on": trained_on,
        "machine": machine,
        "letters": letters,
        "training": training,
    }
    return made


def render_boards(boards: Sequence[Board], identifications: Sequence[Identification], paper: Paper) -> str:
    """All boards and the paper's reported cells as one Markdown text."""
    return (
        environment()
        .get_template("boards.md.jinja")
        .render(
            boards=boards,
            identifications=identifications,
            groups=GROUPS,
            paper=paper,
            main=MAIN,
            notes=PROVENANCE_NOTES,
            paper_split=PAPER_SPLIT,
            note_metrics=SHOWN_NOTES,
            crossed=crossed(boards),
            cost_note=COST_NOTE,
            ties_note=TIES_NOTE,
        )
    )


def amount(number: int | None) -> str:
    """A number of parameters with three digits: 12.7 M, 340 k, 88."""
    if number is None:
        return "–"
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return str(number)


def letters(ties: Sequence[int]) -> str:
    """Groups of ties by letters: ``a``, ``a b``; behind ``z`` come ``a1`` to ``z1``.

    >>> letters((0, 1, 26))
    'a b a1'
    """
    alphabet = string.ascii_lowercase
    return " ".join(f"{alphabet[tie % 26]}{tie // 26 or ''}" for tie in ties)


def training(row: Row) -> str:
    """What training took and on what: ``0.50 CPU-h, AMD EPYC, 2 threads``."""
    if row.training_cost is None:
        return "–"
    unit, seconds = row.training_cost
    hours = f"{seconds / 3600:.2f} {unit.removesuffix('seconds')}h"
    return ", ".join(filter(None, (hours, row.training_hardware)))


def over_seeds(found: Numbers) -> str:
    """How far apart the training seeds of a line are: ``3 seeds: 60.1 to 62.4``, least and greatest F1."""
    if len(found.seeds) == 1:
        return "–"
    return f"{len(found.seeds)} seeds: {percent(min(found.seeds))} to {percent(max(found.seeds))}"


def verified(entry: Entry) -> str:
    known = [each for each in entry.verified if each]
    if not known:
        return "only reported"
    if len(known) < len(entry.rows):
        return f"{len(known)} of {len(entry.rows)} verified"
    return f"verified from rolls {', '.join(each.rolls_sha256[:8] for each in known)}"


def _shown(value: Any) -> Any:
    return plain(value) if type(value) is str else value


def cell(value: Any) -> Any:
    """Text that stays inside one cell and means nothing to Markdown or HTML; all else stays as it is."""
    if type(value) is not str:
        return value
    escaped = plain(value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for sign in "\\|`*_[]":
        escaped = escaped.replace(sign, f"\\{sign}")
    return escaped
