"""A table of words and numbers: in a terminal of any width, and as Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderResult
from rich.constrain import Constrain
from rich.table import Table
from rich.text import Text

from audeo_bench.formats.text import plain

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
DERIVED = "difference"
"""The kept column that goes before a word is broken within: others say it too."""
READABLE = 80
"""Columns that a narrow table's title and caption may take where the terminal has them."""
LONGEST_PIECE = 40
"""Letters that stay together where a word has to be broken; fewer only where that is too wide."""
_WHOLE = r"\S+"


@dataclass(frozen=True)
class _Line:
    cells: tuple[str | Text, ...]
    style: str | None = None


@dataclass
class Sheet:
    """A table.

    In a terminal that is too narrow, columns of numbers are left out, and that is said, before a name is
    folded; a name is folded behind a sign before it is folded anywhere; nothing is ever cut.

    Attributes
    ----------
    title : str
    headings : tuple of str
    caption : str or None
        Its lines are ended by newlines.
    wordy : bool
        All columns are words, and all are shown.
    header : bool
        Whether headings are shown in a terminal.
    """

    title: str
    headings: tuple[str, ...]
    caption: str | None = None
    wordy: bool = False
    header: bool = True
    lines: list[_Line] = field(default_factory=list)
    sections: set[int] = field(default_factory=set)

    def add_row(self, *cells: str | Text, style: str | None = None) -> None:
        self.lines.append(_Line(cells, style))

    def add_section(self) -> None:
        """Draw a line below the last row."""
        self.sections.add(len(self.lines))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns, widths = self._layout(options.max_width)
        hidden = [heading for number, heading in enumerate(self.headings) if number not in columns]
        remark = f"Not shown at this width: {', '.join(hidden)}." if hidden else ""
        caption = "\n".join(filter(None, (self.caption, remark)))
        beside = max(_outer(widths), min(READABLE, options.max_width))
        if self.title:
            yield Constrain(console.render_str(self.title, style="table.title"), beside)
        yield self._table(columns, widths)
        if caption:
            yield Constrain(console.render_str(caption, style="table.caption"), beside)

    def _is_words(self, column: int) -> bool:
        return self.wordy or self.headings[column] in WORDS

    def _layout(self, width: int) -> tuple[list[int], list[int]]:
        """Columns to be shown within a width, and how wide each is, without padding and borders.

        rich's own layout heeds no column's least width, and is then wider than the terminal.
        """
        columns, widths = list(range(len(self.headings))), []
        going = [c for c in columns if not (self.wordy or self.headings[c] in KEPT)]
        shown = [[c for c in columns if c not in going[len(going) - n :]] for n in range(len(going) + 1)]
        least = [c for c in shown[-1] if self.headings[c] != DERIVED]
        tries = [*((each, _WHOLE) for each in shown), (shown[-1], _pieces(LONGEST_PIECE))]
        tries += [(least, _pieces(letters)) for letters in range(LONGEST_PIECE, 0, -1)]
        for chosen, pieces in tries:
            columns, widths = chosen, [self._least(column, pieces) for column in chosen]
            if _outer(widths) <= width:
                break
        most = [max(map(cell_len, self._texts(column))) for column in columns]
        for _ in range(width - _outer(widths)):
            growing = [n for n in range(len(columns)) if widths[n] < most[n]]
            if not growing:
                break
            widths[min(growing, key=widths.__getitem__)] += 1
        return columns, widths

    def _texts(self, column: int) -> list[str]:
        """The lines of a column's cells, the heading first."""
        cells = [line.cells[column] for line in self.lines]
        heading = self.headings[column] if self.header else ""
        return [heading, *(text for cell in cells for text in _shown(cell).split("\n"))]

    def _least(self, column: int, pieces: str) -> int:
        """How narrow a column may be: numbers keep their line, words and headings the pieces."""
        heading, *texts = self._texts(column)
        if self._is_words(column):
            texts = [piece for text in texts for piece in re.findall(pieces, text)]
        return max(map(cell_len, [*re.findall(_WHOLE, heading), *texts]), default=1)

    def _table(self, columns: Sequence[int], widths: Sequence[int]) -> Table:
        made = Table(show_header=self.header)
        for column, width in zip(columns, widths, strict=True):
            justify = "left" if self._is_words(column) else "right"
            made.add_column(self.headings[column], justify=justify, overflow="fold", width=width)
        for number, line in enumerate(self.lines, 1):
            cells = [
                _folded(line.cells[column], width) if self._is_words(column) else line.cells[column]
                for column, width in zip(columns, widths, strict=True)
            ]
            made.add_row(*cells, style=line.style, end_section=number in self.sections)
        return made

    def as_text(self, form: TextFormat) -> str:
        """The whole table, every column, to be pasted or read by another program."""
        rows = [[str(cell).replace("\n", ", ") for cell in line.cells] for line in self.lines]
        notes = (self.caption or "").split("\n")
        if form == "csv":
            content = io.StringIO()
            content.writelines(f"# {plain(text)}\n" for text in (self.title, *notes) if text)
            csv.writer(content, lineterminator="\n").writerows([self.headings, *rows])
            return content.getvalue()
        from audeo_bench.report.markdown import cell, environment

        escape: Callable[[str], str] = tex if form == "latex" else cell  # type: ignore[assignment]
        pages = environment(finalize=escape)
        words = list(map(self._is_words, range(len(self.headings))))
        return pages.get_template(f"sheet.{form}.jinja").render(
            title=self.title, headings=self.headings, words=words, rows=rows, notes=notes
        )


def _outer(widths: Sequence[int]) -> int:
    """How wide a table of such columns is, with its padding and borders."""
    return sum(widths) + 3 * len(widths) + 1


def _pieces(letters: int) -> str:
    """A pattern of what is kept together in a word: up to a sign, or so many letters."""
    return rf"[^\s+/_,-]{{0,{letters - 1}}}[+/_,-]|[^\s+/_,-]{{1,{letters}}}"


def _shown(cell: str | Text) -> str:
    """A cell as the terminal shows it."""
    return "\n".join(map(plain, str(cell).split("\n")))


def _folded(cell: str | Text, width: int) -> str:
    """Break lines at blanks; a word that is longer than the width behind a sign, else anywhere."""
    folded = []
    for text in _shown(cell).split("\n"):
        lines = [""]
        for word in re.findall(r"\s*\S+", text):
            whole = cell_len(word.lstrip()) <= width
            for piece in [word] if whole else re.findall(rf"\s*(?:{_pieces(width)})", word):
                if cell_len(lines[-1] + piece) <= width:
                    lines[-1] += piece
                else:
                    lines += chop_cells(piece.lstrip(), width)
        folded += lines if lines[0] or len(lines) == 1 else lines[1:]
    return "\n".join(folded)


def as_text(sheets: Iterable[Sheet], form: TextFormat) -> str:
    """Several tables, one below the other, an empty line between them."""
    return "\n".join(sheet.as_text(form) for sheet in sheets)


_TEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_TEX |= {"–": "--", "…": r"\dots{}", "†": r"\dag{}"}


def tex(value: object) -> object:
    """Text that means nothing to LaTeX; all else stays as it is."""
    if type(value) is not str:
        return value
    return re.sub(r"[\\~^&%$#_{}–…†]", lambda sign: _TEX.get(sign[0], f"\\{sign[0]}"), plain(value))
