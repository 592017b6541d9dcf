"""Where tables go, and what they have in common."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from audeo_bench.formats.text import plain

PIPE_WIDTH = 120
"""Columns where the output is no terminal; rich would squeeze tables into 80."""
_WORDS = {
    "System",
    "Source",
    "Recording",
    "Average",
    "Keys",
    "row",
    "column",
    "verdict",
    "against",
    "contestant",
}
"""Columns of words; all others hold numbers."""


def stdout() -> Console:
    """The console that tables go to."""
    console = _Literal(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


class _Literal(Console):
    """Shows every text as it is: names from outside hold brackets, and worse."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str("\n".join(map(plain, text.split("\n"))), **options)


def table(title: str, *headings: str, caption: str | None = None) -> Table:
    """An empty table; its headings say which columns are words."""
    made = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    for heading in headings:
        made.add_column(heading, justify="left" if heading in _WORDS else "right", overflow="fold")
    return made


def part(limit: int | None) -> str:
    """How a table of a part of a split begins."""
    return "" if limit is None else f"QUICK LOOK, first {limit} recordings only, for no board: "


def percent(value: float | None) -> str:
    """One decimal, as the paper prints; a dash for what is not there."""
    return "–" if value is None or value != value else f"{value:.1f}"


def beside_paper(value: float | None, difference: float | None) -> Text:
    """A reproduced number, and how far it is from the paper's."""
    text = Text(percent(value))
    if value is not None and difference is not None:
        text.append(f" {difference:+6.1f}", "green" if difference >= 0 else "red")
    return text
