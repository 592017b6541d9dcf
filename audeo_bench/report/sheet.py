"""A table of words and numbers: in a terminal of any width, and as Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

TextFormat = Literal["markdown", "latex", "csv"]

WORDS = {
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
    "trained on",
    "Trained on",
    "Status",
    "Folder",
    "Hardware",
    "Training",
    "ties",
    "Checked",
}
"""Columns of words; all others hold numbers."""
KEPT = {
    *(WORDS - {"Folder", "Status", "Hardware", "Training", "ties", "Checked", "Trained on", "trained on"}),
    "Threshold",
    "F1",
    "rank",
    "difference",
    "reproduced",
    "paper",
}
"""Columns that are shown however narrow the terminal is; of the others the rightmost goes first."""
_UNBOUNDED = 10_000


@dataclass(frozen=True)
class _Line:
    cells: tuple[str | Text, ...]
    style: str | None = None


@dataclass
class Sheet:
    """A table.

    In a terminal that is too narrow, columns are left out, and that is said, before a name is folded; nothing
    is ever cut.
    """

    title: str
    headings: tuple[str, ...]
    caption: str | None = None
    lines: list[_Line] = field(default_factory=list)
    sections: set[int] = field(default_factory=set)

    def add_row(self, *cells: str | Text, style: str | None = None) -> None:
        self.lines.append(_Line(cells, style))

    def add_section(self) -> None:
        """Draw a line below the last row."""
        self.sections.add(len(self.lines))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = list(range(len(self.headings)))
        everywhere = options.update(max_width=_UNBOUNDED)
        narrow = True
        while console.measure(self._table(columns), options=everywhere).minimum > options.max_width:
            droppable = [column for column in columns if self.headings[column] not in KEPT]
            if not droppable:
                break
            columns.remove(droppable[-1])
        else:
            narrow = False
        yield self._table(columns, fold=narrow)

    def _table(self, columns: Sequence[int], fold: bool = True) -> Table:
        hidden = [heading for number, heading in enumerate(self.headings) if number not in columns]
        remark = f"Not shown at this width: {', '.join(hidden)}." if hidden else ""
        caption = "\n".join(filter(None, (self.caption, remark)))
        made = Table(title=self.title, caption=caption or None, title_justify="left", caption_justify="left")
        for number in columns:
            heading = self.headings[number]
            words = heading in WORDS
            # Numbers keep their line; rich by itself would break them at their blanks. It would also fold a
            # long name to leave another column its blanks.
            cells = [str(line.cells[number]) for line in self.lines]
            kept = [word for cell in cells for word in cell.split() if not fold] if words else cells
            widest = max(map(cell_len, kept), default=0)
            made.add_column(
                heading,
                justify="left" if words else "right",
                no_wrap=not words,
                overflow="fold",
                min_width=widest,
            )
        for number, line in enumerate(self.lines, 1):
            cells = (line.cells[column] for column in columns)
            made.add_row(*cells, style=line.style, end_section=number in self.sections)
        return made

    def as_text(self, form: TextFormat) -> str:
        """The whole table, every column, to be pasted or read by another program."""
        rows = [[str(cell) for cell in line.cells] for line in self.lines]
        if form == "csv":
            content = io.StringIO()
            csv.writer(content, lineterminator="\n").writerows([self.headings, *rows])
            return content.getvalue()
        from audeo_bench.report.markdown import cell, environment

        escape: Callable[[str], str] = tex if form == "latex" else cell  # type: ignore[assignment]
        pages = environment(finalize=escape)
        words = [heading in WORDS for heading in self.headings]
        caption = (self.caption or "").replace("\n", " ")
        return pages.get_template(f"sheet.{form}.jinja").render(
            title=self.title, headings=self.headings, words=words, rows=rows, caption=caption
        )


def as_text(sheets: Iterable[Sheet], form: TextFormat) -> str:
    """Several tables, one below the other."""
    return "\n".join(sheet.as_text(form) for sheet in sheets)


_TEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_TEX |= {"–": "--", "…": r"\dots{}", "†": r"\dag{}"}


def tex(value: object) -> object:
    """Text that means nothing to LaTeX; all else stays as it is."""
    from audeo_bench.formats.text import plain

    if type(value) is not str:
        return value
    return re.sub(r"[\\~^&%$#_{}–…†]", lambda sign: _TEX.get(sign[0], f"\\{sign[0]}"), plain(value))
