"""Where tables go, and what they have in common."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Literal

from rich.console import Console
from rich.text import Text

from audeo_bench.formats.text import plain
from audeo_bench.report.numbers import percent
from audeo_bench.report.sheet import Sheet, as_text

PIPE_WIDTH = 120
"""Columns where the output is no terminal and ``COLUMNS`` says nothing; rich would squeeze tables into 80."""


def stdout() -> Console:
    """The console that tables go to."""
    console = _Literal(highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPE_WIDTH
    return console


def show(tables: Iterable[Sheet | str], form: Literal["table", "markdown", "latex", "csv"] = "table") -> None:
    """Print tables for people, or as text to be pasted or read by another program."""
    if form == "table":
        stdout().print(*tables)
        return
    print(as_text([each for each in tables if isinstance(each, Sheet)], form), end="")


class _Literal(Console):
    """Shows every text as it is: names from outside hold brackets, and worse."""

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str("\n".join(map(plain, text.split("\n"))), **options)


def table(title: str, *headings: str, caption: str | None = None) -> Sheet:
    """An empty table; its headings say which columns are words, and which may be left out."""
    return Sheet(title, headings, caption)


def word_table(*headings: str, title: str = "", header: bool = True) -> Sheet:
    """An empty table of words, which are folded where it is narrow."""
    return Sheet(title, headings, wordy=True, header=header)


def part(limit: int | None) -> str:
    """How a table of a part of a split begins."""
    return "" if limit is None else f"QUICK LOOK, first {limit} recordings only, for no board: "


def beside_paper(value: float | None, difference: float | None) -> Text:
    """A reproduced number, and how far it is from the paper's."""
    text = Text(percent(value))
    if value is not None and difference is not None:
        text.append(f" {difference:+6.1f}", "green" if difference >= 0 else "red")
    return text
